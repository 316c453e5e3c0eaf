// Identifiers: random UUIDs, and the randomness behind tokens.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pinpipe {

// 16 bytes; version 4 when made here. Ordered and hashable as bytes.
struct Uuid {
  std::array<uint8_t, 16> bytes{};

  static Uuid random();
  // "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", lower case.
  std::string text() const;
  static std::optional<Uuid> from_text(std::string_view text);
  bool is_zero() const { return *this == Uuid{}; }
  auto operator<=>(const Uuid&) const = default;
};

// `count` bytes from the operating system's generator.
std::string random_bytes(size_t count);

}  // namespace pinpipe
