// Classic checkpoints: a snapshot's actions as rows of one Parquet file, so that opening a table
// reads one file instead of all commits; and _last_checkpoint, the hint where the newest one is.
// The rows are the log's own JSON lines put into columns by the SQL engine; checkpoint_rows.h reads
// them back. Promise: reading back what was written gives the same snapshot (tombstones past their
// retention left out). write_checkpoint() blocks: on the work pool only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "io/task.h"
#include "lake/location.h"
#include "lake/services.h"
#include "lake/snapshot.h"
#include "sql/connection.h"

namespace pinpipe::lake {

struct LastCheckpoint {
  Version version = 0;
  int64_t actions = 0;
  int64_t bytes = 0;
  int64_t files = 0;
};

std::string to_json(const LastCheckpoint& last);
// Nothing when it is torn or nonsense: it is only a hint.
std::optional<LastCheckpoint> parse_last_checkpoint(std::string_view json);

struct WrittenCheckpoint {
  std::string path;  // of the Parquet file, not yet synced
  LastCheckpoint facts;
};

// Uses `temporary` and `temporary` + ".json" as file names; the latter is gone afterwards.
Result<WrittenCheckpoint> write_checkpoint(sql::Connection& connection, const Snapshot& snapshot,
                                           int64_t now_ms, const std::string& temporary);

// Tombstones that are no newer are of no use to anybody: vacuum may have deleted their files.
int64_t oldest_tombstone_ms(const Snapshot& snapshot, int64_t now_ms);

// Writes the checkpoint of this snapshot into the table's log, then its version checksum, then
// _last_checkpoint.
io::Task<Result<LastCheckpoint>> publish_checkpoint(const Services& services, Location location,
                                                    std::shared_ptr<const Snapshot> snapshot);

// "interval 7 days" (also weeks, hours, minutes, seconds, milliseconds; several in a row).
std::optional<int64_t> parse_interval_ms(std::string_view text);

}  // namespace pinpipe::lake
