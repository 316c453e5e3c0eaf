// How many requests a second may pass, with a burst on top: a usage plan's throttle.
// Thread-safe: one number, moved by compare and swap (the moment at which the bucket is full
// again).
#pragma once

#include <atomic>
#include <cstdint>

namespace pinpipe::gateway {

class Rate {
 public:
  // per_second 0 lets everything pass. A burst below 1 is 1.
  Rate(double per_second, double burst)
      : interval_ns_(per_second > 0 ? static_cast<int64_t>(1e9 / per_second) : 0),
        slack_ns_(
            static_cast<int64_t>((burst < 1 ? 1 : burst) * static_cast<double>(interval_ns_))) {}

  bool admit(int64_t now_ns) {
    if (interval_ns_ == 0) return true;
    int64_t full_at = full_at_.load(std::memory_order_relaxed);
    while (true) {
      int64_t next = (full_at > now_ns ? full_at : now_ns) + interval_ns_;
      if (next - now_ns > slack_ns_) return false;
      if (full_at_.compare_exchange_weak(full_at, next, std::memory_order_relaxed)) return true;
    }
  }

 private:
  int64_t interval_ns_;
  int64_t slack_ns_;
  std::atomic<int64_t> full_at_{0};
};

}  // namespace pinpipe::gateway
