#include "log/partition_log.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/check.h"
#include "log/cleaning.h"
#include "log/segment_scan.h"

namespace pinpipe::log {
namespace {

// Loose records are merged up to this size; then the next batch begins.
constexpr size_t loose_batch_bytes_max = 256 << 10;
constexpr size_t records_bytes_max = 256 << 20;

Error outside(Offset from, const Range& range) {
  return Error(Code::invalid, "offset " + std::to_string(from) + " is outside the range " +
                                  std::to_string(range.start) + " to " +
                                  std::to_string(range.high_watermark));
}

}  // namespace

PartitionLog::PartitionLog(std::string directory, LogOptions options, LogHouse house)
    : directory_(std::move(directory)),
      house_(house),
      options_(std::make_shared<const LogOptions>(options)) {}

PartitionLog::~PartitionLog() {
  for (const SegmentPointer& segment : segments_) house_.open_files->forget(segment->path());
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
    if (!joins) pending_.emplace_back().loose = std::make_unique<BatchBuilder>(size);
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

void PartitionLog::start_committer() {
  bool queued = house_.disk.submit([self = shared_from_this()] { self->commit_round(); });
  CHECK(queued, "the disk pool holds one commit of every partition");
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

// Segments begin where the one before ended, so the last that begins at or before it holds it.
PartitionLog::SegmentPointer PartitionLog::segment_of_locked(Offset offset) const {
  auto after = std::ranges::upper_bound(
      segments_, offset, {}, [](const SegmentPointer& segment) { return segment->base; });
  return after == segments_.begin() ? segments_.front() : *std::prev(after);
}

bool PartitionLog::has(const SegmentPointer& segment) const {
  std::lock_guard lock(mutex_);
  return segment_of_locked(segment->base) == segment;
}

std::shared_ptr<const LogOptions> PartitionLog::options() const {
  std::lock_guard lock(mutex_);
  return options_;
}

Result<std::shared_ptr<io::File>> PartitionLog::file_of(const Segment& segment, io::OpenMode mode) {
  return house_.open_files->get(segment.path(), mode);
}

Result<SegmentIndex> PartitionLog::load_index(const Segment& segment, uint64_t size_bytes) {
  auto offsets = house_.files.read_all(segment.stem + ".index");
  auto times = house_.files.read_all(segment.stem + ".timeindex");
  if (offsets && times) {
    if (auto index = SegmentIndex::from_bytes(*offsets, *times, size_bytes))
      return *std::move(index);
  }
  auto file = file_of(segment);
  if (!file) return file.error();
  SegmentIndex rebuilt;
  uint64_t interval_bytes = options()->index_interval_bytes;
  ScanFrom from{.position = 0, .until = size_bytes, .offset_least = segment.base};
  auto end =
      scan(**file, from, [&](const BatchHeader& header, uint64_t position, std::string_view) {
        rebuilt.note(segment.base, header, position, interval_bytes);
        return true;
      });
  if (!end) return end.error();
  return rebuilt;
}

Result<std::shared_ptr<const SegmentIndex>> PartitionLog::index_of(const SegmentPointer& segment) {
  uint64_t size_bytes = 0;
  {
    std::lock_guard lock(mutex_);
    for (const KeptIndex& kept : kept_indexes_) {
      if (kept.segment == segment) return kept.index;
    }
    size_bytes = segment->size_bytes;
  }
  auto loaded = load_index(*segment, size_bytes);
  if (!loaded) return loaded.error();
  auto index = std::make_shared<const SegmentIndex>(std::move(*loaded));
  std::lock_guard lock(mutex_);
  if (kept_indexes_.size() == kept_indexes_max) kept_indexes_.erase(kept_indexes_.begin());
  kept_indexes_.push_back({segment, index});
  return index;
}

Result<Slice> PartitionLog::read(Offset from, size_t bytes_max) {
  const Offset asked = from;
  while (true) {
    SegmentPointer segment;
    uint64_t until = 0;
    Offset end = 0;
    std::optional<uint64_t> position;
    {
      std::lock_guard lock(mutex_);
      Range range{start_, high_watermark_};
      if (asked < range.start || asked > range.high_watermark) return outside(asked, range);
      if (from == range.high_watermark) return Slice{};
      segment = segment_of_locked(from);
      until = segment->size_bytes;
      end = segment->end;
      if (segment == segments_.back() && active_index_)
        position = active_index_->position_of(static_cast<int32_t>(from - segment->base));
    }
    Result<Slice> slice = Slice{};
    if (!position) {
      auto index = index_of(segment);
      if (index)
        position = (*index)->position_of(static_cast<int32_t>(from - segment->base));
      else
        slice = index.error();
    }
    if (position) slice = read_from(*segment, *position, until, from, bytes_max);
    if (!slice) {
      // The segment may have been dropped or cleaned between the look at the list and the read.
      if (!has(segment)) continue;
      return slice.error().with(segment->path());
    }
    if (!slice->bytes().empty()) return slice;
    from = std::max(from + 1, end);  // compaction left nothing behind `from` in this segment
  }
}

Result<Slice> PartitionLog::read_from(const Segment& segment, uint64_t position, uint64_t until,
                                      Offset from, size_t bytes_max) {
  constexpr size_t slack_bytes = 8192;  // the index leads to a place a little before
  auto file = file_of(segment);
  if (!file) return file.error();
  Slice slice;
  auto fill = [&](size_t count) -> Status {
    Status outcome;
    slice.buffer.resize_and_overwrite(count, [&](char* at, size_t size) {
      auto got = (*file)->read_at(std::span(at, size), position);
      if (!got) outcome = got.error();
      return got ? *got : 0;
    });
    return outcome;
  };
  if (Status filled = fill(std::min<uint64_t>(until - position, bytes_max + slack_bytes)); !filled)
    return filled.error();
  size_t at = 0;  // of the batch that is looked at
  size_t end = 0;
  bool found = false;
  while (position + at < until) {
    std::string_view rest = std::string_view(slice.buffer).substr(at);
    size_t size = header_bytes;
    if (rest.size() >= header_bytes) {
      BatchHeader header = read_header(rest);
      if (!header.has_sane_length())
        return Error(Code::corrupt, "no batch at byte " + std::to_string(position + at));
      size = header.size_bytes();
    }
    if (found && at + size - slice.from > bytes_max) break;
    if (rest.size() < size) {
      if (found) break;
      if (position + at + size > until || size > stored_batch_bytes_max)
        return Error(Code::corrupt,
                     "a batch at byte " + std::to_string(position + at) + " goes beyond the end");
      // The first batch alone is larger than what was asked for: it is given whole.
      position += at;
      at = 0;
      if (Status filled = fill(size); !filled) return filled.error();
      if (slice.buffer.size() < size)
        return Error(Code::corrupt, "the file is shorter than it was");
      continue;
    }
    std::string_view batch = rest.substr(0, size);
    if (read_header(batch).last_offset() >= from) {
      if (!crc_holds(batch))
        return Error(Code::corrupt, "the batch at byte " + std::to_string(position + at) +
                                        " is not what was written");
      if (!found) slice.from = at;
      found = true;
      end = at + size;
    }
    at += size;
  }
  slice.buffer.resize(end);
  if (!found) slice.from = 0;
  return slice;
}

Result<std::optional<TimedOffset>> PartitionLog::search(const SegmentPointer& segment,
                                                        uint64_t until, int64_t timestamp_ms) {
  std::optional<uint64_t> position;
  Offset start = 0;
  {
    std::lock_guard lock(mutex_);
    start = start_;
    if (segment == segments_.back() && active_index_)
      position = active_index_->position_of(active_index_->before_time(timestamp_ms));
  }
  if (!position) {
    auto index = index_of(segment);
    if (!index) return index.error();
    position = (*index)->position_of((*index)->before_time(timestamp_ms));
  }
  auto file = file_of(*segment);
  if (!file) return file.error();
  std::optional<TimedOffset> found;
  Status failure;
  ScanFrom from{.position = *position, .until = until, .offset_least = segment->base};
  std::string scratch;
  auto end = scan(**file, from, [&](const BatchHeader& header, uint64_t, std::string_view batch) {
    if (header.max_timestamp_ms < timestamp_ms || header.last_offset() < start) return true;
    auto records = records_of(batch, records_bytes_max, scratch);
    if (!records) {
      failure = records.error();
      return false;
    }
    RecordCursor cursor(header, *records);
    for (RecordView record; cursor.next(record);) {
      if (record.timestamp_ms < timestamp_ms || record.offset < start) continue;
      found = TimedOffset{record.offset, record.timestamp_ms};
      return false;
    }
    return true;
  });
  if (!end) return end.error();
  if (!failure) return failure.error();
  return found;
}

std::vector<PartitionLog::Candidate> PartitionLog::candidates(int64_t timestamp_ms) const {
  std::vector<Candidate> found;
  std::lock_guard lock(mutex_);
  for (const SegmentPointer& segment : segments_) {
    if (segment->max_timestamp_ms >= timestamp_ms && segment->end > start_)
      found.push_back({segment, segment->size_bytes});
  }
  return found;
}

Result<std::optional<TimedOffset>> PartitionLog::offset_at(int64_t timestamp_ms) {
  std::vector<Candidate> left = candidates(timestamp_ms);
  for (size_t i = 0; i < left.size(); ++i) {
    auto found = search(left[i].segment, left[i].until, timestamp_ms);
    if (found && !*found) continue;
    if (found || has(left[i].segment)) return found;
    // It was dropped or cleaned under our eyes: its successor is searched, from the beginning.
    left = candidates(timestamp_ms);
    i = static_cast<size_t>(-1);
  }
  return std::optional<TimedOffset>{};
}

Result<std::optional<TimedOffset>> PartitionLog::newest() {
  int64_t newest_ms = -1;
  {
    std::lock_guard lock(mutex_);
    for (const SegmentPointer& segment : segments_)
      newest_ms = std::max(newest_ms, segment->max_timestamp_ms);
    if (start_ == high_watermark_) return std::optional<TimedOffset>{};
  }
  return offset_at(newest_ms);
}

}  // namespace pinpipe::log
