// The readers' side of a partition: from the file, or from what is in memory; by offset or by time.
// Nothing here changes the partition.
#include <algorithm>
#include <array>

#include "log/partition_log.h"
#include "log/segment_scan.h"

namespace pinpipe::log {
namespace {

// Beyond it a read is the pool's, even when all is in memory.
constexpr size_t copied_at_once_max = 1 << 20;
constexpr size_t records_bytes_max = 256 << 20;

Error outside(Offset from, const Range& range) {
  return Error(Code::invalid, "offset " + std::to_string(from) + " is outside the range " +
                                  std::to_string(range.start) + " to " +
                                  std::to_string(range.high_watermark));
}

}  // namespace

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

Result<std::shared_ptr<io::File>> PartitionLog::file_of(const Segment& segment, io::OpenMode mode) {
  return house_.open_files->get(segment.path, mode);
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
    if (position) slice = read_from(*segment, {*position, until, from, bytes_max});
    if (!slice) {
      // The segment may have been dropped or cleaned between the look at the list and the read.
      if (!has(segment)) continue;
      return slice.error().with(segment->path);
    }
    if (!slice->bytes().empty()) return slice;
    from = std::max(from + 1, end);  // compaction left nothing behind `from` in this segment
  }
}

Result<Slice> PartitionLog::read_from(const Segment& segment, const Place& place) {
  auto file = file_of(segment);
  if (!file) return file.error();
  auto fill = [&](std::string& buffer, uint64_t position, size_t count) -> Result<bool> {
    Status outcome;
    buffer.resize_and_overwrite(count, [&](char* at, size_t size) {
      auto got = (*file)->read_at(std::span(at, size), position);
      if (!got) outcome = got.error();
      return got ? *got : 0;
    });
    if (!outcome) return outcome.error();
    return true;
  };
  auto slice = collect(place, fill);
  if (!slice) return slice.error();
  return *std::move(*slice);
}

Result<std::optional<Slice>> PartitionLog::collect(const Place& place, const Fill& fill) {
  constexpr size_t slack_bytes = 8192;  // the index leads to a place a little before
  Slice slice;
  uint64_t position = place.position;
  const uint64_t until = place.until;
  auto filled = fill(slice.buffer, position,
                     std::min<uint64_t>(until - position, place.bytes_max + slack_bytes));
  size_t at = 0;  // of the batch that is looked at
  size_t end = 0;
  bool found = false;
  while (filled && *filled && position + at < until) {
    std::string_view rest = std::string_view(slice.buffer).substr(at);
    size_t size = header_bytes;
    if (rest.size() >= header_bytes) {
      BatchHeader header = read_header(rest);
      if (!header.has_sane_length())
        return Error(Code::corrupt, "no batch at byte " + std::to_string(position + at));
      size = header.size_bytes();
    }
    if (found && at + size - slice.from > place.bytes_max) break;
    if (rest.size() < size) {
      if (found) break;
      if (position + at + size > until || size > stored_batch_bytes_max)
        return Error(Code::corrupt,
                     "a batch at byte " + std::to_string(position + at) + " goes beyond the end");
      // The first batch alone is larger than what was asked for: it is given whole.
      position += at;
      at = 0;
      filled = fill(slice.buffer, position, size);
      if (filled && *filled && slice.buffer.size() < size)
        return Error(Code::corrupt, "the file is shorter than it was");
      continue;
    }
    std::string_view batch = rest.substr(0, size);
    if (read_header(batch).last_offset() >= place.from) {
      if (!crc_holds(batch))
        return Error(Code::corrupt, "the batch at byte " + std::to_string(position + at) +
                                        " is not what was written");
      if (!found) slice.from = at;
      found = true;
      end = at + size;
    }
    at += size;
  }
  if (!filled) return filled.error();
  if (!*filled) return std::optional<Slice>{};
  slice.buffer.resize(end);
  if (!found) slice.from = 0;
  return std::optional<Slice>(std::move(slice));
}

Result<std::optional<Slice>> PartitionLog::read_warm(Offset from, size_t bytes_max, bool may_send) {
  SegmentPointer segment;
  Place place{.from = from, .bytes_max = bytes_max};
  uint64_t boundary = 0;
  auto look_up = [&](const SegmentIndex& index) {
    place.position = index.position_of(static_cast<int32_t>(from - segment->base));
    boundary = index.batch_at_or_before(place.position + bytes_max);
  };
  {
    std::lock_guard lock(mutex_);
    Range range{start_, high_watermark_};
    if (from < range.start || from > range.high_watermark) return outside(from, range);
    if (from == range.high_watermark) return std::optional<Slice>(Slice{});
    segment = segment_of_locked(from);
    place.until = segment->size_bytes;
    bool known = segment == segments_.back() && active_index_;
    if (known) look_up(*active_index_);
    for (const KeptIndex& kept : kept_indexes_) {
      if (!known && kept.segment == segment) look_up(*kept.index);
      known |= kept.segment == segment;
    }
    if (!known) return std::optional<Slice>{};
  }
  std::shared_ptr<io::File> file = house_.open_files->find(segment->path);
  if (!file) return std::optional<Slice>{};
  if (may_send && file->descriptor() >= 0) {
    auto sent = send_from(file, place, boundary, segment->written_from);
    if (!sent || *sent) return sent;
  }
  if (std::min<uint64_t>(place.until - place.position, bytes_max) > copied_at_once_max)
    return std::optional<Slice>{};
  auto fill = [&](std::string& buffer, uint64_t position, size_t count) -> Result<bool> {
    bool warm = false;
    Status outcome;
    buffer.resize_and_overwrite(count, [&](char* at, size_t size) {
      auto got = file->read_warm(std::span(at, size), position);
      if (!got) outcome = got.error();
      warm = got && *got;
      return warm ? **got : 0;
    });
    if (!outcome) return outcome.error();
    return warm;
  };
  auto slice = collect(place, fill);
  if (!slice) return slice.error().with(segment->path);
  // Nothing of it in this segment: compaction took it, and the slow way finds where it goes on.
  if (*slice && (*slice)->bytes().empty()) return std::optional<Slice>{};
  return slice;
}

// Only the headers up to the first batch are read; the index tells where a later one begins.
Result<std::optional<Slice>> PartitionLog::send_from(const std::shared_ptr<io::File>& file,
                                                     const Place& place, uint64_t boundary,
                                                     uint64_t written_from) {
  constexpr uint64_t worth_bytes = 64 << 10;  // below it copying is cheaper than another call
  constexpr uint64_t probe_bytes = 64 << 10;  // no less than this is read ahead or dropped
  std::optional<Slice> none;
  if (place.position < written_from || place.bytes_max < worth_bytes) return none;
  uint64_t start = place.position;
  std::array<char, header_bytes> bytes;
  BatchHeader header;
  while (true) {
    auto got = file->read_warm(bytes, start);
    if (!got) return got.error();
    if (!*got || **got < header_bytes) return none;
    header = read_header(std::string_view(bytes.data(), bytes.size()));
    if (!header.has_sane_length()) return none;
    if (header.last_offset() >= place.from) break;
    start += header.size_bytes();
    if (start >= place.until) return none;
  }
  uint64_t end = start + place.bytes_max >= place.until ? place.until : boundary;
  end = std::max(end, start + header.size_bytes());
  if (end > place.until || end - start < worth_bytes) return none;
  for (uint64_t at = start; at < end; at += probe_bytes) {
    auto got = file->read_warm(std::span(bytes.data(), 1), at);
    if (!got) return got.error();
    if (!*got || **got == 0) return none;
  }
  Slice slice;
  slice.stored = {file, start, end - start};
  return std::optional<Slice>(std::move(slice));
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
