// How a stream table knows how far its stream is in it: Delta txns, written in the commits of the
// rows themselves.
//   pinpipe/stream/pin/<incarnation>/<shard>   the last offset of that shard that is in the table
//   pinpipe/stream/pin/begun                   where reading began has been decided
//   pinpipe/stream/pin/reset                   how often the table was emptied to begin again
// A table that was reset n times writes "pinpipe/stream/pin@n/…": positions never fall, so those of
// a former life are left where they are. Shards of a stream that was created again have another
// incarnation, and begin at their beginning.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/topics.h"
#include "lake/snapshot.h"
#include "lake/table.h"

namespace pinpipe::jobs {

class StreamPositions {
 public:
  StreamPositions() = default;
  StreamPositions(std::string dataset, int64_t resets)
      : dataset_(std::move(dataset)), resets_(resets) {}
  // Those that a version of the table is at.
  static StreamPositions of(const lake::Snapshot& snapshot, const std::string& dataset);

  int64_t resets() const { return resets_; }
  std::string app_id(const Uuid& incarnation, broker::PartitionId shard) const;
  // -1: nothing of the shard is in the table.
  int64_t stored(const lake::Snapshot& snapshot, const Uuid& incarnation,
                 broker::PartitionId shard) const;
  // Whether reading has begun in this life of the table: positions, or the decision where to.
  bool has_begun(const lake::Snapshot& snapshot) const;

  lake::TxnUpdate begun_at(int64_t wall_ms) const;
  // What the commit that empties the table says.
  lake::TxnUpdate reset_once_more() const;
  StreamPositions after_reset() const { return {dataset_, resets_ + 1}; }

 private:
  std::string prefix() const;

  std::string dataset_;
  int64_t resets_ = 0;
};

}  // namespace pinpipe::jobs
