// A statement's words, as MySQL reads them: quotes undone, comments gone.
// Bounds: tokens_max.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "doors/mysql/failure.h"

namespace pinpipe::mysql {

struct Token {
  enum class Kind : uint8_t {
    word,             // select, pin_clean
    quoted_name,      // `index`
    text,             // 'it''s', "it's"
    number,           // 7528, 1.5e3, 0x1f
    symbol,           // ( , <= &&
    system_variable,  // @@session.sql_mode: value "sql_mode"
    user_variable,    // @x: value "x"
    parameter,        // ?
  };
  Kind kind = Kind::symbol;
  size_t begin = 0;  // where it stands in the statement
  size_t end = 0;
  std::string value = {};  // words in lower case, quoted ones without their quotes

  bool is(std::string_view word) const { return kind == Kind::word && value == word; }
  bool is_symbol(std::string_view symbol) const { return kind == Kind::symbol && value == symbol; }
  bool is_name() const { return kind == Kind::word || kind == Kind::quoted_name; }
};

inline constexpr size_t tokens_max = 20'000;

// Without the semicolon at the end. What is in /*! … */ counts, as for MySQL.
Outcome<std::vector<Token>> tokens_of(std::string_view statement);

}  // namespace pinpipe::mysql
