#include "sql/value.h"

#include <cmath>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/clock.h"

namespace pinpipe::sql {
namespace {

constexpr int64_t micros_per_day = 86'400'000'000;

std::string date_text(int64_t days) {
  CivilTime civil = civil_of(days * 86'400'000);
  return fmt::format("{:04}-{:02}-{:02}", civil.year, civil.month, civil.day);
}

// "2022-05-27<between>11:30:59[.ffffff]", without the zeros that end a fraction.
std::string timestamp_text(int64_t micros, char between) {
  int64_t days = micros / micros_per_day;
  int64_t rest = micros % micros_per_day;
  if (rest < 0) {
    rest += micros_per_day;
    --days;
  }
  int64_t seconds = rest / 1'000'000;
  int64_t fraction = rest % 1'000'000;
  std::string text = fmt::format("{}{}{:02}:{:02}:{:02}", date_text(days), between, seconds / 3600,
                                 seconds / 60 % 60, seconds % 60);
  if (fraction != 0) {
    text += fmt::format(".{:06}", fraction);
    while (text.back() == '0') text.pop_back();
  }
  return text;
}

void append_json_text(std::string& to, std::string_view text) {
  to += '"';
  for (char c : text) {
    switch (c) {
      case '"':
        to += "\\\"";
        break;
      case '\\':
        to += "\\\\";
        break;
      case '\n':
        to += "\\n";
        break;
      case '\r':
        to += "\\r";
        break;
      case '\t':
        to += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<unsigned>(c));
        } else {
          to += c;
        }
    }
  }
  to += '"';
}

struct TextWriter {
  std::string operator()(const Null&) const { return ""; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(double value) const { return fmt::format("{}", value); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const Timestamp& value) const { return timestamp_text(value.micros, ' '); }
  std::string operator()(const Date& value) const { return date_text(value.days); }
  std::string operator()(const Exact& value) const { return value.digits; }
  std::string operator()(const Blob& value) const { return to_hex(value.bytes); }
  std::string operator()(const List& values) const {
    std::string text = "[";
    for (const Value& value : values) {
      if (text.size() > 1) text += ", ";
      text += inner(value);
    }
    return text + "]";
  }
  std::string operator()(const Struct& value) const {
    std::string text = "{";
    for (size_t i = 0; i < value.names.size(); ++i) {
      if (i > 0) text += ", ";
      text += value.names[i] + ": " + inner(value.values[i]);
    }
    return text + "}";
  }
  std::string operator()(const Map& value) const {
    std::string text = "{";
    for (size_t i = 0; i < value.keys.size(); ++i) {
      if (i > 0) text += ", ";
      text += inner(value.keys[i]) + ": " + inner(value.values[i]);
    }
    return text + "}";
  }

 private:
  static std::string inner(const Value& value) { return value.is_null() ? "null" : to_text(value); }
};

struct JsonWriter {
  std::string& to;

  void operator()(const Null&) const { to += "null"; }
  void operator()(bool value) const { to += value ? "true" : "false"; }
  void operator()(int64_t value) const { to += fmt::format("{}", value); }
  void operator()(double value) const {
    to += std::isfinite(value) ? fmt::format("{}", value) : "null";
  }
  void operator()(const std::string& value) const { append_json_text(to, value); }
  void operator()(const Timestamp& value) const {
    append_json_text(to, timestamp_text(value.micros, 'T') + "Z");
  }
  void operator()(const Date& value) const { append_json_text(to, date_text(value.days)); }
  void operator()(const Exact& value) const { to += value.digits; }
  void operator()(const Blob& value) const { append_json_text(to, to_base64(value.bytes)); }
  void operator()(const List& values) const {
    to += '[';
    for (const Value& value : values) {
      if (&value != values.data()) to += ',';
      append_json(to, value);
    }
    to += ']';
  }
  void operator()(const Struct& value) const {
    to += '{';
    for (size_t i = 0; i < value.names.size(); ++i) {
      if (i > 0) to += ',';
      append_json_text(to, value.names[i]);
      to += ':';
      append_json(to, value.values[i]);
    }
    to += '}';
  }
  void operator()(const Map& value) const {
    to += '{';
    for (size_t i = 0; i < value.keys.size(); ++i) {
      if (i > 0) to += ',';
      append_json_text(to, to_text(value.keys[i]));
      to += ':';
      append_json(to, value.values[i]);
    }
    to += '}';
  }
};

}  // namespace

bool Struct::operator==(const Struct&) const = default;
bool Map::operator==(const Map&) const = default;

int Table::column(std::string_view name) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

std::string to_text(const Value& value) {
  return std::visit(TextWriter{}, value.kind);
}

void append_json(std::string& to, const Value& value) {
  std::visit(JsonWriter{to}, value.kind);
}

}  // namespace pinpipe::sql
