#include "base/id.h"

#include <cstring>
#include <span>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/check.h"

namespace pinpipe {

namespace {

void draw(std::span<char> into) {
  for (size_t filled = 0; filled < into.size();) {
    ssize_t got = getrandom(into.data() + filled, into.size() - filled, 0);
    CHECK(got > 0, "the operating system has no randomness");
    filled += static_cast<size_t>(got);
  }
}

// Bytes drawn in advance: the labels of a request would cost a system call each. What was given
// away is wiped.
class Stock {
 public:
  static constexpr size_t bytes_max = 1024;

  void take(std::span<char> into) {
    if (into.size() > bytes_max / 4) return draw(into);
    if (into.size() > left_) {
      draw(bytes_);
      left_ = bytes_max;
    }
    left_ -= into.size();
    std::memcpy(into.data(), bytes_.data() + left_, into.size());
    std::memset(bytes_.data() + left_, 0, into.size());
  }

 private:
  std::array<char, bytes_max> bytes_{};
  size_t left_ = 0;
};

void take_random(std::span<char> into) {
  thread_local Stock stock;
  stock.take(into);
}

}  // namespace

std::string random_bytes(size_t count) {
  std::string bytes(count, '\0');
  take_random(bytes);
  return bytes;
}

Uuid Uuid::random() {
  Uuid id;
  take_random({reinterpret_cast<char*>(id.bytes.data()), id.bytes.size()});
  id.bytes[6] = static_cast<uint8_t>((id.bytes[6] & 0x0f) | 0x40);
  id.bytes[8] = static_cast<uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

std::string Uuid::text() const {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text(36, '-');
  size_t at = 0;
  for (uint8_t byte : bytes) {
    if (at == 8 || at == 13 || at == 18 || at == 23) ++at;
    text[at++] = digits[byte >> 4];
    text[at++] = digits[byte & 15];
  }
  return text;
}

std::optional<Uuid> Uuid::from_text(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::string hex;
  for (size_t i = 0; i < text.size(); ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (text[i] == '-')) return std::nullopt;
    if (!dash) hex.push_back(text[i]);
  }
  std::optional<std::string> raw = from_hex(hex);
  if (!raw) return std::nullopt;
  Uuid id;
  std::memcpy(id.bytes.data(), raw->data(), id.bytes.size());
  return id;
}

}  // namespace pinpipe
