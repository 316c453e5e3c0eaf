#include "broker/streams_plan.h"

#include <algorithm>
#include <iterator>

namespace pinpipe::broker {

ShardPlan::ShardPlan(std::vector<Shard> shards, int64_t now_ms)
    : shards_(std::move(shards)), before_(static_cast<int32_t>(shards_.size())), now_ms_(now_ms) {
  for (const Shard& shard : shards_) {
    if (shard.is_open()) open_.emplace(shard.range.first, shard.number);
  }
}

Status ShardPlan::check_open(int32_t shard) const {
  if (shard < 0 || static_cast<size_t>(shard) >= shards_.size())
    return Error(Code::not_found, "there is no " + shard_id(shard));
  if (!shards_[static_cast<size_t>(shard)].is_open())
    return Error(Code::conflict, shard_id(shard) + " is closed");
  return {};
}

void ShardPlan::close(int32_t number) {
  Shard& shard = shards_[static_cast<size_t>(number)];
  shard.closed = {now_ms_, 0};
  open_.erase(shard.range.first);
  if (number < before_) parents_.insert(number);
}

void ShardPlan::make(HashRange range, int32_t parent, std::optional<int32_t> adjacent_parent) {
  // A sequence number begins with the second in which its shard was created: a child's must be
  // later than its parents', even when they were made in this same second.
  int64_t created_s = std::max(now_ms_ / 1000, shards_[static_cast<size_t>(parent)].created_s);
  if (adjacent_parent)
    created_s = std::max(created_s, shards_[static_cast<size_t>(*adjacent_parent)].created_s);
  Shard child{.number = static_cast<int32_t>(shards_.size()),
              .created_s = created_s + 1,
              .range = range,
              .parent = parent,
              .adjacent_parent = adjacent_parent,
              .closed = {}};
  open_.emplace(range.first, child.number);
  shards_.push_back(std::move(child));
}

Status ShardPlan::split(int32_t shard, HashKey at) {
  if (Status open = check_open(shard); !open) return open;
  const HashRange range = shards_[static_cast<size_t>(shard)].range;
  if (at <= range.first || at > range.last)
    return Error(Code::invalid, "the key is not within the shard");
  close(shard);
  make({range.first, at - 1}, shard, std::nullopt);
  make({at, range.last}, shard, std::nullopt);
  return {};
}

Status ShardPlan::merge(int32_t lower, int32_t upper) {
  for (int32_t shard : {lower, upper}) {
    if (Status open = check_open(shard); !open) return open;
  }
  const HashRange low = shards_[static_cast<size_t>(lower)].range;
  const HashRange high = shards_[static_cast<size_t>(upper)].range;
  if (low.last == hash_key_max || low.last + 1 != high.first)
    return Error(Code::invalid, "the shards are no neighbours");
  close(lower);
  close(upper);
  make({low.first, high.last}, lower, upper);
  return {};
}

Status ShardPlan::even(int32_t count) {
  // From the lowest key up, range by range: AWS numbers its shards so.
  for (const HashRange& wanted : even_ranges(count)) {
    auto last = std::prev(open_.upper_bound(wanted.last));
    if (shards_[static_cast<size_t>(last->second)].range.last != wanted.last) {
      if (Status cut = split(last->second, wanted.last + 1); !cut) return cut;
    }
    while (true) {
      auto first = open_.find(wanted.first);
      auto second = std::next(first);
      if (second == open_.end() || second->first > wanted.last) break;
      if (Status merged = merge(first->second, second->second); !merged) return merged;
    }
  }
  return {};
}

}  // namespace pinpipe::broker
