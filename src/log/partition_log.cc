#include "log/partition_log.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/check.h"
#include "log/cleaning.h"

namespace pinpipe::log {
namespace {

// Loose records are merged up to this size; then the next batch begins.
constexpr size_t loose_batch_bytes_max = 256 << 10;
}  // namespace

PartitionLog::PartitionLog(std::string directory, LogOptions options, LogHouse house)
    : directory_(std::move(directory)),
      house_(house),
      options_(std::make_shared<const LogOptions>(options)) {}

PartitionLog::~PartitionLog() {
  for (const SegmentPointer& segment : segments_) house_.open_files->forget(segment->path);
}

std::string PartitionLog::stem_of(const std::string& directory, Offset base, int64_t generation) {
  return generation == 0 ? fmt::format("{}/{:020}", directory, base)
                         : fmt::format("{}/{:020}-{}", directory, base, generation);
}

std::optional<Refusal> PartitionLog::refusal_locked(size_t bytes) const {
  if (closed_) return Refusal{Fault::closed, "the partition is closed"};
  if (poisoned_)
    return Refusal{Fault::storage, "the partition is read-only until restart: " + *poisoned_};
  // A batch larger than the bound is taken when it is alone.
  if (pending_bytes_ > 0 && pending_bytes_ + bytes > options_->pending_bytes_max)
    return Refusal{Fault::busy, "too much is waiting to be written"};
  return std::nullopt;
}

io::OneShot<PartitionLog::Answer> PartitionLog::append(WholeBatch batch) {
  io::OneShot<Answer> answer;
  bool start = false;
  {
    std::lock_guard lock(mutex_);
    size_t size = batch.bytes.size();
    if (auto refusal = refusal_locked(size)) {
      answer.set(std::unexpected(*refusal));
      return answer;
    }
    pending_bytes_ += size;
    Entry& entry = pending_.emplace_back();
    entry.whole = std::move(batch);
    entry.charged_bytes = size;
    entry.waiters.push_back({.answer = answer});
    start = !std::exchange(committing_, true);
  }
  if (start) start_committer();
  return answer;
}

io::OneShot<PartitionLog::Answer> PartitionLog::append(std::span<const LooseRecord> records) {
  CHECK(!records.empty(), "an append has a record");
  io::OneShot<Answer> answer;
  bool start = false;
  size_t size = 0;
  for (const LooseRecord& record : records) size += size_bound(record);
  int64_t now_ms = house_.clock.wall_ms();
  {
    std::lock_guard lock(mutex_);
    if (auto refusal = refusal_locked(size)) {
      answer.set(std::unexpected(*refusal));
      return answer;
    }
    // Arrival is decided where the order is: it never falls from one offset to the next.
    last_arrival_ms_ = std::max(last_arrival_ms_, now_ms);
    bool joins = !pending_.empty() && pending_.back().loose &&
                 pending_.back().loose->size_bytes() + size <= loose_batch_bytes_max;
    if (!joins) pending_.emplace_back().loose.emplace(size);
    Entry& entry = pending_.back();
    entry.waiters.push_back({answer, entry.loose->count(), last_arrival_ms_});
    for (const LooseRecord& record : records)
      entry.loose->add(record, record.timestamp_ms.value_or(last_arrival_ms_));
    entry.charged_bytes += size;
    pending_bytes_ += size;
    start = !std::exchange(committing_, true);
  }
  if (start) start_committer();
  return answer;
}

// On a loop the round begins when the loop has done what lies before it: all that its turn appends
// is one group, instead of the first append waking a thread for itself.
void PartitionLog::start_committer() {
  auto submit = [self = shared_from_this()]() mutable {
    io::Pool& disk = self->house_.disk;
    bool queued = disk.submit([self = std::move(self)] { self->commit_round(); });
    CHECK(queued, "the disk pool holds one commit of every partition");
  };
  if (io::Loop::on_a_loop()) return io::Loop::current().post(std::move(submit));
  submit();
}

io::OneShot<Status> PartitionLog::request(Control control) {
  io::OneShot<Status> answer = control.answer;
  bool start = false;
  {
    std::lock_guard lock(mutex_);
    if (control.kind == Control::Kind::close) closed_ = true;
    if (control.kind == Control::Kind::abandon) closed_ = abandoned_ = true;
    controls_.push_back(std::move(control));
    start = !std::exchange(committing_, true);
  }
  if (start) start_committer();
  return answer;
}

io::OneShot<Status> PartitionLog::trim(Offset offset) {
  return request({.kind = Control::Kind::trim, .first = offset, .answer = {}});
}
io::OneShot<Status> PartitionLog::retain(int64_t retention_ms, int64_t retention_bytes) {
  return request({.kind = Control::Kind::retain,
                  .first = retention_ms,
                  .second = retention_bytes,
                  .answer = {}});
}
io::OneShot<Status> PartitionLog::flush() {
  return request({.kind = Control::Kind::flush, .answer = {}});
}
io::OneShot<Result<Cleaned>> PartitionLog::clean() {
  auto cleaning = std::make_shared<LogCleaning>(*this);
  {
    std::lock_guard lock(mutex_);
    if (closed_ || cleaning_) {
      cleaning->answer().set(Error(Code::busy, "the partition is closed or being cleaned"));
      return cleaning->answer();
    }
    cleaning_ = cleaning;
  }
  (void)request({.kind = Control::Kind::plan_cleaning, .answer = {}});
  return cleaning->answer();
}

bool PartitionLog::has_dirty_segments() const {
  std::lock_guard lock(mutex_);
  return segments_.size() > 1 && segments_[segments_.size() - 2]->end > cleaned_until_;
}

io::OneShot<Status> PartitionLog::close() {
  return request({.kind = Control::Kind::close, .answer = {}});
}
io::OneShot<Status> PartitionLog::abandon() {
  return request({.kind = Control::Kind::abandon, .answer = {}});
}

void PartitionLog::set_options(LogOptions options) {
  auto replaced = std::make_shared<const LogOptions>(options);
  std::lock_guard lock(mutex_);
  options_.swap(replaced);
}

Range PartitionLog::range() const {
  std::lock_guard lock(mutex_);
  return {start_, high_watermark_};
}

uint64_t PartitionLog::size_bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t size = 0;
  for (const SegmentPointer& segment : segments_) size += segment->size_bytes;
  return size;
}

bool PartitionLog::is_poisoned() const {
  std::lock_guard lock(mutex_);
  return poisoned_.has_value();
}

bool PartitionLog::is_closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

EpochStart PartitionLog::end_of_epoch(int32_t epoch) const {
  auto after = std::ranges::upper_bound(epochs_, epoch, {}, &EpochStart::epoch);
  if (after == epochs_.begin()) return {-1, -1};
  Offset end = after == epochs_.end() ? range().high_watermark : after->start;
  return {std::prev(after)->epoch, end};
}

std::shared_ptr<const LogOptions> PartitionLog::options() const {
  std::lock_guard lock(mutex_);
  return options_;
}

}  // namespace pinpipe::log
