// Rows of a schema in memory of our own: what tests and small readers decode into.
// Bounds: rows_max rows, given when it is made.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "columns/schema.h"
#include "columns/target.h"

namespace pinpipe::columns {

class Batch {
 public:
  Batch(const Schema& schema, size_t rows_max);

  // Valid as long as the batch stays where it is.
  Target target();

  std::optional<int64_t> integer(size_t column, size_t row) const;  // int32, int64, timestamp
  std::optional<double> number(size_t column, size_t row) const;
  std::optional<bool> boolean(size_t column, size_t row) const;
  std::optional<std::string> text(size_t column, size_t row) const;

 private:
  struct Cells {
    Type type;
    std::vector<int64_t> fixed;  // one word per row, whatever the fixed width is
    std::vector<std::string> texts;
    std::vector<uint64_t> validity;

    bool has(size_t row) const { return (validity[row / 64] >> (row % 64) & 1) != 0; }
  };

  std::deque<Cells> columns_;
  size_t rows_max_;
};

}  // namespace pinpipe::columns
