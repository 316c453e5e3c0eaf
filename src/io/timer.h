// Waiting for time to pass.
#pragma once

#include <chrono>

#include "base/clock.h"
#include "base/result.h"
#include "io/task.h"

namespace pinpipe::io {

using Instant = std::chrono::steady_clock::time_point;
inline constexpr Instant never = Instant::max();
inline Instant now() {
  return std::chrono::steady_clock::now();
}
inline Instant after(Millis delay) {
  return now() + delay;
}

// Ok when the time has come, `cancelled` when the owner gave up first.
Task<Status> sleep_until(Instant when);
inline Task<Status> sleep_for(Millis delay) {
  return sleep_until(after(delay));
}

}  // namespace pinpipe::io
