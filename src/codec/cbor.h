// CBOR (RFC 8949), as far as the AWS SDKs use it: maps with text keys, arrays, text, bytes,
// numbers, booleans, null and timestamps (tag 1), with definite and indefinite lengths. Promise:
// append_cbor gives definite lengths and the shortest integers; what it writes reads back equal.
// Reading costs memory in proportion to the input, whatever lengths the input claims. A float as
// timestamp is rounded to a whole number; other tags are read through.
// Bounds: cbor_depth_max, cbor_bytes_max.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace pinpipe::codec {

inline constexpr size_t cbor_depth_max = 64;
inline constexpr size_t cbor_bytes_max = size_t{64} << 20;

// A byte string.
struct CborBytes {
  std::string bytes;
  bool operator==(const CborBytes&) const = default;
};
// Tag 1. The unit is the protocol's: AWS sends milliseconds.
struct CborTime {
  int64_t value = 0;
  bool operator==(const CborTime&) const = default;
};

struct CborMember;

class Cbor {
 public:
  using Array = std::vector<Cbor>;
  using Map = std::vector<CborMember>;  // in order

  Cbor();
  Cbor(bool value);              // NOLINT(google-explicit-constructor)
  Cbor(double value);            // NOLINT(google-explicit-constructor)
  Cbor(std::string value);       // NOLINT(google-explicit-constructor)
  Cbor(std::string_view value);  // NOLINT(google-explicit-constructor)
  Cbor(const char* value);       // NOLINT(google-explicit-constructor)
  Cbor(CborBytes value);         // NOLINT(google-explicit-constructor)
  Cbor(CborTime value);          // NOLINT(google-explicit-constructor)
  Cbor(Array value);             // NOLINT(google-explicit-constructor)
  Cbor(Map value);               // NOLINT(google-explicit-constructor)
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Cbor(T value);  // NOLINT(google-explicit-constructor)

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_map() const { return std::holds_alternative<Map>(value_); }
  std::optional<bool> as_bool() const;
  std::optional<int64_t> as_int() const;
  std::optional<double> as_double() const;  // also of an integer
  std::optional<std::string_view> as_string() const;
  std::optional<std::string_view> as_bytes() const;
  std::optional<CborTime> as_time() const;
  // Empty for other types.
  const Array& elements() const;
  const Map& members() const;
  // The last member of that key; nullptr if absent.
  const Cbor* find(std::string_view key) const;

  // Appends a member; a null becomes a map first. CHECKs on other types.
  Cbor& add(std::string_view key, Cbor value);

  bool operator==(const Cbor& other) const;

 private:
  friend void append_cbor(std::string& out, const Cbor& value);
  std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string, CborBytes, CborTime,
               Array, Map>
      value_;
};

struct CborMember {
  std::string key;
  Cbor value;
  bool operator==(const CborMember&) const = default;
};

inline Cbor::Cbor() = default;
inline Cbor::Cbor(bool value) : value_(value) {}
inline Cbor::Cbor(double value) : value_(value) {}
inline Cbor::Cbor(std::string value) : value_(std::move(value)) {}
inline Cbor::Cbor(std::string_view value) : value_(std::string(value)) {}
inline Cbor::Cbor(const char* value) : value_(std::string(value)) {}
inline Cbor::Cbor(CborBytes value) : value_(std::move(value)) {}
inline Cbor::Cbor(CborTime value) : value_(value) {}
inline Cbor::Cbor(Array value) : value_(std::move(value)) {}
inline Cbor::Cbor(Map value) : value_(std::move(value)) {}
template <std::integral T>
  requires(!std::same_as<T, bool>)
Cbor::Cbor(T value) {
  if (std::in_range<int64_t>(value)) {
    value_ = static_cast<int64_t>(value);
  } else {
    value_ = static_cast<uint64_t>(value);
  }
}

// One value and nothing after it.
Result<Cbor> parse_cbor(std::string_view bytes);
void append_cbor(std::string& out, const Cbor& value);

// Writes CBOR at the end of a string piece by piece; maps and arrays are open-ended. The caller
// keeps begin and end balanced and writes a key before each value of a map.
class CborWriter {
 public:
  explicit CborWriter(std::string& out) : out_(out) {}

  CborWriter& begin_map();
  CborWriter& begin_array();
  CborWriter& end();
  CborWriter& text(std::string_view text);
  CborWriter& bytes(std::string_view bytes);
  CborWriter& integer(int64_t number);
  CborWriter& boolean(bool flag);
  CborWriter& time(int64_t value);  // tag 1

 private:
  std::string& out_;
};
inline std::string to_cbor(const Cbor& value) {
  std::string out;
  append_cbor(out, value);
  return out;
}

}  // namespace pinpipe::codec
