// How much AWS lets through in a second, of each shard and of each action: for those who want to
// meet its refusals at home. Times are a steady clock's nanoseconds.
// Promise: what is let through stays within each bound over time; one record or answer may go over
// it and is paid for by those after it, as AWS absorbs large records. Thread-safe: one mutex.
// Bounds: one entry per shard in use; those that are idle go when there are entries_max.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/id.h"

namespace pinpipe::broker {

// A bucket that is refilled at a rate; it holds one second's worth.
class Allowance {
 public:
  bool is_spent(int64_t now_ns) const { return full_at_ns_ - now_ns >= second_ns; }
  bool is_full(int64_t now_ns) const { return full_at_ns_ <= now_ns; }
  void spend(double amount, double per_second, int64_t now_ns) {
    full_at_ns_ = std::max(full_at_ns_, now_ns) +
                  static_cast<int64_t>(amount / per_second * static_cast<double>(second_ns));
  }

 private:
  static constexpr int64_t second_ns = 1'000'000'000;
  int64_t full_at_ns_ = INT64_MIN / 2;
};

class StreamLimits {
 public:
  static constexpr double write_bytes_per_s = 1 << 20;
  static constexpr double write_records_per_s = 1000;
  static constexpr double read_bytes_per_s = 2 << 20;
  static constexpr double read_calls_per_s = 5;
  static constexpr double iterators_per_s = 5;
  static constexpr size_t entries_max = 20'000;

  bool admit_record(const Uuid& stream, int32_t shard, size_t bytes, int64_t now_ns);
  // A read counts as a call at once, and its bytes once they are known.
  bool admit_read(const Uuid& stream, int32_t shard, int64_t now_ns);
  void count_read(const Uuid& stream, int32_t shard, size_t bytes, int64_t now_ns);
  bool admit_iterator(const Uuid& stream, int32_t shard, int64_t now_ns);
  // `subject` is what the rate is counted by: the account, or a stream.
  bool admit_action(std::string_view action, std::string_view subject, double per_second,
                    int64_t now_ns);

 private:
  struct OfShard {
    Allowance write_bytes, write_records, read_bytes, read_calls, iterators;
    bool is_idle(int64_t now_ns) const;
  };
  OfShard& of(const Uuid& stream, int32_t shard, int64_t now_ns);

  std::mutex mutex_;
  std::map<std::pair<Uuid, int32_t>, OfShard> shards_;
  std::map<std::string, Allowance> actions_;
};

}  // namespace pinpipe::broker
