// Who did what to a table and when, newest first, and which version was current at a moment.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "io/task.h"
#include "lake/log_reader.h"

namespace pinpipe::lake {

class Table;

struct HistoryEntry {
  Version version = 0;
  // When it was committed: never falling from version to version, even when clocks ran back.
  int64_t committed_ms = 0;
  CommitInfo info;
};

// When each commit was made, by the times of its files: raised by 1 ms where a clock ran back, as
// Spark does, so that time travel is monotone.
std::map<Version, int64_t> commit_times(const LogListing& listing);

// The last `count_max` commits that the log still has.
io::Task<Result<std::vector<HistoryEntry>>> history(Table& table, size_t count_max);

// By the times inside the commits where the table has such (`inCommitTimestamp`), otherwise by
// commit_times(). Error `not_found` when the moment lies before the log's first version. A moment
// after the last commit gives the last version.
io::Task<Result<Version>> version_at_time(Table& table, int64_t wall_ms);

}  // namespace pinpipe::lake
