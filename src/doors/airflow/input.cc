#include "doors/airflow/input.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/clock.h"
#include "http/message.h"

namespace pinpipe::airflow {

using codec::Json;

namespace {

// Airflow's Python client writes offsets in queries as +0000, its bodies as +00:00.
std::optional<int64_t> zoned_time(std::string_view text) {
  if (auto at = from_rfc3339(text)) return at;
  if (text.size() < 5) return std::nullopt;
  char sign = text[text.size() - 5];
  if (sign != '+' && sign != '-') return std::nullopt;
  std::string with_colon(text);
  with_colon.insert(with_colon.size() - 2, ":");
  return from_rfc3339(with_colon);
}

std::optional<int64_t> read_time(std::string_view text, Issues& issues, std::string_view where,
                                 std::string_view name) {
  if (auto at = zoned_time(text)) return at;
  if (from_rfc3339(std::string(text) + "Z") || from_rfc3339(std::string(text) + "T00:00:00Z")) {
    issues.add("timezone_aware", where, name, "Input should have timezone info", text,
               "write the zone behind the time: 2026-01-02T00:00:00Z");
  } else {
    issues.add("datetime_from_date_parsing", where, name,
               "Input should be a valid datetime or date", text,
               "as RFC 3339 writes it: 2026-01-02T00:00:00Z");
  }
  return std::nullopt;
}

void must_not_be_negative(int64_t value, Issues& issues, std::string_view where,
                          std::string_view name) {
  if (value >= 0) return;
  issues.add("greater_than_equal", where, name, "Input should be greater than or equal to 0",
             value);
}

// Code points of UTF-8 text.
size_t characters_of(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<uint8_t>(c) >> 6) != 0b10; }));
}

// Whether `pattern` (SQL LIKE) covers the whole text. Goes back to the last % only, which is
// enough: an earlier one could only have taken less.
bool is_like(std::string_view text, std::string_view pattern) {
  size_t t = 0, p = 0, after_percent = pattern.npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      after_percent = ++p;
      resume = t;
    } else if (p < pattern.size() &&
               (pattern[p] == '_' || to_lower(pattern[p]) == to_lower(text[t]))) {
      ++p, ++t;
    } else if (after_percent != pattern.npos) {
      p = after_percent;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('%', p) == pattern.npos;
}

}  // namespace

bool matches_pattern(std::string_view text, std::string_view pattern) {
  while (true) {
    size_t bar = pattern.find('|');
    std::string_view one = pattern.substr(0, bar);
    if (one == "~" || is_like(text, fmt::format("%{}%", one))) return true;
    if (bar == pattern.npos) return false;
    pattern.remove_prefix(bar + 1);
  }
}

Body::Body(const http::Request& request, Issues& issues) : issues_(issues) {
  if (request.body.empty()) {
    issues_.add("missing", "body", "", "Field required", nullptr, "send a JSON object");
    return;
  }
  auto parsed = codec::parse_json(request.body);
  if (!parsed) {
    issues_.add_broken_json(0, parsed.error().text());
  } else if (!parsed->is_object()) {
    issues_.add("model_attributes_type", "body", "",
                "Input should be a valid dictionary or object to extract fields from", *parsed);
  } else {
    json_ = std::move(*parsed);
  }
}

const Json* Body::raw(std::string_view name) {
  known_.emplace(name);
  const Json* value = json_.find(name);
  return value != nullptr && value->is_null() ? nullptr : value;
}

void Body::refuse(std::string_view type, std::string_view name, std::string_view message,
                  std::string_view hint) {
  issues_.add(type, "body", name, message, json_[name], hint);
}

void Body::require(std::string_view name, std::string_view hint) {
  known_.emplace(name);
  if (!json_.is_object() || json_.find(name) != nullptr) return;
  issues_.add("missing", "body", name, "Field required", json_, hint);
}

std::optional<std::string> Body::text(std::string_view name) {
  const Json* value = raw(name);
  if (value == nullptr) return std::nullopt;
  if (auto text = value->as_string()) return std::string(*text);
  refuse("string_type", name, "Input should be a valid string");
  return std::nullopt;
}

std::optional<int64_t> Body::time_ms(std::string_view name) {
  auto given = text(name);
  if (!given) return std::nullopt;
  return read_time(*given, issues_, "body", name);
}

const Json* Body::object(std::string_view name) {
  const Json* value = raw(name);
  if (value == nullptr || value->is_object()) return value;
  refuse("dict_type", name, "Input should be a valid dictionary");
  return nullptr;
}

std::vector<std::string> Body::texts(std::string_view name) {
  const Json* value = raw(name);
  if (value == nullptr) return {};
  std::vector<std::string> texts;
  for (const Json& element : value->elements()) {
    if (auto text = element.as_string()) texts.emplace_back(*text);
  }
  if (!value->is_array() || texts.size() != value->size()) {
    refuse("list_type", name, "Input should be a valid list of strings");
  }
  return texts;
}

bool Body::flag(std::string_view name, bool otherwise) {
  known_.emplace(name);
  const Json* value = json_.find(name);
  if (value == nullptr) return otherwise;
  if (auto flag = value->as_bool()) return *flag;
  refuse("bool_type", name, "Input should be a valid boolean");
  return otherwise;
}

int64_t Body::count(std::string_view name, int64_t otherwise) {
  const Json* value = raw(name);
  if (value == nullptr) return otherwise;
  auto number = value->as_int();
  if (!number) {
    refuse("int_type", name, "Input should be a valid integer");
    return otherwise;
  }
  must_not_be_negative(*number, issues_, "body", name);
  return *number;
}

std::optional<std::string> Body::note() {
  auto given = text("note");
  if (given && characters_of(*given) > note_chars_max) {
    refuse("string_too_long", "note",
           fmt::format("String should have at most {} characters", note_chars_max));
  }
  return given;
}

void Body::only_without(std::string_view name, const Json& harmless, std::string_view why) {
  const Json* value = raw(name);
  if (value == nullptr || *value == harmless) return;
  refuse("value_error", name, "Value error, this is not supported here", why);
}

void Body::finish() {
  for (const auto& [name, value] : json_.members()) {
    if (known_.contains(name)) continue;
    issues_.add("extra_forbidden", "body", name, "Extra inputs are not permitted", value);
  }
}

Query::Query(const http::Request& request, Issues& issues) : issues_(issues) {
  auto parsed = codec::parse_query(request.query());
  if (parsed) {
    parameters_ = std::move(*parsed);
  } else {
    issues_.add("value_error", "query", "", parsed.error().text(), request.query());
  }
}

std::vector<std::string> Query::texts(std::string_view name) {
  known_.emplace(name);
  std::vector<std::string> texts;
  for (const codec::QueryParameter& parameter : parameters_) {
    if (parameter.name == name) texts.push_back(parameter.value);
  }
  return texts;
}

std::optional<std::string> Query::text(std::string_view name) {
  auto all = texts(name);
  if (all.empty()) return std::nullopt;
  return all.back();
}

std::optional<int64_t> Query::time_ms(std::string_view name) {
  auto given = text(name);
  if (!given) return std::nullopt;
  return read_time(*given, issues_, "query", name);
}

std::optional<bool> Query::flag(std::string_view name) {
  static constexpr std::array<std::string_view, 6> yes{"true", "1", "yes", "on", "t", "y"};
  static constexpr std::array<std::string_view, 6> no{"false", "0", "no", "off", "f", "n"};
  auto given = text(name);
  if (!given) return std::nullopt;
  auto is_given = [&](std::string_view word) { return equal_without_case(word, *given); };
  if (std::ranges::any_of(yes, is_given)) return true;
  if (std::ranges::any_of(no, is_given)) return false;
  issues_.add("bool_parsing", "query", name,
              "Input should be a valid boolean, unable to interpret input", *given);
  return std::nullopt;
}

int64_t Query::count(std::string_view name, int64_t otherwise) {
  auto given = text(name);
  if (!given) return otherwise;
  int64_t number = 0;
  const char* last = given->data() + given->size();
  auto end = std::from_chars(given->data(), last, number);
  if (end.ec != std::errc() || end.ptr != last) {
    issues_.add("int_parsing", "query", name,
                "Input should be a valid integer, unable to parse string as an integer", *given);
    return otherwise;
  }
  must_not_be_negative(number, issues_, "query", name);
  return number;
}

void Query::refuse(std::string_view type, std::string_view name, std::string_view message) {
  auto value = codec::find_parameter(parameters_, name);
  issues_.add(type, "query", name, message, value ? Json(*value) : Json());
}

void Query::finish() {
  for (const codec::QueryParameter& parameter : parameters_) {
    if (known_.contains(parameter.name)) continue;
    issues_.add("extra_forbidden", "query", parameter.name,
                "This query parameter is not supported here", parameter.value);
  }
}

Page page_of(Query& query) {
  Page page;
  page.limit = std::min(query.count("limit", 50), page_max);
  page.offset = query.count("offset", 0);
  return page;
}

}  // namespace pinpipe::airflow
