// The words of a Python file, for reading DAG files without running them: names, numbers, strings,
// operators, and where lines and blocks begin and end.
// Promise: any bytes give tokens or one error with its line; nothing is executed or looked up.
// Bounds: source_bytes_max; blocks nest blocks_max deep.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinpipe::scheduler {

struct Token {
  enum class Kind { name, number, text, sign, line_end, indent, dedent, end };
  Kind kind = Kind::end;
  std::string text = {};  // of a string: its value, escapes replaced
  int line = 1;
  bool formatted = false;  // an f-string: {…} in it are expressions
  bool bytes = false;      // a b"" literal
};

inline constexpr size_t source_bytes_max = 1 << 20;
inline constexpr size_t blocks_max = 100;

// The error's text begins with "line N: ".
Result<std::vector<Token>> python_tokens(std::string_view source);

}  // namespace pinpipe::scheduler
