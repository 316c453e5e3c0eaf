#include "sql/guard.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "sql/lexer.h"

namespace pinpipe::sql {
namespace {

constexpr std::array question_words = {"select",   "with", "from", "values",    "explain",
                                       "describe", "desc", "show", "summarize", "("};

// What begins a statement that is none of these: to be told from a misspelt SELECT.
constexpr std::array statement_words = {
    "create",  "insert",   "update", "delete",   "drop",       "alter",      "attach",
    "detach",  "copy",     "export", "import",   "set",        "reset",      "pragma",
    "load",    "install",  "call",   "use",      "vacuum",     "checkpoint", "force",
    "begin",   "start",    "commit", "rollback", "abort",      "prepare",    "execute",
    "analyze", "truncate", "merge",  "comment",  "grant",      "revoke",     "deallocate",
    "replace", "update",   "cache",  "refresh",  "transaction"};

// Functions that a SELECT may call and that do more than read: enable_logging writes files and was
// seen to take the whole instance down, arrow_scan follows a pointer that the caller makes up,
// query and json_execute_serialized_sql run text that nobody has checked.
constexpr std::array denied_functions = {"enable_logging",
                                         "disable_logging",
                                         "truncate_duckdb_logs",
                                         "write_log",
                                         "checkpoint",
                                         "force_checkpoint",
                                         "arrow_scan",
                                         "arrow_scan_dumb",
                                         "seq_scan",
                                         "query",
                                         "query_table",
                                         "repeat_row",
                                         "json_execute_serialized_sql",
                                         "duckdb_secrets",
                                         "which_secret",
                                         "check_peg_parser",
                                         "sql_auto_complete",
                                         "test_vector_types",
                                         "nextval",
                                         "currval",
                                         "setseed",
                                         "add_parquet_key",
                                         "getvariable",
                                         "duckdb_logs",
                                         "duckdb_logs_parsed"};

// printf and format make texts as wide as they are told, in memory that nobody counts.
constexpr std::array formatting_functions = {"printf", "format"};

bool is_modest_format(std::string_view text) {
  constexpr size_t width_digits_max = 4;
  size_t digits = 0;
  for (char c : text) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits > width_digits_max || c == '*') return false;
  }
  // A width that is an argument: {:{}}
  return text.find(":{") == std::string_view::npos;
}

template <class Words>
bool contains(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Error refusal(const std::string& what) {
  return Error(Code::denied,
               what + " is not allowed here; only SELECT, EXPLAIN, DESCRIBE, SHOW and FROM are");
}

// The first token of the statement proper: behind EXPLAIN [ANALYZE] [(options)].
size_t behind_explain(const std::vector<Token>& tokens, size_t at) {
  ++at;
  if (at < tokens.size() && lowered(name_of(tokens[at])) == "analyze") ++at;
  // An option list such as (FORMAT json); a parenthesised query begins with a question word
  // instead.
  if (at + 1 < tokens.size() && tokens[at].text == "(") {
    std::string first = lowered(name_of(tokens[at + 1]));
    if (!contains(question_words, first)) {
      while (at < tokens.size() && tokens[at].text != ")") ++at;
      ++at;
    }
  }
  return at;
}

}  // namespace

Status check_question(std::string_view sql) {
  std::vector<Token> tokens = tokens_of(sql);
  if (tokens.empty()) return Error(Code::invalid, "there is no SQL here");
  size_t at = 0;
  for (std::string first = lowered(name_of(tokens[0])); first == "explain";) {
    at = behind_explain(tokens, at);
    if (at >= tokens.size()) return Error(Code::invalid, "EXPLAIN needs a query behind it");
    first = lowered(name_of(tokens[at]));
  }
  std::string first = lowered(name_of(tokens[at]));
  if (contains(statement_words, first)) return refusal(first);
  if (!contains(question_words, first)) {
    return Error(Code::invalid,
                 "syntax error at or near \"" + std::string(tokens[at].text) +
                     "\": a question begins with SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, "
                     "SUMMARIZE or EXPLAIN");
  }
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (tokens[i].kind == Token::Kind::symbol || tokens[i + 1].text != "(") continue;
    std::string called = lowered(name_of(tokens[i]));
    if (contains(denied_functions, called) || called.starts_with("pinpipe_")) {
      return refusal("the function " + called);
    }
    bool is_plain_text = i + 2 < tokens.size() && tokens[i + 2].kind == Token::Kind::text &&
                         i + 3 < tokens.size() &&
                         (tokens[i + 3].text == "," || tokens[i + 3].text == ")");
    if (contains(formatting_functions, called) &&
        (!is_plain_text || !is_modest_format(tokens[i + 2].text))) {
      return refusal(called + " with a width of more than four digits, or one that is made up,");
    }
  }
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].text == ";" && i + 1 < tokens.size()) {
      return Error(Code::denied, "only one statement is allowed here");
    }
  }
  return {};
}

}  // namespace pinpipe::sql
