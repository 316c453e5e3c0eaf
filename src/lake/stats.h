// The statistics of one data file as Delta keeps them in `add.stats`, made from what DuckDB's COPY
// says about the file it wrote.
// Promise: a bound is never tighter than the data. Where DuckDB's text cannot be turned into an
// exact bound (NaN, infinity, a cut UTF-8 sequence, a year beyond 9999) there is none, which costs
// speed and never rows. Rendered as Spark does: numbers as JSON numbers, dates as YYYY-MM-DD,
// timestamps in UTC with all their microseconds, text cut at string_prefix_max characters. Bounds:
// the first indexed_columns_max leaf columns; a list or map counts as one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lake/schema.h"
#include "sql/parquet.h"

namespace pinpipe::lake {

inline constexpr size_t indexed_columns_max = 32;
inline constexpr size_t string_prefix_max = 32;

struct FileStats {
  int64_t rows = 0;
  std::string json;  // the text of add.stats
  // Nulls of the top-level columns where known: what NOT NULL is checked against.
  std::map<std::string, int64_t> null_counts;
};

// `list_nulls` has the null counts of the top-level list and map columns, which COPY does not tell
// (it counts elements); columns absent from it get none.
FileStats stats_of(const Schema& schema, const sql::ParquetFile& file,
                   const std::map<std::string, int64_t>& list_nulls);

// One bound of a primitive column, from DuckDB's text to the JSON text of Delta's.
std::optional<std::string> to_delta_bound(const Type& type, std::string_view duckdb_text,
                                          bool is_max);

// "2024-01-01 00:00:00.123456+00" → "2024-01-01T00:00:00.123456Z".
std::optional<std::string> to_delta_timestamp(std::string_view duckdb_text);

// The smallest text of at most string_prefix_max characters (plus a tie-breaker) that is not less
// than `text` in the order of UTF-8 bytes; nothing when there is none or the text is not UTF-8.
std::optional<std::string> cut_max(std::string_view text);
std::optional<std::string> cut_min(std::string_view text);

}  // namespace pinpipe::lake
