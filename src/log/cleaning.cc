#include "log/cleaning.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "log/compaction.h"
#include "log/segment_scan.h"

namespace pinpipe::log {
namespace {
constexpr size_t write_bytes = 1 << 20;
constexpr size_t unpacked_bytes_max = 256 << 20;
}  // namespace

bool LogCleaning::is_stopped() const {
  std::lock_guard lock(log_.mutex_);
  return log_.closed_ || log_.poisoned_;
}

void LogCleaning::plan() {
  options_ = log_.options();
  const int64_t now_ms = log_.house_.clock.wall_ms();
  if (is_stopped()) return finish(Error(Code::cancelled, "the partition is closed"));
  {
    std::lock_guard lock(log_.mutex_);
    cleaned_until_ = log_.cleaned_until_;
  }
  for (size_t i = 0; i + 1 < log_.segments_.size(); ++i) {
    const SegmentPointer& segment = log_.segments_[i];
    int64_t lag_min_ms = options_->compaction.lag_min_ms;
    if (lag_min_ms > 0 && segment->max_timestamp_ms > now_ms - lag_min_ms) break;
    sources_.push_back(segment);
  }
  if (!is_due(now_ms)) return finish(Cleaned{});
  for (const auto& [id, producer] : log_.producers_.all()) {
    if (!producer.batches.empty()) last_batches_[id] = producer.batches.back().base_offset;
  }
  start_step();
}

bool LogCleaning::is_due(int64_t now_ms) const {
  uint64_t dirty_bytes = 0;
  uint64_t all_bytes = 0;
  bool late = false;
  for (const SegmentPointer& segment : sources_) {
    all_bytes += segment->size_bytes;
    if (segment->end <= cleaned_until_) continue;
    dirty_bytes += segment->size_bytes;
    late |= segment->max_timestamp_ms < now_ms - options_->compaction.lag_max_ms;
  }
  double needed_bytes = options_->compaction.dirty_ratio_min * static_cast<double>(all_bytes);
  return dirty_bytes > 0 && (late || static_cast<double>(dirty_bytes) >= needed_bytes);
}

void LogCleaning::start_step() {
  bool queued = log_.house_.disk.submit(
      [self = shared_from_this(), log = log_.shared_from_this()] { self->step(); });
  CHECK(queued, "the disk pool holds one cleaning of every partition");
}

void LogCleaning::step() {
  if (!map_) {
    outcome_ = fill_map();
    if (outcome_) form_groups();
  }
  if (outcome_) outcome_ = write_group(groups_[next_group_]);
  (void)log_.request({.kind = PartitionLog::Control::Kind::install, .answer = {}});
}

Status LogCleaning::fill_map() {
  map_.emplace(options_->compaction.map_bytes_max);
  map_end_ = cleaned_until_;
  for (const SegmentPointer& segment : sources_) {
    if (segment->end <= cleaned_until_) continue;
    auto file = log_.file_of(*segment);
    if (!file) return file.error();
    Status failure;
    bool full = false;
    ScanFrom from{.position = 0, .until = segment->size_bytes, .offset_least = segment->base};
    auto end = scan(**file, from, [&](const BatchHeader& header, uint64_t, std::string_view batch) {
      auto noted = note_keys(header, batch);
      if (!noted) failure = noted.error();
      full = noted && !*noted;
      return noted && *noted;
    });
    if (!end) return end.error();
    if (!failure) return failure;
    if (full) return {};
    if (end->position < segment->size_bytes)
      return Error(Code::corrupt, segment->path + " is not what was written: " + end->bad);
    map_end_ = segment->end;
  }
  return {};
}

// False when the map is full: it then ends at the record that did not fit.
Result<bool> LogCleaning::note_keys(const BatchHeader& header, std::string_view batch) {
  if (is_stopped()) return Error(Code::cancelled, "the partition is closed");
  if (header.is_control() || header.last_offset() < cleaned_until_) return true;
  std::string scratch;
  auto records = records_of(batch, unpacked_bytes_max, scratch);
  if (!records) return records.error();
  RecordCursor cursor(header, *records);
  for (RecordView record; cursor.next(record);) {
    if (record.offset < cleaned_until_ || !record.key) continue;
    if (map_->put(*record.key, record.offset)) continue;
    map_end_ = record.offset;
    return false;
  }
  return true;
}

// Neighbours that fit into one segment together become one.
void LogCleaning::form_groups() {
  uint64_t size = 0;
  for (const SegmentPointer& segment : sources_) {
    if (segment->base >= map_end_) break;
    bool fits =
        !groups_.empty() && size + segment->size_bytes <= options_->segment_bytes &&
        segment->end - groups_.back().front()->base <= std::numeric_limits<int32_t>::max() / 2;
    if (!fits) {
      groups_.emplace_back();
      size = 0;
    }
    groups_.back().push_back(segment);
    size += segment->size_bytes;
  }
  CHECK(!groups_.empty(), "a cleaning has a dirty segment");
}

Status LogCleaning::write_group(const Group& group) {
  output_ = {};
  output_.differs = group.size() > 1;
  output_.segment = std::make_shared<PartitionLog::Segment>();
  PartitionLog::Segment& segment = *output_.segment;
  segment.base = group.front()->base;
  segment.end = group.back()->end;
  segment.generation = group.front()->generation + 1;
  segment.set_stem(PartitionLog::stem_of(log_.directory_, segment.base, segment.generation));
  auto file = log_.house_.files.open(temporary_path(), io::OpenMode::create);
  if (!file) return file.error();
  output_.file = std::move(*file);
  if (Status emptied = output_.file->truncate(0); !emptied) return emptied;
  for (const SegmentPointer& source : group) {
    auto from_file = log_.file_of(*source);
    if (!from_file) return from_file.error();
    Status failure;
    ScanFrom from{.position = 0, .until = source->size_bytes, .offset_least = source->base};
    auto end =
        scan(**from_file, from, [&](const BatchHeader& header, uint64_t, std::string_view batch) {
          failure = write_batch(output_, header, batch);
          return static_cast<bool>(failure);
        });
    if (!end) return end.error();
    if (!failure) return failure;
    // What is damaged stays as it is: reads tell of it.
    if (end->position < source->size_bytes)
      return Error(Code::corrupt, source->path + " is not what was written: " + end->bad);
  }
  // So that the file alone tells where the next one begins.
  if (output_.unwritten) {
    if (Status added = add(output_, empty_batch(*output_.unwritten)); !added) return added;
  }
  if (Status flushed = flush(output_); !flushed) return flushed;
  segment.max_timestamp_ms = output_.index.max_timestamp_ms();
  return output_.differs ? output_.file->sync() : Status{};
}

Status LogCleaning::write_batch(Output& output, const BatchHeader& header, std::string_view batch) {
  if (is_stopped()) return Error(Code::cancelled, "the partition is closed");
  CompactionRules rules{.latest = *map_,
                        .now_ms = log_.house_.clock.wall_ms(),
                        .delete_retention_ms = options_->compaction.delete_retention_ms};
  auto compacted = compact_batch(batch, rules);
  if (!compacted) return compacted.error();
  output.records_dropped += static_cast<uint64_t>(compacted->records_dropped);
  if (std::exchange(output.unwritten, std::nullopt)) output.differs = true;
  switch (compacted->outcome) {
    case CompactedBatch::Outcome::unchanged:
      return add(output, batch);
    case CompactedBatch::Outcome::rewritten:
      output.differs = true;
      return add(output, compacted->bytes);
    case CompactedBatch::Outcome::empty:
      break;
  }
  output.differs |= header.count > 0;
  auto last = last_batches_.find(header.producer_id);
  if (last != last_batches_.end() && last->second == header.base_offset)
    return add(output, empty_batch(header));
  output.unwritten = header;
  return {};
}

Status LogCleaning::add(Output& output, std::string_view batch) {
  PartitionLog::Segment& segment = *output.segment;
  output.index.note(segment.base, read_header(batch), segment.size_bytes,
                    options_->index_interval_bytes);
  output.buffer.append(batch);
  segment.size_bytes += batch.size();
  return output.buffer.size() >= write_bytes ? flush(output) : Status{};
}

Status LogCleaning::flush(Output& output) {
  uint64_t position = output.segment->size_bytes - output.buffer.size();
  Status written = output.file->write_at(output.buffer, position);
  output.buffer.clear();
  return written;
}

void LogCleaning::install() {
  bool last = next_group_ + 1 >= groups_.size();
  if (outcome_ && is_stopped()) outcome_ = Error(Code::cancelled, "the partition is closed");
  if (outcome_ && last) {
    std::lock_guard lock(log_.mutex_);
    log_.cleaned_until_ = map_end_;
  }
  if (outcome_ && output_.differs)
    outcome_ = swap(groups_[next_group_]);
  else if (outcome_ && last)
    outcome_ = log_.write_checkpoint(!log_.unclosed_);
  output_.file.reset();
  if (output_.segment) (void)log_.house_.files.remove(temporary_path());
  if (!outcome_) {
    std::unique_lock lock(log_.mutex_);
    log_.cleaned_until_ = cleaned_until_;
    lock.unlock();
    return finish(outcome_.error());
  }
  if (last) return finish(cleaned_);
  ++next_group_;
  start_step();
}

Status LogCleaning::swap(const Group& group) {
  auto& segments = log_.segments_;
  auto first = std::ranges::find(segments, group.front());
  auto left = static_cast<size_t>(segments.end() - first);
  if (left < group.size() || !std::equal(group.begin(), group.end(), first))
    return Error(Code::busy, "old segments were removed meanwhile");
  const SegmentPointer& next = output_.segment;
  if (Status named = log_.house_.files.rename(temporary_path(), next->path); !named) return named;
  log_.write_index_files(*next, output_.index);
  if (Status synced = log_.house_.files.sync_directory(log_.directory_); !synced) return synced;
  {
    std::lock_guard lock(log_.mutex_);
    *first = next;
    segments.erase(first + 1, first + static_cast<ptrdiff_t>(group.size()));
  }
  // When it cannot be written nobody knows which of the two counts: all files stay until the next
  // start decides.
  if (Status noted = log_.write_checkpoint(!log_.unclosed_); !noted) return noted;
  for (const SegmentPointer& source : group) cleaned_.bytes_before += source->size_bytes;
  cleaned_.bytes_after += next->size_bytes;
  cleaned_.records_dropped += output_.records_dropped;
  log_.remove_files(group);
  return {};
}

void LogCleaning::finish(Result<Cleaned> result) {
  io::Wakes wakes;
  answer_.set(std::move(result), wakes);
  {
    std::lock_guard lock(log_.mutex_);
    log_.cleaning_.reset();
    std::ranges::move(log_.ends_, std::back_inserter(log_.controls_));
    log_.ends_.clear();
  }
  wakes.send();
}

}  // namespace pinpipe::log
