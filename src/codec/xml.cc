#include "codec/xml.h"

#include <charconv>
#include <fmt/format.h>
#include <optional>

#include "base/check.h"
#include "codec/json_text.h"

namespace pinpipe::codec {
namespace {

constexpr std::string_view blanks = " \t\r\n";

bool is_blank(char c) {
  return blanks.find(c) != std::string_view::npos;
}
bool is_name_start(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (c & 0x80) != 0;
}
bool is_name_char(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':';
}
bool is_xml_char(uint32_t code) {
  return code == '\t' || code == '\n' || code == '\r' || (code >= 0x20 && code <= 0xD7FF) ||
         (code >= 0xE000 && code <= 0xFFFD) || (code >= 0x10000 && code <= 0x10FFFF);
}

std::string_view local_name(std::string_view name) {
  const size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

class XmlReader {
 public:
  explicit XmlReader(std::string_view text) : text_(text) {}

  Result<XmlElement> read_document() {
    take("\xEF\xBB\xBF");
    if (rest().starts_with("<?xml") && rest().size() > 5 && is_blank(rest()[5])) {
      const size_t end = text_.find("?>", at_);
      if (end == std::string_view::npos) return error("the XML declaration is not closed");
      at_ = end + 2;
    }
    if (Status skipped = skip_blanks_and_comments(); !skipped) return skipped.error();
    XmlElement root;
    if (Status read = read_element(root, 1); !read) return read.error();
    if (Status skipped = skip_blanks_and_comments(); !skipped) return skipped.error();
    if (!rest().empty()) return error("more text after the root element");
    return root;
  }

 private:
  std::string_view rest() const { return text_.substr(at_); }
  Error error(std::string_view what) const {
    return {Code::invalid, fmt::format("not valid XML: {} at byte {}", what, at_)};
  }
  bool take(std::string_view expected) {
    if (!rest().starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  Status skip_comment() {  // after "<!--"
    const size_t end = text_.find("--", at_);
    if (end == std::string_view::npos) return error("a comment is not closed");
    at_ = end + 2;
    if (!take(">")) return error("'--' inside a comment");
    return {};
  }
  Status skip_blanks_and_comments() {
    for (;;) {
      skip_blanks();
      if (!take("<!--")) return {};
      if (Status skipped = skip_comment(); !skipped) return skipped;
    }
  }
  std::string_view read_name() {
    const size_t from = at_;
    if (at_ < text_.size() && is_name_start(text_[at_])) {
      while (at_ < text_.size() && is_name_char(text_[at_])) ++at_;
    }
    return text_.substr(from, at_ - from);
  }

  // After the '&'.
  Status read_entity(std::string& out) {
    const size_t end = text_.find(';', at_);
    if (end == std::string_view::npos || end - at_ > 10) return error("an entity is not closed");
    std::string_view name = text_.substr(at_, end - at_);
    constexpr std::pair<std::string_view, char> known[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (auto [entity, c] : known) {
      if (name == entity) {
        out.push_back(c);
        at_ = end + 1;
        return {};
      }
    }
    if (!name.starts_with('#')) return error("an unknown entity");
    const bool is_hex = name.starts_with("#x");
    name.remove_prefix(is_hex ? 2 : 1);
    uint32_t code = 0;
    auto [stop, failed] =
        std::from_chars(name.data(), name.data() + name.size(), code, is_hex ? 16 : 10);
    if (failed != std::errc() || stop != name.data() + name.size() || !is_xml_char(code)) {
      return error("a number that is no character");
    }
    append_utf8(out, code);
    at_ = end + 1;
    return {};
  }

  // Text up to, but not including, one of `stops`; entities resolved, line ends made \n.
  Status read_text(std::string_view stops, std::string& out) {
    while (at_ < text_.size() && stops.find(text_[at_]) == std::string_view::npos) {
      const char c = text_[at_];
      if (c == '&') {
        ++at_;
        if (Status read = read_entity(out); !read) return read;
        continue;
      }
      if (!is_xml_char(static_cast<unsigned char>(c))) return error("a control character");
      if (rest().starts_with("]]>") && stops == "<") return error("']]>' outside CDATA");
      ++at_;
      if (c == '\r') {
        take("\n");
        out.push_back('\n');
      } else {
        out.push_back(c);
      }
    }
    return {};
  }

  Status read_attributes(XmlElement& element) {
    for (;;) {
      const size_t before = at_;
      skip_blanks();
      if (rest().starts_with('>') || rest().starts_with('/')) return {};
      if (at_ == before) return error("a blank is missing before an attribute");
      std::string_view name = read_name();
      skip_blanks();
      if (name.empty() || !take("=")) return error("an attribute is malformed");
      skip_blanks();
      const char quote = rest().empty() ? '\0' : rest()[0];
      if (quote != '"' && quote != '\'') return error("an attribute's value is not quoted");
      ++at_;
      for (const auto& [present, value] : element.attributes) {
        if (present == name) return error("an attribute is repeated");
      }
      if (element.attributes.size() == attributes_max) return error("too many attributes");
      auto& [kept_name, value] = element.attributes.emplace_back(name, "");
      if (Status read = read_text(quote == '"' ? "\"<" : "'<", value); !read) return read;
      if (!take({&quote, 1})) return error("an attribute's value is not closed");
    }
  }

  Status read_element(XmlElement& element, size_t depth) {
    if (depth > xml_depth_max) return error("too many levels");
    if (++elements_ > xml_elements_max) return error("too many elements");
    if (!take("<")) return error("an element is expected");
    std::string_view name = read_name();
    if (name.empty()) return error("an element's name is expected");
    element.name = local_name(name);
    if (element.name.empty()) return error("an element's name is expected");
    if (Status read = read_attributes(element); !read) return read;
    if (take("/>")) return {};
    if (!take(">")) return error("a tag is not closed");
    for (;;) {
      if (Status read = read_text("<", element.text); !read) return read;
      if (rest().empty()) return error("the text ends inside an element");
      if (take("</")) {
        if (!take(name)) return error("the end tag has another name");
        skip_blanks();
        if (!take(">")) return error("the end tag has another name");
        return {};
      }
      if (take("<!--")) {
        if (Status skipped = skip_comment(); !skipped) return skipped;
      } else if (take("<![CDATA[")) {
        if (Status read = read_cdata(element.text); !read) return read;
      } else if (Status read = read_element(element.children.emplace_back(), depth + 1); !read) {
        return read;
      }
    }
  }

  Status read_cdata(std::string& out) {
    const size_t end = text_.find("]]>", at_);
    if (end == std::string_view::npos) return error("CDATA is not closed");
    for (char c : text_.substr(at_, end - at_)) {
      if (!is_xml_char(static_cast<unsigned char>(c))) return error("a control character");
      out.push_back(c);
    }
    at_ = end + 3;
    return {};
  }

  static constexpr size_t attributes_max = 64;

  std::string_view text_;
  size_t at_ = 0;
  size_t elements_ = 0;
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view child_name) const {
  for (const XmlElement& element : children) {
    if (element.name == child_name) return &element;
  }
  return nullptr;
}

std::string_view XmlElement::text_of(std::string_view child_name) const {
  const XmlElement* element = child(child_name);
  if (element == nullptr) return {};
  std::string_view trimmed = element->text;
  const size_t from = trimmed.find_first_not_of(blanks);
  if (from == std::string_view::npos) return {};
  return trimmed.substr(from, trimmed.find_last_not_of(blanks) + 1 - from);
}

Result<XmlElement> parse_xml(std::string_view text) {
  if (text.size() > xml_bytes_max) {
    return Error(Code::invalid, fmt::format("XML of {} bytes is over the limit of {} bytes",
                                            text.size(), xml_bytes_max));
  }
  if (!is_utf8(text)) return Error(Code::invalid, "not valid XML: the bytes are not UTF-8");
  return XmlReader(text).read_document();
}

// What is no character of XML becomes U+FFFD: in a text that is not UTF-8, every byte beyond ASCII.
void append_xml_text(std::string& out, std::string_view text) {
  const bool is_text = is_utf8(text);
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&apos;";
        break;
      case '\r':
        out += "&#13;";
        break;
      default: {
        auto byte = static_cast<unsigned char>(c);
        if (is_xml_char(byte) && (is_text || byte < 0x80)) {
          out.push_back(c);
        } else {
          out += "\xEF\xBF\xBD";
        }
      }
    }
  }
}

void XmlWriter::close_tag() {
  if (std::exchange(tag_is_open_, false)) out_.push_back('>');
}

XmlWriter& XmlWriter::declaration() {
  out_ += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  return *this;
}

XmlWriter& XmlWriter::begin(std::string_view name) {
  close_tag();
  out_.push_back('<');
  out_ += name;
  open_.emplace_back(name);
  tag_is_open_ = true;
  return *this;
}

XmlWriter& XmlWriter::attribute(std::string_view name, std::string_view value) {
  CHECK(tag_is_open_, "an attribute follows begin()");
  out_.push_back(' ');
  out_ += name;
  out_ += "=\"";
  append_xml_text(out_, value);
  out_.push_back('"');
  return *this;
}

XmlWriter& XmlWriter::text(std::string_view text) {
  close_tag();
  append_xml_text(out_, text);
  return *this;
}

XmlWriter& XmlWriter::end() {
  CHECK(!open_.empty(), "end() has its begin()");
  close_tag();
  out_ += "</";
  out_ += open_.back();
  out_.push_back('>');
  open_.pop_back();
  return *this;
}

XmlWriter& XmlWriter::element(std::string_view name, std::string_view text) {
  begin(name);
  this->text(text);
  return end();
}

}  // namespace pinpipe::codec
