// ObjectSink's way from a closed file to a committed position, and its controls.
#include <algorithm>
#include <fmt/format.h>

#include "base/log_line.h"
#include "codec/compression.h"
#include "sink/follower.h"
#include "sink/object_sink.h"

namespace pinpipe::sink {
namespace {

constexpr Millis clock_step{100};
constexpr Millis first_pause{50};
constexpr int64_t day_ms = 86'400'000;

}  // namespace

io::Task<> ObjectSink::upload(std::shared_ptr<Follower> follower, std::shared_ptr<Upload> upload) {
  Follower& f = *follower;
  Status done = co_await keep_boundary(f, *upload);
  if (done) done = co_await put_all(f, *upload);
  parts_.memory->give_back(upload->bytes);
  parts_.memory->end_upload();
  --uploads_;
  --f.uploading;
  f.idle.notify_all();
  upload->done = done.has_value();
  if (done) advance(f);
  if (!done) fail(f, done.error());
  if (stopping_) durable_.notify_all();
}

// A file after one that the clock ended has the right place only once that end is remembered.
io::Task<Status> ObjectSink::keep_boundary(Follower& f, const Upload& upload) {
  while (f.boundaries_durable < upload.boundaries_before) {
    uint64_t seen = f.boundary_written.version();
    if (f.boundary_failed) co_return Error(Code::cancelled, "an earlier file failed");
    Status waited = co_await f.boundary_written.wait_beyond(seen, io::never);
    if (!waited) co_return waited;
  }
  if (!upload.by_clock) co_return Status{};
  Boundary boundary{upload.end, goes_by_wall_clock() ? upload.last_path : std::string()};
  Status kept = co_await parts_.disk.run(
      [&] { return parts_.state.keep_boundary(f.who, upload.from, boundary); });
  if (kept) ++f.boundaries_durable;
  if (!kept) f.boundary_failed = true;
  f.boundary_written.notify_all();
  co_return kept;
}

io::Task<Status> ObjectSink::put_all(const Follower& follower, Upload& upload) {
  for (auto& [path, file] : upload.files) {
    std::string bytes = std::move(file.bytes);
    if (config_.gzip) {
      auto packed =
          co_await parts_.disk.run([&] { return codec::compress(codec::Codec::gzip, bytes); });
      if (!packed) co_return packed.error();
      bytes = std::move(*packed);
    }
    Status stored =
        co_await put(config_.key_of(follower.who.topic, follower.who.partition, file.first, path),
                     std::move(bytes));
    if (!stored) co_return stored;
  }
  co_return Status{};
}

io::Task<Status> ObjectSink::put(std::string key, std::string bytes) {
  Millis pause = first_pause;
  while (true) {
    objects::Attributes attributes;
    objects::Condition always;
    auto stored = co_await parts_.objects.put(config_.bucket, key, bytes, std::move(attributes),
                                              std::move(always));
    if (stored) co_return Status{};
    if (!is_passing(stored.error().code())) co_return stored.error();
    log_warn("sink", "an object cannot be stored yet",
             {{"connector", config_.name}, {"key", key}, {"reason", stored.error().text()}});
    uint64_t seen = control_.version();
    if (stopping_) co_return Error(Code::cancelled, "the connector ends");
    (void)co_await control_.wait_beyond(seen, io::after(pause));
    pause = std::min(pause * 2, Millis(config_.retry_backoff_ms));
  }
}

void ObjectSink::advance(Follower& follower) {
  int64_t before = follower.durable;
  while (!follower.uploads.empty() && follower.uploads.front()->done) {
    const Upload& first = *follower.uploads.front();
    follower.durable = first.end;
    follower.durable_totals.records += first.records;
    follower.durable_totals.objects += static_cast<int64_t>(first.files.size());
    follower.durable_totals.skipped += first.skipped;
    follower.uploads.pop_front();
  }
  // Nothing is left but records that were skipped: the position may pass them.
  if (follower.uploads.empty() && follower.file.records == 0 && follower.next > follower.durable) {
    follower.durable = follower.next;
    follower.durable_totals.skipped += follower.file.skipped;
    follower.file = Upload{};
    follower.file.from = follower.file.end = follower.next;
  }
  if (follower.durable > before) durable_.notify_all();
}

// Until the sink is stopping and nothing is left to commit.
io::Task<> ObjectSink::commit_all() {
  Millis pause = first_pause;
  while (true) {
    uint64_t seen = durable_.version();
    Status done = co_await commit_once();
    if (stopping_ && uploads_ == 0 && (!done || durable_.version() == seen)) co_return;
    if (done) {
      pause = first_pause;
      (void)co_await durable_.wait_beyond(seen, io::never);
      continue;
    }
    log_warn("sink", "positions cannot be committed yet",
             {{"connector", config_.name}, {"reason", done.error().text()}});
    uint64_t told = control_.version();
    if (!stopping_) (void)co_await control_.wait_beyond(told, io::after(pause));
    if (stopping_ && uploads_ > 0) (void)co_await durable_.wait_beyond(seen, io::never);
    pause = std::min(pause * 2, Millis(config_.retry_backoff_ms));
  }
}

io::Task<Status> ObjectSink::commit_once() {
  struct Moved {
    std::shared_ptr<Follower> follower;
    int64_t offset;
    Totals totals;
  };
  std::vector<Moved> moved;
  std::map<broker::TopicPartition, broker::Position> positions;
  for (const auto& [where, follower] : followers_) {
    if (!follower->begun || follower->abandoned || follower->durable == follower->committed)
      continue;
    moved.push_back({follower, follower->durable, follower->durable_totals});
    positions[where] = {follower->durable, follower->durable_totals.text()};
  }
  if (moved.empty()) co_return Status{};
  Status committed = co_await parts_.topics.commit(group(), std::move(positions));
  if (!committed) co_return committed;
  for (const Moved& one : moved) {
    one.follower->committed = one.offset;
    one.follower->committed_totals = one.totals;
  }
  progress_.notify_all();
  for (const Moved& one : moved) {
    if (one.follower->boundaries == 0 && one.follower->known_ends.empty()) continue;
    Status forgotten = co_await parts_.disk.run(
        [&] { return parts_.state.forget_boundaries(one.follower->who, one.offset); });
    if (!forgotten) co_return forgotten;
    std::erase_if(one.follower->known_ends,
                  [&](const auto& end) { return end.first <= one.offset; });
  }
  co_return Status{};
}

int64_t ObjectSink::closes_at_ms(const Follower& follower) const {
  int64_t at = INT64_MAX;
  if (config_.file_age_ms_max > 0) at = follower.opened_steady_ms + config_.file_age_ms_max;
  if (config_.rotate_schedule_interval_ms > 0) {
    int64_t interval = config_.rotate_schedule_interval_ms;
    int64_t local =
        follower.opened_wall_ms + config_.timezone(follower.opened_wall_ms / 1'000) * 1'000LL;
    int64_t of_day = local % day_ms;
    at = std::min(at, follower.opened_steady_ms + interval - of_day % interval);
  }
  if (goes_by_wall_clock() && config_.rotate_interval_ms > 0)
    at = std::min(at, follower.opened_steady_ms + config_.rotate_interval_ms);
  return at;
}

io::Task<> ObjectSink::watch_clock() {
  if (config_.file_age_ms_max <= 0 && config_.rotate_schedule_interval_ms <= 0 &&
      !goes_by_wall_clock())
    co_return;
  while (co_await io::sleep_for(clock_step)) close_due_files_now();
}

void ObjectSink::close_due_files_now() {
  for (const auto& [where, follower] : followers_) {
    const Upload& file = follower->file;
    if (file.records == 0 || is_stopped(*follower)) continue;
    if (closes_at_ms(*follower) <= parts_.clock.steady_ms() ||
        (goes_by_wall_clock() && file.last_path != path_at(*follower, parts_.clock.wall_ms())))
      close_file(follower, true);
  }
}

template <class F>
io::Task<std::invoke_result_t<F>> ObjectSink::on_own_loop(F function) {
  using Value = std::invoke_result_t<F>;
  io::OneShot<Value> done;
  parts_.loop.post([done, function = std::move(function)]() mutable { done.set(function()); });
  auto value = co_await done.wait();
  CHECK(value.has_value() || value.error().code() == Code::cancelled, "the sink's loop answers");
  co_return value ? std::move(*value) : Value{};
}

io::Task<SinkStatus> ObjectSink::status() {
  co_return co_await on_own_loop([this] { return status_now(); });
}

io::Task<> ObjectSink::pause() {
  (void)co_await on_own_loop([this] {
    paused_ = true;
    return true;
  });
}

io::Task<> ObjectSink::resume() {
  (void)co_await on_own_loop([this] {
    paused_ = false;
    control_.notify_all();
    return true;
  });
}

io::Task<> ObjectSink::close_due_files() {
  (void)co_await on_own_loop([this] {
    if (scope_ != nullptr) close_due_files_now();
    return true;
  });
}

io::Task<> ObjectSink::restart(std::optional<int> task) {
  (void)co_await on_own_loop([this, task] {
    if (scope_ == nullptr) return false;
    for (size_t id = 0; id < tasks_.size(); ++id) {
      if (task ? static_cast<int>(id) != *task : !tasks_[id].failed) continue;
      tasks_[id] = {};
      for (auto& [where, slot] : followers_) {
        if (slot->task != static_cast<int>(id)) continue;
        auto fresh = std::make_shared<Follower>();
        fresh->who = slot->who;
        fresh->incarnation = slot->incarnation;
        fresh->task = slot->task;
        fresh->predecessor = slot;
        abandon(*slot);
        slot = fresh;
        scope_->spawn("sink follower", follow(fresh));
      }
    }
    control_.notify_all();
    return true;
  });
}

io::Task<Status> ObjectSink::flush(io::Instant deadline) {
  bool paused = co_await on_own_loop([this] { return paused_; });
  if (paused)
    co_return Error(Code::conflict, "connector " + config_.name + " is paused; resume it first");
  std::vector<broker::TopicPartition> which = co_await on_own_loop([this] {
    std::vector<broker::TopicPartition> all;
    for (const auto& [where, follower] : followers_) all.push_back(where);
    return all;
  });
  std::map<broker::TopicPartition, int64_t> targets;
  for (const broker::TopicPartition& where : which) {
    auto range = co_await parts_.topics.range(where.topic, where.partition);
    if (range) targets[where] = range->high_watermark;
  }
  co_await on_own_loop([this, targets] {
    if (scope_ == nullptr) return false;
    for (const auto& [where, target] : targets) {
      auto& follower = followers_.at(where);
      if (follower->next >= target) {
        close_file(follower, true);
      } else {
        follower->flush_to = target;
      }
    }
    return true;
  });
  while (true) {
    uint64_t seen = progress_.version();
    Status so_far = co_await on_own_loop([this, targets]() -> Status {
      if (ended_) return Error(Code::unavailable, "the connector was stopped");
      for (const auto& [where, target] : targets) {
        const Follower& follower = *followers_.at(where);
        if (follower.abandoned) continue;  // its topic is gone
        const TaskState& task = tasks_[static_cast<size_t>(follower.task)];
        if (follower.committed < target && task.failed) return Error(Code::unavailable, task.trace);
        if (follower.committed < target) return Error(Code::busy, "not yet");
      }
      return {};
    });
    if (so_far || so_far.error().code() != Code::busy) co_return so_far;
    Status waited = co_await progress_.wait_beyond(seen, deadline);
    if (!waited) co_return waited.error().with("flush of connector " + config_.name);
  }
}

PartitionStatus ObjectSink::status_of(const Follower& follower) const {
  PartitionStatus status;
  status.topic = follower.who.topic;
  status.partition = follower.who.partition;
  status.committed = follower.committed;
  status.high_watermark = follower.high_watermark;
  status.open_records = follower.file.records;
  if (follower.file.records > 0 && closes_at_ms(follower) != INT64_MAX)
    status.closes_in_ms = std::max<int64_t>(0, closes_at_ms(follower) - parts_.clock.steady_ms());
  status.waiting_for = waiting_for(follower);
  status.records = follower.committed_totals.records;
  status.objects = follower.committed_totals.objects;
  status.skipped = follower.committed_totals.skipped;
  return status;
}

SinkStatus ObjectSink::status_now() const {
  SinkStatus status;
  status.name = config_.name;
  status.state = paused_ ? "PAUSED" : "RUNNING";
  for (size_t id = 0; id < tasks_.size(); ++id) {
    TaskStatus& task = status.tasks.emplace_back();
    task.id = static_cast<int>(id);
    task.state = tasks_[id].failed ? "FAILED" : status.state;
    task.trace = tasks_[id].trace;
    for (const auto& [where, follower] : followers_) {
      if (follower->task == task.id) task.partitions.push_back(status_of(*follower));
    }
  }
  if (const Follower* most = fullest(); most != nullptr) status.waiting_for = waiting_for(*most);
  return status;
}

const ObjectSink::Follower* ObjectSink::fullest() const {
  const Follower* most = nullptr;
  for (const auto& [where, follower] : followers_) {
    if (follower->file.records > 0 &&
        (most == nullptr || follower->file.records > most->file.records))
      most = follower.get();
  }
  return most;
}

// What it takes until the open file becomes an object.
std::string ObjectSink::waiting_for(const Follower& follower) const {
  if (follower.file.records == 0) return {};
  std::string text = fmt::format("{} of {} records", follower.file.records, config_.flush_size);
  int64_t at = closes_at_ms(follower);
  if (at != INT64_MAX)
    text += fmt::format(", {} s left",
                        std::max<int64_t>(0, at - parts_.clock.steady_ms() + 999) / 1'000);
  return text;
}

}  // namespace pinpipe::sink
