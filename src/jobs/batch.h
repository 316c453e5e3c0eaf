// The batch job: load the bucket's objects, clean the data sets, check them, answer the questions.
// What the notebooks of the original do by hand.
//
// Promise: a run's tables count from the moment its record is written, all of them together; a run
// that fails or is killed before leaves those of the run before, and running again gives the same.
// Every row that was loaded is clean, filtered by the project's SQL, or in quarantine with its
// bytes, object, line and reason: the report's counts add up, over all loads that made the table.
//
// A run reads only objects that are new since the last one, where that gives the same as reading
// all: the clean SQL looks at each row alone (its plan says so), nothing of it has changed, and
// neither has an object that is in the table already. Otherwise, or when told to, it reads all.
// What a run reads is written down before it begins: a run of a name that was there before reads
// the same objects again and gives the same answers, byte for byte.
//
// Bounds: one run at a time; quarantine_max refused values are kept, all are counted.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/pool.h"
#include "jobs/answers.h"
#include "jobs/batch_record.h"
#include "jobs/batch_tables.h"
#include "jobs/dataset_objects.h"
#include "objects/store.h"
#include "project/project.h"
#include "sql/engine.h"

namespace pinpipe::jobs {

struct RunOrder {
  std::string name;   // a name that was used before repeats that run
  bool full = false;  // read all objects
  std::stop_token stop = {};
};

class Batch {
 public:
  struct Options {
    const project::Project* project = nullptr;
    objects::Store* store = nullptr;
    io::Pool* work = nullptr;
    Clock* clock = nullptr;
    state::Database* state = nullptr;  // opened with BatchRecords::migrations()
    sql::Engine::Options engine;       // of role jobs
    const lake::Services* lake = nullptr;
    std::string lake_bucket;
  };

  explicit Batch(Options options);

  // `conflict` when a run is under way, or objects of the run that is repeated have changed. A run
  // whose checks fail answers with a report that says so, and publishes nothing.
  io::Task<Result<BatchReport>> run(RunOrder order);

  // The run's report, of the last published one when `run` is empty; `not_found` when there is none
  // or it published nothing.
  io::Task<Result<BatchReport>> published(std::string run);
  // The tables as that run left them.
  io::Task<Result<std::vector<PinnedTable>>> pin_tables(const BatchReport& report);

  // The published run that first read each of these objects, of those that `report`'s run reads.
  struct FirstRead {
    std::string run;
    lake::Version version = -1;  // of the data set's table afterwards
  };
  io::Task<Result<std::map<std::string, FirstRead>>> first_reads(const BatchReport& report,
                                                                 std::string dataset,
                                                                 std::set<std::string> keys);

  // Newest first, failed ones too.
  io::Task<Result<std::vector<BatchReport>>> reports(size_t count_max);
  io::Task<Result<std::vector<Quarantined>>> quarantine(size_t count_max);
  io::Task<Result<Quarantined>> quarantined(int64_t id);
  // Notes that the record was sent again.
  io::Task<Status> mark_replayed(int64_t id);

 private:
  struct Load;
  struct Made;
  io::Task<Result<std::vector<Load>>> plan(const RunOrder& order, BatchReport& report);
  io::Task<Status> plan_increment(Load& load, const BatchReport& report, const BatchReport& before);
  io::Task<Status> hold(Load& load, const std::vector<BatchRecords::Input>& wanted,
                        const std::vector<objects::ObjectFacts>& listing);
  io::Task<Result<BatchReport>> carry_out(const RunOrder& order);
  io::Task<Result<BatchReport>> repeat(BatchReport report);
  Result<Made> make(BatchReport report, std::vector<Load>& loads, std::stop_token stop);
  Result<DatasetCount> clean(sql::Connection& connection, Load& load, Made& made,
                             const std::stop_token& stop);
  Result<int64_t> take_quarantined(sql::Connection& connection, const Load& load, Made& made,
                                   const std::stop_token& stop);
  io::Task<Result<BatchReport>> publish(Made made);

  Options options_;
  BatchTables tables_;
  BatchRecords records_;
  std::mutex mutex_;
  bool running_ = false;
};

}  // namespace pinpipe::jobs
