// SQLite connections over the embedded source, with information_schema beside it, that run SELECTs
// and nothing else. Every call blocks: on the work pool.
// Bounds: rows come in batches of about the bytes that the caller asks for; a statement's own time
// is limited; a value is at most value_bytes_max; idle_max connections are kept, in_use_max at
// once.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "doors/mysql/failure.h"
#include "doors/mysql/functions.h"
#include "doors/mysql/packets.h"
#include "doors/mysql/parameters.h"
#include "doors/mysql/result_set.h"
#include "doors/mysql/translate.h"

struct sqlite3;
struct sqlite3_stmt;

namespace pinpipe::mysql {

class Database {
 public:
  static constexpr int value_bytes_max = 16 << 20;

  struct Limits {
    Millis statement_time{30'000};
    const std::atomic<bool>* stopping = nullptr;  // ends every statement
  };

  static Result<std::unique_ptr<Database>> open(const std::string& path, Limits limits);
  ~Database();
  Database(const Database&) = delete;

  // Begins a statement in place of the former one. `session` must live until it ends.
  Outcome<void> begin(const Translated& select, std::span<const Parameter> values,
                      const Session& session);
  // Only what its columns are: nothing is run.
  Outcome<void> describe_only(const Translated& select, const Session& session);
  // Of the statement begun; the types of computed ones are those of its first row.
  const std::vector<ColumnFacts>& columns() const { return columns_; }
  // Adds row packets until there are about `bytes_max`; false when there are no more.
  Outcome<bool> add_rows(PacketWriter& to, RowForm form, size_t bytes_max);
  void end();

 private:
  struct Close {
    void operator()(sqlite3* database) const;
    void operator()(sqlite3_stmt* statement) const;
  };

  explicit Database(Limits limits) : limits_(limits) {}
  Status attach(const std::string& path);
  Outcome<void> prepare(const Translated& select, const Session& session);
  Outcome<void> bind(std::span<const Parameter> values);
  void describe(const std::vector<SelectItem>& items);
  Outcome<bool> step();
  Failure failure() const;
  static int on_progress(void* self);

  Limits limits_;
  RunningFor running_;
  std::unique_ptr<sqlite3, Close> database_;
  std::unique_ptr<sqlite3_stmt, Close> statement_;
  std::vector<ColumnFacts> columns_;
  bool has_row_ = false;
  int64_t time_left_ns_ = 0;
  int64_t deadline_ns_ = 0;
};

// The connections that are at hand. Thread-safe.
class Databases {
 public:
  static constexpr size_t idle_max = 8;
  static constexpr size_t in_use_max = 256;

  // `locate` gives the file, and makes it when it is not there yet; it is asked until it succeeds.
  Databases(std::function<Result<std::string>()> locate, Database::Limits limits)
      : locate_(std::move(locate)), limits_(limits) {}

  struct GiveBack {
    Databases* owner = nullptr;
    void operator()(Database* database) const;
  };
  using Lease = std::unique_ptr<Database, GiveBack>;
  Outcome<Lease> take();

 private:
  Result<std::string> path();

  std::function<Result<std::string>()> locate_;
  Database::Limits limits_;
  std::mutex locating_;
  std::string path_;  // under locating_
  std::mutex mutex_;
  std::vector<std::unique_ptr<Database>> idle_;  // under mutex_
  size_t in_use_ = 0;                            // under mutex_
};

}  // namespace pinpipe::mysql
