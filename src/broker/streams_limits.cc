#include "broker/streams_limits.h"

namespace pinpipe::broker {

bool StreamLimits::OfShard::is_idle(int64_t now_ns) const {
  return write_bytes.is_full(now_ns) && write_records.is_full(now_ns) &&
         read_bytes.is_full(now_ns) && read_calls.is_full(now_ns) && iterators.is_full(now_ns);
}

StreamLimits::OfShard& StreamLimits::of(const Uuid& stream, int32_t shard, int64_t now_ns) {
  if (shards_.size() >= entries_max)
    std::erase_if(shards_, [&](const auto& entry) { return entry.second.is_idle(now_ns); });
  return shards_[{stream, shard}];
}

bool StreamLimits::admit_record(const Uuid& stream, int32_t shard, size_t bytes, int64_t now_ns) {
  std::lock_guard lock(mutex_);
  OfShard& own = of(stream, shard, now_ns);
  if (own.write_bytes.is_spent(now_ns) || own.write_records.is_spent(now_ns)) return false;
  own.write_bytes.spend(static_cast<double>(bytes), write_bytes_per_s, now_ns);
  own.write_records.spend(1, write_records_per_s, now_ns);
  return true;
}

bool StreamLimits::admit_read(const Uuid& stream, int32_t shard, int64_t now_ns) {
  std::lock_guard lock(mutex_);
  OfShard& own = of(stream, shard, now_ns);
  if (own.read_calls.is_spent(now_ns) || own.read_bytes.is_spent(now_ns)) return false;
  own.read_calls.spend(1, read_calls_per_s, now_ns);
  return true;
}

void StreamLimits::count_read(const Uuid& stream, int32_t shard, size_t bytes, int64_t now_ns) {
  std::lock_guard lock(mutex_);
  of(stream, shard, now_ns).read_bytes.spend(static_cast<double>(bytes), read_bytes_per_s, now_ns);
}

bool StreamLimits::admit_iterator(const Uuid& stream, int32_t shard, int64_t now_ns) {
  std::lock_guard lock(mutex_);
  OfShard& own = of(stream, shard, now_ns);
  if (own.iterators.is_spent(now_ns)) return false;
  own.iterators.spend(1, iterators_per_s, now_ns);
  return true;
}

bool StreamLimits::admit_action(std::string_view action, std::string_view subject,
                                double per_second, int64_t now_ns) {
  std::lock_guard lock(mutex_);
  if (actions_.size() >= entries_max)
    std::erase_if(actions_, [&](const auto& entry) { return entry.second.is_full(now_ns); });
  Allowance& own = actions_[std::string(action) + " " + std::string(subject)];
  if (own.is_spent(now_ns)) return false;
  own.spend(1, per_second, now_ns);
  return true;
}

}  // namespace pinpipe::broker
