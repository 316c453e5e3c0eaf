// The stream job: each data set's stream becomes rows of its stream table, by the same clean SQL as
// the batch job's, some hundred milliseconds to a second after they were sent.
//
// Promise: exactly once from the log onward. How far a stream has been read is stored in the table,
// in the same commit as the rows; a job that is killed anywhere goes on from there, and of two jobs
// on one table the one that loses a commit looks at the table again. Every record is clean,
// filtered by the project's SQL, or in the quarantine table (<stream table>_quarantine) with its
// bytes, position and reason. Data sets share nothing but the SQL engine: one that fails says so in
// its status, tries again, and disturbs no other.
//
// Bounds: per data set twice batch_bytes_max of records (a batch at work, the next being read) and
// what the SQL needs for one of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "broker/topics.h"
#include "io/wake.h"
#include "jobs/batch_tables.h"
#include "lake/services.h"
#include "project/project.h"
#include "sql/engine.h"

namespace pinpipe::jobs {

struct ShardStatus {
  broker::PartitionId shard = 0;
  broker::Offset position = 0;        // the next record that is in no commit
  broker::Offset high_watermark = 0;  // as last seen
};

struct StreamStatus {
  enum class State { starting, waiting, running, failing };

  std::string dataset, stream, table;
  State state = State::starting;  // waiting: there is no such stream yet
  std::string error;              // of the last attempt; empty when it went well
  std::vector<ShardStatus> shards;
  uint64_t lag = 0;  // records that are in the stream and in no commit

  // Since this job was made. records = rows' records + those quarantined; of rows those that are
  // neither clean nor quarantined were filtered.
  uint64_t batches = 0, records = 0, rows = 0, clean = 0, quarantined = 0, lost = 0;

  lake::Version table_version = -1;  // -1: no table yet
  int64_t table_rows = 0;            // all of them, whoever wrote them
  int64_t last_commit_ms = 0;        // wall time; 0: none yet
  int64_t freshness_ms = 0;          // how old the last commit's oldest record then was
};

std::string_view name_of(StreamStatus::State state);

class StreamFollower;
class WarmEngine;

class StreamJob {
 public:
  // What is pointed to outlives the job. The lake bucket is made when it is absent.
  struct Options {
    const project::Project* project = nullptr;
    broker::Topics* topics = nullptr;
    const lake::Services* lake = nullptr;
    std::string lake_bucket;
    io::Loop* loop = nullptr;
    Clock* clock = nullptr;
    sql::Engine::Options engine;  // of role jobs; open while there is work, closed when idle

    Millis batch_interval{1000};  // at most one commit per table in this time, unless one is full
    size_t batch_rows_max = 100'000;    // a batch is full beyond either; it may exceed them by one
    size_t batch_bytes_max = 16 << 20;  // fetch
    Millis engine_idle{10'000};
    // When set, all data sets come from this one stream, told apart by the end of their records'
    // key: "<id>.pin", "<id>_pin" and "pin" are the data set pin's.
    std::string shared_stream;
    // Go on when the stream has removed records before they were read; otherwise that is an error.
    bool skip_lost = false;
  };

  explicit StreamJob(Options options);
  ~StreamJob();
  StreamJob(const StreamJob&) = delete;

  // Until cancelled, on the options' loop. What was not committed by then is read again next time.
  io::Task<> run();

  // Waits until all that is in the streams now is in the tables, without waiting for the batch
  // interval. `timeout` when it takes longer, `unavailable` with the reason when a data set fails.
  io::Task<Result<std::vector<StreamStatus>>> drain(io::Instant deadline);

  io::Task<std::vector<StreamStatus>> status();

  // The stream tables as they are now; data sets without one are left out. `not_found` when there
  // is none at all.
  io::Task<Result<std::vector<PinnedTable>>> pin_tables();

 private:
  template <class F>
  io::Task<Result<std::invoke_result_t<F>>> on_own_loop(F function);
  struct Target;
  io::Task<Result<std::vector<Target>>> targets();
  Result<bool> has_reached(const std::vector<Target>& targets) const;
  io::Task<Status> wait_until_reached(std::vector<Target> targets, io::Instant deadline);
  io::Task<Result<PinnedTable>> pin_table(const project::Dataset& dataset);

  Options options_;
  std::unique_ptr<WarmEngine> engine_;
  io::Signal progress_;
  std::vector<std::unique_ptr<StreamFollower>> followers_;
};

}  // namespace pinpipe::jobs
