#include "codec/json_text.h"

#include <cstring>

namespace pinpipe::codec {
namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

// The four digits at `at`, or -1.
int32_t read_hex4(const char* at, const char* end) {
  if (end - at < 4) return -1;
  int32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    char c = at[i];
    int32_t digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

bool is_high(int32_t unit) {
  return unit >= 0xD800 && unit <= 0xDBFF;
}
bool is_low(int32_t unit) {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

JsonEscape read_unicode_escape(const char* at, const char* end) {
  int32_t unit = read_hex4(at + 2, end);
  if (unit < 0) return {};
  if (is_high(unit) && end - at >= 12 && at[6] == '\\' && at[7] == 'u') {
    int32_t low = read_hex4(at + 8, end);
    if (is_low(low)) {
      return {static_cast<uint32_t>(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)), 12, false};
    }
  }
  return {static_cast<uint32_t>(unit), 6, is_high(unit) || is_low(unit)};
}

}  // namespace

JsonEscape read_json_escape(const char* at, const char* end) {
  if (end - at < 2) return {};
  switch (at[1]) {
    case '"':
      return {'"', 2, false};
    case '\\':
      return {'\\', 2, false};
    case '/':
      return {'/', 2, false};
    case 'b':
      return {'\b', 2, false};
    case 'f':
      return {'\f', 2, false};
    case 'n':
      return {'\n', 2, false};
    case 'r':
      return {'\r', 2, false};
    case 't':
      return {'\t', 2, false};
    case 'u':
      return read_unicode_escape(at, end);
    default:
      return {};
  }
}

bool rewrite_json_escapes(std::string_view text, EscapeForm form, std::string& out) {
  bool whole = true;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    auto* backslash =
        static_cast<const char*>(std::memchr(at, '\\', static_cast<size_t>(end - at)));
    if (backslash == nullptr) backslash = end;
    out.append(at, backslash);
    if (backslash == end) break;
    JsonEscape escape = read_json_escape(backslash, end);
    if (escape.is_lone) {
      whole = false;
      out.append(backslash, escape.length);
    } else if (form == EscapeForm::compact &&
               (escape.code < 0x20 || escape.code == '"' || escape.code == '\\')) {
      append_json_escape(out, static_cast<char>(escape.code));
    } else {
      append_utf8(out, escape.code);
    }
    at = backslash + escape.length;
  }
  return whole;
}

void append_json_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\b':
      out += "\\b";
      break;
    case '\f':
      out += "\\f";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += "\\u00";
      out.push_back(hex_digits[static_cast<uint8_t>(c) >> 4]);
      out.push_back(hex_digits[c & 15]);
  }
}

void append_utf8(std::string& out, uint32_t code) {
  auto tail = [&](uint32_t shift) {
    out.push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3F)));
  };
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (code >> 6)));
    tail(0);
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (code >> 12)));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xF0 | (code >> 18)));
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace pinpipe::codec
