// Rows of a SELECT as a Parquet file that belongs to a Delta table.
// Promise: only types that Delta holds exactly reach the file; every timestamp is an instant in
// UTC; statistics are never tighter than the data. Nothing is part of the table before it is
// committed. Blocks: on the work pool only.
#pragma once

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "lake/schema.h"
#include "lake/stats.h"
#include "sql/connection.h"

namespace pinpipe::lake {

// A file that is written but belongs to no table yet.
struct DataFile {
  std::string temporary_path;
  int64_t bytes = 0;
  FileStats stats;
};

struct Encoded {
  Schema schema;
  std::vector<DataFile> files;  // none when there was no row

  int64_t rows() const;
};

struct EncodeOptions {
  // The table's schema: columns that it has are cast to its types where that loses nothing by type
  // (INTEGER to BIGINT, a sum's HUGEINT to BIGINT with a check of every value).
  const Schema* table = nullptr;
  bool blanks_in_names = false;  // as TableOptions has it
  int zstd_level = 1;
  std::stop_token stop = {};
};

// `temporary_path` comes from the store's new_temporary(). On error nothing is left there.
Result<Encoded> encode(sql::Connection& connection, std::string_view select,
                       const std::string& temporary_path, const EncodeOptions& options = {});

// The Delta schema of a SELECT's rows.
Result<Schema> schema_of(sql::Connection& connection, std::string_view select);

}  // namespace pinpipe::lake
