#include "sql/rewrite.h"

#include <algorithm>
#include <optional>

#include "sql/lexer.h"

namespace pinpipe::sql {
namespace {

bool is_word(const Token& token, std::string_view lower) {
  return token.kind == Token::Kind::word && token.text.size() == lower.size() &&
         std::equal(lower.begin(), lower.end(), token.text.begin(),
                    [](char wanted, char c) { return wanted == (c | 0x20); });
}

// What `token` becomes, or nothing when it stays. `next` may be null.
std::optional<std::string> replacement_of(const Token& token, const Token* next) {
  switch (token.kind) {
    case Token::Kind::backticked:
    case Token::Kind::digit_name:
      return quoted_name(name_of(token));
    case Token::Kind::word:
      if (next != nullptr && next->text == "(" && is_word(token, "array")) return "list_value";
      return std::nullopt;
    case Token::Kind::number: {
      size_t digits = token.text.find_last_not_of("lLsSyYdDfFbB") + 1;
      bool is_hexadecimal = token.text.starts_with("0x") || token.text.starts_with("0X");
      if (digits == token.text.size() || is_hexadecimal) return std::nullopt;
      return std::string(token.text.substr(0, digits));
    }
    default:
      return std::nullopt;
  }
}

std::string quoted(std::string_view text, char quote) {
  std::string result(1, quote);
  for (char c : text) {
    result += c;
    if (c == quote) result += c;
  }
  return result += quote;
}

}  // namespace

Rewritten::Rewritten(std::string_view sql, std::span<const Substitution> substitutions) {
  std::vector<Token> tokens = tokens_of(sql);
  size_t copied = 0;
  auto replace = [&](size_t offset, size_t length, std::string_view by) {
    text_ += sql.substr(copied, offset - copied);
    steps_.emplace_back(text_.size(), offset);
    text_ += by;
    copied = offset + length;
    steps_.emplace_back(text_.size(), copied);
  };
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    if (token.offset < copied) continue;
    if (!substitutions.empty() && substitutions.front().offset == token.offset) {
      const Substitution& by = substitutions.front();
      replace(by.offset, by.length, by.text);
      substitutions = substitutions.subspan(1);
      continue;
    }
    auto replacement = replacement_of(token, i + 1 < tokens.size() ? &tokens[i + 1] : nullptr);
    if (replacement) replace(token.offset, token.text.size(), *replacement);
  }
  text_ += sql.substr(copied);
}

size_t Rewritten::original_offset(size_t offset) const {
  auto after =
      std::upper_bound(steps_.begin(), steps_.end(), offset,
                       [](size_t wanted, const auto& step) { return wanted < step.first; });
  if (after == steps_.begin()) return offset;
  auto step = std::prev(after);
  size_t original = step->second + (offset - step->first);
  // Inside a replaced name: no further than the name's own end.
  return after == steps_.end() ? original : std::min(original, after->second);
}

std::string quoted_name(std::string_view name) {
  return quoted(name, '"');
}
std::string quoted_text(std::string_view text) {
  return quoted(text, '\'');
}

Position position_of(std::string_view sql, size_t offset) {
  Position position;
  for (char c : sql.substr(0, std::min(offset, sql.size()))) {
    if (c == '\n') {
      ++position.line;
      position.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      ++position.column;
    }
  }
  return position;
}

}  // namespace pinpipe::sql
