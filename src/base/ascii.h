// The letters and blanks that protocols' names are made of: ASCII's, whatever the locale says.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace pinpipe {

constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

inline std::string lowered(std::string_view text) {
  std::string low(text);
  for (char& c : low) c = to_lower(c);
  return low;
}

constexpr bool equal_without_case(std::string_view a, std::string_view b) {
  // As nearly all are written.
  return a == b || std::ranges::equal(a, b, {}, to_lower, to_lower);
}

inline constexpr std::string_view blanks_and_ends = " \t\r\n";  // of lines

// Without the blanks around it.
constexpr std::string_view trimmed(std::string_view text, std::string_view blanks = " \t") {
  size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace pinpipe
