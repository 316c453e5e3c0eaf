// One data set of the stream job: reads its stream's shards, cuts micro-batches, commits them.
//
//   table's txns ──► readers, one per shard ──► queue ──► batch ──► clean ──► quarantine, table
//        ▲                                                                         │
//        └────────── looked at anew after any failure, conflict or reshard ────────┘
//
// Everything happens on the job's loop but cleaning, which is on the work pool.
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
#include "lake/table.h"

namespace pinpipe::jobs {

class StreamFollower {
 public:
  StreamFollower(const StreamJob::Options& options, const project::Dataset& dataset,
                 RecordFilter filter, WarmEngine& engine, io::Signal& progress);
  ~StreamFollower();

  // Until cancelled.
  io::Task<> run();
  // Ends the SQL at work soon. Before run() is cancelled.
  void stop() { stop_.request_stop(); }

  const project::Dataset& dataset() const { return dataset_; }
  const std::string& stream() const { return stream_; }
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

  io::Task<Status> follow();
  io::Task<Status> open_tables();
  io::Task<Status> open_session();
  io::Task<Status> load_positions();
  Status check_lost(broker::PartitionId id, Shard& shard, const broker::OffsetRange& range);
  io::Task<Status> replay_quarantined();
  io::Task<Result<StreamBatch>> fetch_up_to_quarantine();
  io::Task<Status> follow_batches();
  io::Task<> read(broker::PartitionId id, broker::Offset next);
  io::Task<Result<StreamBatch>> next_batch();
  bool is_stream_changed() const;
  void take_from_queue(StreamBatch& batch);
  bool is_full(const StreamBatch& batch) const;
  io::Task<> close_session_when_idle();

  io::Task<Status> process(StreamBatch batch);
  io::Task<Status> commit(const StreamBatch& batch, CleanedBatch cleaned);
  io::Task<Status> commit_quarantine(const StreamBatch& batch, CleanedBatch& cleaned);
  lake::CommitFacts facts_of(const StreamBatch& batch, const CleanedBatch& cleaned,
                             int64_t Shard::* stored) const;
  io::Task<> discard(lake::Encoded data);
  void count(const StreamBatch& batch, const CleanedBatch& cleaned);
  io::Task<Status> pause_after(const Status& failure);

  const StreamJob::Options& options_;
  const project::Dataset& dataset_;
  const std::string stream_;
  const bool is_shared_;
  WarmEngine& engine_;
  io::Signal& progress_;
  StreamCleaner cleaner_;
  std::stop_source stop_;

  std::unique_ptr<lake::Table> table_;
  std::unique_ptr<lake::Table> quarantine_;  // absent until something is refused
  Uuid incarnation_;
  std::map<broker::PartitionId, Shard> shards_;
  uint64_t topic_changes_seen_ = 0;

  std::deque<StreamBatch::Part> queue_;  // an empty part only moves its shard's end
  size_t queue_bytes_ = 0;
  io::Signal arrived_;  // in the queue, or a reader has ended
  io::Signal room_;     // in the queue
  std::optional<Error> read_error_;
  io::Instant batch_due_{};  // before that no further batch, unless it is full
  io::Instant last_used_{};  // the session
  size_t skipped_ = 0;       // records of others since the last commit
  int drains_ = 0;
  bool is_loaded_ = false;
  bool is_stuck_ = false;  // trying again will not help
  Millis pause_{0};

  StreamStatus status_;
};

}  // namespace pinpipe::jobs
