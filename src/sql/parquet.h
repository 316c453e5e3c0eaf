// Parquet through the engine: options of writing, what was written, and the SQL that reads files.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "sql/value.h"

namespace pinpipe::sql {

struct ParquetOptions {
  int zstd_level = 1;  // about the default's size at half its time
  uint64_t row_group_rows = 122'880;
};

// The database's own statistics, as text in its own spelling. For lists they are about elements.
struct ParquetColumn {
  std::vector<std::string> path;  // {"coordinates", "list", "element"} for a list's elements
  std::optional<std::string> min;
  std::optional<std::string> max;
  std::optional<int64_t> null_count;
  bool has_nan = false;
};

struct ParquetFile {
  std::string path;
  int64_t rows = 0;
  int64_t bytes = 0;
  int64_t footer_bytes = 0;
  std::vector<ParquetColumn> columns;
};

struct ReadParquetOptions {
  bool union_by_name = true;     // files may lack columns or have them in another order
  bool file_name = false;        // adds a column `filename`
  bool file_row_number = false;  // adds a column `file_row_number`
};

// "read_parquet([…], …)" for a FROM clause, with every path quoted. `files` is not empty.
std::string read_parquet(std::span<const std::string> files,
                         const ReadParquetOptions& options = {});

// COPY's answer as a ParquetFile.
Result<ParquetFile> parquet_file_of(const Table& stats);

}  // namespace pinpipe::sql
