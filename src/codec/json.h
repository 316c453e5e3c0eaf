// JSON as a value: for API bodies, configuration and documents. Request bodies on the hot path are
// walked by codec/json_scan.h instead, without building one of these.
// Promise: parse_json accepts exactly RFC 8259 over valid UTF-8, and what to_json writes parses
// back to an equal value. An object keeps the order of its keys. Bounds: json_depth_max levels,
// json_bytes_max bytes of text.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace pinpipe::codec {

inline constexpr size_t json_depth_max = 512;
inline constexpr size_t json_bytes_max = size_t{1} << 30;

struct JsonMember;

// null, bool, int64, uint64 (only above int64's range), double, string, array or object.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<JsonMember>;

  // Every kind of value becomes a Json by itself; defined below, where JsonMember is complete.
  Json();
  Json(std::nullptr_t);          // NOLINT(google-explicit-constructor)
  Json(bool value);              // NOLINT(google-explicit-constructor)
  Json(double value);            // NOLINT(google-explicit-constructor)
  Json(std::string value);       // NOLINT(google-explicit-constructor)
  Json(std::string_view value);  // NOLINT(google-explicit-constructor)
  Json(const char* value);       // NOLINT(google-explicit-constructor)
  Json(Array value);             // NOLINT(google-explicit-constructor)
  Json(Object value);            // NOLINT(google-explicit-constructor)
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Json(T value);  // NOLINT(google-explicit-constructor)

  static Json array(std::initializer_list<Json> elements = {});
  static Json object(std::initializer_list<JsonMember> members = {});

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_int() const { return std::holds_alternative<int64_t>(value_); }
  bool is_uint() const { return std::holds_alternative<uint64_t>(value_); }
  bool is_double() const { return std::holds_alternative<double>(value_); }
  bool is_number() const { return is_int() || is_uint() || is_double(); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  // "null", "boolean", "number", "string", "array", "object": for messages.
  std::string_view type_name() const;

  // The value if it has this type; a number counts as int when it is one exactly (also 3.0).
  std::optional<bool> as_bool() const;
  std::optional<int64_t> as_int() const;
  std::optional<uint64_t> as_uint() const;
  std::optional<double> as_double() const;
  std::optional<std::string_view> as_string() const;

  // The elements or members; empty for every other type.
  const Array& elements() const;
  const Object& members() const;
  size_t size() const;  // of an array or object, otherwise 0

  // The member with this key, the last one if the key is repeated; nullptr if absent or no object.
  const Json* find(std::string_view key) const;
  Json* find(std::string_view key);
  // Likewise, with null in place of an absent member: `body["records"].as_string()`.
  const Json& operator[](std::string_view key) const;

  // Replaces the member or appends it; a null becomes an object first. CHECKs on other types.
  Json& set(std::string_view key, Json value);
  // Appends an element; a null becomes an array first. CHECKs on other types.
  Json& push(Json value);
  bool erase(std::string_view key);

  // Same type and value; members in the same order. int and double differ even when 1 == 1.0.
  bool operator==(const Json& other) const;

 private:
  std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string, Array, Object> value_;
};

struct JsonMember {
  std::string key;
  Json value;
  bool operator==(const JsonMember&) const = default;
};

inline Json::Json() = default;
inline Json::Json(std::nullptr_t) {}
inline Json::Json(bool value) : value_(value) {}
inline Json::Json(double value) : value_(value) {}
inline Json::Json(std::string value) : value_(std::move(value)) {}
inline Json::Json(std::string_view value) : value_(std::string(value)) {}
inline Json::Json(const char* value) : value_(std::string(value)) {}
inline Json::Json(Array value) : value_(std::move(value)) {}
inline Json::Json(Object value) : value_(std::move(value)) {}
template <std::integral T>
  requires(!std::same_as<T, bool>)
Json::Json(T value) {
  if (std::in_range<int64_t>(value)) {
    value_ = static_cast<int64_t>(value);
  } else {
    value_ = static_cast<uint64_t>(value);
  }
}

// One value with nothing but whitespace around it. Error `invalid` names the byte position.
// Integers beyond uint64 become double; numbers beyond double and lone surrogates are refused.
Result<Json> parse_json(std::string_view text);

// Without whitespace, as JsonWriter writes.
std::string to_json(const Json& value);
// Two blanks per level, a newline after every element, none at the end.
std::string to_json_pretty(const Json& value);

// Writes compact JSON at the end of a string. The caller keeps begin and end balanced; commas and
// colons are the writer's business. Only `"`, `\` and control characters are escaped; bytes that
// are not UTF-8 become U+FFFD; doubles are the shortest that read back equal; NaN and infinity are
// null.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return begin('{'); }
  JsonWriter& end_object() { return end('}'); }
  JsonWriter& begin_array() { return begin('['); }
  JsonWriter& end_array() { return end(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool flag) { return raw(flag ? "true" : "false"); }
  JsonWriter& value(double number);
  JsonWriter& value(const Json& json);
  JsonWriter& value(std::nullptr_t) { return null(); }
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  JsonWriter& value(T number) {
    if constexpr (std::is_signed_v<T>) return signed_value(number);
    return unsigned_value(static_cast<uint64_t>(number));
  }
  JsonWriter& null() { return raw("null"); }
  // Text that is one JSON value already.
  JsonWriter& raw(std::string_view json);

  // key(name) and value(v) in one.
  template <class T>
  JsonWriter& field(std::string_view name, const T& v) {
    return key(name).value(v);
  }

 private:
  void separate() {
    if (comma_due_) out_.push_back(',');
    comma_due_ = true;
  }
  JsonWriter& begin(char bracket) {
    separate();
    out_.push_back(bracket);
    comma_due_ = false;
    return *this;
  }
  JsonWriter& end(char bracket) {
    out_.push_back(bracket);
    comma_due_ = true;
    return *this;
  }
  JsonWriter& signed_value(int64_t number);
  JsonWriter& unsigned_value(uint64_t number);

  std::string& out_;
  bool comma_due_ = false;
};

// `text` as a JSON string with its quotes, by the writer's rules.
void append_json_string(std::string& out, std::string_view text);

}  // namespace pinpipe::codec
