// What is wrong in a project's files, where, and what to do about it.
// A reader of files collects Diagnostics instead of stopping at the first; render() prints them for
// a person, with the line and a caret, and one_line() as "file:line:column: sentence".
// Bounds: a Diagnostics keeps diagnostics_max; further ones are only counted.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pinpipe::project {

// One file that was read: its name as people know it, and its text.
struct Source {
  std::string name;
  std::string text;

  // Line `line` (from 1) without its end; empty beyond the end.
  std::string_view line_at(int line) const;
};

// A place in a file; line and column count from 1, columns are bytes. Line 0: the file as a whole.
struct Position {
  std::shared_ptr<const Source> source;
  int line = 0;
  int column = 0;
};

// Every problem has a code that stays: people search for it, `pinpipe explain` describes it.
struct Problem {
  std::string_view code;   // "PP2101"
  std::string_view title;  // "unknown key"
  std::string_view text;   // what it means and how it is mended
};

namespace problems {
extern const Problem syntax, duplicate_key, unknown_key, missing_key, wrong_type, out_of_range,
    too_large, unknown_variable, bad_reference, missing_file, bad_name, duplicate_name,
    unknown_name, cycle, bad_sql_header, unreadable, not_per_batch, unprotected_door;
}
// All of them, by code.
std::vector<Problem> all_problems();
// The problem of that code ("PP2101", without regard to case), or null.
const Problem* find_problem(std::string_view code);

struct Diagnostic {
  std::string file;
  int line = 0;  // 0: no place within the file
  int column = 0;
  int length = 1;  // of what the caret marks, in bytes
  std::string code;
  std::string sentence;
  std::string hint;         // beside the caret: "did you mean …?"
  std::string help;         // the next thing to try
  std::string source_line;  // text of that line
};

class Diagnostics {
 public:
  static constexpr size_t diagnostics_max = 200;

  struct More {
    std::string hint = {};
    std::string help = {};
    size_t length = 1;
  };
  void add(const Problem& problem, const Position& at, std::string sentence, More more);
  void add(const Problem& problem, const Position& at, std::string sentence);

  bool empty() const { return list_.empty(); }
  const std::vector<Diagnostic>& list() const { return list_; }
  size_t left_out() const { return left_out_; }
  // Sorted by file and place, for reading.
  std::vector<Diagnostic> take();

 private:
  std::vector<Diagnostic> list_;
  size_t left_out_ = 0;
};

// "file:line:column: sentence"
std::string one_line(const Diagnostic& diagnostic);

// The text for people:
//   error[PP2103]: unknown key "colums"
//     --> datasets/pin.yaml:4:1
//      |
//    4 | colums:
//      | ^^^^^^ did you mean "columns"?
//      = help: …
std::string render(const Diagnostic& diagnostic);
// All of them, an empty line between two.
std::string render(const std::vector<Diagnostic>& diagnostics);

}  // namespace pinpipe::project
