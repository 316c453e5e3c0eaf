// One connector: follows topics and stores every record in an object, once.
// Promise: the objects of a partition, in the order of their names, hold each of its records
// exactly once. Objects are named by their first offset; the group's position moves on only when
// they are durable; a start begins at that position and makes the same objects again. Where a file
// ended by the clock or by lack of memory, its end is durable before it is uploaded. run() ends
// only when nothing it began can still change a bucket or a position, so that another sink may take
// its place at once. What cannot be
// stored (no JSON, a tombstone) stops its task with the reason, or is skipped, counted and sent to
// the dead-letter topic, as the configuration says. Bounds: those of Memory, which connectors
// share; fetch_bytes_max.
//
// Lives on one loop. status(), pause(), resume(), restart() and flush() may be called on any loop.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/topics.h"
#include "codec/json_scan.h"
#include "io/pool.h"
#include "io/scope.h"
#include "io/wake.h"
#include "objects/store.h"
#include "sink/config.h"
#include "sink/memory.h"
#include "sink/sink_state.h"

namespace pinpipe::sink {

struct PartitionStatus {
  std::string topic;
  int partition = 0;
  int64_t committed = 0;       // all records before it are in durable objects
  int64_t high_watermark = 0;  // of the partition, when last looked
  int64_t open_records = 0;    // in the file that is open
  std::optional<int64_t> closes_in_ms;
  std::string waiting_for;  // "37 of 100 records, 4 s left"; empty without an open file
  // Since the connector first followed this partition; they survive restarts.
  int64_t records = 0, objects = 0, skipped = 0;
};

struct TaskStatus {
  int id = 0;
  std::string state;  // RUNNING, PAUSED, FAILED
  std::string trace;  // why it failed
  std::vector<PartitionStatus> partitions;
};

struct SinkStatus {
  std::string name;
  std::string state;  // RUNNING, PAUSED
  std::vector<TaskStatus> tasks;
  std::string waiting_for;  // of the fullest open file
};

class ObjectSink {
 public:
  static constexpr size_t fetch_bytes_max = 1 << 20;

  struct Parts {
    broker::Topics& topics;
    objects::Store& objects;
    SinkState& state;
    io::Pool& disk;
    io::Loop& loop;
    Clock& clock = system_clock();
    std::shared_ptr<Memory> memory = nullptr;  // one of its own when there is none
  };
  ObjectSink(Parts parts, SinkConfig config);
  ~ObjectSink();

  // Ends when cancelled. On the sink's loop.
  io::Task<> run();

  // Before run(): it begins paused.
  void begin_paused() { paused_ = true; }
  io::Task<SinkStatus> status();
  io::Task<> pause();
  io::Task<> resume();
  // One task, or all that have failed; from the committed positions on.
  io::Task<> restart(std::optional<int> task);
  // Closes files so that all that is in the topics now is in durable objects, and waits for it.
  io::Task<Status> flush(io::Instant deadline);
  // Closes the files whose time has come, as run() does by itself several times a second.
  io::Task<> close_due_files();
  // For Memory, on the sink's loop: the open file that holds most, and closing it now.
  size_t largest_open_bytes() const;
  void close_largest();
  const SinkConfig& config() const { return config_; }
  std::string group() const { return "connect-" + config_.name; }

 private:
  struct Upload;
  struct Follower;
  struct TaskState {
    bool failed = false;
    std::string trace;
  };

  io::Task<> follow(std::shared_ptr<Follower> follower);
  io::Task<Status> begin(Follower& follower);
  FollowedAs followed_as(const Follower& follower) const;
  io::Task<Status> check_incarnation(Follower& follower, bool same_topic);
  io::Task<Status> remove_uncommitted(const Follower& follower, FollowedAs last);
  io::Task<Status> take(std::shared_ptr<Follower> follower, broker::Fetched fetched);
  io::Task<Status> refuse(Follower& follower, const broker::RecordOut& record, std::string reason);
  io::Task<Status> send_dead_letter(const Follower& follower, const broker::RecordOut& record,
                                    const std::string& reason);
  Status add(const std::shared_ptr<Follower>& follower, const broker::RecordOut& record);
  Result<int64_t> time_of(const broker::RecordOut& record, const codec::JsonCursor& value) const;
  bool is_full(const Upload& file) const;
  bool goes_by_wall_clock() const;
  std::string path_at(const Follower& follower, int64_t at_ms) const;
  bool must_part(const Upload& file, int64_t at_ms, std::string_view path) const;
  void close_file(const std::shared_ptr<Follower>& follower, bool by_clock);
  io::Task<> upload(std::shared_ptr<Follower> follower, std::shared_ptr<Upload> upload);
  io::Task<Status> keep_boundary(Follower& follower, const Upload& upload);
  io::Task<Status> put_all(const Follower& follower, Upload& upload);
  io::Task<Status> put(std::string key, std::string bytes);
  void advance(Follower& follower);
  io::Task<> commit_all();
  io::Task<Status> commit_once();
  io::Task<> watch_clock();
  void close_due_files_now();
  int64_t closes_at_ms(const Follower& follower) const;
  void discover();
  void abandon(Follower& follower);
  void fail(Follower& follower, const Error& error);
  bool is_stopped(const Follower& follower) const;
  PartitionStatus status_of(const Follower& follower) const;
  SinkStatus status_now() const;
  std::string waiting_for(const Follower& follower) const;
  const Follower* fullest() const;

  template <class F>
  io::Task<std::invoke_result_t<F>> on_own_loop(F function);

  Parts parts_;
  SinkConfig config_;
  codec::JsonScanner scanner_;
  io::Scope* scope_ = nullptr;      // while run() runs: readers
  io::Scope* finishing_ = nullptr;  // uploads and commits, which are never cut short
  bool stopping_ = false;
  bool ended_ = false;
  std::map<broker::TopicPartition, std::shared_ptr<Follower>> followers_;
  std::vector<TaskState> tasks_;
  int next_task_ = 0;
  bool paused_ = false;
  size_t uploads_ = 0;
  io::Signal control_;   // paused, resumed, stopping
  io::Signal durable_;   // some follower has something to commit
  io::Signal progress_;  // something was committed or failed
};

}  // namespace pinpipe::sink
