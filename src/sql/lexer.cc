#include "sql/lexer.h"

#include <algorithm>

namespace pinpipe::sql {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_name(char c) {
  return is_letter(c) || is_digit(c) || c == '$';
}

// A run of name characters that begins with a digit is a number if the database would read all of
// it as one: 12, 1_000, 1e5, 0x1F, and Spark's typed literals 12L, 1.5D, 3BD.
bool is_number(std::string_view run) {
  auto all_of = [&run](auto wanted) { return std::all_of(run.begin(), run.end(), wanted); };
  if (run.size() > 2 && run[0] == '0' && (run[1] == 'x' || run[1] == 'X')) {
    run.remove_prefix(2);
    return all_of([](char c) {
      return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '_';
    });
  }
  if (all_of([](char c) { return is_digit(c) || c == '_'; })) return true;
  size_t digits = std::min(run.find_first_not_of("0123456789_"), run.size());
  std::string_view suffix = run.substr(digits);
  if (suffix.size() == 1 && std::string_view("lLsSyYdDfFeE").find(suffix[0]) != suffix.npos)
    return true;
  if (suffix == "bd" || suffix == "BD") return true;
  if (suffix[0] != 'e' && suffix[0] != 'E') return false;
  suffix.remove_prefix(1);
  return std::all_of(suffix.begin(), suffix.end(), is_digit);
}

class Lexer {
 public:
  explicit Lexer(std::string_view sql) : sql_(sql) {}

  std::vector<Token> run() {
    while (at_ < sql_.size()) step();
    return std::move(tokens_);
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0'; }

  void take(Token::Kind kind, size_t length) {
    length = std::min(length, sql_.size() - at_);
    tokens_.push_back({kind, sql_.substr(at_, length), at_});
    at_ += length;
  }

  void step() {
    char c = peek();
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      ++at_;
    } else if (c == '-' && peek(1) == '-') {
      at_ = std::min(sql_.find('\n', at_), sql_.size());
    } else if (c == '/' && peek(1) == '*') {
      skip_block_comment();
    } else if ((c == 'e' || c == 'E') && peek(1) == '\'') {
      take(Token::Kind::text, quoted_length('\'', 1, true));
    } else if (c == '\'') {
      take(Token::Kind::text, quoted_length('\'', 0, false));
    } else if (c == '"') {
      take(Token::Kind::quoted, quoted_length('"', 0, false));
    } else if (c == '`') {
      take(Token::Kind::backticked, quoted_length('`', 0, false));
    } else if (c == '$' && dollar_length() != 0) {
      take(Token::Kind::text, dollar_length());
    } else if (is_letter(c)) {
      take(Token::Kind::word, name_length());
    } else if (is_digit(c)) {
      size_t length = name_length();
      take(is_number(sql_.substr(at_, length)) ? Token::Kind::number : Token::Kind::digit_name,
           length);
    } else {
      take(Token::Kind::symbol, 1);
    }
  }

  size_t name_length() const {
    size_t length = 0;
    while (is_name(peek(length))) ++length;
    return length;
  }

  // From the quote at `at_ + start` to the one that closes it; a doubled quote does not close.
  size_t quoted_length(char quote, size_t start, bool backslashes) const {
    size_t i = start + 1;
    for (; at_ + i < sql_.size(); ++i) {
      if (backslashes && peek(i) == '\\') {
        ++i;
      } else if (peek(i) == quote) {
        if (peek(i + 1) != quote) return i + 1;
        ++i;
      }
    }
    return i;
  }

  // $tag$ … $tag$, or 0 when no such text starts here.
  size_t dollar_length() const {
    size_t tag = 1;
    while (is_letter(peek(tag)) || (tag > 1 && is_digit(peek(tag)))) ++tag;
    if (peek(tag) != '$') return 0;
    std::string_view mark = sql_.substr(at_, tag + 1);
    size_t end = sql_.find(mark, at_ + mark.size());
    return end == sql_.npos ? sql_.size() - at_ : end + mark.size() - at_;
  }

  void skip_block_comment() {
    int depth = 0;
    do {
      if (peek() == '/' && peek(1) == '*') {
        ++depth;
        at_ += 2;
      } else if (peek() == '*' && peek(1) == '/') {
        --depth;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (depth > 0 && at_ < sql_.size());
    at_ = std::min(at_, sql_.size());
  }

  std::string_view sql_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view sql) {
  return Lexer(sql).run();
}

std::string name_of(const Token& token) {
  if (token.kind != Token::Kind::quoted && token.kind != Token::Kind::backticked) {
    return std::string(token.text);
  }
  char quote = token.text.front();
  std::string_view inner = token.text.substr(1);
  if (inner.ends_with(quote)) inner.remove_suffix(1);
  std::string name;
  for (size_t i = 0; i < inner.size(); ++i) {
    name += inner[i];
    if (inner[i] == quote) ++i;
  }
  return name;
}

}  // namespace pinpipe::sql
