// The XML reader takes any bytes; the text it gives can be written and read back.
#include <string_view>

#include "base/check.h"
#include "codec/xml.h"

using namespace pinpipe;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto root = codec::parse_xml({reinterpret_cast<const char*>(data), size});
  if (!root) return 0;
  std::string out;
  codec::XmlWriter(out).element("r", root->text);
  auto back = codec::parse_xml(out);
  CHECK(back && back->text == root->text, "text that was read can be written and read back");
  return 0;
}
