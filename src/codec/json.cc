#include "codec/json.h"

#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <ranges>

#include "base/check.h"
#include "codec/json_scan.h"
#include "codec/json_text.h"

namespace pinpipe::codec {
namespace {

const Json json_null;

// Which characters a string cannot carry as they are.
constexpr auto must_escape = [] {
  std::array<bool, 256> table{};
  for (size_t i = 0; i < 0x20; ++i) table[i] = true;
  table['"'] = table['\\'] = true;
  return table;
}();

// How many bytes at `at` are one well-formed UTF-8 character; 0 when none.
size_t utf8_length(std::string_view text, size_t at) {
  auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
  };
  const uint8_t lead = byte(at);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (at + length > text.size() || lead < 0xC2 || lead > 0xF4) return 0;
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(at + 1) < low || byte(at + 1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

std::string replace_bad_utf8(std::string_view text) {
  std::string good;
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_length(text, at);
    if (length == 0) {
      good += "\xEF\xBF\xBD";
      ++at;
    } else {
      good.append(text.substr(at, length));
      at += length;
    }
  }
  return good;
}

void write_pretty(const Json& value, size_t level, std::string& out) {
  auto line = [&](size_t depth) {
    out.push_back('\n');
    out.append(depth * 2, ' ');
  };
  if (value.size() == 0) {
    JsonWriter(out).value(value);
  } else if (value.is_array()) {
    out.push_back('[');
    for (bool first = true; const Json& element : value.elements()) {
      if (!std::exchange(first, false)) out.push_back(',');
      line(level + 1);
      write_pretty(element, level + 1, out);
    }
    line(level);
    out.push_back(']');
  } else {
    out.push_back('{');
    for (bool first = true; const JsonMember& member : value.members()) {
      if (!std::exchange(first, false)) out.push_back(',');
      line(level + 1);
      append_json_string(out, member.key);
      out += ": ";
      write_pretty(member.value, level + 1, out);
    }
    line(level);
    out.push_back('}');
  }
}

Result<Json> number_of(std::string_view text) {
  const char* const end = text.data() + text.size();
  auto read = [&](auto& value) {
    auto [stop, failed] = std::from_chars(text.data(), end, value);
    return stop == end && failed == std::errc();
  };
  int64_t whole = 0;
  if (text != "-0" && read(whole)) return Json(whole);
  uint64_t big = 0;
  if (read(big)) return Json(big);
  double real = 0;
  if (read(real)) return Json(real);
  // from_chars does not tell too large from too small; only the exponent's sign does.
  if (text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos ||
      text.starts_with("0.") || text.starts_with("-0.")) {
    return Json(text.starts_with('-') ? -0.0 : 0.0);
  }
  return Error(Code::invalid, fmt::format("the JSON number {} is too large", text.substr(0, 40)));
}

Result<Json> value_at(JsonCursor cursor) {
  switch (cursor.type()) {
    case JsonType::null:
      return Json();
    case JsonType::boolean:
      return Json(*cursor.as_bool());
    case JsonType::number:
      return number_of(cursor.raw());
    case JsonType::string: {
      std::string buffer;
      auto text = cursor.string(buffer);
      if (!text) return text.error();
      return Json(*text);
    }
    case JsonType::array: {
      Json::Array elements;
      for (JsonCursor element : cursor.elements()) {
        auto value = value_at(element);
        if (!value) return value.error();
        elements.push_back(*std::move(value));
      }
      return Json(std::move(elements));
    }
    case JsonType::object: {
      Json::Object members;
      for (const auto& field : cursor.fields()) {
        auto value = value_at(field.value);
        if (!value) return value.error();
        members.push_back({std::string(field.key), *std::move(value)});
      }
      return Json(std::move(members));
    }
  }
  CHECK(false, "a JSON value has one of six types");
}

}  // namespace

Json Json::array(std::initializer_list<Json> elements) {
  return Array(elements);
}
Json Json::object(std::initializer_list<JsonMember> members) {
  return Object(members);
}

std::string_view Json::type_name() const {
  constexpr std::array<std::string_view, 8> names = {"null",   "boolean", "number", "number",
                                                     "number", "string",  "array",  "object"};
  return names[value_.index()];
}

std::optional<bool> Json::as_bool() const {
  if (auto* value = std::get_if<bool>(&value_)) return *value;
  return std::nullopt;
}

std::optional<int64_t> Json::as_int() const {
  if (auto* value = std::get_if<int64_t>(&value_)) return *value;
  if (auto* value = std::get_if<double>(&value_)) {
    if (*value >= -0x1p63 && *value < 0x1p63 && std::trunc(*value) == *value) {
      return static_cast<int64_t>(*value);
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> Json::as_uint() const {
  if (auto* value = std::get_if<uint64_t>(&value_)) return *value;
  auto whole = as_int();
  if (whole && *whole >= 0) return static_cast<uint64_t>(*whole);
  return std::nullopt;
}

std::optional<double> Json::as_double() const {
  if (auto* value = std::get_if<double>(&value_)) return *value;
  if (auto* value = std::get_if<int64_t>(&value_)) return static_cast<double>(*value);
  if (auto* value = std::get_if<uint64_t>(&value_)) return static_cast<double>(*value);
  return std::nullopt;
}

std::optional<std::string_view> Json::as_string() const {
  if (auto* value = std::get_if<std::string>(&value_)) return *value;
  return std::nullopt;
}

const Json::Array& Json::elements() const {
  static const Array none;
  auto* value = std::get_if<Array>(&value_);
  return value != nullptr ? *value : none;
}

const Json::Object& Json::members() const {
  static const Object none;
  auto* value = std::get_if<Object>(&value_);
  return value != nullptr ? *value : none;
}

size_t Json::size() const {
  return elements().size() + members().size();
}

const Json* Json::find(std::string_view key) const {
  for (const JsonMember& member : std::views::reverse(members())) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

Json* Json::find(std::string_view key) {
  return const_cast<Json*>(std::as_const(*this).find(key));
}

const Json& Json::operator[](std::string_view key) const {
  const Json* value = find(key);
  return value != nullptr ? *value : json_null;
}

Json& Json::set(std::string_view key, Json value) {
  if (is_null()) value_ = Object();
  auto* members = std::get_if<Object>(&value_);
  CHECK(members != nullptr, "set() is called on an object");
  if (Json* present = find(key)) {
    *present = std::move(value);
  } else {
    members->push_back({std::string(key), std::move(value)});
  }
  return *this;
}

Json& Json::push(Json value) {
  if (is_null()) value_ = Array();
  auto* elements = std::get_if<Array>(&value_);
  CHECK(elements != nullptr, "push() is called on an array");
  elements->push_back(std::move(value));
  return *this;
}

bool Json::erase(std::string_view key) {
  auto* members = std::get_if<Object>(&value_);
  if (members == nullptr) return false;
  return std::erase_if(*members, [&](const JsonMember& member) { return member.key == key; }) > 0;
}

bool Json::operator==(const Json& other) const = default;

Result<Json> JsonCursor::to_value() const {
  return value_at(*this);
}

Result<Json> parse_json(std::string_view text) {
  static thread_local JsonScanner scanner;
  auto cursor = scanner.scan(text);
  if (!cursor) return cursor.error();
  return value_at(*cursor);
}

std::string to_json(const Json& value) {
  std::string out;
  JsonWriter(out).value(value);
  return out;
}

std::string to_json_pretty(const Json& value) {
  std::string out;
  write_pretty(value, 0, out);
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  std::string repaired;
  if (!is_utf8(text)) text = repaired = replace_bad_utf8(text);
  out.push_back('"');
  size_t plain_from = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!must_escape[static_cast<uint8_t>(text[i])]) continue;
    out.append(text.substr(plain_from, i - plain_from));
    append_json_escape(out, text[i]);
    plain_from = i + 1;
  }
  out.append(text.substr(plain_from));
  out.push_back('"');
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_.push_back(':');
  comma_due_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_.append(json);
  return *this;
}

JsonWriter& JsonWriter::signed_value(int64_t number) {
  std::array<char, 24> digits;
  auto [end, failed] = std::to_chars(digits.begin(), digits.end(), number);
  return raw({digits.begin(), end});
}

JsonWriter& JsonWriter::unsigned_value(uint64_t number) {
  std::array<char, 24> digits;
  auto [end, failed] = std::to_chars(digits.begin(), digits.end(), number);
  return raw({digits.begin(), end});
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  std::array<char, 40> digits;
  auto [end, failed] = std::to_chars(digits.begin(), digits.end() - 2, number);
  std::string_view text(digits.begin(), end);
  // Without a mark it would read back as an integer.
  if (text.find_first_of(".e") == std::string_view::npos) {
    *end++ = '.';
    *end++ = '0';
  }
  return raw({digits.begin(), end});
}

JsonWriter& JsonWriter::value(const Json& json) {
  if (json.is_array()) {
    begin_array();
    for (const Json& element : json.elements()) value(element);
    return end_array();
  }
  if (json.is_object()) {
    begin_object();
    for (const JsonMember& member : json.members()) key(member.key).value(member.value);
    return end_object();
  }
  if (auto text = json.as_string()) return value(*text);
  if (auto flag = json.as_bool()) return value(*flag);
  if (json.is_int()) return signed_value(*json.as_int());
  if (json.is_uint()) return unsigned_value(*json.as_uint());
  if (auto number = json.as_double()) return value(*number);
  return null();
}

}  // namespace pinpipe::codec
