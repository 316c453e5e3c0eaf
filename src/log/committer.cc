// The committer's side of a partition: the only code that writes its files. One runs at a time.
#include <algorithm>
#include <limits>
#include <ranges>

#include "base/check.h"
#include "base/log_line.h"
#include "base/spare.h"
#include "log/cleaning.h"
#include "log/partition_log.h"

namespace pinpipe::log {

// What becomes one write and one sync. A thread of the pool has one for its buffers.
struct PartitionLog::Group {
  static constexpr size_t kept_members_max = 1'024;

  struct Written {
    BatchHeader header;
    uint64_t position;
  };
  struct Member {
    Entry* entry;
    Answer outcome;
  };

  std::span<Entry> entries;
  std::vector<Member> members;      // one per entry
  std::vector<std::string> sealed;  // the bytes of loose batches, longer than a string holds inside
  std::vector<std::string_view> pieces;
  std::vector<Written> written;
  std::vector<std::pair<int64_t, std::optional<Producer>>> producers_before;
  Offset first_offset = 0;
  uint64_t position = 0;
  uint64_t size_bytes = 0;
  size_t charged_bytes = 0;
  io::Wakes wakes;

  void clear() {
    auto empty = [](auto& list) {
      list.clear();
      if (list.capacity() > kept_members_max) list.shrink_to_fit();
    };
    empty(members);
    empty(sealed);
    empty(pieces);
    empty(written);
    empty(producers_before);
    entries = {};
    size_bytes = charged_bytes = 0;
  }
};

namespace {

constexpr size_t kept_entries_max = 64;  // of a partition: room for them is kept between rounds

size_t size_of_entry(const WholeBatch& whole, const std::optional<BatchBuilder>& loose) {
  return loose ? loose->size_bytes() : whole.bytes.size();
}

Refusal storage_refusal(const Error& error) {
  return {Fault::storage, error.text()};
}

}  // namespace

void PartitionLog::commit_round() {
  std::vector<Control> controls;
  bool abandoned = false;
  {
    std::lock_guard lock(mutex_);
    entries_.swap(pending_);
    controls.swap(controls_);
    abandoned = abandoned_;
  }
  if (abandoned)
    refuse(entries_, {Fault::closed, "the topic is deleted"});
  else
    commit_all(entries_);
  entries_.clear();
  if (entries_.capacity() > kept_entries_max) std::vector<Entry>().swap(entries_);
  io::Wakes wakes;
  for (Control& control : controls) {
    if (control.ends() && postpone(control)) continue;
    control.answer.set(run_control(control), wakes);
  }
  bool more = false;
  {
    std::lock_guard lock(mutex_);
    more = !pending_.empty() || !controls_.empty();
    if (!more) committing_ = false;
  }
  wakes.send();
  // Through the queue again, so that a busy partition does not keep a thread from the others.
  if (more) start_committer();
}

void PartitionLog::commit_all(std::span<Entry> entries) {
  std::shared_ptr<const LogOptions> options;
  {
    std::lock_guard lock(mutex_);
    options = options_;
  }
  Spare<Group, 1> group;
  while (!entries.empty()) {
    size_t next_bytes = size_of_entry(entries.front().whole, entries.front().loose);
    if (Status ready = make_room(next_bytes, *options); !ready) {
      refuse(entries, storage_refusal(ready.error()));
      return;
    }
    group->clear();
    entries = entries.subspan(stage(*group, entries, *options));
    if (Status written = write(*group, *options); !written)
      undo(*group, storage_refusal(written.error()));
    else
      publish(*group);
    if (segments_.back()->size_bytes - checkpointed_bytes_ >= options->checkpoint_bytes)
      (void)advance_checkpoint(false);
  }
}

Status PartitionLog::make_room(size_t next_bytes, const LogOptions& options) {
  {
    std::lock_guard lock(mutex_);
    if (poisoned_) return Error(Code::unavailable, *poisoned_);
  }
  if (Status marked = mark_dirty(); !marked) return marked;
  const Segment& active = *segments_.back();
  bool full = active.size_bytes > 0 && active.size_bytes + next_bytes > options.segment_bytes;
  bool old =
      active.size_bytes > 0 && house_.clock.wall_ms() - active_since_ms_ >= options.segment_ms;
  bool far = next_offset_ - active.base > std::numeric_limits<int32_t>::max() / 2;
  return full || old || far ? roll() : Status{};
}

size_t PartitionLog::stage(Group& group, std::span<Entry> entries, const LogOptions& options) {
  group.first_offset = next_offset_;
  group.position = segments_.back()->size_bytes;
  size_t count = 0;
  for (; count < entries.size(); ++count) {
    size_t size = size_of_entry(entries[count].whole, entries[count].loose);
    if (count > 0 && group.position + group.size_bytes + size > options.segment_bytes) break;
    stage_one(group, entries[count], options);
  }
  group.entries = entries.first(count);
  return count;
}

void PartitionLog::stage_one(Group& group, Entry& entry, const LogOptions& options) {
  group.charged_bytes += entry.charged_bytes;
  std::span<char> bytes = entry.whole.bytes;
  BatchHeader header = entry.whole.header;
  if (entry.loose) {
    std::string& sealed = group.sealed.emplace_back(std::move(*entry.loose).finish());
    bytes = sealed;
    header = read_header(sealed);
  }
  Group::Member& member = group.members.emplace_back(&entry, Appended{});
  auto verdict = producers_.check(header);
  if (auto* refusal = std::get_if<Refusal>(&verdict)) {
    member.outcome = std::unexpected(std::move(*refusal));
    return;
  }
  if (auto* before = std::get_if<ProducerBatch>(&verdict)) {
    // Its original may be in this very group: then both wait for the same write.
    member.outcome = Appended{.base = before->base_offset,
                              .append_time_ms = options.append_time ? before->timestamp_ms : -1,
                              .duplicate = true};
    return;
  }
  int64_t now_ms = options.append_time ? stamp_ms() : house_.clock.wall_ms();
  header.base_offset = next_offset_;
  assign(bytes, next_offset_, epochs_.back().epoch);
  if (options.append_time) {
    stamp_append_time(bytes, now_ms);
    header.attributes |= log_append_time_bit;
    header.max_timestamp_ms = now_ms;
  }
  if (header.producer_id >= 0) {
    auto found = producers_.all().find(header.producer_id);
    std::optional<Producer> before;
    if (found != producers_.all().end()) before = found->second;
    group.producers_before.emplace_back(header.producer_id, std::move(before));
    producers_.note(header, next_offset_, now_ms);
  }
  member.outcome =
      Appended{.base = next_offset_, .append_time_ms = options.append_time ? now_ms : -1};
  group.written.push_back({header, group.position + group.size_bytes});
  group.pieces.emplace_back(bytes.data(), bytes.size());
  group.size_bytes += bytes.size();
  next_offset_ += header.last_offset_delta + 1;
}

// The broker's time for a record: it never falls from one offset to the next, whatever the clock.
int64_t PartitionLog::stamp_ms() {
  stamped_ms_ = std::max(stamped_ms_, house_.clock.wall_ms());
  return stamped_ms_;
}

Status PartitionLog::write(Group& group, const LogOptions& options) {
  if (group.pieces.empty()) return {};
  auto file = file_of(*segments_.back());
  if (!file) return file.error();
  if (Status written = (*file)->write_at(group.pieces, group.position); !written) {
    // What of it is on disk must not be found by recovery behind later batches.
    if (Status cut = (*file)->truncate(group.position); !cut) return poison(cut.error());
    return written;
  }
  unsynced_.store(true, std::memory_order_relaxed);
  if (options.sync != Sync::always) return {};
  return sync_active();
}

Status PartitionLog::sync_active() {
  auto file = file_of(*segments_.back());
  if (!file) return poison(file.error());
  // After a failed sync nobody knows what is on disk, and trying again would only seem to work.
  if (Status synced = (*file)->sync(); !synced) return poison(synced.error());
  unsynced_.store(false, std::memory_order_relaxed);
  return {};
}

Status PartitionLog::poison(const Error& error) {
  log_error("log", "a partition takes no more records until restart",
            {{"directory", directory_}, {"reason", error.text()}});
  std::lock_guard lock(mutex_);
  if (!poisoned_) poisoned_ = error.text();
  return error;
}

void PartitionLog::undo(Group& group, const Refusal& refusal) {
  log_warn("log", "a write failed", {{"directory", directory_}, {"reason", refusal.text}});
  next_offset_ = group.first_offset;
  for (auto& [id, before] : std::views::reverse(group.producers_before)) {
    if (before)
      producers_.put(id, std::move(*before));
    else
      producers_.erase(id);
  }
  refuse(group.entries, refusal);
}

void PartitionLog::refuse(std::span<Entry> entries, const Refusal& refusal) {
  size_t charged = 0;
  io::Wakes wakes;
  for (Entry& entry : entries) {
    charged += entry.charged_bytes;
    for (Waiter& waiter : entry.waiters) waiter.answer.set(std::unexpected(refusal), wakes);
  }
  std::lock_guard lock(mutex_);
  pending_bytes_ -= charged;
}

void PartitionLog::publish(Group& group) {
  Offset log_start = 0;
  {
    std::lock_guard lock(mutex_);
    Segment& active = *segments_.back();
    active.size_bytes = group.position + group.size_bytes;
    active.end = next_offset_;
    for (const Group::Written& batch : group.written) {
      active_index_->note(active.base, batch.header, batch.position,
                          options_->index_interval_bytes);
    }
    active.max_timestamp_ms = active_index_->max_timestamp_ms();
    high_watermark_ = next_offset_;
    pending_bytes_ -= group.charged_bytes;
    log_start = start_;
  }
  for (Group::Member& member : group.members) {
    for (Waiter& waiter : member.entry->waiters) {
      Answer answer = member.outcome;
      if (answer) {
        answer->base += waiter.first_delta;
        answer->log_start = log_start;
        if (waiter.arrival_ms >= 0 && answer->append_time_ms < 0)
          answer->append_time_ms = waiter.arrival_ms;
      }
      waiter.answer.set(std::move(answer), group.wakes);
    }
  }
  if (!group.written.empty()) grown_.notify_all(group.wakes);
  group.wakes.send();
}

// Bounds what is read again after a crash. Failing costs time then, nothing else.
Status PartitionLog::advance_checkpoint(bool clean) {
  if (unsynced_.load(std::memory_order_relaxed)) {
    if (Status synced = sync_active(); !synced) return synced;
  }
  write_index_files(*segments_.back(), *active_index_);
  checkpointed_bytes_ = segments_.back()->size_bytes;
  checkpointed_offset_ = next_offset_;
  Status noted = write_checkpoint(clean);
  if (!noted)
    log_warn("log", "a checkpoint failed",
             {{"directory", directory_}, {"reason", noted.error().text()}});
  return noted;
}

// The first write after opening: from here on a start without close is an unclean one.
Status PartitionLog::mark_dirty() {
  if (marked_dirty_) return {};
  bool is_new = !house_.files.exists(directory_ + "/checkpoint");
  if (Status made = house_.files.make_directories(directory_); !made) return made;
  auto file = file_of(*segments_.back(), io::OpenMode::create);
  if (!file) return file.error();
  std::optional<SegmentIndex> index;
  if (!active_index_) {
    auto loaded = load_index(*segments_.back(), segments_.back()->size_bytes);
    if (!loaded) return loaded.error();
    index = std::move(*loaded);
  }
  if (Status written = write_checkpoint(false); !written) return written;
  if (is_new) {
    std::string parent = io::parent_directory(directory_);
    for (int level = 0; level < 3; ++level, parent = io::parent_directory(parent)) {
      if (Status synced = house_.files.sync_directory(parent); !synced) return synced;
    }
  }
  std::lock_guard lock(mutex_);
  if (index) active_index_ = std::move(*index);
  active_since_ms_ = house_.clock.wall_ms();
  marked_dirty_ = unclosed_ = true;
  return {};
}

Status PartitionLog::roll() {
  if (unsynced_.load(std::memory_order_relaxed)) {
    if (Status synced = sync_active(); !synced) return synced;
  }
  write_index_files(*segments_.back(), *active_index_);
  auto next = std::make_shared<Segment>();
  next->base = next_offset_;
  next->end = next_offset_;
  next->set_stem(stem_of(directory_, next_offset_, 0));
  auto file = file_of(*next, io::OpenMode::create);
  if (!file) return file.error();
  if (Status synced = house_.files.sync_directory(directory_); !synced) return synced;
  {
    std::lock_guard lock(mutex_);
    segments_.push_back(next);
    active_index_.emplace();
  }
  active_since_ms_ = house_.clock.wall_ms();
  checkpointed_bytes_ = 0;
  checkpointed_offset_ = next_offset_;
  if (Status noted = write_checkpoint(false); !noted)
    log_warn("log", "a checkpoint failed",
             {{"directory", directory_}, {"reason", noted.error().text()}});
  return {};
}

// Failing is no harm: the files are rebuilt from the segment when they are missing.
void PartitionLog::write_index_files(const Segment& segment, const SegmentIndex& index) {
  auto put = [&](const std::string& path, const std::string& bytes) {
    auto file = house_.files.open(path, io::OpenMode::create);
    if (!file) return false;
    return (*file)->truncate(0) && (*file)->write_at(bytes, 0) && (*file)->sync();
  };
  auto last = static_cast<int32_t>(segment.end - segment.base - 1);
  if (put(segment.stem + ".index", index.offsets_bytes()) &&
      put(segment.stem + ".timeindex", index.times_bytes(last)))
    return;
  (void)house_.files.remove(segment.stem + ".index");
  (void)house_.files.remove(segment.stem + ".timeindex");
}

Status PartitionLog::write_checkpoint(bool clean) {
  producers_.expire(house_.clock.wall_ms() - options()->producer_expiry_ms);
  const Segment& active = *segments_.back();
  Checkpoint checkpoint;
  for (size_t i = 0; i + 1 < segments_.size(); ++i)
    checkpoint.closed.push_back({segments_[i]->base, segments_[i]->size_bytes,
                                 segments_[i]->max_timestamp_ms, segments_[i]->generation});
  {
    std::lock_guard lock(mutex_);
    checkpoint.start = start_;
    checkpoint.cleaned_until = cleaned_until_;
  }
  checkpoint.epochs = epochs_;
  checkpoint.recovery_base = active.base;
  checkpoint.recovery_position = checkpointed_bytes_;
  checkpoint.recovery_offset = checkpointed_offset_;
  checkpoint.producers = producers_;
  if (clean) checkpoint.clean = {next_offset_, active.size_bytes};
  return house_.files.replace(directory_ + "/checkpoint", checkpoint.text());
}

// What ends the partition's use of its files waits for a cleaning under way, which sees that the
// log is closed and stops at its next batch.
bool PartitionLog::postpone(const Control& control) {
  std::lock_guard lock(mutex_);
  if (cleaning_) ends_.push_back(control);
  return cleaning_ != nullptr;
}

Status PartitionLog::run_control(const Control& control) {
  if (control.kind == Control::Kind::plan_cleaning || control.kind == Control::Kind::install) {
    std::shared_ptr<LogCleaning> cleaning;
    {
      std::lock_guard lock(mutex_);
      cleaning = cleaning_;
    }
    if (control.kind == Control::Kind::plan_cleaning)
      cleaning->plan();
    else
      cleaning->install();
    return {};
  }
  if (control.kind == Control::Kind::abandon) {
    grown_.notify_all();
    return {};
  }
  if (control.kind == Control::Kind::close) return close_now();
  {
    std::lock_guard lock(mutex_);
    if (abandoned_) return Error(Code::not_found, "the topic is deleted");
    if (poisoned_) return Error(Code::unavailable, *poisoned_);
  }
  switch (control.kind) {
    case Control::Kind::trim:
      return trim_now(control.first);
    case Control::Kind::retain:
      return retain_now(control.first, control.second);
    default:
      return unsynced_.load(std::memory_order_relaxed) ? sync_active() : Status{};
  }
}

Status PartitionLog::close_now() {
  grown_.notify_all();
  {
    std::lock_guard lock(mutex_);
    if (poisoned_) return Error(Code::unavailable, *poisoned_);
  }
  if (!unclosed_) return {};
  Status noted = advance_checkpoint(true);
  if (noted) marked_dirty_ = unclosed_ = false;
  return noted;
}

}  // namespace pinpipe::log
