// The stream job: each data set's stream becomes rows of its stream table, by the same clean SQL as
// the batch job's, some hundred milliseconds to a second after they were sent.
//
// Promise: exactly once from the log onward. How far a stream has been read is stored in the table,
// in the same commit as the rows; a job that is killed anywhere goes on from there, and of two jobs
// on one table the one that loses a commit looks at the table again. Every record is clean,
// filtered by the project's SQL, or in the quarantine table (<stream table>_quarantine) with its
// bytes, position and reason. Data sets share nothing but the SQL engine: one that fails says so in
// its status, tries again, and disturbs no other. Which of them are stopped survives a restart.
//
// Bounds: per data set twice stream_job.batch_bytes of records (a batch at work, the next being
// read), each with one read more of every shard, and what the SQL needs for one of them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "broker/topics.h"
#include "io/wake.h"
#include "jobs/batch_tables.h"
#include "jobs/stream_live.h"
#include "lake/services.h"
#include "project/project.h"
#include "sql/engine.h"
#include "state/database.h"

namespace pinpipe::jobs {

struct ShardStatus {
  broker::PartitionId shard = 0;
  broker::Offset position = 0;        // the next record that is in no commit
  broker::Offset high_watermark = 0;  // as last seen
};

struct StreamStatus {
  enum class State {
    starting,
    waiting,  // there is no such stream yet
    running,
    failing,
    stopped,  // by somebody
    done,     // a run that ends by itself has
  };

  std::string dataset, stream, table;
  State state = State::starting;
  project::StreamJobSettings::Trigger trigger = project::StreamJobSettings::Trigger::continuous;
  std::string error;  // of the last attempt; empty when it went well
  std::vector<ShardStatus> shards;
  uint64_t lag = 0;  // records that are in the stream and in no commit

  // Since this job was made. records = rows' records + those quarantined; of rows those that are
  // neither clean nor quarantined were filtered.
  uint64_t batches = 0, records = 0, rows = 0, clean = 0, quarantined = 0, lost = 0;
  double records_per_second = 0;  // committed, over the last ten seconds

  lake::Version table_version = -1;  // -1: no table yet
  int64_t table_rows = 0;            // all of them, whoever wrote them
  int64_t table_files = 0;
  uint64_t compacted_files = 0;  // since this job was made
  int64_t last_commit_ms = 0;    // wall time; 0: none yet
  int64_t freshness_ms = 0;      // how old the last commit's oldest record then was
  int64_t behind_ms = 0;         // how long the oldest record that was read waits for its commit
};

std::string_view name_of(StreamStatus::State state);

class StreamFollower;
class WarmEngine;

class StreamJob {
 public:
  using Trigger = project::StreamJobSettings::Trigger;

  // What is pointed to outlives the job. The lake bucket is made when it is absent.
  struct Options {
    const project::Project* project = nullptr;  // with its stream_job settings
    broker::Topics* topics = nullptr;
    const lake::Services* lake = nullptr;
    std::string lake_bucket;
    io::Loop* loop = nullptr;
    Clock* clock = nullptr;
    sql::Engine::Options engine = {};  // of role jobs; open while there is work, closed when idle
    // Where it is kept which data sets are stopped; without one, none is at first.
    state::Database* state = nullptr;
    bool follows = true;  // otherwise every data set rests until start() is asked
    Millis engine_idle{10'000};
  };

  static std::span<const std::string_view> migrations();

  explicit StreamJob(Options options);
  ~StreamJob();
  StreamJob(const StreamJob&) = delete;

  // Until cancelled, on the options' loop. What was not committed by then is read again next time.
  io::Task<> run();

  // `not_found` unless it is empty or a data set's that is followed.
  Status check_name(const std::string& dataset) const;

  // The following are about one data set, or about all of them when none is named. Each is
  // idempotent, and `not_found` names the nearest data set.

  // Follows, now and after a restart. With a trigger, for this once: how it goes on after a restart
  // stays as it was. `conflict` when it follows already and by another trigger.
  io::Task<Status> start(std::string dataset, std::optional<Trigger> trigger = {});
  // Commits what was read and rests, also after a restart.
  io::Task<Status> stop(std::string dataset, io::Instant deadline);
  // Empties the stream table and its quarantine and goes to `start` in the stream; nothing is read
  // before start(). `conflict` unless it is stopped.
  io::Task<Status> reset(std::string dataset, project::StreamStart start);
  // Until a run that ends by itself has; `unavailable` with the reason when it cannot go on.
  io::Task<Status> wait_until_done(std::string dataset, io::Instant deadline);

  // Waits until all that is in the streams now is in the tables, without waiting for the batch
  // interval. `timeout` when it takes longer, `unavailable` with the reason when a data set fails
  // or is stopped.
  io::Task<Result<std::vector<StreamStatus>>> drain(io::Instant deadline);

  io::Task<std::vector<StreamStatus>> status();

  // The table at its present version and what the stream holds beyond it. `not_found` when the
  // table or the data set is not there.
  io::Task<Result<LiveStream>> live(std::string dataset);

  // The stream tables as they are now; data sets without one are left out. `not_found` when there
  // is none at all.
  io::Task<Result<std::vector<PinnedTable>>> pin_tables();

 private:
  using Followers = std::vector<StreamFollower*>;

  template <class F>
  io::Task<Result<std::invoke_result_t<F>>> on_own_loop(F function);
  template <class F>
  io::Task<Status> wait_until(F is_so, io::Instant deadline);
  Result<Followers> named(const std::string& dataset) const;
  io::Task<Status> begin_following();
  io::Task<Result<std::shared_ptr<const lake::Snapshot>>> table_of(StreamFollower& follower);
  io::Task<Status> keep_stopped(std::vector<std::string> datasets, bool stopped);
  struct Target;
  io::Task<Result<std::vector<Target>>> targets();
  Result<bool> has_reached(const std::vector<Target>& targets) const;
  io::Task<Result<PinnedTable>> pin_table(const project::Dataset& dataset);

  Options options_;
  std::unique_ptr<WarmEngine> engine_;
  std::unique_ptr<lake::Services> lake_;  // the options', with sessions of the warm engine
  io::Signal progress_;
  std::vector<std::unique_ptr<StreamFollower>> followers_;
};

}  // namespace pinpipe::jobs
