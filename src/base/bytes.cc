#include "base/bytes.h"

#include <array>

namespace pinpipe {

void append_uvarint(std::string& to, uint64_t value) {
  while (value >= 0x80) {
    to.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  to.push_back(static_cast<char>(value));
}

size_t uvarint_size(uint64_t value) {
  return static_cast<size_t>((std::bit_width(value | 1) + 6) / 7);
}

uint64_t Reader::uvarint() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) return fail<uint64_t>();
    auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return fail<uint64_t>();
}

std::string_view Reader::take(int64_t count) {
  if (count < 0 || static_cast<uint64_t>(count) > rest_.size()) return fail<std::string_view>();
  std::string_view taken = rest_.substr(0, static_cast<size_t>(count));
  rest_.remove_prefix(static_cast<size_t>(count));
  return taken;
}

std::string to_hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (char c : bytes) {
    auto byte = static_cast<uint8_t>(c);
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

std::optional<std::string> from_hex(std::string_view text) {
  auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (size_t i = 0; i < text.size(); i += 2) {
    int high = digit(text[i]);
    int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return bytes;
}

namespace {
constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> make_base64_values() {
  std::array<int8_t, 256> values{};
  for (auto& value : values) value = -1;
  for (int8_t i = 0; i < 64; ++i) values[static_cast<uint8_t>(alphabet[i])] = i;
  return values;
}
constexpr auto base64_values = make_base64_values();
}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '=');
  char* out = text.data();
  size_t i = 0;
  auto at = [&](size_t k) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[k])); };
  auto put = [&](uint32_t triple, int symbols) {
    for (int n = 0, shift = 18; n < symbols; ++n, shift -= 6)
      *out++ = alphabet[triple >> shift & 63];
  };
  for (; i + 3 <= bytes.size(); i += 3) put(at(i) << 16 | at(i + 1) << 8 | at(i + 2), 4);
  if (i + 1 == bytes.size()) put(at(i) << 16, 2);
  if (i + 2 == bytes.size()) put(at(i) << 16 | at(i + 1) << 8, 3);
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  if (!append_from_base64(bytes, text)) return std::nullopt;
  return bytes;
}

bool append_from_base64(std::string& to, std::string_view text) {
  if (text.size() % 4 != 0) return false;
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const size_t symbols = text.size() - padding;
  const size_t begin = to.size();
  to.resize(begin + text.size() / 4 * 3);
  char* out = to.data() + begin;
  // The sign of a symbol that is none survives the shifts and ors.
  auto value = [&](size_t i) { return int32_t{base64_values[static_cast<uint8_t>(text[i])]}; };
  size_t i = 0;
  bool good = true;
  for (; i + 4 <= symbols; i += 4) {
    int32_t bits = value(i) << 18 | value(i + 1) << 12 | value(i + 2) << 6 | value(i + 3);
    good &= bits >= 0;
    *out++ = static_cast<char>(bits >> 16);
    *out++ = static_cast<char>(bits >> 8);
    *out++ = static_cast<char>(bits);
  }
  int32_t bits = 0;
  for (size_t rest = i; rest < symbols; ++rest) bits = bits << 6 | value(rest);
  good = good && bits >= 0;
  if (padding == 1) {
    *out++ = static_cast<char>(bits >> 10);
    *out++ = static_cast<char>(bits >> 2);
  } else if (padding == 2) {
    *out++ = static_cast<char>(bits >> 4);
  }
  to.resize(good ? static_cast<size_t>(out - to.data()) : begin);
  return good;
}

}  // namespace pinpipe
