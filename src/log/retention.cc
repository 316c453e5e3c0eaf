// What a partition lets go of, on the committer's side: records that were deleted and segments that
// are too old or too many.
#include <algorithm>

#include "log/partition_log.h"

namespace pinpipe::log {

Status PartitionLog::trim_now(Offset offset) {
  size_t droppable = 0;
  {
    std::lock_guard lock(mutex_);
    if (offset < 0 || offset > high_watermark_)
      return Error(Code::invalid, "offset " + std::to_string(offset) + " is beyond the end, " +
                                      std::to_string(high_watermark_));
    if (offset <= start_) return {};
    start_ = offset;
    while (droppable + 1 < segments_.size() && segments_[droppable]->end <= offset) ++droppable;
  }
  return drop_segments(droppable);
}

Status PartitionLog::retain_now(int64_t retention_ms, int64_t retention_bytes) {
  size_t droppable = 0;
  {
    std::lock_guard lock(mutex_);
    uint64_t size = 0;
    for (const SegmentPointer& segment : segments_) size += segment->size_bytes;
    int64_t oldest_ms = house_.clock.wall_ms() - retention_ms;
    while (droppable + 1 < segments_.size()) {
      const Segment& segment = *segments_[droppable];
      bool old = retention_ms >= 0 && segment.max_timestamp_ms < oldest_ms;
      bool beyond = retention_bytes >= 0 &&
                    size - segment.size_bytes >= static_cast<uint64_t>(retention_bytes);
      if (!old && !beyond) break;
      size -= segment.size_bytes;
      ++droppable;
    }
    if (droppable == 0) return {};
    start_ = std::max(start_, segments_[droppable]->base);
  }
  return drop_segments(droppable);
}

// The checkpoint goes first: files that it no longer names are removed at the next start.
Status PartitionLog::drop_segments(size_t count) {
  std::vector<SegmentPointer> dropped;
  {
    std::lock_guard lock(mutex_);
    dropped.assign(segments_.begin(), segments_.begin() + static_cast<ptrdiff_t>(count));
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<ptrdiff_t>(count));
  }
  if (Status noted = write_checkpoint(!unclosed_); !noted) return noted;
  remove_files(dropped);
  return {};
}

// What cannot be removed now is removed at the next start: the checkpoint does not name it.
void PartitionLog::remove_files(const std::vector<SegmentPointer>& segments) {
  for (const SegmentPointer& segment : segments) {
    house_.open_files->forget(segment->path);
    for (const char* suffix : {".log", ".index", ".timeindex"})
      (void)house_.files.remove(segment->stem + suffix);
  }
}

}  // namespace pinpipe::log
