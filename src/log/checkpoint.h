// The partition's small facts, in one text file that is replaced as a whole:
//
//   pinpipe partition 1
//   start 120                            the first offset still readable
//   segment 100 1048576 1767348900000    base offset, bytes and largest time of each closed
//   segment,
//                                        then how often it was cleaned, if it was
//   cleaned 4000                         compaction has looked at all before it; only with version
//   2 epoch 0 0                            leader epoch and the first offset written under it
//   recovery 5000 65536 5080             the active segment's base, and a byte and its offset
//   there:
//                                        all before it is durable and indexed
//   producer 7 0 1767348900000 0 9 4990 1767348900000 …   id, epoch, time; first and last sequence,
//                                        offset and time of its last batches
//   clean 5120 70000                     written on close: the end offset, the active segment's
//   bytes crc 1a2b3c4d                         CRC-32C of all lines above
//
// Pure: text ⇄ values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/producers.h"

namespace pinpipe::log {

struct ClosedSegment {
  Offset base = 0;
  uint64_t size_bytes = 0;
  int64_t max_timestamp_ms = -1;
  int64_t generation = 0;  // part of the file's name from 1 on
};

struct EpochStart {
  int32_t epoch = 0;
  Offset start = 0;
};

struct Checkpoint {
  struct Clean {
    Offset end = 0;
    uint64_t active_bytes = 0;
  };

  Offset start = 0;
  std::vector<ClosedSegment> closed;
  Offset cleaned_until = 0;
  std::vector<EpochStart> epochs;
  Offset recovery_base = 0;
  uint64_t recovery_position = 0;
  Offset recovery_offset = 0;
  Producers producers;
  std::optional<Clean> clean;

  std::string text() const;
  static Result<Checkpoint> from_text(std::string_view text);
};

}  // namespace pinpipe::log
