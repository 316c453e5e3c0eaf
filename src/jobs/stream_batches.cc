// How StreamFollower reads its shards and cuts what it read into batches.
#include <algorithm>
#include <fmt/format.h>

#include "jobs/stream_follower.h"

namespace pinpipe::jobs {
namespace {

constexpr size_t fetch_bytes_max = 1 << 20;
constexpr Millis fetch_wait{5'000};
// How soon another number of shards, or another stream of the same name, is noticed.
constexpr Millis look_interval{500};
// A full batch that took less may grow, one that took more shrinks.
constexpr Millis batch_quick{500};
constexpr Millis batch_slow{2'000};
constexpr size_t batch_divisor_max = 64;

size_t bytes_of(const broker::Fetched& fetched) {
  size_t bytes = 0;
  for (const std::string& held : fetched.bytes) bytes += held.size();
  return bytes;
}

Millis since(io::Instant begin) {
  return std::chrono::duration_cast<Millis>(io::after(Millis{0}) - begin);
}

}  // namespace

io::Task<Status> StreamFollower::open_session() {
  last_used_ = io::after(Millis{0});
  if (cleaner_.is_open() && !cleaner_.is_worn()) co_return Status{};
  auto open = [this] { return cleaner_.open(engine_); };
  co_return co_await lake_.work.run(open);
}

io::Task<> StreamFollower::close_session_when_idle() {
  if (!cleaner_.is_open() || io::after(Millis{0}) - last_used_ < options_.engine_idle) co_return;
  auto close = [this] { return cleaner_.close(); };
  (void)co_await lake_.work.run(close);
}

io::Task<Status> StreamFollower::follow_batches() {
  run_ends_.clear();
  if (trigger_ != Trigger::continuous) {
    for (const auto& [id, shard] : shards_) run_ends_[id] = shard.high_watermark;
  }
  io::Scope readers(*options_.loop);
  for (const auto& [id, shard] : shards_) readers.spawn("stream reader", read(id, shard.committed));
  readers.spawn("stream keeper", keep_tables());
  Status going;
  while (going) {
    auto batch = co_await next_batch();
    if (!batch) {
      going = batch.error();
    } else if (batch->ends.empty()) {
      break;  // the stream has changed, or there is nothing more to do
    } else {
      io::Instant begin = io::after(Millis{0});
      batch_due_ = begin + Millis(settings().interval_ms);
      size_t records = batch->records;
      bool was_full = is_full(*batch);
      going = co_await process(std::move(*batch));
      working_oldest_ms_ = 0;
      if (!going) adapt_to(going.error());
      if (going && was_full) adapt(since(begin));
      if (going) pause_ = Millis{0};
      if (going && trigger_ == Trigger::once && records > 0) end_run();
    }
  }
  keeping_stop_.request_stop();
  readers.cancel();
  co_await readers.join();
  keeping_stop_ = {};
  co_return going;
}

io::Task<> StreamFollower::read(broker::PartitionId id, broker::Offset next) {
  while (true) {
    uint64_t seen = room_.version();
    if (queue_bytes_ >= batch_bytes_max()) {
      if (!co_await room_.wait_beyond(seen, io::never)) co_return;
      continue;
    }
    // No more than a batch takes, so that the queue holds about one.
    size_t bytes = std::min(fetch_bytes_max, batch_bytes_max());
    auto fetched = co_await options_.topics->fetch(stream_, id, next, bytes, io::after(fetch_wait));
    if (!fetched) {
      Code code = fetched.error().code();
      // A shard or stream that is gone is noticed by looking at the stream.
      if (code != Code::cancelled && code != Code::not_found)
        read_error_ = fetched.error().with(fmt::format("{} shard {}", stream_, id));
      arrived_.notify_all();
      co_return;
    }
    shards_.at(id).high_watermark = fetched->range.high_watermark;
    if (fetched->next == next) continue;
    next = fetched->next;
    queue_bytes_ += bytes_of(*fetched);
    queue_.push_back({id, std::move(*fetched)});
    arrived_.notify_all();
  }
}

bool StreamFollower::is_stream_changed() const {
  auto facts = options_.topics->find(stream_);
  if (!facts) return facts.error().code() == Code::not_found;
  if (facts->id != incarnation_) return true;
  // Expired shards are not in the list, so the highest number tells whether there are new ones.
  return !shards_.empty() && facts->partitions > shards_.rbegin()->first + 1;
}

size_t StreamFollower::batch_rows_max() const {
  return std::max<size_t>(static_cast<size_t>(settings().batch_rows) / batch_divisor_, 1);
}
size_t StreamFollower::batch_bytes_max() const {
  return std::max<size_t>(static_cast<size_t>(settings().batch_bytes) / batch_divisor_, 1);
}

bool StreamFollower::is_full(const StreamBatch& batch) const {
  return batch.records >= batch_rows_max() || batch.bytes >= batch_bytes_max();
}

void StreamFollower::adapt(Millis took) {
  if (took < batch_quick) batch_divisor_ = std::max<size_t>(batch_divisor_ / 2, 1);
  if (took > batch_slow) batch_divisor_ = std::min(batch_divisor_ * 2, batch_divisor_max);
}

// What does not fit into memory may do so in parts; so may more bad rows than one batch may have.
void StreamFollower::adapt_to(const Error& error) {
  if (error.code() == Code::busy || error.code() == Code::invalid)
    batch_divisor_ = std::min(batch_divisor_ * 2, batch_divisor_max);
}

void StreamFollower::take_from_queue(StreamBatch& batch) {
  while (!queue_.empty() && !is_full(batch)) {
    StreamBatch::Part part = std::move(queue_.front());
    queue_.pop_front();
    queue_bytes_ -= bytes_of(part.fetched);
    if (working_oldest_ms_ == 0 && !part.fetched.records.empty())
      working_oldest_ms_ = part.fetched.records.front().timestamp_ms;
    batch.add(part.shard, std::move(part.fetched));
  }
  room_.notify_all();
}

// Whether all that was there when the run began is committed, or in this batch.
bool StreamFollower::covers_run(const StreamBatch& batch) const {
  return std::ranges::all_of(run_ends_, [&](const auto& end) {
    auto shard = shards_.find(end.first);
    if (shard == shards_.end() || shard->second.committed >= end.second) return true;
    auto read = batch.ends.find(end.first);
    return read != batch.ends.end() && read->second >= end.second;
  });
}

bool StreamFollower::is_due(const StreamBatch& batch, io::Instant now) const {
  if (is_full(batch) || drains_ > 0) return true;
  return trigger_ == Trigger::continuous ? now >= batch_due_ : covers_run(batch);
}

// An empty batch says that the stream has changed, or that the run is at its end.
io::Task<Result<StreamBatch>> StreamFollower::next_batch() {
  StreamBatch batch;
  while (true) {
    uint64_t seen = arrived_.version();
    take_from_queue(batch);
    show_metrics();
    io::Instant now = io::after(Millis{0});
    if (!batch.ends.empty() && is_due(batch, now)) co_return batch;
    if (read_error_) co_return *read_error_;
    if (trigger_ != Trigger::continuous && covers_run(batch)) end_run();
    // What was read of the old stream is committed before anything is read of the new one.
    if (!follows_ || is_stream_changed()) co_return batch;
    io::Instant look = now + look_interval;
    Status waited =
        co_await arrived_.wait_beyond(seen, batch.ends.empty() ? look : std::min(look, batch_due_));
    if (!waited && waited.error().code() == Code::cancelled) co_return waited.error();
    co_await close_session_when_idle();
  }
}

}  // namespace pinpipe::jobs
