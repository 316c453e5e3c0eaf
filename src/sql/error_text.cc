#include "sql/error_text.h"

#include <algorithm>
#include <charconv>

#include "columns/batch.h"
#include "columns/json_decoder.h"
#include "sql/lexer.h"

namespace pinpipe::sql {
namespace {

// {"exception_type":"Binder","exception_message":"…","position":"7"}, read by the decoder that
// reads everybody's JSON.
std::optional<ErrorText> read_json(std::string_view json) {
  using columns::Column;
  using columns::Schema;
  static const Schema schema =
      *Schema::make({Column{.name = "exception_type", .synonyms = {}},
                     Column{.name = "exception_message", .synonyms = {}},
                     Column{.name = "position", .type = columns::Type::int64, .synonyms = {}}});
  columns::Batch batch(schema, 1);
  columns::JsonDecoder decoder(schema, [](const columns::Refused&) {});
  decoder.start("error", json);
  if (decoder.fill(batch.target(), 0) != 1 || !batch.text(1, 0)) return std::nullopt;
  ErrorText error;
  if (auto kind = batch.text(0, 0)) error.message = *kind + " Error: ";
  error.message += *batch.text(1, 0);
  if (auto offset = batch.integer(2, 0); offset && *offset >= 0) {
    error.offset = static_cast<size_t>(*offset);
  }
  return error;
}

size_t start_of_line(std::string_view sql, int line) {
  size_t start = 0;
  for (int i = 1; i < line && start != std::string_view::npos; ++i) {
    start = sql.find('\n', start);
    if (start != std::string_view::npos) ++start;
  }
  return start;
}

// Bytes of `text` up to its character number `characters`.
size_t bytes_of(std::string_view text, size_t characters) {
  size_t at = 0;
  for (; at < text.size(); ++at) {
    bool begins = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
    if (begins && characters-- == 0) break;
  }
  return at;
}

// Where the caret points, given
//   LINE 2: ...rest of a long line that was cut...
//                      ^
std::optional<size_t> caret_offset(std::string_view place, std::string_view sql) {
  constexpr std::string_view word = "LINE ";
  constexpr std::string_view dots = "...";
  int line = 0;
  auto [end, error] =
      std::from_chars(place.data() + word.size(), place.data() + place.size(), line);
  size_t excerpt_at = static_cast<size_t>(end - place.data()) + 2;
  size_t newline = place.find('\n');
  size_t caret = place.rfind('^');
  if (error != std::errc{} || newline == place.npos || caret == place.npos || caret < newline ||
      excerpt_at > newline) {
    return std::nullopt;
  }
  size_t column = caret - newline - 1 - excerpt_at;
  std::string_view excerpt = place.substr(excerpt_at, newline - excerpt_at);
  size_t start = start_of_line(sql, line);
  if (start == sql.npos) return std::nullopt;
  std::string_view whole = sql.substr(start, sql.find('\n', start) - start);
  if (excerpt != whole) {
    if (excerpt.starts_with(dots)) {
      excerpt.remove_prefix(dots.size());
      column -= dots.size();
    }
    if (excerpt.ends_with(dots)) excerpt.remove_suffix(dots.size());
  }
  size_t found = whole.find(excerpt);
  if (found == whole.npos) return std::nullopt;
  return start + found + bytes_of(excerpt, column);
}

}  // namespace

ErrorText read_error(std::string_view error, std::string_view sql) {
  size_t brace = error.find("{\"exception_type\"");
  if (brace != error.npos) {
    if (auto read = read_json(error.substr(brace))) return std::move(*read);
  }
  size_t place = error.rfind("\nLINE ");
  if (place == error.npos) return {std::string(error), std::nullopt};
  ErrorText read{std::string(error.substr(0, place)), caret_offset(error.substr(place + 1), sql)};
  while (read.message.ends_with('\n')) read.message.pop_back();
  return read;
}

std::optional<std::string> without_qualifier(const ErrorText& error, std::string_view sql) {
  bool is_asked_of_a_table =
      error.message.find("does not have a column named") != std::string::npos;
  if (!error.offset || !is_asked_of_a_table || !candidates_in(error.message).empty())
    return std::nullopt;
  std::vector<Token> tokens = tokens_of(sql);
  auto first = std::ranges::find(tokens, *error.offset, &Token::offset);
  auto last = first;
  while (tokens.end() - last > 2 && last[1].text == ".") last += 2;
  if (last == first) return std::nullopt;
  std::string changed(sql.substr(0, first->offset));
  return changed.append(sql.substr(last->offset));
}

std::string_view candidates_in(std::string_view message) {
  size_t at = message.find("\nCandidate bindings");
  return at == message.npos ? std::string_view() : message.substr(at);
}

}  // namespace pinpipe::sql
