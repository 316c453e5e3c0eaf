#include "jobs/stream_positions.h"

#include <fmt/format.h>

namespace pinpipe::jobs {
namespace {

std::string reset_id(const std::string& dataset) {
  return fmt::format("pinpipe/stream/{}/reset", dataset);
}

}  // namespace

StreamPositions StreamPositions::of(const lake::Snapshot& snapshot, const std::string& dataset) {
  return {dataset, snapshot.txn_version(reset_id(dataset)).value_or(0)};
}

std::string StreamPositions::prefix() const {
  if (resets_ == 0) return fmt::format("pinpipe/stream/{}/", dataset_);
  return fmt::format("pinpipe/stream/{}@{}/", dataset_, resets_);
}

std::string StreamPositions::app_id(const Uuid& incarnation, broker::PartitionId shard) const {
  return fmt::format("{}{}/{}", prefix(), incarnation.text(), shard);
}

int64_t StreamPositions::stored(const lake::Snapshot& snapshot, const Uuid& incarnation,
                                broker::PartitionId shard) const {
  return snapshot.txn_version(app_id(incarnation, shard)).value_or(-1);
}

bool StreamPositions::has_begun(const lake::Snapshot& snapshot) const {
  std::string start = prefix();
  auto at = snapshot.txns().lower_bound(start);
  // The count of resets has the first life's prefix, but only later lives have it.
  return at != snapshot.txns().end() && at->first.starts_with(start);
}

lake::TxnUpdate StreamPositions::begun_at(int64_t wall_ms) const {
  return {.app_id = prefix() + "begun", .version = wall_ms, .expected = -1};
}

lake::TxnUpdate StreamPositions::reset_once_more() const {
  return {.app_id = reset_id(dataset_),
          .version = resets_ + 1,
          .expected = resets_ == 0 ? -1 : resets_};
}

}  // namespace pinpipe::jobs
