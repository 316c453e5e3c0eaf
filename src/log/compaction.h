// What compaction leaves of one batch. Pure: bytes ⇄ bytes.
//
// A record stays when no later one has its key. A tombstone (a record without value) stays until
// the delete horizon of its batch: the first pass that sees it writes now + delete.retention.ms
// where the base timestamp was, with attribute bit 6, as Kafka's cleaner does; times of records
// are deltas to it then. Offsets, the last offset delta, the leader epoch and the producer's
// numbers stay as they were, so that gaps are all that readers see.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "log/batch.h"
#include "log/offset_map.h"

namespace pinpipe::log {

struct CompactionRules {
  const OffsetMap& latest;
  int64_t now_ms = 0;
  int64_t delete_retention_ms = 0;
};

struct CompactedBatch {
  enum class Outcome { unchanged, rewritten, empty } outcome = Outcome::unchanged;
  std::string bytes;  // when rewritten
  int32_t records_dropped = 0;
};

// Fails when the records cannot be unpacked. Records without a key, from before the topic was
// compacted, go.
Result<CompactedBatch> compact_batch(std::string_view batch, const CompactionRules& rules);

// The header alone, without records: where readers go on, and what a producer sent last.
std::string empty_batch(const BatchHeader& header);

}  // namespace pinpipe::log
