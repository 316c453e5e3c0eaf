// What becomes of a stream's shards when they are split, merged or brought to a number, step by
// step and in memory: the caller writes the outcome down.
// Promise: at every step the open shards cover all hash keys once; a child's sequence numbers come
// after all of its parents'. Shards that a later step closes again never take a record.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "base/result.h"
#include "broker/streams.h"
#include "broker/streams_hash.h"

namespace pinpipe::broker {

class ShardPlan {
 public:
  ShardPlan(std::vector<Shard> shards, int64_t now_ms);

  // The second child begins at `at`. Errors: not_found, conflict (not open), invalid.
  Status split(int32_t shard, HashKey at);
  // `lower` is the lower neighbour. Errors as above.
  Status merge(int32_t lower, int32_t upper);
  // Splits and merges until there are `count` open shards of equal size.
  Status even(int32_t count);

  // All shards, by number; those that were there before and are closed now have no end yet.
  const std::vector<Shard>& shards() const { return shards_; }
  const std::set<int32_t>& parents() const { return parents_; }  // closed, and there before
  int32_t before() const { return before_; }                     // how many there were
  int32_t open_count() const { return static_cast<int32_t>(open_.size()); }

 private:
  Status check_open(int32_t shard) const;
  void close(int32_t shard);
  void make(HashRange range, int32_t parent, std::optional<int32_t> adjacent_parent);

  std::vector<Shard> shards_;
  std::map<HashKey, int32_t> open_;  // by first key
  std::set<int32_t> parents_;
  const int32_t before_;
  const int64_t now_ms_;
};

}  // namespace pinpipe::broker
