// Which tables there are, and what can be said about one without reading its rows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/task.h"
#include "lake/table.h"

namespace pinpipe::lake {

struct TableDetails {
  Location location;
  std::string id;
  std::string name;
  std::string description;
  Version version = 0;
  int64_t created_ms = 0;
  int64_t modified_ms = 0;  // when the newest file was written
  int64_t files = 0;
  int64_t bytes = 0;
  std::optional<int64_t> rows;  // nothing when a file has no statistics
  Schema schema;
  std::vector<std::string> partition_columns;
  std::map<std::string, std::string> properties;
  std::map<std::string, int64_t> txns;
  int min_reader_version = 0;
  int min_writer_version = 0;
};

TableDetails describe(const Location& location, const Snapshot& snapshot);

// The tables right below `prefix` of a bucket, in name order: folders with a _delta_log.
io::Task<Result<std::vector<Location>>> list_tables(const Services& services, std::string bucket,
                                                    std::string prefix = {});

}  // namespace pinpipe::lake
