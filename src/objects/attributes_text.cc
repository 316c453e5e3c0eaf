#include "objects/attributes_text.h"

#include <charconv>

namespace pinpipe::objects {
namespace {

constexpr std::string_view user_prefix = "user.";
constexpr std::string_view system_prefix = "system.";

void append_escaped(std::string& to, std::string_view text, bool blank_too) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (char c : text) {
    if (c == '%' || c == '\n' || c == '\r' || (blank_too && c == ' ')) {
      auto byte = static_cast<unsigned char>(c);
      to += '%';
      to += digits[byte >> 4];
      to += digits[byte & 15];
    } else {
      to += c;
    }
  }
}

void append_line(std::string& to, std::string_view prefix, std::string_view name,
                 std::string_view value) {
  to += prefix;
  append_escaped(to, name, true);
  to += ' ';
  append_escaped(to, value, false);
  to += '\n';
}

std::string unescaped(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 1] + 2, value, 16).ptr == &text[i + 1] + 2) {
      plain += static_cast<char>(value);
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

template <class T>
bool parse_number(std::string_view text, T& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool take_line(ObjectFacts& facts, std::string_view name, std::string value) {
  if (name == "size") return parse_number(value, facts.size);
  if (name == "modified-ms") return parse_number(value, facts.modified_ms);
  if (name == "etag") {
    facts.etag = std::move(value);
  } else if (name == "content-type") {
    facts.attributes.content_type = std::move(value);
  } else if (name.starts_with(user_prefix)) {
    facts.attributes.user[unescaped(name.substr(user_prefix.size()))] = std::move(value);
  } else if (name.starts_with(system_prefix)) {
    facts.attributes.system[unescaped(name.substr(system_prefix.size()))] = std::move(value);
  }
  return true;
}

}  // namespace

std::string to_text(const ObjectFacts& facts) {
  std::string text;
  append_line(text, "", "size", std::to_string(facts.size));
  append_line(text, "", "modified-ms", std::to_string(facts.modified_ms));
  append_line(text, "", "etag", facts.etag);
  if (!facts.attributes.content_type.empty())
    append_line(text, "", "content-type", facts.attributes.content_type);
  for (const auto& [name, value] : facts.attributes.user)
    append_line(text, user_prefix, name, value);
  for (const auto& [name, value] : facts.attributes.system)
    append_line(text, system_prefix, name, value);
  return text;
}

std::optional<ObjectFacts> facts_from_text(std::string_view text) {
  ObjectFacts facts;
  while (!text.empty()) {
    size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    size_t blank = line.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    if (!take_line(facts, line.substr(0, blank), unescaped(line.substr(blank + 1))))
      return std::nullopt;
  }
  return facts;
}

bool is_default(const Attributes& attributes) {
  return attributes.content_type.empty() && attributes.user.empty() && attributes.system.empty();
}

}  // namespace pinpipe::objects
