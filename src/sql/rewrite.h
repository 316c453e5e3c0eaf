// From the portable SQL of a project to the words the database reads:
//   `name`                   → "name"        quotes of Spark
//   0e90e0175553_pin_table   → "0e90…"       names that begin with a digit
//   array(                   → list_value(   a keyword where Spark has a function
//   12L, 3BD                 → 12, 3         Spark's typed numbers
// Everything else stays as it is, so that an error's place can be told in the text the person
// wrote.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pinpipe::sql {

struct Position {
  size_t line = 1;    // from 1
  size_t column = 1;  // from 1, in characters, not bytes
  bool operator==(const Position&) const = default;
};

// A part of the text that stands for something else: what time travel and topic('x') become.
struct Substitution {
  size_t offset = 0;
  size_t length = 0;
  std::string text;
};

class Rewritten {
 public:
  // `substitutions` rise and do not overlap; what they cover is not rewritten otherwise.
  explicit Rewritten(std::string_view sql, std::span<const Substitution> substitutions = {});

  const std::string& text() const { return text_; }
  // Where the byte at `offset` of text() came from in the original.
  size_t original_offset(size_t offset) const;

 private:
  std::string text_;
  // Where both texts are in step again after a change: (offset here, offset in the original),
  // rising.
  std::vector<std::pair<size_t, size_t>> steps_;
};

// `text` in double quotes, with its own doubled.
std::string quoted_name(std::string_view name);
// `text` in single quotes, with its own doubled.
std::string quoted_text(std::string_view text);

Position position_of(std::string_view sql, size_t offset);

}  // namespace pinpipe::sql
