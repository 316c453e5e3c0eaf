#include "codec/json_scan.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <simdjson.h>
#include <utility>

#include "base/check.h"
#include "codec/json_text.h"

namespace pinpipe::codec {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
bool is_json_number(std::string_view text) {
  size_t i = 0;
  auto digits = [&] {
    size_t from = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i > from;
  };
  if (i < text.size() && text[i] == '-') ++i;
  if (i < text.size() && text[i] == '0') {
    ++i;
  } else if (!digits()) {
    return false;
  }
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (!digits()) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (!digits()) return false;
  }
  return i == text.size();
}

bool is_json_scalar(std::string_view text) {
  switch (text.front()) {
    case 't':
      return text == "true";
    case 'f':
      return text == "false";
    case 'n':
      return text == "null";
    default:
      return is_json_number(text);
  }
}

}  // namespace

// The first pass is simdjson's stage 1 alone: it validates UTF-8, finds where every token begins
// and refuses control characters inside strings. Its own second pass is not used, because it
// refuses big integers and lone surrogates, which we must carry unchanged, and asks for padded
// input.
struct JsonScanner::Buffers {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
  size_t text_capacity_bytes = 0;
  std::unique_ptr<uint32_t[]> closes;
  size_t closes_capacity = 0;

  bool reserve_text(size_t bytes) {
    if (parser && bytes <= text_capacity_bytes && text_capacity_bytes <= kept_bytes_max)
      return true;
    size_t wanted = std::bit_ceil(std::max<size_t>(bytes, 4096));
    if (parser && wanted == text_capacity_bytes) return true;
    if (text_capacity_bytes > kept_bytes_max) *this = Buffers();
    auto failed = parser ? parser->set_capacity(wanted)
                         : simdjson::get_active_implementation()->create_dom_parser_implementation(
                               wanted, 1, parser);
    text_capacity_bytes = failed ? 0 : wanted;
    return !failed;
  }
  void reserve_closes(size_t tokens) {
    if (tokens <= closes_capacity) return;
    closes_capacity = std::bit_ceil(std::max<size_t>(tokens, 512));
    closes = std::make_unique_for_overwrite<uint32_t[]>(closes_capacity);
  }
};

JsonScanner::JsonScanner() : buffers_(std::make_unique<Buffers>()) {}
JsonScanner::~JsonScanner() = default;
JsonScanner::JsonScanner(JsonScanner&&) noexcept = default;
JsonScanner& JsonScanner::operator=(JsonScanner&&) noexcept = default;

Error JsonScanner::error_at(size_t position, std::string_view what) const {
  return {Code::invalid, fmt::format("not valid JSON: {} at byte {}", what, position)};
}

size_t JsonScanner::scalar_end(uint32_t token) const {
  size_t end = starts_[token + 1];
  while (is_blank(text_[end - 1])) --end;
  return end;
}

Status JsonScanner::index_tokens(std::string_view text) {
  text_ = text;
  if (text.size() > json_bytes_max) {
    return Error(Code::invalid, fmt::format("JSON text of {} bytes is over the limit of {} bytes",
                                            text.size(), json_bytes_max));
  }
  if (!buffers_->reserve_text(text.size())) {
    return Error(Code::busy, "no memory for the tokens of a JSON text");
  }
  auto& parser = *buffers_->parser;
  auto failed = text.empty() ? simdjson::EMPTY
                             : parser.stage1(reinterpret_cast<const uint8_t*>(text.data()),
                                             text.size(), simdjson::stage1_mode::regular);
  switch (failed) {
    case simdjson::SUCCESS:
      break;
    case simdjson::EMPTY:
      return Error(Code::invalid, "not valid JSON: there is no value");
    case simdjson::UTF8_ERROR:
      return Error(Code::invalid, "not valid JSON: the bytes are not UTF-8");
    case simdjson::UNCLOSED_STRING:
      return Error(Code::invalid, "not valid JSON: a string is not closed");
    case simdjson::UNESCAPED_CHARS:
      return Error(Code::invalid,
                   "not valid JSON: a control character inside a string is not escaped");
    default:
      return Error(Code::invalid, fmt::format("not valid JSON: {}", error_message(failed)));
  }
  count_ = parser.n_structural_indexes;
  starts_ = parser.structural_indexes.get();
  parser.structural_indexes[count_] = static_cast<uint32_t>(text.size());
  buffers_->reserve_closes(count_);
  closes_ = buffers_->closes.get();
  return {};
}

Status JsonScanner::check_string(uint32_t token) {
  const char* at = text_.data() + starts_[token] + 1;
  const char* end = text_.data() + scalar_end(token) - 1;
  while (at < end) {
    at = static_cast<const char*>(std::memchr(at, '\\', static_cast<size_t>(end - at)));
    if (at == nullptr) break;
    JsonEscape escape = read_json_escape(at, end);
    if (escape.length == 0) {
      return error_at(static_cast<size_t>(at - text_.data()), "an unknown escape");
    }
    if (at[1] == 'u' || at[1] == '/') has_escapes_to_rewrite_ = true;
    at += escape.length;
  }
  return {};
}

// One step per token. `state` says what may come next.
Status JsonScanner::check_grammar() {
  enum class State { value, value_or_close, key, key_or_close, colon, comma_or_close };
  std::array<uint32_t, json_depth_max> open;
  size_t depth = 0;
  size_t previous_end = 0;
  State state = State::value;
  for (uint32_t token = 0; token < count_; ++token) {
    const size_t start = starts_[token];
    const char c = text_[start];
    has_blanks_ |= start != previous_end;
    previous_end = start + 1;
    if (depth == 0 && token > 0) return error_at(start, "more text after the value");
    const bool value_may_come = state == State::value || state == State::value_or_close;
    switch (c) {
      case '{':
      case '[':
        if (!value_may_come) return error_at(start, fmt::format("unexpected '{}'", c));
        if (depth == json_depth_max) return error_at(start, "too many levels");
        open[depth++] = token;
        state = c == '{' ? State::key_or_close : State::value_or_close;
        break;
      case '}':
      case ']': {
        const bool matches = depth > 0 && text_[starts_[open[depth - 1]]] == (c == '}' ? '{' : '[');
        const bool may_close = state == State::comma_or_close ||
                               state == (c == '}' ? State::key_or_close : State::value_or_close);
        if (!matches || !may_close) return error_at(start, fmt::format("unexpected '{}'", c));
        closes_[open[--depth]] = token;
        state = State::comma_or_close;
        break;
      }
      case ':':
        if (state != State::colon) return error_at(start, "unexpected ':'");
        state = State::value;
        break;
      case ',':
        if (state != State::comma_or_close) return error_at(start, "unexpected ','");
        state = text_[starts_[open[depth - 1]]] == '{' ? State::key : State::value;
        break;
      case '"': {
        const bool is_key = state == State::key || state == State::key_or_close;
        if (!is_key && !value_may_come) return error_at(start, "unexpected string");
        if (has_backslashes_) {
          if (Status good = check_string(token); !good) return good;
        }
        previous_end = scalar_end(token);
        state = is_key ? State::colon : State::comma_or_close;
        break;
      }
      default:
        previous_end = scalar_end(token);
        if (!value_may_come || !is_json_scalar(text_.substr(start, previous_end - start))) {
          return error_at(start, "unexpected text");
        }
        state = State::comma_or_close;
    }
  }
  if (depth > 0) return error_at(text_.size(), "the text ends inside a value");
  has_blanks_ |= previous_end != text_.size();
  return {};
}

Result<JsonCursor> JsonScanner::scan(std::string_view text) {
  has_blanks_ = has_escapes_to_rewrite_ = false;
  if (Status indexed = index_tokens(text); !indexed) return indexed.error();
  has_backslashes_ = text.find('\\') != std::string_view::npos;
  if (Status good = check_grammar(); !good) return good.error();
  return JsonCursor(this, 0);
}

Status JsonScanner::compact(std::string_view text, std::string& out) {
  auto value = scan(text);
  if (!value) return value.error();
  value->append_compact(out);
  return {};
}

void JsonScanner::append_rewritten(uint32_t first, uint32_t last, std::string& out) const {
  for (uint32_t token = first; token <= last; ++token) {
    const char c = text_[starts_[token]];
    const bool is_mark = c == '{' || c == '}' || c == '[' || c == ']' || c == ':' || c == ',';
    if (is_mark) {
      out.push_back(c);
      continue;
    }
    std::string_view scalar = text_.substr(starts_[token], scalar_end(token) - starts_[token]);
    if (c == '"') {
      rewrite_json_escapes(scalar, EscapeForm::compact, out);
    } else {
      out.append(scalar);
    }
  }
}

JsonType JsonCursor::type() const {
  switch (first_char()) {
    case 'n':
      return JsonType::null;
    case 't':
    case 'f':
      return JsonType::boolean;
    case '"':
      return JsonType::string;
    case '[':
      return JsonType::array;
    case '{':
      return JsonType::object;
    default:
      return JsonType::number;
  }
}

void JsonCursor::append_compact(std::string& out) const {
  std::string_view text = raw();
  if (scanner_->has_escapes_to_rewrite_ && text.find('\\') != std::string_view::npos) {
    out.reserve(out.size() + text.size());
    scanner_->append_rewritten(token_, last_token(), out);
  } else if (scanner_->has_blanks_ && opens()) {
    const size_t before = out.size();
    out.resize_and_overwrite(before + text.size(), [&](char* at, size_t) {
      size_t written = 0;
      auto failed = simdjson::get_active_implementation()->minify(
          reinterpret_cast<const uint8_t*>(text.data()), text.size(),
          reinterpret_cast<uint8_t*>(at + before), written);
      CHECK(!failed, "a validated JSON value can be minified");
      return before + written;
    });
  } else {
    out.append(text);
  }
}

Result<std::string_view> JsonCursor::string(std::string& buffer) const {
  if (!is_string()) return Error(Code::invalid, "the JSON value is not a string");
  std::string_view text = raw();
  text = text.substr(1, text.size() - 2);
  if (!scanner_->has_backslashes_ || text.find('\\') == std::string_view::npos) return text;
  buffer.clear();
  if (!rewrite_json_escapes(text, EscapeForm::content, buffer)) {
    return scanner_->error_at(start(), "a string with half a surrogate pair");
  }
  return std::string_view(buffer);
}

std::optional<int64_t> JsonCursor::as_int() const {
  std::string_view text = raw();
  int64_t value = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> JsonCursor::as_bool() const {
  if (type() != JsonType::boolean) return std::nullopt;
  return first_char() == 't';
}

JsonCursor::FieldRange JsonCursor::fields() const {
  if (!is_object()) return {scanner_, token_, token_};
  return {scanner_, token_ + 1, last_token()};
}

JsonCursor::ElementRange JsonCursor::elements() const {
  if (!is_array()) return {scanner_, token_, token_};
  return {scanner_, token_ + 1, last_token()};
}

std::optional<JsonCursor> JsonCursor::find(std::string_view key) const {
  std::optional<JsonCursor> found;
  FieldRange range = fields();
  for (const Field& field : range) {
    if (field.key == key) found = field.value;
  }
  return found;
}

JsonCursor::FieldRange::Iterator::Iterator(const JsonScanner* scanner, uint32_t token, uint32_t end)
    : token_(token), end_(end), field_{{}, JsonCursor(scanner, token)} {
  if (token_ != end_) load();
}

void JsonCursor::FieldRange::Iterator::load() {
  const JsonScanner* scanner = field_.value.scanner_;
  std::string_view key = JsonCursor(scanner, token_).raw();
  key = key.substr(1, key.size() - 2);
  if (scanner->has_backslashes_ && key.find('\\') != std::string_view::npos) {
    unescaped_.clear();
    rewrite_json_escapes(key, EscapeForm::content, unescaped_);
    key = unescaped_;
  }
  field_ = {key, JsonCursor(scanner, token_ + 2)};
}

JsonCursor::FieldRange::Iterator& JsonCursor::FieldRange::Iterator::operator++() {
  const uint32_t after = field_.value.last_token() + 1;
  token_ = after == end_ ? end_ : after + 1;
  if (token_ != end_) load();
  return *this;
}

JsonCursor::ElementRange::Iterator& JsonCursor::ElementRange::Iterator::operator++() {
  const uint32_t after = cursor_.last_token() + 1;
  cursor_.token_ = after == end_ ? end_ : after + 1;
  return *this;
}

Status compact_json(std::string_view text, std::string& out) {
  static thread_local JsonScanner scanner;
  return scanner.compact(text, out);
}

bool is_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace pinpipe::codec
