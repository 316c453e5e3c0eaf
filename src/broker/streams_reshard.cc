#include <algorithm>

#include "broker/streams.h"
#include "broker/streams_gate.h"
#include "broker/streams_rows.h"

namespace pinpipe::broker {
namespace {

constexpr Millis drain_max{30'000};

class Opening {
 public:
  explicit Opening(std::shared_ptr<StreamGate> gate) : gate_(std::move(gate)) {}
  ~Opening() { gate_->open(); }
  Opening(const Opening&) = delete;

 private:
  std::shared_ptr<StreamGate> gate_;
};

Error changed_meanwhile(const Stream& stream) {
  return Error(Code::conflict, "the shards of stream " + stream.name + " are changing");
}

}  // namespace

io::Task<Status> StreamAccess::split(StreamPointer stream, int32_t shard, HashKey at) {
  const Shard* parent = stream->find_shard(shard);
  if (parent == nullptr) co_return Error(Code::not_found, "there is no " + shard_id(shard));
  if (at <= parent->range.first || at > parent->range.last)
    co_return Error(Code::invalid, "the key is not within the shard");
  std::vector<HashRange> ranges = {{parent->range.first, at - 1}, {at, parent->range.last}};
  co_return co_await reshard(std::move(stream), {shard}, std::move(ranges));
}

io::Task<Status> StreamAccess::merge(StreamPointer stream, int32_t lower, int32_t upper) {
  const Shard* first = stream->find_shard(lower);
  const Shard* second = stream->find_shard(upper);
  if (first == nullptr || second == nullptr)
    co_return Error(Code::not_found, "there is no such shard");
  if (first->range.last == hash_key_max || first->range.last + 1 != second->range.first)
    co_return Error(Code::invalid, "the shards are no neighbours");
  std::vector<HashRange> ranges = {{first->range.first, second->range.last}};
  co_return co_await reshard(std::move(stream), {lower, upper}, std::move(ranges));
}

io::Task<Status> StreamAccess::reshard(StreamPointer stream, std::vector<int32_t> parents,
                                       std::vector<HashRange> ranges) {
  if (Status may = check(*stream, auth::Action::alter); !may) co_return may;
  if (!stream->gate->shut()) co_return changed_meanwhile(*stream);
  Opening opens(stream->gate);
  const io::Instant deadline = io::after(drain_max);
  while (true) {
    uint64_t seen = stream->gate->moved().version();
    if (stream->gate->is_empty()) break;
    Status moved = co_await stream->gate->moved().wait_beyond(seen, deadline);
    if (!moved) co_return moved;
  }
  co_return co_await replace_shards(std::move(stream), parents, ranges);
}

io::Task<Status> StreamAccess::replace_shards(StreamPointer stream,
                                              const std::vector<int32_t>& parents,
                                              const std::vector<HashRange>& ranges) {
  StreamPointer now = streams_.find(stream->name);
  if (!now || now->id != stream->id) co_return Error(Code::not_found, "the stream was deleted");
  auto count = static_cast<int32_t>(now->shards.size());
  auto more = static_cast<int32_t>(ranges.size());
  if (streams_.open_shards() + more - static_cast<int32_t>(parents.size()) >
      streams_.options_.shards_max)
    co_return Error(Code::busy, "there may be no more shards");
  std::vector<Shard> touched;
  const int64_t now_ms = streams_.clock_.wall_ms();
  for (int32_t number : parents) {
    Shard parent = now->shards[static_cast<size_t>(number)];
    if (!parent.is_open()) co_return changed_meanwhile(*now);
    auto log = cluster_->partition(now->name, number, auth::Action::alter);
    if (!log) co_return log.error();
    // Puts whose clients went away may still be queued: what is before the flush is written then.
    auto flushed = (*log)->flush();
    auto done = co_await flushed.wait();
    if (!done) co_return done.error();
    if (!*done) co_return *done;
    parent.closed = {now_ms, (*log)->range().high_watermark};
    touched.push_back(parent);
  }
  auto topic = cluster_->find(now->id);
  if (!topic) co_return topic.error();
  // After a crash between this and the rows the partitions are there already, and empty.
  if ((*topic)->facts.partitions < count + more) {
    Status added = co_await cluster_->add_partitions(now->name, count + more, false);
    if (!added) co_return added;
  }
  for (const HashRange& range : ranges) {
    // A child begins in the second after its parents' end, so that its numbers come later.
    Shard child{.number = count++,
                .created_s = now_ms / 1000 + 1,
                .range = range,
                .parent = parents.front(),
                .adjacent_parent = {},
                .closed = {}};
    if (parents.size() > 1) child.adjacent_parent = parents.back();
    touched.push_back(child);
  }
  Status written = co_await streams_.disk_.run(
      [&] { return stream_rows::put_shards(*streams_.database_, now->name, touched); });
  if (!written) co_return written;
  streams_.change(*now, [&](Stream& next) {
    next.shards.resize(static_cast<size_t>(count));
    for (const Shard& shard : touched) next.shards[static_cast<size_t>(shard.number)] = shard;
  });
  co_return Status{};
}

}  // namespace pinpipe::broker
