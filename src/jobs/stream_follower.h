// One data set of the stream job: reads its stream's shards, cuts micro-batches, commits them.
//
//   table's txns ──► readers, one per shard ──► queue ──► batch ──► clean ──► quarantine, table
//        ▲                                                                         │
//        └────────── looked at anew after any failure, conflict or reshard ────────┘
//
// Everything happens on the job's loop but cleaning and compaction, which are on the work pool.
// A batch's bounds adapt: they grow to the settings' while full batches are done quickly, and
// shrink when one takes long or more memory than there is.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "io/scope.h"
#include "jobs/stream.h"
#include "jobs/stream_clean.h"
#include "jobs/stream_positions.h"
#include "lake/table.h"

namespace pinpipe::jobs {

class StreamFollower {
 public:
  using Trigger = project::StreamJobSettings::Trigger;

  StreamFollower(const StreamJob::Options& options, const project::Dataset& dataset,
                 RecordFilter filter, const lake::Services& lake, WarmEngine& engine,
                 io::Signal& progress);
  ~StreamFollower();

  // Until cancelled. Rests until it is told to follow.
  io::Task<> run();
  // Ends the SQL at work soon. Before run() is cancelled.
  void stop_work() {
    stop_.request_stop();
    keeping_stop_.request_stop();
  }

  // Goes on as the settings' trigger or this one says. `conflict` when it follows by another one.
  Status follow_by(std::optional<Trigger> trigger);
  // Commits what was read and rests.
  void rest();
  // Whether it does nothing and is not about to.
  bool is_resting() const;
  // Whether status() tells how the table is.
  bool is_known() const { return status_.state != StreamStatus::State::starting; }
  // Empties the table and its quarantine, to begin again there; `done` is told. `conflict` unless
  // it rests.
  void reset(project::StreamStart start, io::OneShot<Status> done);

  const project::Dataset& dataset() const { return dataset_; }
  const std::string& stream() const { return stream_; }
  const RecordFilter& filter() const { return filter_; }
  // As of the last look; null: there has been none. On the job's loop.
  std::shared_ptr<const lake::Snapshot> snapshot() const {
    return table_ ? table_->snapshot() : nullptr;
  }
  StreamStatus status() const;

  // Between these, batches do not wait for their interval.
  void begin_drain();
  void end_drain() { --drains_; }
  // Whether this shard of this incarnation is committed up to there; also when the incarnation is
  // gone. An error when it cannot go on by itself.
  Result<bool> has_committed(const Uuid& incarnation, broker::PartitionId shard,
                             broker::Offset end) const;

 private:
  // One shard of the stream as it is being followed.
  struct Shard {
    std::string app_id;
    int64_t stored = -1;             // the table's txn version: the last offset committed
    int64_t stored_quarantine = -1;  // the quarantine table's
    broker::Offset begin = 0;        // where reading starts when nothing is committed
    broker::Offset committed = 0;    // what lies before is done
    broker::Offset high_watermark = 0;
  };
  struct Reset {
    project::StreamStart start;
    io::OneShot<Status> done;
  };
  struct Committed {
    int64_t at_ms = 0;  // steady
    uint64_t records = 0;
  };
  static constexpr int64_t rate_window_ms = 10'000;

  // stream_follower.cc
  io::Task<Status> rest_until_told();
  io::Task<> look();
  io::Task<Status> pause_after(const Status& failure);
  io::Task<Status> follow();
  io::Task<Status> wait_for_stream();
  void end_run();

  // stream_tables.cc: the tables and the positions in them
  std::map<std::string, std::string> table_properties() const;
  io::Task<Status> open_tables();
  io::Task<Status> open_table_of(const lake::Location& place);
  io::Task<Status> load_positions(const broker::TopicFacts& facts);
  io::Task<Status> begin_reading();
  io::Task<Status> commit_start(project::StreamStart start, const StreamPositions& positions,
                                lake::WriteMode mode, std::vector<lake::TxnUpdate> txns);
  void note_table();
  io::Task<Result<broker::Offset>> offset_of(project::StreamStart start, broker::PartitionId id);
  io::Task<Status> reset_tables(project::StreamStart start);
  io::Task<Status> empty_quarantine();
  Status check_lost(broker::PartitionId id, Shard& shard, const broker::OffsetRange& range);
  io::Task<Status> replay_quarantined();
  io::Task<Result<StreamBatch>> fetch_up_to_quarantine();

  // stream_batches.cc: reading and cutting
  io::Task<Status> follow_batches();
  io::Task<> read(broker::PartitionId id, broker::Offset next);
  io::Task<Result<StreamBatch>> next_batch();
  bool is_stream_changed() const;
  void take_from_queue(StreamBatch& batch);
  bool is_full(const StreamBatch& batch) const;
  bool covers_run(const StreamBatch& batch) const;
  bool is_due(const StreamBatch& batch, io::Instant now) const;
  void adapt(Millis took);
  void adapt_to(const Error& error);
  io::Task<Status> open_session();
  io::Task<> close_session_when_idle();

  // stream_commit.cc
  io::Task<Status> process(StreamBatch batch);
  io::Task<Status> commit(const StreamBatch& batch, CleanedBatch cleaned);
  io::Task<Status> commit_quarantine(const StreamBatch& batch, CleanedBatch& cleaned);
  lake::CommitFacts facts_of(const StreamBatch& batch, const CleanedBatch& cleaned,
                             int64_t Shard::* stored) const;
  io::Task<> discard(lake::Encoded data);
  void count(const StreamBatch& batch, const CleanedBatch& cleaned);

  // stream_keeping.cc
  io::Task<> keep_tables();
  io::Task<Status> compact(lake::Table& table);
  io::Task<Status> sweep(lake::Table& table);

  const project::StreamJobSettings& settings() const { return dataset_.stream_job; }
  size_t batch_rows_max() const;
  size_t batch_bytes_max() const;
  uint64_t lag() const;
  int64_t behind_ms() const;
  double rate() const;
  void show_metrics() const;

  const StreamJob::Options& options_;
  const project::Dataset& dataset_;
  const std::string stream_;
  const RecordFilter filter_;
  const lake::Services& lake_;
  WarmEngine& engine_;
  io::Signal& progress_;
  StreamCleaner cleaner_;
  std::stop_source stop_;
  std::stop_source keeping_stop_;

  // What it shall do. Changes notify control_ and arrived_.
  bool follows_ = false;
  bool has_ended_ = false;  // the run that was asked for has come to its end
  Trigger trigger_ = Trigger::continuous;
  std::map<broker::PartitionId, broker::Offset> run_ends_;  // of a run that ends
  std::optional<Reset> reset_;
  io::Signal control_;

  std::unique_ptr<lake::Table> table_;
  std::unique_ptr<lake::Table> quarantine_;  // absent until something is refused
  StreamPositions positions_;
  Uuid incarnation_;
  std::map<broker::PartitionId, Shard> shards_;
  uint64_t topic_changes_seen_ = 0;
  bool waited_for_stream_ = false;  // it came into being under our eyes: all of it is new

  std::deque<StreamBatch::Part> queue_;  // an empty part only moves its shard's end
  size_t queue_bytes_ = 0;
  io::Signal arrived_;  // in the queue, or a reader has ended
  io::Signal room_;     // in the queue
  std::optional<Error> read_error_;
  io::Instant batch_due_{};        // before that no further batch, unless it is full
  io::Instant last_used_{};        // the session
  size_t skipped_ = 0;             // records of others since the last commit
  int64_t working_oldest_ms_ = 0;  // of the batch being filled or at work; 0: none
  size_t batch_divisor_ = 4;       // of the settings' bounds
  int drains_ = 0;
  bool is_loaded_ = false;
  bool is_stuck_ = false;  // trying again will not help
  Millis pause_{0};

  StreamStatus status_;
  std::deque<Committed> recent_;  // commits of the last rate_window
};

}  // namespace pinpipe::jobs
