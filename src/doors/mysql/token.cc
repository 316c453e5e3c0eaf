#include "doors/mysql/token.h"

#include <algorithm>

#include "base/ascii.h"

namespace pinpipe::mysql {
namespace {

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

class Scanner {
 public:
  explicit Scanner(std::string_view statement) : all_(statement) {}

  Outcome<std::vector<Token>> run() {
    while (skip_blanks(), at_ < all_.size()) {
      if (broken_) break;
      if (tokens_.size() == tokens_max) return fail_unsupported("a statement of so many words");
      Token token{.begin = at_};
      read(token);
      if (broken_) break;
      token.end = at_;
      tokens_.push_back(std::move(token));
    }
    if (broken_ || in_version_comment_)
      return fail_syntax(all_.substr(std::min(broken_at_, all_.size())));
    while (!tokens_.empty() && tokens_.back().is_symbol(";")) tokens_.pop_back();
    return std::move(tokens_);
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < all_.size() ? all_[at_ + ahead] : '\0'; }
  bool starts(std::string_view with) const { return all_.substr(at_).starts_with(with); }
  void break_at(size_t where) {
    broken_ = true;
    broken_at_ = where;
    at_ = all_.size();
  }

  void skip_line() { at_ = std::min(all_.find('\n', at_), all_.size()); }

  void skip_comment() {
    size_t begin = at_;
    if (starts("/*!")) {  // its content is for MySQL: only the marks are skipped
      at_ += 3;
      while (is_digit(peek())) ++at_;
      in_version_comment_ = true;
      broken_at_ = begin;
      return;
    }
    size_t end = all_.find("*/", at_ + 2);
    end == std::string_view::npos ? break_at(begin) : void(at_ = end + 2);
  }

  void skip_blanks() {
    while (at_ < all_.size()) {
      if (is_space(peek())) {
        ++at_;
      } else if (peek() == '#' || (starts("--") && (at_ + 2 == all_.size() || is_space(peek(2))))) {
        skip_line();
      } else if (in_version_comment_ && starts("*/")) {
        at_ += 2;
        in_version_comment_ = false;
      } else if (starts("/*")) {
        skip_comment();
      } else {
        return;
      }
    }
  }

  void read(Token& token) {
    char c = peek();
    if (c == '\'' || c == '"') return read_quoted(token, Token::Kind::text, true);
    if (c == '`') return read_quoted(token, Token::Kind::quoted_name, false);
    if (c == '@') return read_variable(token);
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return read_number(token);
    if (is_word(c)) return read_word(token);
    read_symbol(token);
  }

  // Doubled quotes stand for one; in texts a backslash begins an escape.
  void read_quoted(Token& token, Token::Kind kind, bool escapes) {
    token.kind = kind;
    char quote = all_[at_++];
    while (at_ < all_.size()) {
      char c = all_[at_++];
      if (c == quote) {
        if (peek() != quote) return;
        ++at_;
      } else if (c == '\\' && escapes && at_ < all_.size()) {
        read_escape(token.value);
        continue;
      }
      token.value.push_back(c);
    }
    break_at(token.begin);
  }

  void read_escape(std::string& to) {
    char c = all_[at_++];
    switch (c) {
      case '0':
        return to.push_back('\0');
      case 'b':
        return to.push_back('\b');
      case 'n':
        return to.push_back('\n');
      case 'r':
        return to.push_back('\r');
      case 't':
        return to.push_back('\t');
      case 'Z':
        return to.push_back('\x1a');
      case '%':  // these two keep their backslash: LIKE looks for it
      case '_':
        to.push_back('\\');
        [[fallthrough]];
      default:
        to.push_back(c);
    }
  }

  void read_variable(Token& token) {
    bool of_system = starts("@@");
    token.kind = of_system ? Token::Kind::system_variable : Token::Kind::user_variable;
    at_ += of_system ? 2 : 1;
    if (peek() == '`' || peek() == '\'') {
      Token name{.begin = at_};
      read_quoted(name, Token::Kind::quoted_name, false);
      token.value = lowered(name.value);
      return;
    }
    size_t begin = at_;
    while (is_word(peek()) || peek() == '.') ++at_;
    token.value = lowered(all_.substr(begin, at_ - begin));
    if (!of_system) return;
    for (std::string_view scope : {"session.", "global.", "local."}) {
      if (token.value.starts_with(scope)) token.value.erase(0, scope.size());
    }
  }

  void read_number(Token& token) {
    token.kind = Token::Kind::number;
    size_t begin = at_;
    bool hex = starts("0x");
    if (hex) at_ += 2;
    while (is_word(peek()) || (peek() == '.' && !hex)) {
      bool exponent = !hex && (peek() == 'e' || peek() == 'E');
      ++at_;
      if (exponent && (peek() == '+' || peek() == '-') && is_digit(peek(1))) ++at_;
    }
    token.value = all_.substr(begin, at_ - begin);
  }

  void read_word(Token& token) {
    token.kind = Token::Kind::word;
    size_t begin = at_;
    while (is_word(peek())) ++at_;
    token.value = lowered(all_.substr(begin, at_ - begin));
  }

  void read_symbol(Token& token) {
    for (std::string_view symbol : {"<=>", "<>", "!=", "<=", ">=", ":=", "&&", "||", "<<", ">>"}) {
      if (!starts(symbol)) continue;
      token.value = symbol;
      at_ += symbol.size();
      return;
    }
    char c = all_[at_++];
    if (c == '?') token.kind = Token::Kind::parameter;
    token.value = c;
  }

  std::string_view all_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
  bool in_version_comment_ = false;
  bool broken_ = false;
  size_t broken_at_ = 0;
};

}  // namespace

Outcome<std::vector<Token>> tokens_of(std::string_view statement) {
  return Scanner(statement).run();
}

}  // namespace pinpipe::mysql
