// From a snapshot to SQL that reads its rows: lake lists files, sql reads them.
// Columns that files lack are NULL, partition columns come from the log, columns that the schema
// does not know are left out, deleted rows too; without files there are no rows but all columns.
// Promise: the rows are the snapshot's, whatever the table goes through meanwhile; what cannot be
// read exactly is refused by name.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/task.h"
#include "lake/prune.h"
#include "lake/table.h"

namespace pinpipe::lake {

struct Scan {
  std::string select;  // for a view, or FROM (…)
  // The files stay readable as long as these live.
  std::vector<objects::Store::Pinned> pinned;
  size_t files = 0;    // that are read
  size_t skipped = 0;  // that no wanted row can be in
};

struct ScanOptions {
  // Rows outside may be there or not: who asks filters them anyway. See bounds_of().
  std::vector<Bound> bounds = {};
};

io::Task<Result<Scan>> scan(const Services& services, Location location,
                            std::shared_ptr<const Snapshot> snapshot, ScanOptions options = {});

// Some of the snapshot's files.
io::Task<Result<Scan>> scan_files(const Services& services, Location location,
                                  std::shared_ptr<const Snapshot> snapshot,
                                  std::vector<FilePtr> files);

}  // namespace pinpipe::lake
