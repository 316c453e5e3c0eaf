// `pinpipe sql` for people: statements over several lines, what they answer, and a few words that
// begin with a backslash. Reads from a terminal, or from a pipe, where it ends at the first error.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/asker.h"

namespace pinpipe::app {

struct ShellSettings {
  Form form = Form::table;
  bool chart = false;
  int64_t rows_max = 10'000;
};

// Statements out of lines. A statement ends with ";" outside of texts and comments.
class StatementReader {
 public:
  // The statements that this line completes.
  std::vector<std::string> add(const std::string& line);
  // What is left at the end, without ";".
  std::string rest();
  bool is_empty() const;
  void clear() { text_.clear(); }

 private:
  std::string text_;
};

// The statement on one line, for the history: without comments, which would swallow what follows.
std::string on_one_line(const std::string& statement);
// The words that begin with `beginning` however it is written; in capitals where it is.
std::vector<std::string> completions(const std::vector<std::string>& words,
                                     const std::string& beginning);

// Until the end of the input or \q.
ExitCode run_shell(Asker& asker, const Invocation& invocation, ShellSettings settings);

// Asks and prints once, as the settings say. For somebody `at_shell` a long answer goes through a
// pager, and Ctrl-C gives up the query alone.
ExitCode ask_and_print(Asker& asker, const std::string& query, const ShellSettings& settings,
                       bool at_shell);

}  // namespace pinpipe::app
