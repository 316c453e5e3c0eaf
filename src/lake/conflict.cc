#include "lake/conflict.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

#include "base/id.h"

namespace pinpipe::lake {

CommitInfo new_commit_info(Clock& clock, std::string operation) {
  CommitInfo info;
  info.timestamp_ms = clock.wall_ms();
  info.operation = std::move(operation);
  info.isolation_level = "Serializable";
  info.engine = "pinpipe";
  info.txn_id = Uuid::random().text();
  return info;
}

std::string encode(const CommitPlan& plan) {
  std::string bytes;
  encode(plan.info, bytes);
  if (plan.protocol) encode(*plan.protocol, bytes);
  if (plan.metadata) encode(*plan.metadata, bytes);
  for (const Txn& txn : plan.txns) encode(txn, bytes);
  for (const RemoveFile& remove : plan.removes) encode(remove, bytes);
  for (const AddFile& add : plan.adds) encode(add, bytes);
  return bytes;
}

Status check_conflict(const CommitPlan& plan, const Actions& winner, Version version) {
  auto refuse = [version](std::string_view what) {
    return Error(Code::conflict, fmt::format("version {} by another writer {}", version, what));
  };
  // First, because it says most: the same pipeline runs twice, and the other one was faster.
  for (const Txn& mine : plan.txns) {
    for (const Txn& theirs : winner.txns) {
      if (mine.app_id != theirs.app_id) continue;
      return refuse(
          fmt::format("has a transaction of the same application \"{}\" (version {}): "
                      "ConcurrentTransaction",
                      theirs.app_id, theirs.version));
    }
  }
  if (winner.protocol) return refuse("changed the table's protocol: ProtocolChanged");
  if (winner.metadata) return refuse("changed the table's schema or settings: MetadataChanged");
  if (plan.reads_all) {
    // Rewritten files hold the same rows; only new ones matter here.
    bool adds_rows = std::ranges::any_of(winner.adds, &AddFile::data_change);
    if (adds_rows) return refuse("added rows that this one has not seen: ConcurrentAppend");
  }
  if (plan.removes.empty()) return {};
  std::unordered_set<std::string> gone;
  for (const RemoveFile& remove : winner.removes) gone.insert(key_of(remove));
  for (const RemoveFile& remove : plan.removes) {
    if (!gone.contains(key_of(remove))) continue;
    return refuse(
        fmt::format("removed file {} that this one removes too: ConcurrentDelete", remove.path));
  }
  return {};
}

}  // namespace pinpipe::lake
