// The scanner and the tree agree on what JSON is; the compact form is stable and means the same.
#include <string_view>

#include "base/check.h"
#include "codec/json.h"
#include "codec/json_scan.h"

using namespace pinpipe;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string once;
  const bool is_json = codec::compact_json(text, once).has_value();
  auto tree = codec::parse_json(text);
  CHECK(is_json || !tree, "what the scanner refuses is no tree");
  if (!is_json) return 0;
  CHECK(once.size() <= text.size(), "the compact form is never longer");
  std::string twice;
  CHECK(codec::compact_json(once, twice) && once == twice, "the compact form is stable");
  auto same = codec::parse_json(once);
  CHECK(tree.has_value() == same.has_value(), "the compact form is a tree when the text is");
  if (!tree) {
    // The only JSON that has no tree.
    const std::string& why = tree.error().text();
    CHECK(why.contains("surrogate") || why.contains("too large"), "all other JSON has a tree");
    return 0;
  }
  CHECK(*tree == *same, "the compact form means the same");
  auto written = codec::parse_json(codec::to_json(*tree));
  CHECK(written && *written == *tree, "what is written reads back equal");
  auto pretty = codec::parse_json(codec::to_json_pretty(*tree));
  CHECK(pretty && *pretty == *tree, "what is written prettily reads back equal");
  return 0;
}
