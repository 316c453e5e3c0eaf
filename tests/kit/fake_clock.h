// A clock that stands still until the test moves it. Thread-safe.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace pinpipe::kit {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(int64_t wall_ms = 1'767'348'900'000) : wall_ms_(wall_ms) {}

  int64_t wall_ms() const override { return wall_ms_.load(); }
  int64_t steady_ns() const override { return steady_ns_.load(); }

  // Both times go forward.
  void advance(Millis by);
  // Only the wall clock jumps, forward or back.
  void set_wall_ms(int64_t wall_ms) { wall_ms_.store(wall_ms); }

 private:
  std::atomic<int64_t> wall_ms_;
  std::atomic<int64_t> steady_ns_{1'000'000'000};
};

}  // namespace pinpipe::kit
