#include "project/diagnostic.h"

#include <algorithm>
#include <fmt/format.h>
#include <tuple>
#include <utility>

namespace pinpipe::project {
namespace problems {

const Problem syntax = {
    "PP2101", "this is not YAML as we read it",
    "Project files are YAML 1.2 with fewer features: blanks for indentation (no tabs), one "
    "document "
    "a file, no tags, plain names as keys. The message says where reading stopped."};
const Problem duplicate_key = {
    "PP2102", "the same key twice",
    "A mapping has each key once. YAML would silently keep one of the two; we ask you to choose."};
const Problem unknown_key = {
    "PP2103", "unknown key",
    "The file has a key that nothing reads. Most often it is misspelt: the message names the "
    "nearest key that is known here."};
const Problem missing_key = {"PP2104", "missing key",
                             "A key that this file cannot do without is not there."};
const Problem wrong_type = {"PP2105", "wrong kind of value",
                            "The key wants another kind of value: a text, a whole number, true or "
                            "false, a list, a mapping. "
                            "Only true and false are booleans; yes, no, on and off are texts."};
const Problem out_of_range = {"PP2106", "value out of range",
                              "The value has the right kind and lies outside what is allowed."};
const Problem too_large = {"PP2107", "too large",
                           "Project files are bounded: size of a file, number of files, depth of "
                           "nesting, number of values "
                           "after aliases are expanded."};
const Problem unknown_variable = {
    "PP2108", "unknown variable",
    "$(name) stands for a variable of `vars:` in pinpipe.yaml or one given on the command line, "
    "$(env:NAME) for an environment variable, $(secret:name) for a secret. Write $$( for a "
    "literal $(."};
const Problem bad_reference = {
    "PP2109", "a reference that cannot be read",
    "References are written $(name), $(env:NAME) or $(secret:name). ${name} is not one: in a YAML "
    "flow mapping it would be a syntax error. Write $$( for a literal $(."};
const Problem missing_file = {"PP2110", "a file is missing",
                              "A file that the project names is not in it."};
const Problem bad_name = {
    "PP2111", "a name the real service would refuse",
    "Topics, streams, buckets, DAGs and tables follow the naming rules of the services they stand "
    "in for, so that a project can move there."};
const Problem duplicate_name = {"PP2112", "a name used twice",
                                "Two things of one kind have the same name."};
const Problem unknown_name = {"PP2113", "a name that nothing has",
                              "A thing is named that the project does not define."};
const Problem cycle = {"PP2114", "a circle",
                       "Tasks or variables wait for each other in a circle; none could be first."};
const Problem bad_sql_header = {"PP2115", "a SQL file's comment block cannot be read",
                                "A SQL file may begin with lines `-- key: value`. The message says "
                                "which key or value is wrong."};
const Problem unreadable = {"PP2116", "the project cannot be read",
                            "The directory or one of its files cannot be opened."};
const Problem not_per_batch = {
    "PP2117", "SQL that cannot be run over micro-batches",
    "The stream job runs a data set's clean SQL over the records of a second or less, cut "
    "anywhere. "
    "Aggregates, windows, DISTINCT and LIMIT would be answered from one such batch. Put them into "
    "a question over the clean table, or keep the data set for the batch job alone: "
    "`clean: {batch: sql/clean/x.sql}`."};
const Problem unprotected_door = {
    "PP2118", "a door that stands open to other machines",
    "What listens beyond this machine's loopback (`listen:`) asks who comes and speaks TLS. The "
    "gateway needs `gateway: {api_keys: […]}`, aws needs `auth: required`, the console has its "
    "token, all of them `tls:`. Kafka, Connect and MySQL have no TLS here: on a network that you "
    "trust, name them in `listen: {unprotected: […]}`."};

}  // namespace problems

std::vector<Problem> all_problems() {
  return {problems::syntax,         problems::duplicate_key,
          problems::unknown_key,    problems::missing_key,
          problems::wrong_type,     problems::out_of_range,
          problems::too_large,      problems::unknown_variable,
          problems::bad_reference,  problems::missing_file,
          problems::bad_name,       problems::duplicate_name,
          problems::unknown_name,   problems::cycle,
          problems::bad_sql_header, problems::unreadable,
          problems::not_per_batch,  problems::unprotected_door};
}

const Problem* find_problem(std::string_view code) {
  static const std::vector<Problem> all = all_problems();
  std::string upper(code);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  for (const Problem& problem : all) {
    if (problem.code == upper) return &problem;
  }
  return nullptr;
}

std::string_view Source::line_at(int line) const {
  size_t begin = 0;
  for (int i = 1; i < line; ++i) {
    size_t end = text.find('\n', begin);
    if (end == std::string::npos) return {};
    begin = end + 1;
  }
  if (line < 1 || begin > text.size()) return {};
  std::string_view rest = std::string_view(text).substr(begin);
  rest = rest.substr(0, rest.find('\n'));
  if (rest.ends_with('\r')) rest.remove_suffix(1);
  return rest;
}

void Diagnostics::add(const Problem& problem, const Position& at, std::string sentence) {
  add(problem, at, std::move(sentence), More{});
}

void Diagnostics::add(const Problem& problem, const Position& at, std::string sentence, More more) {
  if (list_.size() >= diagnostics_max) {
    ++left_out_;
    return;
  }
  Diagnostic diagnostic;
  if (at.source != nullptr) {
    diagnostic.file = at.source->name;
    diagnostic.source_line = std::string(at.source->line_at(at.line));
  }
  diagnostic.line = at.line;
  diagnostic.column = at.column;
  diagnostic.length = static_cast<int>(std::max<size_t>(1, more.length));
  diagnostic.code = problem.code;
  diagnostic.sentence = std::move(sentence);
  diagnostic.hint = std::move(more.hint);
  diagnostic.help = std::move(more.help);
  list_.push_back(std::move(diagnostic));
}

std::vector<Diagnostic> Diagnostics::take() {
  std::sort(list_.begin(), list_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.file, a.line, a.column, a.sentence) <
           std::tie(b.file, b.line, b.column, b.sentence);
  });
  if (left_out_ > 0) {
    Diagnostic rest;
    rest.code = problems::too_large.code;
    rest.sentence = fmt::format("{} further problems are not listed", left_out_);
    list_.push_back(std::move(rest));
  }
  return std::exchange(list_, {});
}

std::string one_line(const Diagnostic& d) {
  std::string text;
  if (!d.file.empty()) text = d.file + ":";
  if (d.line > 0) text += fmt::format("{}:{}:", d.line, d.column);
  if (!text.empty()) text += ' ';
  return text + d.sentence;
}

namespace {

// Blanks that take as much room as the text before the caret: one per character, tabs as they are.
std::string padding_of(std::string_view before) {
  std::string padding;
  for (char c : before) {
    if (c == '\t') {
      padding += '\t';
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      padding += ' ';
    }
  }
  return padding;
}

size_t characters_in(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

std::string render(const Diagnostic& d) {
  std::string text = fmt::format("error[{}]: {}\n", d.code, d.sentence);
  std::string margin(std::max<size_t>(2, std::to_string(d.line).size() + 1), ' ');
  if (!d.file.empty()) {
    text += d.line > 0 ? fmt::format("  --> {}:{}:{}\n", d.file, d.line, d.column)
                       : fmt::format("  --> {}\n", d.file);
  }
  if (d.line > 0 && !d.source_line.empty()) {
    std::string_view line = d.source_line;
    size_t before = std::min(static_cast<size_t>(std::max(0, d.column - 1)), line.size());
    std::string_view marked = line.substr(before, static_cast<size_t>(d.length));
    text += fmt::format("{} |\n{:>{}} | {}\n", margin, d.line, margin.size(), line);
    text += fmt::format("{} | {}{}{}\n", margin, padding_of(line.substr(0, before)),
                        std::string(std::max<size_t>(1, characters_in(marked)), '^'),
                        d.hint.empty() ? "" : " " + d.hint);
  } else if (!d.hint.empty()) {
    text += fmt::format("{} = {}\n", margin, d.hint);
  }
  std::string help = d.help.empty() ? "" : d.help + "  ·  ";
  return text + fmt::format("{} = help: {}pinpipe explain {}\n", margin, help, d.code);
}

std::string render(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (!text.empty()) text += '\n';
    text += render(diagnostic);
  }
  return text;
}

}  // namespace pinpipe::project
