// The seed of this test run: PINPIPE_SEED if set, otherwise the same fixed number every time, so
// that CI is repeatable; soak runs set it. Likewise PINPIPE_ROUNDS, instead of a test's usual
// count.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace pinpipe::kit {

inline uint64_t seed() {
  const char* text = std::getenv("PINPIPE_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 20260101;
}

inline uint64_t rounds(uint64_t usual) {
  const char* text = std::getenv("PINPIPE_ROUNDS");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : usual;
}

}  // namespace pinpipe::kit
