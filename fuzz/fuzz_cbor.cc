// Whatever the CBOR reader accepts, the writer can write to an equal form.
#include <string_view>

#include "base/check.h"
#include "codec/cbor.h"

using namespace pinpipe;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto value = codec::parse_cbor({reinterpret_cast<const char*>(data), size});
  if (!value) return 0;
  std::string once = codec::to_cbor(*value);
  auto back = codec::parse_cbor(once);
  // Bytes are compared, not values: a NaN is not equal to itself.
  CHECK(back && codec::to_cbor(*back) == once, "what is written reads back equal");
  return 0;
}
