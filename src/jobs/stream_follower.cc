#include "jobs/stream_follower.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/log_line.h"
#include "base/metrics.h"

namespace pinpipe::jobs {
namespace {

// How soon a stream that comes into being is noticed, and how soon a wait for one ends.
constexpr Millis stream_wait{500};
// How often a stream that is not followed is looked at.
constexpr Millis rest_look{1'000};
constexpr Millis pause_first{20};
constexpr Millis pause_max{5'000};

bool is_passing(Code code) {
  return code == Code::busy || code == Code::unavailable || code == Code::timeout ||
         code == Code::conflict || code == Code::cancelled;
}

}  // namespace

StreamFollower::StreamFollower(const StreamJob::Options& options, const project::Dataset& dataset,
                               RecordFilter filter, const lake::Services& lake, WarmEngine& engine,
                               io::Signal& progress)
    : options_(options),
      dataset_(dataset),
      stream_(options.project->stream_input(dataset)),
      filter_(std::move(filter)),
      lake_(lake),
      engine_(engine),
      progress_(progress),
      cleaner_(dataset, stream_, filter_, *options.clock) {
  status_.dataset = dataset.name;
  status_.stream = stream_;
  status_.table = dataset.tables.stream;
}
StreamFollower::~StreamFollower() = default;

io::Task<> StreamFollower::run() {
  stop_ = {};
  keeping_stop_ = {};
  while (!co_await io::cancelled()) {
    if (!follows_ || reset_) {
      if (!co_await rest_until_told()) break;
      continue;
    }
    Status ended = co_await follow();
    // Who rests knows where the table is: nobody else writes it.
    if (!ended || follows_) is_loaded_ = false;
    queue_.clear();
    queue_bytes_ = 0;
    working_oldest_ms_ = 0;
    read_error_.reset();
    if (!ended && !co_await pause_after(ended)) break;
  }
  auto close = [this] { return cleaner_.close(); };
  (void)co_await lake_.work.run(close);
  if (reset_) reset_->done.set(Error(Code::cancelled, "the stream job ends"));
  reset_.reset();
  status_.state = StreamStatus::State::stopped;
  progress_.notify_all();
}

io::Task<Status> StreamFollower::rest_until_told() {
  auto close = [this] { return cleaner_.close(); };
  if (cleaner_.is_open()) (void)co_await lake_.work.run(close);
  uint64_t seen = control_.version();
  if (reset_) {
    Reset asked = std::move(*reset_);
    Status done = co_await reset_tables(asked.start);
    reset_.reset();
    is_loaded_ = false;
    asked.done.set(std::move(done));
  }
  if (follows_) co_return Status{};
  co_await look();
  status_.state = has_ended_ ? StreamStatus::State::done : StreamStatus::State::stopped;
  status_.error.clear();
  show_metrics();
  progress_.notify_all();
  Status told = co_await control_.wait_beyond(seen, io::after(rest_look));
  co_return told || told.error().code() == Code::timeout ? Status{} : told;
}

// How the table and the stream are, for who asks while nothing is followed.
io::Task<> StreamFollower::look() {
  if (!table_) {
    lake::Location place{options_.lake_bucket, dataset_.tables.stream};
    auto table = co_await lake::Table::open(lake_, place);
    if (!table) co_return;
    table_ = std::move(*table);
    positions_ = StreamPositions::of(*table_->snapshot(), dataset_.name);
    note_table();
  }
  auto facts = options_.topics->find(stream_);
  if (!facts) co_return;
  if (facts->id != incarnation_) shards_.clear();
  incarnation_ = facts->id;
  for (broker::PartitionId id = 0; id < facts->partitions; ++id) {
    auto range = co_await options_.topics->range(stream_, id);
    if (!range) continue;
    auto [at, is_new] = shards_.try_emplace(id);
    if (is_new)
      at->second.committed =
          std::max(range->start, positions_.stored(*table_->snapshot(), facts->id, id) + 1);
    at->second.high_watermark = range->high_watermark;
  }
}

Status StreamFollower::follow_by(std::optional<Trigger> trigger) {
  Trigger wanted = trigger.value_or(settings().trigger);
  if (follows_ && wanted != trigger_)
    return Error(Code::conflict, fmt::format("data set {} is followed already, {}; stop it first",
                                             dataset_.name, name_of(trigger_)));
  if (follows_) return {};
  trigger_ = wanted;
  follows_ = true;
  has_ended_ = false;
  is_stuck_ = false;
  pause_ = Millis{0};
  status_.state = StreamStatus::State::starting;
  status_.error.clear();
  control_.notify_all();
  return {};
}

void StreamFollower::rest() {
  follows_ = false;
  has_ended_ = false;
  control_.notify_all();
  arrived_.notify_all();
  if (status_.state == StreamStatus::State::done) status_.state = StreamStatus::State::stopped;
  progress_.notify_all();
}

// What a run that ends was asked for is done.
void StreamFollower::end_run() {
  follows_ = false;
  has_ended_ = true;
}

bool StreamFollower::is_resting() const {
  bool rests =
      status_.state == StreamStatus::State::stopped || status_.state == StreamStatus::State::done;
  return !follows_ && rests && !reset_;
}

void StreamFollower::reset(project::StreamStart start, io::OneShot<Status> done) {
  if (follows_ || reset_) {
    done.set(Error(Code::conflict,
                   fmt::format("data set {} is being followed; stop it first", dataset_.name)));
    return;
  }
  reset_.emplace(start, std::move(done));
  control_.notify_all();
}

// A conflict is the way two jobs on one table find out about each other, and no failure.
io::Task<Status> StreamFollower::pause_after(const Status& failure) {
  const Error& error = failure.error();
  if (error.code() == Code::cancelled && co_await io::cancelled()) co_return error;
  uint64_t seen = control_.version();
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
  if (!follows_) co_return Status{};
  Status told = co_await control_.wait_beyond(seen, io::after(pause_));
  co_return told || told.error().code() == Code::timeout ? Status{} : told;
}

// Ok when it shall rest, or the stream or its shards have changed and all has to be looked at anew.
io::Task<Status> StreamFollower::follow() {
  auto facts = options_.topics->find(stream_);
  if (!facts && facts.error().code() == Code::not_found) co_return co_await wait_for_stream();
  if (!facts) co_return facts.error();
  incarnation_ = facts->id;
  Status going = co_await open_tables();
  if (going) going = co_await load_positions(*facts);
  if (going) going = co_await replay_quarantined();
  if (!going) co_return going;
  waited_for_stream_ = false;
  is_loaded_ = true;
  status_.state = StreamStatus::State::running;
  status_.error.clear();
  progress_.notify_all();
  co_return co_await follow_batches();
}

io::Task<Status> StreamFollower::wait_for_stream() {
  shards_.clear();
  status_.state = StreamStatus::State::waiting;
  status_.error.clear();
  if (trigger_ != Trigger::continuous) end_run();
  progress_.notify_all();
  if (!follows_) co_return Status{};
  waited_for_stream_ = true;
  auto changed =
      co_await options_.topics->wait_for_topic_change(topic_changes_seen_, io::after(stream_wait));
  if (changed) topic_changes_seen_ = *changed;
  if (changed || changed.error().code() == Code::timeout) co_return Status{};
  co_return changed.error();
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
  if (is_loaded_) {
    auto at = shards_.find(shard);
    // A shard that is not known has expired, or is so new that it was not noticed yet.
    bool is_new = !shards_.empty() && shard > shards_.rbegin()->first;
    bool is_gone = at == shards_.end() && !is_new;
    bool is_read = at != shards_.end() && at->second.committed >= end;
    if (incarnation_ != incarnation || is_gone || is_read) return true;
  }
  if (is_resting())
    return Error(
        Code::unavailable,
        fmt::format("data set {} does not follow its stream: it is {}; `pinpipe stream-job "
                    "start {}` goes on",
                    dataset_.name, name_of(status_.state), dataset_.name));
  return false;
}

uint64_t StreamFollower::lag() const {
  uint64_t lag = 0;
  for (const auto& [id, shard] : shards_)
    lag += static_cast<uint64_t>(std::max<int64_t>(shard.high_watermark - shard.committed, 0));
  return lag;
}

// How long the oldest record that was read has been waiting for its commit.
int64_t StreamFollower::behind_ms() const {
  int64_t oldest_ms = working_oldest_ms_;
  for (const StreamBatch::Part& part : queue_) {
    if (oldest_ms != 0) break;
    if (!part.fetched.records.empty()) oldest_ms = part.fetched.records.front().timestamp_ms;
  }
  return oldest_ms == 0 ? 0 : std::max<int64_t>(0, options_.clock->wall_ms() - oldest_ms);
}

double StreamFollower::rate() const {
  int64_t now_ms = options_.clock->steady_ms();
  uint64_t records = 0;
  for (const Committed& one : recent_) {
    if (one.at_ms > now_ms - rate_window_ms) records += one.records;
  }
  return static_cast<double>(records) * 1000 / static_cast<double>(rate_window_ms);
}

StreamStatus StreamFollower::status() const {
  StreamStatus status = status_;
  for (const auto& [id, shard] : shards_)
    status.shards.push_back({id, shard.committed, shard.high_watermark});
  status.trigger = trigger_;
  status.lag = lag();
  status.behind_ms = behind_ms();
  status.records_per_second = rate();
  return status;
}

void StreamFollower::show_metrics() const {
  Labels labels{{"dataset", dataset_.name}};
  auto show = [&](std::string_view name, std::string_view help, int64_t value) {
    metrics().gauge(name, help, labels).set(value);
  };
  show("pinpipe_stream_job_lag_records", "Records that are in the stream and in no commit",
       static_cast<int64_t>(lag()));
  show("pinpipe_stream_job_behind_milliseconds",
       "How long the oldest record that was read has been waiting for its commit", behind_ms());
  show("pinpipe_stream_job_records_per_second", "Records committed a second, over ten seconds",
       static_cast<int64_t>(rate()));
  show("pinpipe_stream_job_following", "1 while the stream is followed, else 0",
       status_.state == StreamStatus::State::running ? 1 : 0);
  show("pinpipe_stream_job_table_files", "Live files of the stream table", status_.table_files);
}

}  // namespace pinpipe::jobs
