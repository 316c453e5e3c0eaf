// Fewer, larger files with the same rows; and back to how a table was.
// Promise: readers and blind appends never notice; who loses to another writer leaves the table as
// it was.
#pragma once

#include <cstdint>
#include <stop_token>

#include "io/task.h"
#include "lake/table.h"

namespace pinpipe::lake {

struct OptimizeOptions {
  int64_t small_bytes = 64 << 20;    // files below this are candidates
  int64_t target_bytes = 128 << 20;  // how large a bin of them may grow
  size_t files_min = 2;              // fewer candidates in a bin are left alone
  std::stop_token stop = {};
};

struct OptimizeOutcome {
  Version version = 0;  // the present one when there was nothing to do
  int64_t files_removed = 0;
  int64_t files_added = 0;
  int64_t bytes_removed = 0;
  int64_t bytes_added = 0;
};

// Needs temporary disk for the rewritten files, and the SQL engine's memory.
io::Task<Result<OptimizeOutcome>> optimize(Table& table, OptimizeOptions options = {});

// A new version with the rows, schema and settings of an old one. Error `not_found` when vacuum has
// deleted a file that it needs.
io::Task<Result<Version>> restore(Table& table, Version version);

}  // namespace pinpipe::lake
