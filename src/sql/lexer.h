// SQL text as tokens with their places: just enough to rewrite names and to see which functions are
// called. Comments and blanks are left out. Nothing is refused: an unfinished string or comment
// runs to the end of the text, and the database says what is wrong with it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pinpipe::sql {

struct Token {
  enum class Kind : uint8_t {
    word,        // an identifier or keyword: select, _a1, größe
    digit_name,  // a name that begins with a digit: 0e90e0175553_pin_table
    number,
    quoted,      // "name"
    backticked,  // `name`
    text,        // 'text', $$text$$
    symbol,      // one character of anything else
  };
  Kind kind;
  std::string_view text;  // with its quotes
  size_t offset;          // in bytes
};

std::vector<Token> tokens_of(std::string_view sql);

// A quoted or backticked token's name without its quotes and doublings; other tokens' text.
std::string name_of(const Token& token);

}  // namespace pinpipe::sql
