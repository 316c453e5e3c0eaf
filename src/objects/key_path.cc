#include "objects/key_path.h"

#include <algorithm>

namespace pinpipe::objects {
namespace {

constexpr size_t segment_bytes_max = 255;
constexpr size_t odd_segment_chars = 200;  // a longer encoded key continues in a directory "…+"
constexpr std::string_view hex_digits = "0123456789ABCDEF";

bool is_kept(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

bool is_plain_segment(std::string_view segment) {
  return !segment.empty() && segment.size() <= segment_bytes_max && segment != "." &&
         segment != "..";
}

// The length of the UTF-8 sequence that `text` begins with, or 0.
size_t sequence_length(std::string_view text) {
  auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  auto follows = [&](size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return byte(i) >= low && byte(i) <= high;
  };
  unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    unsigned low = first == 0xe0 ? 0xa0 : 0x80;
    unsigned high = first == 0xed ? 0x9f : 0xbf;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    unsigned low = first == 0xf0 ? 0x90 : 0x80;
    unsigned high = first == 0xf4 ? 0x8f : 0xbf;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

std::optional<unsigned> hex_value(char c) {
  size_t at = hex_digits.find(c);
  if (at == std::string_view::npos) return std::nullopt;
  return static_cast<unsigned>(at);
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

Status check_key(std::string_view key) {
  if (key.empty()) return Error(Code::invalid, "an object's key must not be empty");
  if (key.size() > key_bytes_max)
    return Error(Code::invalid, "an object's key has at most 1024 bytes");
  if (!is_utf8(key)) return Error(Code::invalid, "an object's key must be UTF-8");
  return {};
}

Status check_bucket_name(std::string_view name) {
  auto is_end = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  auto is_inner = [&](char c) { return is_end(c) || c == '-' || c == '.'; };
  if (name.size() < 3 || name.size() > 63 || !std::ranges::all_of(name, is_inner) ||
      !is_end(name.front()) || !is_end(name.back()) || name.find("..") != std::string_view::npos)
    return Error(Code::invalid,
                 "bucket name '" + std::string(name) +
                     "': 3 to 63 lower-case letters, digits, '-' and '.' are allowed");
  return {};
}

Status check_directory_name(std::string_view name) {
  if (!is_plain_segment(name) || name.front() == '.' ||
      name.find_first_of(std::string_view("/\0", 2)) != std::string_view::npos)
    return Error(Code::invalid,
                 "'" + std::string(name) + "' is no name for a directory of objects");
  return {};
}

bool has_plain_path(std::string_view key) {
  if (key.find('\0') != std::string_view::npos) return false;
  size_t first_end = std::min(key.find('/'), key.size());
  if (key.substr(0, first_end) == reserved_name) return false;
  size_t start = 0;
  while (true) {
    size_t end = key.find('/', start);
    if (!is_plain_segment(key.substr(start, end == std::string_view::npos ? end : end - start)))
      return false;
    if (end == std::string_view::npos) return true;
    start = end + 1;
  }
}

std::string odd_path(std::string_view key) {
  std::string path(odd_area);
  path += '/';
  size_t in_segment = 0;
  for (char c : key) {
    if (in_segment >= odd_segment_chars) {
      path += "+/";
      in_segment = 0;
    }
    if (is_kept(c)) {
      path += c;
      in_segment += 1;
    } else {
      auto byte = static_cast<unsigned char>(c);
      path += '%';
      path += hex_digits[byte >> 4];
      path += hex_digits[byte & 15];
      in_segment += 3;
    }
  }
  return path;
}

std::optional<std::string> key_of_odd_path(std::string_view relative) {
  std::string key;
  for (size_t i = 0; i < relative.size(); ++i) {
    char c = relative[i];
    if (is_kept(c)) {
      key += c;
    } else if (c == '%' && i + 2 < relative.size()) {
      auto high = hex_value(relative[i + 1]);
      auto low = hex_value(relative[i + 2]);
      if (!high || !low) return std::nullopt;
      key += static_cast<char>(*high << 4 | *low);
      i += 2;
    } else if (c == '+' && i + 1 < relative.size() && relative[i + 1] == '/') {
      i += 1;
    } else {
      return std::nullopt;
    }
  }
  // A path that we would not have written for this key is somebody else's file.
  std::string ours = odd_path(key);
  if (key.empty() || ours.substr(odd_area.size() + 1) != relative) return std::nullopt;
  return key;
}

}  // namespace pinpipe::objects
