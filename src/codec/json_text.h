// How strings are spelled in JSON: escapes read and rewritten. Shared by json.cc and json_scan.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pinpipe::codec {

struct JsonEscape {
  uint32_t code = 0;     // the character; a surrogate when it has no other half
  uint8_t length = 0;    // bytes of the escape, 12 for a pair; 0 when it is no valid escape
  bool is_lone = false;  // half a surrogate pair
};

// Reads the escape whose backslash is at `at`; looks no further than `end`.
JsonEscape read_json_escape(const char* at, const char* end);

enum class EscapeForm {
  compact,  // the compact form of json_scan.h, still JSON
  content,  // what the string means; a lone surrogate stays as it was escaped
};

// Appends `text`, whose escapes must be valid, in that form. Never longer than `text`. False when a
// lone surrogate was met.
bool rewrite_json_escapes(std::string_view text, EscapeForm form, std::string& out);

// \b, \n …, \u001F, \" or \\; for these characters only.
void append_json_escape(std::string& out, char c);

void append_utf8(std::string& out, uint32_t code);

bool is_utf8(std::string_view text);

}  // namespace pinpipe::codec
