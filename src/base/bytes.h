// Bytes and how fixed-width and variable-width numbers lie in them.
// A Reader never reads past its end: the first short or malformed read marks it failed, later reads
// give zeros and empty views, and the caller asks failed() once. Counts are the caller's to bound.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace pinpipe {

// Bytes are carried as std::string and std::string_view throughout: one vocabulary for disk, socket
// and JSON, with the small-buffer optimisation and cheap literals.

template <std::integral T>
constexpr T big_endian(T value) {
  return std::endian::native == std::endian::little ? std::byteswap(value) : value;
}

template <std::integral T>
T load_be(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return big_endian(value);
}

template <std::integral T>
void store_be(char* at, T value) {
  value = big_endian(value);
  std::memcpy(at, &value, sizeof value);
}

template <std::integral T>
void append_be(std::string& to, T value) {
  value = big_endian(value);
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Unsigned LEB128, as Kafka's "unsigned varint"; zigzag for signed values.
void append_uvarint(std::string& to, uint64_t value);
inline void append_varint(std::string& to, int64_t value) {
  append_uvarint(to, (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
}
size_t uvarint_size(uint64_t value);
inline size_t varint_size(int64_t value) {
  return uvarint_size((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <std::integral T>
  T be() {
    if (rest_.size() < sizeof(T)) return fail<T>();
    T value = load_be<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  uint64_t uvarint();
  int64_t varint() {
    uint64_t raw = uvarint();
    return static_cast<int64_t>(raw >> 1) ^ -static_cast<int64_t>(raw & 1);
  }
  // Exactly `count` bytes, or a failed reader; a negative or huge count fails too.
  std::string_view take(int64_t count);
  std::string_view rest() const { return rest_; }
  size_t remaining() const { return rest_.size(); }
  bool failed() const { return failed_; }
  void mark_failed() {
    failed_ = true;
    rest_ = {};
  }

 private:
  template <class T>
  T fail() {
    mark_failed();
    return T{};
  }

  std::string_view rest_;
  bool failed_ = false;
};

std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view text);
std::string to_base64(std::string_view bytes);
// Standard alphabet with padding; nothing else is accepted.
std::optional<std::string> from_base64(std::string_view text);
// The same at the end of `to`; false leaves `to` with a part of it.
[[nodiscard]] bool append_from_base64(std::string& to, std::string_view text);

}  // namespace pinpipe
