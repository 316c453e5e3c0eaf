#include "scheduler/python_tokens.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>

namespace pinpipe::scheduler {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Bytes beyond ASCII are letters: Python allows them in names, and we compare names only.
bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

void append_utf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | ((c >> 18) & 0x07));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : rest_(source) {}

  Result<std::vector<Token>> run() {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
    while (!rest_.empty()) {
      if (at_line_begin_ && brackets_.empty()) {
        if (Status done = read_indent(); !done) return done.error();
        if (rest_.empty()) break;
      }
      if (Status done = read_token(); !done) return done.error();
    }
    if (!brackets_.empty()) return wrong(fmt::format("\"{}\" is never closed", brackets_.back()));
    if (!at_line_begin_) add(Token::Kind::line_end, "");
    for (; indents_.size() > 1; indents_.pop_back()) add(Token::Kind::dedent, "");
    add(Token::Kind::end, "");
    return std::move(tokens_);
  }

 private:
  Error wrong(std::string_view what) const {
    return {Code::invalid, fmt::format("line {}: {}", line_, what)};
  }
  void add(Token::Kind kind, std::string_view text) {
    tokens_.push_back({.kind = kind, .text = std::string(text), .line = line_});
  }
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  // A line's end in any of the three manners.
  bool take_line_end() {
    if (!take("\r\n") && !take("\n") && !take("\r")) return false;
    ++line_;
    return true;
  }
  void skip_comment() { rest_.remove_prefix(std::min(rest_.find_first_of("\r\n"), rest_.size())); }

  Status read_indent() {
    size_t width = 0;
    while (!rest_.empty()) {
      if (take(" ")) {
        ++width;
      } else if (take("\t")) {
        width = (width / 8 + 1) * 8;  // as Python counts
      } else if (take("\f")) {
        width = 0;
      } else if (rest_.front() == '#') {
        skip_comment();
      } else if (take_line_end()) {
        width = 0;  // an empty line says nothing about blocks
      } else {
        break;
      }
    }
    at_line_begin_ = false;
    if (rest_.empty()) {
      at_line_begin_ = true;
      return {};
    }
    if (width > indents_.back()) {
      if (indents_.size() > blocks_max) return wrong("blocks are nested too deep");
      indents_.push_back(width);
      add(Token::Kind::indent, "");
    }
    for (; width < indents_.back(); indents_.pop_back()) add(Token::Kind::dedent, "");
    if (width != indents_.back()) return wrong("this indentation fits no block");
    return {};
  }

  Status read_token() {
    char c = rest_.front();
    if (c == ' ' || c == '\t' || c == '\f') {
      rest_.remove_prefix(1);
    } else if (c == '#') {
      skip_comment();
    } else if (c == '\\') {
      rest_.remove_prefix(1);
      if (!take_line_end()) return wrong("a backslash that ends no line");
    } else if (c == '\r' || c == '\n') {
      if (brackets_.empty()) {
        add(Token::Kind::line_end, "");
        at_line_begin_ = true;
      }
      take_line_end();
    } else if (auto quote = string_at()) {
      return read_string(*quote);
    } else if (is_digit(c) || (c == '.' && rest_.size() > 1 && is_digit(rest_[1]))) {
      read_number();
    } else if (is_name_char(c)) {
      auto end = std::ranges::find_if_not(rest_, is_name_char);
      auto size = static_cast<size_t>(end - rest_.begin());
      add(Token::Kind::name, rest_.substr(0, size));
      rest_.remove_prefix(size);
    } else {
      return read_sign();
    }
    return {};
  }

  void read_number() {
    size_t size = 0;
    while (size < rest_.size()) {
      char c = rest_[size];
      bool exponent_sign = (c == '+' || c == '-') && size > 0 &&
                           (rest_[size - 1] == 'e' || rest_[size - 1] == 'E') &&
                           !rest_.starts_with("0x");
      if (!is_name_char(c) && c != '.' && !exponent_sign) break;
      ++size;
    }
    std::string digits(rest_.substr(0, size));
    std::erase(digits, '_');
    add(Token::Kind::number, digits);
    rest_.remove_prefix(size);
  }

  // How many letters stand before the quote, when a string begins here.
  std::optional<size_t> string_at() const {
    size_t letters = 0;
    while (letters < 2 && letters < rest_.size() &&
           std::string_view("rRbBfFuU").find(rest_[letters]) != std::string_view::npos) {
      ++letters;
    }
    if (letters >= rest_.size() || (rest_[letters] != '"' && rest_[letters] != '\'')) return {};
    return letters;
  }

  Status read_string(size_t letters) {
    Token token{.kind = Token::Kind::text, .text = "", .line = line_};
    bool raw = false;
    for (char c : rest_.substr(0, letters)) {
      raw |= c == 'r' || c == 'R';
      token.formatted |= c == 'f' || c == 'F';
      token.bytes |= c == 'b' || c == 'B';
    }
    rest_.remove_prefix(letters);
    std::string quote(1, rest_.front());
    bool long_one = rest_.starts_with(quote + quote + quote);
    if (long_one) quote += quote + quote;
    rest_.remove_prefix(quote.size());
    while (true) {
      if (rest_.empty()) return Error(Code::invalid, unclosed(token.line));
      if (take(quote)) break;
      bool line_ends = rest_.front() == '\n' || rest_.front() == '\r';
      if (line_ends && !long_one) return Error(Code::invalid, unclosed(token.line));
      if (line_ends) {
        take_line_end();
        token.text += '\n';
      } else if (rest_.front() == '\\') {
        if (Status done = read_escape(raw, token.text); !done) return done;
      } else {
        token.text += rest_.front();
        rest_.remove_prefix(1);
      }
    }
    // Strings that follow each other are one.
    if (!tokens_.empty() && tokens_.back().kind == Token::Kind::text) {
      Token& before = tokens_.back();
      if (before.formatted != token.formatted) {
        // A plain part of an f-string: its braces stand for themselves.
        double_braces(before.formatted ? token.text : before.text);
        before.formatted = true;
      }
      before.text += token.text;
    } else {
      tokens_.push_back(std::move(token));
    }
    return {};
  }

  static std::string unclosed(int line) {
    return fmt::format("line {}: a string is not closed", line);
  }

  static void double_braces(std::string& text) {
    std::string doubled;
    for (char c : text) {
      doubled += c;
      if (c == '{' || c == '}') doubled += c;
    }
    text = std::move(doubled);
  }

  Status read_escape(bool raw, std::string& out) {
    rest_.remove_prefix(1);
    if (rest_.empty()) return wrong("a string is not closed");
    if (raw) {
      out += '\\';
      if (take_line_end()) {
        out += '\n';
        return {};
      }
      out += rest_.front();
      rest_.remove_prefix(1);
      return {};
    }
    if (take_line_end()) return {};
    char c = rest_.front();
    rest_.remove_prefix(1);
    static constexpr std::string_view letters = "abfnrtv\\'\"";
    static constexpr std::string_view values = "\a\b\f\n\r\t\v\\'\"";
    if (size_t at = letters.find(c); at != std::string_view::npos) {
      out += values[at];
    } else if (c >= '0' && c <= '7') {
      auto value = static_cast<uint32_t>(c - '0');
      for (int i = 0; i < 2 && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '7';
           ++i) {
        value = value * 8 + static_cast<uint32_t>(rest_.front() - '0');
        rest_.remove_prefix(1);
      }
      append_utf8(out, value);
    } else if (c == 'x' || c == 'u' || c == 'U') {
      return read_code(c == 'x' ? 2 : c == 'u' ? 4 : 8, out);
    } else {
      out += '\\';  // as Python: an unknown escape stays
      out += c;
    }
    return {};
  }

  Status read_code(size_t digits, std::string& out) {
    uint32_t value = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (rest_.empty()) return wrong("a string is not closed");
      static constexpr std::string_view hex = "0123456789abcdef";
      char c = rest_.front();
      if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
      size_t digit = hex.find(c);
      if (digit == std::string_view::npos) return wrong("an escape lacks hex digits");
      value = value * 16 + static_cast<uint32_t>(digit);
      rest_.remove_prefix(1);
    }
    bool surrogate = value >= 0xd800 && value < 0xe000;
    if (value > 0x10ffff || surrogate) return wrong("an escape is no character");
    append_utf8(out, value);
    return {};
  }

  Status read_sign() {
    static constexpr std::array<std::string_view, 30> longer = {
        "**=", "//=", ">>=", "<<=", "...", "**", "//", ">>", "<<", "->",
        ":=",  "==",  "!=",  "<=",  ">=",  "+=", "-=", "*=", "/=", "%=",
        "&=",  "|=",  "^=",  "@=",  "(",   ")",  "[",  "]",  "{",  "}"};
    std::string_view sign = rest_.substr(0, 1);
    for (std::string_view one : longer) {
      if (rest_.starts_with(one)) {
        sign = one;
        break;
      }
    }
    static constexpr std::string_view known = "()[]{}+-*/%@&|^~<>=.,:;!";
    if (known.find(sign.front()) == std::string_view::npos) {
      return wrong(fmt::format("\"{}\" does not belong here", sign));
    }
    if (Status done = count_bracket(sign.front()); !done) return done;
    add(Token::Kind::sign, sign);
    rest_.remove_prefix(sign.size());
    return {};
  }

  Status count_bracket(char c) {
    static constexpr std::string_view open = "([{", close = ")]}";
    if (open.find(c) != std::string_view::npos) {
      if (brackets_.size() >= blocks_max) return wrong("brackets are nested too deep");
      brackets_ += c;
      return {};
    }
    size_t which = close.find(c);
    if (which == std::string_view::npos) return {};
    if (brackets_.empty() || brackets_.back() != open[which]) {
      return wrong(fmt::format("\"{}\" closes nothing", c));
    }
    brackets_.pop_back();
    return {};
  }

  std::string_view rest_;
  std::vector<Token> tokens_;
  std::vector<size_t> indents_{0};
  std::string brackets_;  // open ones
  int line_ = 1;
  bool at_line_begin_ = true;
};

}  // namespace

Result<std::vector<Token>> python_tokens(std::string_view source) {
  if (source.size() > source_bytes_max) {
    return Error(Code::invalid,
                 fmt::format("line 1: the file is larger than {} bytes", source_bytes_max));
  }
  return Lexer(source).run();
}

}  // namespace pinpipe::scheduler
