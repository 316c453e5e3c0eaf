// What a Parquet file says about itself: its columns and where their bytes are.
// Our own reader serves checkpoints, whose few columns it turns into actions many times as fast as
// an SQL engine that has to be started first; and it tells a data file's field ids. Promise:
// malformed input is `corrupt`, never more. Bounds: footer_bytes_max, columns_max leaf columns,
// depth_max levels.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/files.h"

namespace pinpipe::lake {

inline constexpr uint32_t parquet_footer_bytes_max = 256U << 20;
inline constexpr size_t parquet_columns_max = 100'000;
inline constexpr size_t parquet_depth_max = 64;

enum class ParquetType : uint8_t {
  boolean = 0,
  int32 = 1,
  int64 = 2,
  int96 = 3,
  float32 = 4,
  float64 = 5,
  bytes = 6,
  fixed_bytes = 7,
};

struct ParquetLeaf {
  std::vector<std::string> path;  // from below the root, lists' and maps' inner groups included
  std::vector<std::optional<int32_t>> field_ids;  // of the path's elements
  ParquetType type = ParquetType::int32;
  uint8_t definition_max = 0;
  uint8_t repetition_max = 0;
};

struct ParquetChunk {
  int codec = 0;        // as Parquet numbers them
  uint64_t offset = 0;  // of its first page
  uint64_t bytes = 0;
  int64_t values = 0;
};

struct ParquetRowGroup {
  int64_t rows = 0;
  std::vector<ParquetChunk> chunks;  // one for each leaf
};

struct ParquetFooter {
  std::vector<ParquetLeaf> leaves;
  std::vector<ParquetRowGroup> groups;
  int64_t rows = 0;
};

// Blocks.
Result<ParquetFooter> read_parquet_footer(io::File& file);

}  // namespace pinpipe::lake
