// The batch job: load the bucket's objects, clean the data sets, answer the questions. What the
// notebooks of the original do by hand.
// Promise: a run's tables count from the moment its record is written, all of them together; a run
// that fails or is killed before leaves those of the run before, and running again gives the same.
// Every row that was loaded is clean, filtered by the project's SQL, or in quarantine with its
// bytes, object, line and reason: the report's counts add up. Bounds: one run at a time;
// quarantine_max refused values are kept per run, all are counted.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/pool.h"
#include "jobs/batch_tables.h"
#include "jobs/dataset_objects.h"
#include "objects/store.h"
#include "project/project.h"
#include "sql/engine.h"
#include "state/database.h"

namespace pinpipe::jobs {

inline constexpr size_t quarantine_max = 100'000;

struct DatasetCount {
  std::string dataset;
  uint64_t objects = 0;
  uint64_t bytes = 0;
  uint64_t lines = 0;        // records, as lines of the objects
  uint64_t rows = 0;         // raw rows: an array of rows counts as many
  uint64_t refused = 0;      // lines or rows that cannot be read
  uint64_t quarantined = 0;  // raw rows that the project's quarantine SQL takes
  uint64_t clean = 0;
  int64_t version = -1;  // of the clean table
  int64_t filtered = 0;  // raw rows that the clean SQL left out
};

struct BatchReport {
  std::string run;
  int64_t started_ms = 0;
  int64_t load_ms = 0;   // listing and pinning objects
  int64_t clean_ms = 0;  // decoding, cleaning, writing tables
  int64_t ask_ms = 0;
  std::vector<DatasetCount> counts;
};

struct Quarantined {
  std::string dataset, source, reason, bytes;
  uint64_t line = 0;
};

// One question's rows, with what must be said beside them.
struct QuestionAnswer {
  std::string name, title, defaults;
  sql::Table table;
};

class Batch {
 public:
  struct Options {
    const project::Project* project = nullptr;
    objects::Store* store = nullptr;
    io::Pool* work = nullptr;
    Clock* clock = nullptr;
    state::Database* state = nullptr;  // opened with migrations()
    sql::Engine::Options engine;       // of role jobs
    const lake::Services* lake = nullptr;
    std::string lake_bucket;
    std::string lake_directory;  // what questions may read
  };

  // What the job keeps in its database.
  static std::span<const std::string_view> migrations();

  explicit Batch(Options options);

  // `conflict` when a run is under way.
  io::Task<Result<BatchReport>> run(std::string run, std::stop_token stop = {});

  // The named question, or all with an empty name, over the last published tables.
  io::Task<Result<std::vector<QuestionAnswer>>> ask(std::string question);
  // The same over other tables: those of the stream job.
  io::Task<Result<std::vector<QuestionAnswer>>> ask_over(std::string question,
                                                         std::vector<PinnedTable> tables);
  // Anybody's SELECT over clean.*, raw.* and the project's tables; reads only.
  io::Task<Result<sql::Table>> query(std::string text, size_t rows_max);

  io::Task<Result<std::vector<Quarantined>>> quarantine(size_t count_max);
  // Newest first.
  io::Task<Result<std::vector<BatchReport>>> reports(size_t count_max);

 private:
  struct Loaded;
  struct Cleaned;
  Result<Cleaned> clean_and_ask(const std::string& run, const Loaded& loaded, std::stop_token stop);
  Result<DatasetCount> clean(sql::Connection& connection, const project::Dataset& dataset,
                             std::shared_ptr<const DatasetObjects> objects,
                             std::vector<Quarantined>& quarantine, std::stop_token stop);
  io::Task<Result<BatchReport>> publish(Cleaned cleaned);
  Status make_project_tables(sql::Connection& connection) const;
  Status save(const BatchReport& report, const std::vector<Quarantined>& quarantine);
  io::Task<Result<std::map<std::string, std::shared_ptr<const DatasetObjects>>>> pin_all();
  io::Task<Result<std::vector<PinnedTable>>> pin_tables();
  Result<std::unique_ptr<sql::Connection>> open_reader(
      const std::vector<PinnedTable>& tables,
      const std::map<std::string, std::shared_ptr<const DatasetObjects>>& raw);
  Result<std::vector<QuestionAnswer>> answer(sql::Connection& connection,
                                             const std::string& question) const;

  Options options_;
  BatchTables tables_;
  std::mutex mutex_;
  bool running_ = false;
};

}  // namespace pinpipe::jobs
