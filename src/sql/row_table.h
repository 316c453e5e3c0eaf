// The database's side of row_scan.h: registers the table function pinpipe_rows(<number>) and keeps
// what each number stands for. Inside this room only.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "sql/library.h"
#include "sql/row_scan.h"

namespace pinpipe::sql {

// One per engine: it outlives the engine's database.
class RowTables {
 public:
  Status register_function(duckdb_connection connection);
  // The input lives until it is removed and no query uses it.
  int64_t add(RowInput input);
  void remove(int64_t number);
  std::shared_ptr<const RowInput> find(int64_t number);

 private:
  std::mutex mutex_;
  std::map<int64_t, std::shared_ptr<const RowInput>> tables_;
  int64_t next_ = 1;
};

}  // namespace pinpipe::sql
