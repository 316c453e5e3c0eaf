#include <algorithm>

#include "broker/streams.h"
#include "broker/streams_gate.h"
#include "broker/streams_plan.h"
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

}  // namespace

io::Task<Status> StreamAccess::split(StreamPointer stream, int32_t shard, HashKey at) {
  return reshard(std::move(stream), [=](ShardPlan& plan) { return plan.split(shard, at); });
}

io::Task<Status> StreamAccess::merge(StreamPointer stream, int32_t lower, int32_t upper) {
  return reshard(std::move(stream), [=](ShardPlan& plan) { return plan.merge(lower, upper); });
}

io::Task<Status> StreamAccess::set_shard_count(StreamPointer stream, int32_t count) {
  return reshard(std::move(stream), [=](ShardPlan& plan) { return plan.even(count); });
}

io::Task<Status> StreamAccess::reshard(StreamPointer stream,
                                       std::function<Status(ShardPlan&)> change) {
  if (Status may = check(*stream, auth::Action::alter); !may) co_return may;
  if (!stream->gate->shut())
    co_return Error(Code::conflict, "the shards of stream " + stream->name + " are changing");
  Opening opens(stream->gate);
  const io::Instant deadline = io::after(drain_max);
  while (true) {
    uint64_t seen = stream->gate->moved().version();
    if (stream->gate->is_empty()) break;
    Status moved = co_await stream->gate->moved().wait_beyond(seen, deadline);
    if (!moved) co_return moved;
  }
  StreamPointer now = streams_.find(stream->name);
  if (!now || now->id != stream->id) co_return Error(Code::not_found, "the stream was deleted");
  ShardPlan plan(now->shards, streams_.clock_.wall_ms());
  if (Status planned = change(plan); !planned) co_return planned;
  if (plan.parents().empty()) co_return Status{};
  co_return co_await carry_out(*now, plan);
}

// Where the shard's records end.
io::Task<Result<Offset>> StreamAccess::seal(const Stream& stream, int32_t shard) {
  auto log = cluster_->partition(stream.name, shard, auth::Action::alter);
  if (!log) co_return log.error();
  // Puts whose clients went away may still be queued: what is before the flush is written then.
  auto flushed = (*log)->flush();
  auto done = co_await flushed.wait();
  if (!done) co_return done.error();
  if (!*done) co_return done->error();
  co_return (*log)->range().high_watermark;
}

io::Task<Status> StreamAccess::carry_out(const Stream& stream, const ShardPlan& plan) {
  const auto count = static_cast<int32_t>(plan.shards().size());
  if (streams_.open_shards() - stream.open_shards() + plan.open_count() >
      streams_.options_.shards_max)
    co_return Error(Code::busy, "there may be no more shards");
  std::vector<Shard> shards = plan.shards();
  std::vector<Shard> touched(shards.begin() + plan.before(), shards.end());
  for (int32_t number : plan.parents()) {
    auto end = co_await seal(stream, number);
    if (!end) co_return end.error();
    Shard& parent = shards[static_cast<size_t>(number)];
    parent.closed->end = *end;
    touched.push_back(parent);
  }
  auto topic = cluster_->find(stream.id);
  if (!topic) co_return topic.error();
  // After a crash between this and the rows the partitions are there already, and empty.
  if ((*topic)->facts.partitions < count) {
    Status added = co_await cluster_->add_partitions(stream.name, count, false);
    if (!added) co_return added;
  }
  Status written = co_await streams_.disk_.run(
      [&] { return stream_rows::put_shards(*streams_.database_, stream.name, touched); });
  if (!written) co_return written;
  streams_.change(stream, [&](Stream& next) { next.set_shards(std::move(shards)); });
  co_return Status{};
}

}  // namespace pinpipe::broker
