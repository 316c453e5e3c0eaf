#include "sql/references.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/ascii.h"
#include "sql/lexer.h"
#include "sql/rewrite.h"

namespace pinpipe::sql {
namespace {

// 'it''s' as it's. Other spellings of texts (e'…', $$…$$) name nothing here.
std::optional<std::string> plain_text(const Token& token) {
  if (token.kind != Token::Kind::text || token.text.size() < 2 || token.text.front() != '\'')
    return std::nullopt;
  std::string text;
  std::string_view inner = token.text.substr(1, token.text.size() - 2);
  for (size_t i = 0; i < inner.size(); ++i) {
    text += inner[i];
    if (inner[i] == '\'') ++i;
  }
  return text;
}

class Finder {
 public:
  Finder(std::string_view sql, const std::vector<std::string>& functions)
      : sql_(sql), tokens_(tokens_of(sql)), functions_(functions) {}

  Result<std::vector<Reference>> run() {
    for (size_t at = 0; at < tokens_.size();) {
      if (!is_name(at)) {
        ++at;
        continue;
      }
      auto next = take(at);
      if (!next) return next.error();
      at = *next;
      if (found_.size() > references_max)
        return Error(Code::invalid, fmt::format("more than {} names", references_max));
    }
    return std::move(found_);
  }

 private:
  bool is_name(size_t at) const {
    if (at >= tokens_.size()) return false;
    Token::Kind kind = tokens_[at].kind;
    return kind == Token::Kind::word || kind == Token::Kind::digit_name ||
           kind == Token::Kind::quoted || kind == Token::Kind::backticked;
  }
  bool is(size_t at, std::string_view word) const {
    return at < tokens_.size() && lowered(tokens_[at].text) == word;
  }
  size_t end_of(size_t at) const { return tokens_[at].offset + tokens_[at].text.size(); }

  Error wrong(size_t at, const std::string& sentence) const {
    Position place = position_of(sql_, tokens_[std::min(at, tokens_.size() - 1)].offset);
    return Error(Code::invalid,
                 fmt::format("line {}, column {}: {}", place.line, place.column, sentence));
  }

  // The reference that begins at token `at`; gives the token behind it.
  Result<size_t> take(size_t at) {
    Reference reference{.parts = {name_of(tokens_[at])}, .argument = {}};
    reference.offset = tokens_[at].offset;
    size_t next = at + 1;
    if (is(next, "(")) {
      std::string called = lowered(reference.parts[0]);
      if (std::ranges::find(functions_, called) == functions_.end()) return next;
      auto argument = next + 1 < tokens_.size() ? plain_text(tokens_[next + 1]) : std::nullopt;
      if (!argument || !is(next + 2, ")"))
        return wrong(at, fmt::format("{0} takes one text: {0}('name')", called));
      reference.kind = Reference::Kind::function;
      reference.parts = {called};
      reference.argument = std::move(*argument);
      next += 3;
    } else {
      while (is(next, ".") && is_name(next + 1)) {
        reference.parts.push_back(name_of(tokens_[next + 1]));
        next += 2;
      }
    }
    auto behind = take_version(reference, next);
    if (!behind) return behind;
    next = *behind;
    reference.length = end_of(next - 1) - reference.offset;
    found_.push_back(std::move(reference));
    return next;
  }

  Result<size_t> take_version(Reference& reference, size_t at) const {
    if (is(at, "at") && is(at + 1, "(")) {
      bool by_version = is(at + 2, "version");
      if (!by_version && !is(at + 2, "timestamp")) return at;
      size_t value = at + 3;
      while (is(value, "=") || is(value, ">")) ++value;
      // AT (TIMESTAMP => TIMESTAMP '2026-01-02'): the type's name may stand before the text.
      if (!by_version && is(value, "timestamp")) ++value;
      if (Status taken = take_value(reference, value, by_version); !taken) return taken.error();
      if (!is(value + 1, ")")) return wrong(value + 1, "AT (VERSION => number) ends with \")\"");
      return value + 2;
    }
    size_t word = is(at, "for") ? at + 1 : at;
    bool by_version = is(word, "version");
    if ((!by_version && !is(word, "timestamp")) || !is(word + 1, "as") || !is(word + 2, "of"))
      return at;
    if (Status taken = take_value(reference, word + 3, by_version); !taken) return taken.error();
    return word + 4;
  }

  Status take_value(Reference& reference, size_t at, bool by_version) const {
    if (at >= tokens_.size()) return wrong(at, "a version is missing here");
    if (!by_version) {
      reference.moment = plain_text(tokens_[at]);
      if (!reference.moment)
        return wrong(at, "TIMESTAMP AS OF wants a text: '2026-01-02 10:15:00'");
      return {};
    }
    int64_t version = 0;
    std::string_view text = tokens_[at].text;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
    if (error != std::errc{} || end != text.data() + text.size())
      return wrong(at, fmt::format("{} is no version number", text));
    reference.version = version;
    return {};
  }

  std::string_view sql_;
  std::vector<Token> tokens_;
  const std::vector<std::string>& functions_;
  std::vector<Reference> found_;
};

}  // namespace

Result<std::vector<Reference>> references_of(std::string_view sql,
                                             const std::vector<std::string>& functions) {
  return Finder(sql, functions).run();
}

std::string_view only_condition_of(std::string_view sql) {
  constexpr std::string_view others[] = {"join", "union",  "intersect", "except", "with",
                                         "from", "select", "pivot",     "unpivot"};
  constexpr std::string_view ends[] = {"group",   "having", "order",     "limit", "offset",
                                       "qualify", "window", "fetch",     "using", "sample",
                                       "cluster", "sort",   "distribute"};
  std::vector<Token> tokens = tokens_of(sql);
  auto is = [&](size_t at, std::string_view word) {
    return at < tokens.size() && tokens[at].kind == Token::Kind::word &&
           lowered(tokens[at].text) == word;
  };
  auto is_any = [&](size_t at, auto& words) {
    return std::ranges::any_of(words, [&](std::string_view word) { return is(at, word); });
  };
  auto is_name = [&](size_t at) {
    return at < tokens.size() && tokens[at].kind != Token::Kind::symbol &&
           tokens[at].kind != Token::Kind::text && tokens[at].kind != Token::Kind::number;
  };
  if (!is(0, "select")) return {};
  size_t at = 1;
  while (at < tokens.size() && !is(at, "from")) {
    if (is_any(at++, others)) return {};
  }
  // A name of one part or more, and perhaps another for it.
  if (!is_name(++at)) return {};
  for (++at; at + 1 < tokens.size() && tokens[at].text == "." && is_name(at + 1);) at += 2;
  if (is(at, "as")) ++at;
  if (is_name(at) && !is(at, "where")) ++at;
  if (!is(at, "where")) return {};
  size_t begin = tokens[at].offset + tokens[at].text.size();
  size_t end = sql.size();
  int depth = 0;
  for (++at; at < tokens.size(); ++at) {
    if (is_any(at, others)) return {};
    depth += tokens[at].text == "(" ? 1 : tokens[at].text == ")" ? -1 : 0;
    bool is_end = depth == 0 && (is_any(at, ends) || tokens[at].text == ";");
    if (is_end && end == sql.size()) end = tokens[at].offset;
  }
  return sql.substr(begin, end - begin);
}

}  // namespace pinpipe::sql
