#include "app/sql_shell.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <iostream>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "app/bar_chart.h"
#include "app/line_editor.h"
#include "io/files.h"
#include "sql/lexer.h"

namespace pinpipe::app {
namespace {

using codec::Json;

constexpr std::string_view help =
    "statements end with ;      tables: \\d      columns: \\d clean.pin      end: \\q or Ctrl-D\n"
    "\\chart on|off             bars instead of a table\n"
    "\\form table|csv|json|ndjson\n"
    "\\rows 500                 at most that many rows\n"
    "\\questions   \\topics   \\status\n"
    "also: topic('name'), stream('name'), objects('s3://bucket/key*'), clean.pin VERSION AS OF 3\n";

constexpr std::array keywords = {"select",    "from",      "where",         "group by",
                                 "order by",  "having",    "limit",         "join",
                                 "left join", "on",        "with",          "distinct",
                                 "count(*)",  "case",      "when",          "then",
                                 "else",      "end",       "and",           "or",
                                 "not",       "is null",   "between",       "union all",
                                 "describe",  "summarize", "explain",       "version as of",
                                 "topic('",   "stream('",  "objects('s3://"};

winsize terminal_size() {
  winsize size{};
  if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
  return size;
}

std::string shown(const Answer& answer, const ShellSettings& settings, size_t width) {
  constexpr size_t chart_width_otherwise = 80;
  if (!settings.chart) return render(answer, settings.form, width);
  return text_chart(bars_of(answer), width == 0 ? chart_width_otherwise : width);
}

// Ctrl-C ends a query, a pager's search or a line, but never the shell. Not SIG_IGN, which a pager
// would inherit.
void outlive_interrupts() {
  std::signal(SIGINT, [](int) {});
}

// Whether a pager took the text. One that was left early has; one that is not there has not.
bool was_paged(const std::string& text) {
  const char* own = std::getenv("PAGER");
  std::string command = own != nullptr && *own != '\0' ? own : "less -SFRX";
  FILE* pager = popen(command.c_str(), "w");
  if (pager == nullptr) return false;
  std::fwrite(text.data(), 1, text.size(), pager);
  int outcome = pclose(pager);
  constexpr int no_such_program = 126;  // or 127: what a shell answers
  return outcome != -1 && !(WIFEXITED(outcome) && WEXITSTATUS(outcome) >= no_such_program);
}

// Through a pager when it is taller than the terminal.
void put(const std::string& text, bool paged) {
  auto lines = static_cast<size_t>(std::ranges::count(text, '\n'));
  size_t height = terminal_size().ws_row;
  if (paged && height > 0 && lines >= height && was_paged(text)) return;
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::string history_path() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  std::string folder;
  if (state != nullptr && *state == '/') {
    folder = std::string(state) + "/pinpipe";
  } else if (home != nullptr && *home == '/') {
    folder = std::string(home) + "/.local/state/pinpipe";
  }
  if (folder.empty() || !io::posix_files().make_directories(folder)) return {};
  return folder + "/sql_history";
}

class Shell {
 public:
  Shell(Asker& asker, const Invocation& invocation, ShellSettings settings)
      : asker_(asker), settings_(settings), is_terminal_(isatty(STDIN_FILENO) != 0) {
    if (is_terminal_) collect_words(invocation);
  }

  ExitCode run() { return is_terminal_ ? run_terminal() : run_pipe(); }

 private:
  ExitCode run_terminal() {
    LineEditor editor(history_path(),
                      [this](const std::string& word) { return completions(words_, word); });
    outlive_interrupts();
    std::fputs("pinpipe sql: statements end with ;  \\? helps, \\q ends\n", stdout);
    StatementReader reader;
    while (!ended_) {
      auto line = editor.read(reader.is_empty() ? "pinpipe> " : "    ...> ");
      if (!line) break;
      if (line->given_up) {
        reader.clear();
        continue;
      }
      if (reader.is_empty() && line->text.starts_with('\\')) {
        editor.remember(line->text);
        (void)command(line->text);
        continue;
      }
      for (const std::string& statement : reader.add(line->text)) {
        editor.remember(on_one_line(statement) + ";");
        (void)ask_and_print(asker_, statement, settings_, true);
      }
    }
    std::fputc('\n', stdout);
    return ExitCode::ok;
  }

  ExitCode run_pipe() {
    StatementReader reader;
    std::string line;
    while (!ended_ && std::getline(std::cin, line)) {
      if (reader.is_empty() && line.starts_with('\\')) {
        if (ExitCode code = command(line); code != ExitCode::ok) return code;
        continue;
      }
      for (const std::string& statement : reader.add(line)) {
        ExitCode code = ask_and_print(asker_, statement, settings_, false);
        if (code != ExitCode::ok) return code;
      }
    }
    std::string rest = reader.rest();
    return rest.empty() || ended_ ? ExitCode::ok : ask_and_print(asker_, rest, settings_, false);
  }

  ExitCode command(const std::string& line) {
    size_t blank = std::min(line.find(' '), line.size());
    std::string word = line.substr(1, blank - 1);
    std::string argument = line.substr(std::min(line.size(), blank + 1));
    if (word == "q" || word == "quit") {
      ended_ = true;
      return ExitCode::ok;
    }
    if (word == "?" || word == "help") return put(std::string(help), false), ExitCode::ok;
    if (word == "d" && !argument.empty())
      return ask_and_print(asker_, "describe " + argument, settings_, is_terminal_);
    for (auto [name, noun, verb] : {std::tuple{"d", "", "names"},
                                    {"questions", "", "questions"},
                                    {"topics", "topic", "list"},
                                    {"status", "", "status"}}) {
      if (word == name) return print_answer(asker_.ask(noun, verb, Json::object()));
    }
    return set(word, argument);
  }

  ExitCode print_answer(const Result<Answer>& answer) {
    if (!answer) return report(answer.error());
    put(render(*answer, settings_.form, terminal_size().ws_col), is_terminal_);
    return ExitCode::ok;
  }

  ExitCode set(const std::string& word, const std::string& argument) {
    if (word == "chart") {
      settings_.chart = argument != "off";
      return ExitCode::ok;
    }
    if (word == "form") {
      auto form = form_of(argument);
      if (!form) return report(form.error());
      settings_.form = *form;
      return ExitCode::ok;
    }
    if (word == "rows" && std::atoll(argument.c_str()) > 0) {
      settings_.rows_max = std::atoll(argument.c_str());
      return ExitCode::ok;
    }
    return report(
        Error(Code::invalid, fmt::format("\\{} is nothing here; \\? tells what is", word)));
  }

  void collect_words(const Invocation& invocation) {
    words_.assign(keywords.begin(), keywords.end());
    if (auto names = asker_.ask("", "names", Json::object())) {
      for (const auto& row : names->rows) words_.emplace_back(row[0].as_string().value_or(""));
    }
    auto loaded = load_project(invocation.project);
    if (!loaded.project) return;
    for (const project::Dataset& dataset : loaded.project->datasets) {
      for (const columns::Column& column : dataset.schema.columns()) words_.push_back(column.name);
    }
    std::ranges::sort(words_);
    words_.erase(std::ranges::unique(words_).begin(), words_.end());
  }

  Asker& asker_;
  ShellSettings settings_;
  const bool is_terminal_;
  bool ended_ = false;
  std::vector<std::string> words_;
};

}  // namespace

std::vector<std::string> StatementReader::add(const std::string& line) {
  text_ += line + "\n";
  std::vector<std::string> statements;
  size_t begin = 0;
  size_t tokens = 0;
  for (const sql::Token& token : sql::tokens_of(text_)) {
    ++tokens;
    // A text or comment that goes on is a token that runs to the end, or none at all.
    if (token.text != ";") continue;
    if (tokens > 1) statements.push_back(text_.substr(begin, token.offset - begin));
    begin = token.offset + 1;
    tokens = 0;
  }
  text_.erase(0, begin);
  if (is_empty()) text_.clear();
  return statements;
}

std::string StatementReader::rest() {
  std::string rest = std::exchange(text_, {});
  return sql::tokens_of(rest).empty() ? std::string() : rest;
}

bool StatementReader::is_empty() const {
  // A comment that may go on is something; one that has ended is not.
  return sql::tokens_of(text_).empty() && text_.find("/*") == std::string::npos;
}

std::string on_one_line(const std::string& statement) {
  std::string line;
  size_t end = 0;
  for (const sql::Token& token : sql::tokens_of(statement)) {
    if (token.offset > end && !line.empty()) line += ' ';
    line += token.text;
    end = token.offset + token.text.size();
  }
  std::ranges::replace(line, '\n', ' ');  // inside a text
  return line;
}

std::vector<std::string> completions(const std::vector<std::string>& words,
                                     const std::string& beginning) {
  auto in_case = [](std::string text, int (*change)(int)) {
    for (char& c : text) c = static_cast<char>(change(static_cast<unsigned char>(c)));
    return text;
  };
  std::string lower = in_case(beginning, std::tolower);
  bool is_capitals = lower != beginning && in_case(beginning, std::toupper) == beginning;
  std::vector<std::string> found;
  for (const std::string& word : words) {
    if (!in_case(word, std::tolower).starts_with(lower)) continue;
    // Tables keep their spelling, which may matter.
    bool is_table = word.find_first_of("._") != std::string::npos;
    found.push_back(is_capitals && !is_table ? in_case(word, std::toupper) : word);
  }
  return found;
}

ExitCode run_shell(Asker& asker, const Invocation& invocation, ShellSettings settings) {
  return Shell(asker, invocation, settings).run();
}

ExitCode ask_and_print(Asker& asker, const std::string& query, const ShellSettings& settings,
                       bool at_shell) {
  Json arguments = Json::object({{"query", query}, {"rows", settings.rows_max}});
  auto answer = at_shell ? asker.ask_until_interrupted("", "sql", std::move(arguments))
                         : asker.ask("", "sql", std::move(arguments));
  if (at_shell) outlive_interrupts();
  if (!answer) {
    ExitCode code = report(answer.error());
    return answer.error().code() == Code::unavailable &&
                   answer.error().text().starts_with("the server does not answer")
               ? ExitCode::unreachable
               : code;
  }
  put(shown(*answer, settings, terminal_size().ws_col), at_shell);
  if (settings.form == Form::table) {
    for (const std::string& note : answer->notes) std::fprintf(stderr, "%s\n", note.c_str());
  }
  return answer->failed ? ExitCode::failed : ExitCode::ok;
}

}  // namespace pinpipe::app
