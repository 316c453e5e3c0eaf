#include "source/payload.h"

#include <array>
#include <charconv>

namespace pinpipe::source {
namespace {

struct Character {
  uint32_t code;
  size_t bytes;
};

// The character at the front of `text`, which begins with a byte above 0x7f. Overlong forms,
// surrogates and torn sequences are one byte of U+FFFD each.
Character decode(std::string_view text) {
  constexpr Character bad{0xfffd, 1};
  auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(text[i])); };
  uint32_t lead = byte(0);
  size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return bad;
  uint32_t code = lead & (0xffU >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return bad;
    code = code << 6 | (byte(i) & 0x3f);
  }
  bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (overlong || surrogate || code > 0x10ffff) return bad;
  return {code, bytes};
}

void append_escape(std::string& to, uint32_t unit) {
  constexpr std::string_view digits = "0123456789abcdef";
  char text[6] = {'\\', 'u'};
  for (size_t i = 0; i < 4; ++i) text[2 + i] = digits[unit >> (12 - 4 * i) & 15];
  to.append(text, sizeof text);
}

void append_non_ascii(std::string& to, const Character& character, std::string_view text,
                      Spelling spelling) {
  if (spelling == Spelling::compact) {
    bool bad = character.code == 0xfffd && character.bytes == 1;
    to.append(bad ? std::string_view("\xef\xbf\xbd") : text.substr(0, character.bytes));
  } else if (character.code < 0x10000) {
    append_escape(to, character.code);
  } else {
    append_escape(to, 0xd800 + ((character.code - 0x10000) >> 10));
    append_escape(to, 0xdc00 + ((character.code - 0x10000) & 0x3ff));
  }
}

void append_ascii_escape(std::string& to, char c) {
  switch (c) {
    case '"':
      to.append("\\\"");
      return;
    case '\\':
      to.append("\\\\");
      return;
    case '\n':
      to.append("\\n");
      return;
    case '\r':
      to.append("\\r");
      return;
    case '\t':
      to.append("\\t");
      return;
    case '\b':
      to.append("\\b");
      return;
    case '\f':
      to.append("\\f");
      return;
    default:
      append_escape(to, static_cast<unsigned char>(c));
  }
}

// Bytes that stand for themselves in both spellings.
constexpr auto plain = [] {
  std::array<bool, 256> table{};
  for (size_t c = 0x20; c < 0x7f; ++c) table[c] = c != '"' && c != '\\';
  return table;
}();

void append_integer(std::string& to, int64_t value) {
  char digits[24];
  to.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

// Python reads the FLOAT into a float, which always shows a point or an exponent.
void append_real(std::string& to, std::string_view digits) {
  to.append(digits);
  if (digits.find_first_of(".e") == std::string_view::npos) to.append(".0");
}

void append_value(std::string& to, const Row& row, size_t column, PayloadStyle style) {
  switch (row.kind(column)) {
    case Kind::null:
      to.append("null");
      return;
    case Kind::integer:
      append_integer(to, row.integer(column));
      return;
    case Kind::real:
      append_real(to, row.text(column));
      return;
    case Kind::text:
      append_string(to, row.text(column), style.spelling);
      return;
    case Kind::datetime:
      to.push_back('"');
      append_datetime(to, row.integer(column), style.datetime);
      to.push_back('"');
      return;
  }
}

}  // namespace

void append_string(std::string& to, std::string_view text, Spelling spelling) {
  to.push_back('"');
  size_t at = 0;
  while (at < text.size()) {
    size_t run = at;
    while (run < text.size() && plain[static_cast<unsigned char>(text[run])]) ++run;
    to.append(text, at, run - at);
    at = run;
    if (at == text.size()) break;
    auto byte = static_cast<unsigned char>(text[at]);
    if (byte >= 0x80) {
      Character character = decode(text.substr(at));
      append_non_ascii(to, character, text.substr(at), spelling);
      at += character.bytes;
    } else if (byte == 0x7f && spelling == Spelling::compact) {
      to.push_back(text[at++]);
    } else {
      append_ascii_escape(to, text[at++]);
    }
  }
  to.push_back('"');
}

void append_row(std::string& to, const Row& row, PayloadStyle style) {
  bool python = style.spelling == Spelling::python;
  to.push_back('{');
  for (size_t column = 0; column < row.size(); ++column) {
    if (column > 0) to.append(python ? ", " : ",");
    append_string(to, row.schema().columns[column].name, style.spelling);
    to.append(python ? ": " : ":");
    append_value(to, row, column, style);
  }
  to.push_back('}');
}

void append_rest_body(std::string& to, const Row& row, PayloadStyle style) {
  bool python = style.spelling == Spelling::python;
  to.append(python ? R"({"records": [{"value": )" : R"({"records":[{"value":)");
  append_row(to, row, style);
  to.append("}]}");
}

void append_stream_body(std::string& to, const Row& row, const StreamPost& post,
                        PayloadStyle style) {
  bool python = style.spelling == Spelling::python;
  to.append(python ? R"({"StreamName": )" : R"({"StreamName":)");
  append_string(to, post.stream, style.spelling);
  to.append(python ? R"(, "Data": )" : R"(,"Data":)");
  append_row(to, row, style);
  to.append(python ? R"(, "PartitionKey": )" : R"(,"PartitionKey":)");
  append_string(to, post.partition_key, style.spelling);
  to.push_back('}');
}

}  // namespace pinpipe::source
