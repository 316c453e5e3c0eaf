// Reading over JSON values: checks every byte of a value that nobody asks for and finds where it
// ends. For json_decoder.cc alone, which is compiled for the processor that simdjson wants. Bounds:
// JsonDecoder::nesting_max levels deep.
#pragma once

#include <simdjson.h>
#include <string>
#include <string_view>

#include "columns/json_decoder.h"
#include "columns/scalar.h"

namespace pinpipe::columns {

namespace od = simdjson::ondemand;

inline bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// What a person is told about the parser's verdict.
inline std::string_view sentence_of(simdjson::error_code code) {
  switch (code) {
    case simdjson::UTF8_ERROR:
      return "not valid UTF-8";
    case simdjson::UNESCAPED_CHARS:
      return "a control character inside a string";
    case simdjson::UNCLOSED_STRING:
      return "a string has no end";
    case simdjson::STRING_ERROR:
      return "a string has an invalid escape";
    case simdjson::NUMBER_ERROR:
      return "a malformed number";
    case simdjson::DEPTH_ERROR:
      return "nested too deeply";
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
      return "ends before the JSON value does";
    default:
      return "not valid JSON";
  }
}

// Why a value is refused; empty means that it is not.
using Reason = std::string;

// The bytes of the scalar that `value` stands on, in its own spelling.
inline std::string_view token_of(od::value& value) {
  return trimmed(value.raw_json_token());
}

inline Reason why(simdjson::error_code code) {
  return Reason(sentence_of(code));
}

inline Reason why_not(simdjson::error_code code) {
  return code == simdjson::SUCCESS ? Reason() : why(code);
}

// Walks over a value and checks it to its end, which on-demand parsing would not do for a value
// that nobody asks for.
inline Reason read_over(od::value value, int depth);

inline Reason read_over_object(od::value& value, int depth) {
  od::object object;
  if (auto error = value.get_object().get(object)) return why(error);
  for (auto item : object) {
    od::field field;
    if (auto error = std::move(item).get(field)) return why(error);
    std::string_view key;
    if (auto error = field.unescaped_key().get(key)) return why(error);
    Reason reason = read_over(field.value(), depth + 1);
    if (!reason.empty()) return reason;
  }
  return {};
}

inline Reason read_over_array(od::value& value, int depth) {
  od::array array;
  if (auto error = value.get_array().get(array)) return why(error);
  for (auto item : array) {
    od::value element;
    if (auto error = std::move(item).get(element)) return why(error);
    Reason reason = read_over(element, depth + 1);
    if (!reason.empty()) return reason;
  }
  return {};
}

inline Reason read_over_scalar(od::value& value) {
  switch (*value.raw_json_token().data()) {
    case '"':
      return why_not(value.get_string().error());
    case 't':
    case 'f':
      return why_not(value.get_bool().error());
    case 'n': {
      bool null = false;
      auto error = value.is_null().get(null);
      return error || !null ? Reason("not valid JSON") : Reason();
    }
    default:
      return is_json_number(token_of(value)) ? Reason() : Reason("not valid JSON");
  }
}

inline Reason read_over(od::value value, int depth) {
  if (depth > JsonDecoder::nesting_max)
    return "nested deeper than " + std::to_string(JsonDecoder::nesting_max) + " levels";
  switch (*value.raw_json_token().data()) {
    case '{':
      return read_over_object(value, depth);
    case '[':
      return read_over_array(value, depth);
    default:
      return read_over_scalar(value);
  }
}

// Reads over a value and gives its own spelling.
inline Reason spelling_of(od::value& value, std::string_view& text) {
  text = token_of(value);
  bool is_scalar = text.front() != '{' && text.front() != '[';
  Reason reason = read_over(value, 1);
  if (is_scalar || !reason.empty()) return reason;
  const char* end = nullptr;
  if (value.current_location().get(end)) return "ends before the JSON value does";
  text = trimmed({text.data(), static_cast<size_t>(end - text.data())});
  return {};
}

}  // namespace pinpipe::columns
