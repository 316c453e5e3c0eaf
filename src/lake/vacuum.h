// Deleting what no version within the retention needs any more: data files, and old commits.
// Promise: a file that the table names, or that a running writer may still commit, stays. Vacuum
// deletes (a) files whose removal is older than the retention, (b) files that no commit names and
// that were written before the retention, but never within write_to_commit_max_ms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/task.h"
#include "lake/table.h"

namespace pinpipe::lake {

inline constexpr int64_t write_to_commit_max_ms = 3'600'000;

struct VacuumOptions {
  std::optional<int64_t> retention_ms;  // nothing: the table's own, 7 days by default
  bool allow_short_retention = false;   // less than the table's own breaks time travel and readers
  bool dry_run = false;
};

struct VacuumOutcome {
  std::vector<std::string> files;  // deleted, or to be deleted in a dry run; relative paths
  int64_t bytes = 0;
};

io::Task<Result<VacuumOutcome>> vacuum(Table& table, VacuumOptions options = {});

// Deletes commits and checkpoints that are older than delta.logRetentionDuration (30 days) and lie
// before a checkpoint that still tells everything after them. Gives how many files went. A table
// that commits does this by itself, once a day.
io::Task<Result<int64_t>> clean_log(Table& table);

}  // namespace pinpipe::lake
