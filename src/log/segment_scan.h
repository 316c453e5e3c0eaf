// Walks over the batches of a segment file from front to back: recovery, index rebuilding,
// searches. Bounds: one chunk (scan_chunk_bytes) or one batch in memory, whichever is larger.
#pragma once

#include <functional>
#include <string>

#include "io/files.h"
#include "log/batch.h"

namespace pinpipe::log {

inline constexpr size_t scan_chunk_bytes = 1 << 20;
inline constexpr size_t stored_batch_bytes_max = 128 << 20;

struct ScanFrom {
  uint64_t position = 0;
  uint64_t until = 0;       // bytes at and beyond are not looked at
  Offset offset_least = 0;  // batches begin at this offset or later, and rise
};

struct ScanEnd {
  uint64_t position = 0;   // behind the last good batch
  Offset next_offset = 0;  // behind its last record
  bool stopped = false;    // `each` said so
  bool zeros = false;      // only zeros follow: a tail that was laid out ahead of the writes
  std::string bad;         // why the next bytes are no batch; empty at the end and for zeros
};

// Calls `each` for every batch whose frame and CRC hold; it returns false to stop.
using EachBatch =
    std::function<bool(const BatchHeader& header, uint64_t position, std::string_view bytes)>;
Result<ScanEnd> scan(io::File& file, const ScanFrom& from, const EachBatch& each);

}  // namespace pinpipe::log
