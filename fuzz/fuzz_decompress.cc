// Decompression keeps to its limit on any bytes, and undoes compression.
#include <string_view>

#include "base/check.h"
#include "codec/compression.h"

using namespace pinpipe;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto codec = static_cast<codec::Codec>(data[0] % 5);
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  constexpr size_t bytes_max = 100'000;
  auto out = codec::decompress(codec, bytes, bytes_max);
  CHECK(!out || out->size() <= bytes_max, "the output keeps to its limit");
  auto inflated = codec::inflate_zlib(bytes, bytes_max);
  CHECK(!inflated || inflated->size() <= bytes_max, "the output keeps to its limit");
  auto back = codec::decompress(codec, *codec::compress(codec, bytes), bytes.size());
  CHECK(back && *back == bytes, "decompression undoes compression");
  return 0;
}
