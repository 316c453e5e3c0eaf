// Rows that come from C++, as a view: records of a topic, for example.
//
// Each query that names the view opens its own reader and reads it to the end, or until it has
// enough rows; nothing is kept, so any number of rows passes in constant memory. One database
// thread at a time calls a reader; it may block.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "columns/schema.h"
#include "columns/target.h"

namespace pinpipe::sql {

class RowReader {
 public:
  virtual ~RowReader() = default;
  // Writes rows from row 0 on and gives how many, at most target.rows_max; 0 is the end. Columns
  // without values are not wanted. Text handed out as `in_piece` stays valid until the next call.
  // An error fails the query with its text.
  virtual Result<size_t> fill(const columns::Target& target) = 0;
};

struct RowInput {
  std::shared_ptr<const columns::Schema> schema;
  std::function<std::unique_ptr<RowReader>()> open;
};

}  // namespace pinpipe::sql
