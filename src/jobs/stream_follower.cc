#include "jobs/stream_follower.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/log_line.h"

namespace pinpipe::jobs {
namespace {

constexpr size_t fetch_bytes_max = 1 << 20;
constexpr Millis fetch_wait{5'000};
// How soon another number of shards, or another stream of the same name, is noticed.
constexpr Millis look_interval{500};
constexpr Millis replay_wait{10'000};
constexpr Millis pause_first{20};
constexpr Millis pause_max{5'000};

bool is_passing(Code code) {
  return code == Code::busy || code == Code::unavailable || code == Code::timeout ||
         code == Code::conflict || code == Code::cancelled;
}

size_t bytes_of(const broker::Fetched& fetched) {
  size_t bytes = 0;
  for (const std::string& held : fetched.bytes) bytes += held.size();
  return bytes;
}

}  // namespace

StreamFollower::StreamFollower(const StreamJob::Options& options, const project::Dataset& dataset,
                               RecordFilter filter, WarmEngine& engine, io::Signal& progress)
    : options_(options),
      dataset_(dataset),
      stream_(options.shared_stream.empty() ? dataset.stream : options.shared_stream),
      is_shared_(!filter.datasets.empty()),
      engine_(engine),
      progress_(progress),
      cleaner_(dataset, stream_, std::move(filter), *options.clock) {
  status_.dataset = dataset.name;
  status_.stream = stream_;
  status_.table = dataset.tables.stream;
}
StreamFollower::~StreamFollower() = default;

io::Task<> StreamFollower::run() {
  stop_ = {};
  while (!co_await io::cancelled()) {
    Status ended = co_await follow();
    is_loaded_ = false;
    queue_.clear();
    queue_bytes_ = 0;
    read_error_.reset();
    if (!ended && !co_await pause_after(ended)) break;
  }
  auto close = [this] { return cleaner_.close(); };
  (void)co_await options_.lake->work.run(close);
  status_.state = StreamStatus::State::starting;
}

// A conflict is the way two jobs on one table find out about each other, and no failure.
io::Task<Status> StreamFollower::pause_after(const Status& failure) {
  const Error& error = failure.error();
  if (error.code() == Code::cancelled && co_await io::cancelled()) co_return error;
  pause_ = std::clamp(pause_ * 2, pause_first, pause_max);
  if (error.code() == Code::conflict) {
    log_info("jobs", "the stream table has changed under the stream job, which looks at it again",
             {{"dataset", dataset_.name}, {"reason", error.text()}});
    pause_ = pause_first;
  } else {
    status_.state = StreamStatus::State::failing;
    status_.error = error.text();
    is_stuck_ = !is_passing(error.code());
    if (is_stuck_) pause_ = pause_max;
    log_error("jobs", "a stream cannot be followed",
              {{"dataset", dataset_.name}, {"stream", stream_}, {"reason", error.text()}});
  }
  progress_.notify_all();
  Status slept = co_await io::sleep_for(pause_);
  co_return slept;
}

// Ok when the stream or its shards have changed and all has to be looked at anew.
io::Task<Status> StreamFollower::follow() {
  auto facts = options_.topics->find(stream_);
  if (!facts && facts.error().code() == Code::not_found) {
    status_.state = StreamStatus::State::waiting;
    status_.error.clear();
    progress_.notify_all();
    auto changed =
        co_await options_.topics->wait_for_topic_change(topic_changes_seen_, io::after(fetch_wait));
    if (changed) topic_changes_seen_ = *changed;
    if (changed || changed.error().code() == Code::timeout) co_return Status{};
    co_return changed.error();
  }
  if (!facts) co_return facts.error();
  incarnation_ = facts->id;
  shards_.clear();
  for (broker::PartitionId id = 0; id < facts->partitions; ++id) {
    shards_[id].app_id =
        fmt::format("pinpipe/stream/{}/{}/{}", dataset_.name, facts->id.text(), id);
  }
  Status going = co_await open_tables();
  if (going) going = co_await load_positions();
  if (going) going = co_await replay_quarantined();
  if (!going) co_return going;
  is_loaded_ = true;
  status_.state = StreamStatus::State::running;
  status_.error.clear();
  progress_.notify_all();
  co_return co_await follow_batches();
}

io::Task<Status> StreamFollower::open_tables() {
  const lake::Services& lake = *options_.lake;
  quarantine_.reset();
  lake::Location place{options_.lake_bucket, dataset_.tables.stream};
  auto table = co_await lake::Table::open(lake, place);
  if (!table && table.error().code() == Code::not_found) {
    // Made before the first record, so that questions about a quiet stream have a table to read.
    Status bucket = co_await lake.store.create_bucket(options_.lake_bucket);
    if (!bucket && bucket.error().code() != Code::conflict) co_return bucket;
    Status open = co_await open_session();
    if (!open) co_return open;
    auto describe = [this] { return cleaner_.schema(); };
    auto schema = co_await lake.work.run(describe);
    if (!schema) co_return schema.error();
    lake::TableOptions about{
        .name = dataset_.tables.stream,
        .description = "clean " + dataset_.name + ", written by the stream job from " + stream_,
        .properties = {}};
    table = co_await lake::Table::open_or_create(lake, place, std::move(*schema), std::move(about));
  }
  if (!table) co_return table.error();
  table_ = std::move(*table);
  place.prefix += "_quarantine";
  auto quarantine = co_await lake::Table::open(lake, std::move(place));
  if (!quarantine && quarantine.error().code() != Code::not_found) co_return quarantine.error();
  if (quarantine) quarantine_ = std::move(*quarantine);
  co_return Status{};
}

io::Task<Status> StreamFollower::open_session() {
  last_used_ = io::after(Millis{0});
  if (cleaner_.is_open()) co_return Status{};
  auto open = [this] { return cleaner_.open(engine_); };
  co_return co_await options_.lake->work.run(open);
}

io::Task<> StreamFollower::close_session_when_idle() {
  if (!cleaner_.is_open() || io::after(Millis{0}) - last_used_ < options_.engine_idle) co_return;
  auto close = [this] { return cleaner_.close(); };
  (void)co_await options_.lake->work.run(close);
}

io::Task<Status> StreamFollower::load_positions() {
  auto snapshot = table_->snapshot();
  status_.table_version = snapshot->version();
  status_.table_rows = snapshot->rows().value_or(0);
  for (auto at = shards_.begin(); at != shards_.end();) {
    auto& [id, shard] = *at;
    shard.stored = snapshot->txn_version(shard.app_id).value_or(-1);
    if (quarantine_)
      shard.stored_quarantine = quarantine_->snapshot()->txn_version(shard.app_id).value_or(-1);
    auto range = co_await options_.topics->range(stream_, id);
    if (!range && range.error().code() == Code::not_found) {
      at = shards_.erase(at);  // a shard that has been resharded away and has expired
      continue;
    }
    if (!range) co_return range.error();
    Status whole = check_lost(id, shard, *range);
    if (!whole) co_return whole;
    shard.high_watermark = range->high_watermark;
    ++at;
  }
  co_return Status{};
}

Status StreamFollower::check_lost(broker::PartitionId id, Shard& shard,
                                  const broker::OffsetRange& range) {
  shard.committed = shard.begin = shard.stored < 0 ? range.start : shard.stored + 1;
  if (shard.begin >= range.start) return {};
  std::string what = fmt::format(
      "records {}..{} of {} shard {} were removed before they were read; a longer retention would "
      "have kept them",
      shard.begin, range.start - 1, stream_, id);
  if (!options_.skip_lost) return Error(Code::invalid, std::move(what));
  log_warn("jobs", "records are lost to the stream table",
           {{"dataset", dataset_.name}, {"reason", what}});
  status_.lost += static_cast<uint64_t>(range.start - shard.begin);
  shard.committed = shard.begin = range.start;
  return {};
}

// A job that ended between its two commits: quarantine is a batch ahead. That batch is made again,
// with exactly its records, and this time only the table gets it.
io::Task<Status> StreamFollower::replay_quarantined() {
  auto batch = co_await fetch_up_to_quarantine();
  if (!batch) co_return batch.error();
  if (batch->ends.empty()) co_return Status{};
  co_return co_await process(std::move(*batch));
}

io::Task<Result<StreamBatch>> StreamFollower::fetch_up_to_quarantine() {
  StreamBatch batch;
  batch.is_replay = true;
  io::Instant deadline = io::after(replay_wait);
  for (auto& [id, shard] : shards_) {
    broker::Offset next = shard.committed;
    broker::Offset end = shard.stored_quarantine + 1;
    while (next < end) {
      auto fetched = co_await options_.topics->fetch(stream_, id, next, fetch_bytes_max, deadline);
      if (!fetched) co_return fetched.error();
      if (fetched->next == next)
        co_return Error(Code::unavailable,
                        fmt::format("offset {} of {} shard {} is in quarantine but cannot be read",
                                    next, stream_, id));
      fetched->next = next = std::min(fetched->next, end);
      std::erase_if(fetched->records, [&](const auto& record) { return record.offset >= end; });
      batch.add(id, std::move(*fetched));
    }
  }
  co_return batch;
}

io::Task<Status> StreamFollower::follow_batches() {
  io::Scope readers(*options_.loop);
  for (const auto& [id, shard] : shards_) readers.spawn("stream reader", read(id, shard.committed));
  Status going;
  while (going) {
    auto batch = co_await next_batch();
    if (!batch) {
      going = batch.error();
    } else if (batch->ends.empty()) {
      break;  // the stream has changed
    } else {
      batch_due_ = io::after(options_.batch_interval);
      going = co_await process(std::move(*batch));
      if (going) pause_ = Millis{0};
    }
  }
  readers.cancel();
  co_await readers.join();
  co_return going;
}

io::Task<> StreamFollower::read(broker::PartitionId id, broker::Offset next) {
  while (true) {
    uint64_t seen = room_.version();
    if (queue_bytes_ >= options_.batch_bytes_max) {
      if (!co_await room_.wait_beyond(seen, io::never)) co_return;
      continue;
    }
    auto fetched =
        co_await options_.topics->fetch(stream_, id, next, fetch_bytes_max, io::after(fetch_wait));
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

bool StreamFollower::is_full(const StreamBatch& batch) const {
  return batch.records >= options_.batch_rows_max || batch.bytes >= options_.batch_bytes_max;
}

void StreamFollower::take_from_queue(StreamBatch& batch) {
  while (!queue_.empty() && !is_full(batch)) {
    StreamBatch::Part part = std::move(queue_.front());
    queue_.pop_front();
    queue_bytes_ -= bytes_of(part.fetched);
    batch.add(part.shard, std::move(part.fetched));
  }
  room_.notify_all();
}

// An empty batch says that the stream has changed.
io::Task<Result<StreamBatch>> StreamFollower::next_batch() {
  StreamBatch batch;
  while (true) {
    uint64_t seen = arrived_.version();
    take_from_queue(batch);
    io::Instant now = io::after(Millis{0});
    bool is_due = now >= batch_due_ || drains_ > 0;
    if (!batch.ends.empty() && (is_due || is_full(batch))) co_return batch;
    if (read_error_) co_return *read_error_;
    // What was read of the old stream is committed before anything is read of the new one.
    if (is_stream_changed()) co_return batch;
    io::Instant look = now + look_interval;
    Status waited =
        co_await arrived_.wait_beyond(seen, batch.ends.empty() ? look : std::min(look, batch_due_));
    if (!waited && waited.error().code() == Code::cancelled) co_return waited.error();
    co_await close_session_when_idle();
  }
}

void StreamFollower::begin_drain() {
  ++drains_;
  arrived_.notify_all();
}

Result<bool> StreamFollower::has_committed(const Uuid& incarnation, broker::PartitionId shard,
                                           broker::Offset end) const {
  if (status_.state == StreamStatus::State::failing && is_stuck_)
    return Error(Code::unavailable, fmt::format("data set {} does not follow its stream: {}",
                                                dataset_.name, status_.error));
  if (!is_loaded_) return false;
  if (incarnation_ != incarnation) return true;
  auto at = shards_.find(shard);
  return at == shards_.end() || at->second.committed >= end;
}

StreamStatus StreamFollower::status() const {
  StreamStatus status = status_;
  for (const auto& [id, shard] : shards_) {
    status.shards.push_back({id, shard.committed, shard.high_watermark});
    status.lag +=
        static_cast<uint64_t>(std::max<int64_t>(shard.high_watermark - shard.committed, 0));
  }
  return status;
}

}  // namespace pinpipe::jobs
