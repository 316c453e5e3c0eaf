// Which rows of a data file are gone: Delta's deletion vectors, kept in files of their own or in
// the log itself, as 64-bit Roaring bitmaps.
// Promise: a vector that is malformed, has another checksum or another number of rows than the log
// says is `corrupt`; a file's rows are never half deleted. Bounds: vector_bytes_max, rows_max.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinpipe::lake {

struct DeletionVector {
  static constexpr size_t vector_bytes_max = size_t{1} << 30;
  static constexpr uint64_t rows_max = uint64_t{1} << 28;

  // Relative to the table; empty when the vector stands in the log.
  std::string path;
  std::string inlined;  // the bitmap itself, decoded
  uint64_t offset = 0;
  uint64_t bytes = 0;
  uint64_t rows = 0;
};

// The log's `deletionVector` of an add action. Error `invalid` for an absolute path.
Result<DeletionVector> parse_deletion_vector(std::string_view json);

// The row numbers, rising. `file` is the vector file's whole content, or empty when it is inlined.
Result<std::vector<uint64_t>> deleted_rows(const DeletionVector& vector, std::string_view file);

// The portable serialisation of a 64-bit Roaring bitmap behind Delta's magic number.
Result<std::vector<uint64_t>> decode_roaring(std::string_view bytes);

// Z85: five characters for four bytes. Nothing when the text is none.
std::optional<std::string> decode_z85(std::string_view text);

}  // namespace pinpipe::lake
