// How numbers and texts lie in MySQL's packets: little-endian, and with their length before them.
// A Decoder never reads past its end: the first short or malformed read marks it failed, later
// reads give zeros and empty views, and the caller asks failed() once.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace pinpipe::mysql {

template <std::integral T>
constexpr T little_endian(T value) {
  return std::endian::native == std::endian::little ? value : std::byteswap(value);
}

template <std::integral T>
void append_le(std::string& to, T value) {
  value = little_endian(value);
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// A length-encoded integer, and a text with its length before it.
void append_length(std::string& to, uint64_t length);
void append_text(std::string& to, std::string_view text);

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}

  template <std::integral T>
  T le() {
    if (rest_.size() < sizeof(T)) {
      mark_failed();
      return T{};
    }
    T value;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return little_endian(value);
  }
  uint64_t length();                      // a length-encoded integer
  std::string_view take(uint64_t count);  // exactly so many bytes
  std::string_view text() { return take(length()); }
  std::string_view until_zero();  // up to a zero byte, which is taken too
  std::string_view rest();        // all that is left

  size_t remaining() const { return rest_.size(); }
  bool failed() const { return failed_; }

 private:
  void mark_failed() {
    failed_ = true;
    rest_ = {};
  }

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace pinpipe::mysql
