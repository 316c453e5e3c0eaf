// What a commit wants to do, and whether another writer's commit, which came first, forbids it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "lake/action.h"

namespace pinpipe::lake {

struct CommitPlan {
  CommitInfo info;
  std::optional<Protocol> protocol;
  std::optional<Metadata> metadata;
  std::vector<AddFile> adds;
  std::vector<RemoveFile> removes;
  std::vector<Txn> txns;
  // Depends on every row that was in the table: an overwrite does, a blind append does not, and
  // neither does compaction, which only needs its own files to be still there.
  bool reads_all = false;
};

// With a new txnId and the time of now; every commit of ours starts from one.
CommitInfo new_commit_info(Clock& clock, std::string operation);

// The whole commit as it goes into the log; commitInfo comes first.
std::string encode(const CommitPlan& plan);

// Ok when `plan` may follow `winner` as if they had been started in that order. Otherwise
// `conflict`: stop, read the table again and decide anew.
Status check_conflict(const CommitPlan& plan, const Actions& winner, Version version);

}  // namespace pinpipe::lake
