// The database's side of json_scan.h: registers the table function pinpipe_json(<number>) and keeps
// what each number stands for. Inside this room only.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "sql/json_scan.h"
#include "sql/library.h"

namespace pinpipe::sql {

class JsonTable;

// One per engine: it outlives the engine's database.
class JsonTables {
 public:
  explicit JsonTables(int threads) : threads_(threads) {}

  Status register_function(duckdb_connection connection);
  // The scan lives until it is removed and no query uses it.
  std::pair<int64_t, std::shared_ptr<JsonTable>> add(JsonInput input);
  void remove(int64_t number);
  std::shared_ptr<JsonTable> find(int64_t number);
  int threads() const { return threads_; }

 private:
  const int threads_;
  std::mutex mutex_;
  std::map<int64_t, std::shared_ptr<JsonTable>> tables_;
  int64_t next_ = 1;
};

std::shared_ptr<JsonScan> as_scan(std::shared_ptr<JsonTable> table);

}  // namespace pinpipe::sql
