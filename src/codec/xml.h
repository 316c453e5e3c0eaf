// XML for the S3 door: a writer for answers and a small strict reader for request bodies.
// Promise: the reader takes elements, attributes, text, comments and CDATA, nothing else: a
// DOCTYPE, a processing instruction or an entity beyond the five and the numeric ones is `invalid`,
// so there is nothing to expand and nothing to fetch. Bad UTF-8 and characters that XML forbids are
// refused. Bounds: xml_bytes_max, xml_depth_max, xml_elements_max.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pinpipe::codec {

inline constexpr size_t xml_bytes_max = size_t{8} << 20;
inline constexpr size_t xml_depth_max = 32;
inline constexpr size_t xml_elements_max = 100'000;

struct XmlElement {
  std::string name;                                             // without its namespace prefix
  std::vector<std::pair<std::string, std::string>> attributes;  // names with their prefix
  std::string text;  // all text directly inside, children left out
  std::vector<XmlElement> children;

  const XmlElement* child(std::string_view child_name) const;
  // The text of that child, trimmed of blanks; empty when there is none.
  std::string_view text_of(std::string_view child_name) const;
};

// The root element.
Result<XmlElement> parse_xml(std::string_view text);

// Appends text with & < > " ' escaped; control characters that XML cannot carry become U+FFFD, \r
// becomes &#13; because readers would otherwise turn it into \n.
void append_xml_text(std::string& out, std::string_view text);

// Writes at the end of a string; the caller keeps begin and end balanced.
class XmlWriter {
 public:
  explicit XmlWriter(std::string& out) : out_(out) {}

  // <?xml version="1.0" encoding="UTF-8"?> and a line end, as S3 sends it.
  XmlWriter& declaration();
  XmlWriter& begin(std::string_view name);
  // Directly after begin().
  XmlWriter& attribute(std::string_view name, std::string_view value);
  XmlWriter& text(std::string_view text);
  XmlWriter& end();
  // <name>text</name>
  XmlWriter& element(std::string_view name, std::string_view text);
  template <std::integral T>
  XmlWriter& element(std::string_view name, T number) {
    if constexpr (std::same_as<T, bool>) {
      return element(name, std::string_view(number ? "true" : "false"));
    } else {
      return element(name, std::string_view(std::to_string(number)));
    }
  }
  XmlWriter& element(std::string_view name, const char* text) {
    return element(name, std::string_view(text));
  }

 private:
  void close_tag();

  std::string& out_;
  std::vector<std::string> open_;
  bool tag_is_open_ = false;
};

}  // namespace pinpipe::codec
