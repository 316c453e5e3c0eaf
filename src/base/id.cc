#include "base/id.h"

#include <cstring>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/check.h"

namespace pinpipe {

std::string random_bytes(size_t count) {
  std::string bytes(count, '\0');
  size_t filled = 0;
  while (filled < count) {
    ssize_t got = getrandom(bytes.data() + filled, count - filled, 0);
    CHECK(got > 0, "the operating system has no randomness");
    filled += static_cast<size_t>(got);
  }
  return bytes;
}

Uuid Uuid::random() {
  Uuid id;
  std::string bytes = random_bytes(id.bytes.size());
  std::memcpy(id.bytes.data(), bytes.data(), id.bytes.size());
  id.bytes[6] = static_cast<uint8_t>((id.bytes[6] & 0x0f) | 0x40);
  id.bytes[8] = static_cast<uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

std::string Uuid::text() const {
  std::string hex = to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  for (size_t at : {20UL, 16UL, 12UL, 8UL}) hex.insert(at, 1, '-');
  return hex;
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
