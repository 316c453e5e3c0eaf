// Where in a segment an offset or a time lies: sparse, one entry per index_interval_bytes. On disk
// without a checksum (8 and 12 bytes an entry, big-endian, as Kafka's), so read back with suspicion
// and rebuilt from the segment when in doubt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/batch.h"

namespace pinpipe::log {

struct IndexEntry {
  int32_t relative_offset;
  uint32_t position;
};

// Up to and including this offset no record is younger than this time.
struct TimeEntry {
  int64_t timestamp_ms;
  int32_t relative_offset;
};

class SegmentIndex {
 public:
  // Notes a batch at `position`; adds entries when the last one is far enough behind.
  void note(Offset segment_base, const BatchHeader& header, uint64_t position,
            uint64_t interval_bytes);

  // A position at or before the batch that holds the offset.
  uint64_t position_of(int32_t relative_offset) const;
  // The last place up to `position` where a batch is known to begin.
  uint64_t batch_at_or_before(uint64_t position) const;
  // A relative offset before which every record is older than the time.
  int32_t before_time(int64_t timestamp_ms) const;
  int64_t max_timestamp_ms() const { return max_timestamp_ms_; }

  std::string offsets_bytes() const;
  // Ends with an entry for the largest time and `last_relative_offset`.
  std::string times_bytes(int32_t last_relative_offset) const;
  // Nothing when the bytes cannot be a segment's of this size.
  static std::optional<SegmentIndex> from_bytes(std::string_view offsets, std::string_view times,
                                                uint64_t segment_bytes);

 private:
  std::vector<IndexEntry> offsets_;
  std::vector<TimeEntry> times_;
  int64_t max_timestamp_ms_ = -1;
  uint64_t noted_from_ = 0;  // the position of the last entry
};

}  // namespace pinpipe::log
