// What a partition remembers of idempotent producers: the last batches of each, so that a batch
// sent twice is stored once and a gap is noticed. Belongs to the partition's committer alone.
// Bounds: producers_max; beyond it the one that was quiet longest is forgotten (it may then go on
// with any sequence number).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "log/batch.h"

namespace pinpipe::log {

struct ProducerBatch {
  int32_t first_sequence = 0;
  int32_t last_sequence = 0;
  Offset base_offset = 0;
  int64_t timestamp_ms = 0;
};

struct Producer {
  static constexpr size_t batches_max = 5;  // what a client may have in flight

  int16_t epoch = 0;
  int64_t touched_ms = 0;
  std::vector<ProducerBatch> batches;  // oldest first
};

class Producers {
 public:
  static constexpr size_t producers_max = 10'000;

  struct Fresh {};
  using Verdict = std::variant<Fresh, ProducerBatch, Refusal>;  // ProducerBatch: stored before

  // Batches without a producer id are always fresh.
  Verdict check(const BatchHeader& header) const;
  // The batch goes into the log at `base_offset`.
  void note(const BatchHeader& header, Offset base_offset, int64_t now_ms);
  void expire(int64_t older_than_ms);

  const std::map<int64_t, Producer>& all() const { return all_; }
  // From a checkpoint, or back to what it was before a group failed.
  void put(int64_t id, Producer producer) { all_[id] = std::move(producer); }
  void erase(int64_t id) { all_.erase(id); }

 private:
  std::map<int64_t, Producer> all_;
};

int32_t sequence_after(int32_t sequence, int32_t by);

}  // namespace pinpipe::log
