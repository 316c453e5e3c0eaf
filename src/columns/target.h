// Where decoded rows go: plain memory that somebody else owns, one array per column, so that the
// decoder writes straight into the vectors an engine hands out and nothing is copied twice.
// A Target is a view; it owns nothing and is valid as long as the arrays are.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "columns/schema.h"

namespace pinpipe::columns {

struct ColumnTarget {
  // int32_t, int64_t, double, uint8_t (boolean) or int64_t (timestamp) per row, as the column's
  // type says; for text whatever `put_text` understands. Null pointer: the column is not wanted.
  void* values = nullptr;
  // One bit per row, least significant first, set = there is a value.
  uint64_t* validity = nullptr;
  // Handed to `put_text`.
  void* owner = nullptr;

  void set_valid(size_t row) const { validity[row / 64] |= uint64_t{1} << (row % 64); }
  void set_null(size_t row) const { validity[row / 64] &= ~(uint64_t{1} << (row % 64)); }
};

struct Target {
  // Stores `text` as the value of `row`. When `in_piece` it lies in the bytes of the piece that is
  // being decoded and may be referred to as long as these are; otherwise it has to be copied.
  using PutText = void (*)(const ColumnTarget& column, size_t row, std::string_view text,
                           bool in_piece);

  std::vector<ColumnTarget> columns;  // one per column of the schema, in its order
  ColumnTarget source;                // text: where the row came from
  ColumnTarget line;                  // int64: its line there, from 1
  ColumnTarget bytes;                 // text: the value as it was read
  PutText put_text = nullptr;
  size_t rows_max = 0;
};

}  // namespace pinpipe::columns
