// From a snapshot to SQL that reads its rows: lake lists files, sql reads them.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/task.h"
#include "lake/table.h"

namespace pinpipe::lake {

struct Scan {
  std::string select;  // for a view, or FROM (…)
  // The files stay readable as long as these live, whatever the table goes through meanwhile.
  std::vector<objects::Store::Pinned> pinned;
};

io::Task<Result<Scan>> scan(const Services& services, Location location,
                            std::shared_ptr<const Snapshot> snapshot);

// `paths[i]` is where `files[i]` can be read. Columns that files lack are NULL, partition columns
// come from the log, columns that the schema does not know are left out; without files there are no
// rows but all columns.
Result<std::string> scan_select(const Snapshot& snapshot, std::span<const FilePtr> files,
                                std::span<const std::string> paths);

}  // namespace pinpipe::lake
