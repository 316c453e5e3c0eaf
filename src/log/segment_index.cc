#include "log/segment_index.h"

#include <algorithm>

#include "base/bytes.h"

namespace pinpipe::log {
namespace {
constexpr size_t offset_entry_bytes = 8;
constexpr size_t time_entry_bytes = 12;
}  // namespace

void SegmentIndex::note(Offset segment_base, const BatchHeader& header, uint64_t position,
                        uint64_t interval_bytes) {
  // The entry for times speaks of what lies before this batch.
  auto relative = static_cast<int32_t>(header.base_offset - segment_base);
  if (position >= noted_from_ + interval_bytes) {
    offsets_.push_back({relative, static_cast<uint32_t>(position)});
    if (times_.empty() || times_.back().timestamp_ms < max_timestamp_ms_)
      times_.push_back({max_timestamp_ms_, relative - 1});
    noted_from_ = position;
  }
  // A batch that compaction emptied has no record of its largest time.
  if (header.count > 0) max_timestamp_ms_ = std::max(max_timestamp_ms_, header.max_timestamp_ms);
}

uint64_t SegmentIndex::position_of(int32_t relative_offset) const {
  auto after =
      std::ranges::upper_bound(offsets_, relative_offset, {}, &IndexEntry::relative_offset);
  return after == offsets_.begin() ? 0 : std::prev(after)->position;
}

uint64_t SegmentIndex::batch_at_or_before(uint64_t position) const {
  auto after = std::ranges::upper_bound(offsets_, position, {}, &IndexEntry::position);
  return after == offsets_.begin() ? 0 : std::prev(after)->position;
}

int32_t SegmentIndex::before_time(int64_t timestamp_ms) const {
  auto at = std::ranges::lower_bound(times_, timestamp_ms, {}, &TimeEntry::timestamp_ms);
  return at == times_.begin() ? 0 : std::prev(at)->relative_offset + 1;
}

std::string SegmentIndex::offsets_bytes() const {
  std::string bytes;
  bytes.reserve(offsets_.size() * offset_entry_bytes);
  for (const IndexEntry& entry : offsets_) {
    append_be<int32_t>(bytes, entry.relative_offset);
    append_be<uint32_t>(bytes, entry.position);
  }
  return bytes;
}

std::string SegmentIndex::times_bytes(int32_t last_relative_offset) const {
  std::string bytes;
  for (const TimeEntry& entry : times_) {
    append_be<int64_t>(bytes, entry.timestamp_ms);
    append_be<int32_t>(bytes, entry.relative_offset);
  }
  if (times_.empty() || times_.back().timestamp_ms < max_timestamp_ms_) {
    append_be<int64_t>(bytes, max_timestamp_ms_);
    append_be<int32_t>(bytes, last_relative_offset);
  }
  return bytes;
}

std::optional<SegmentIndex> SegmentIndex::from_bytes(std::string_view offsets,
                                                     std::string_view times,
                                                     uint64_t segment_bytes) {
  if (offsets.size() % offset_entry_bytes != 0 || times.size() % time_entry_bytes != 0 ||
      times.empty())
    return std::nullopt;
  SegmentIndex index;
  for (Reader reader(offsets); reader.remaining() > 0;) {
    IndexEntry entry{reader.be<int32_t>(), reader.be<uint32_t>()};
    bool rises = index.offsets_.empty()
                     ? entry.relative_offset > 0 && entry.position > 0
                     : entry.relative_offset > index.offsets_.back().relative_offset &&
                           entry.position > index.offsets_.back().position;
    if (!rises || entry.position >= segment_bytes) return std::nullopt;
    index.offsets_.push_back(entry);
  }
  for (Reader reader(times); reader.remaining() > 0;) {
    TimeEntry entry{reader.be<int64_t>(), reader.be<int32_t>()};
    bool rises =
        index.times_.empty() || (entry.timestamp_ms > index.times_.back().timestamp_ms &&
                                 entry.relative_offset > index.times_.back().relative_offset);
    if (!rises) return std::nullopt;
    index.times_.push_back(entry);
  }
  index.max_timestamp_ms_ = index.times_.back().timestamp_ms;
  if (!index.offsets_.empty()) index.noted_from_ = index.offsets_.back().position;
  return index;
}

}  // namespace pinpipe::log
