// One run of a DAG as a state machine without clocks, disks or threads: what may start now, what
// follows from an end, when a retry is due. The scheduler around it does what it says and stores
// what it changed; a test can drive it with any clock and any order of events.
// Promise: a task is never startable while an earlier try of it has not ended; a run ends exactly
// when all its tasks have, and it has failed when a last task of it has.
//
//   none ─► scheduled ─► running ─► success | skipped | failed
//    │                      │ ▲
//    ├─► skipped            ▼ │ retry_at
//    └─► upstream_failed  up_for_retry          restarting: cleared while it ran
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "project/project.h"

namespace pinpipe::scheduler {

// Airflow's names, so that its clients understand us.
enum class RunState { queued, running, success, failed };
enum class RunType { scheduled, manual, backfill };
enum class TaskState {
  none,
  scheduled,
  queued,
  running,
  success,
  failed,
  up_for_retry,
  upstream_failed,
  skipped,
  restarting,
  removed,
};
std::string_view name_of(RunState state);
std::string_view name_of(RunType type);
std::string_view name_of(TaskState state);
std::optional<RunState> run_state_named(std::string_view name);
std::optional<RunType> run_type_named(std::string_view name);
std::optional<TaskState> task_state_named(std::string_view name);
// True for the states in which a task stays unless somebody clears it.
bool has_ended(TaskState state);

// Times are milliseconds since 1970; 0 means not yet.
struct TaskRun {
  std::string task_id;
  TaskState state = TaskState::none;
  int try_number = 0;  // of the latest try
  int tries_max = 1;   // the try after which a failure is final
  int64_t queued_ms = 0;
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  int64_t retry_at_ms = 0;
  std::string note;  // why it is in this state, for people
};

struct DagRun {
  int64_t number = 0;  // over all runs, in the order they were made; 0: not stored yet
  std::string dag_id;
  std::string run_id;
  RunType type = RunType::manual;
  RunState state = RunState::queued;
  std::optional<int64_t> logical_ms;
  int64_t run_after_ms = 0;
  int64_t queued_ms = 0;
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  std::string conf = "{}";  // a JSON object
  std::string note;
  std::string triggered_by;
  int64_t timeout_ms = 0;      // 0: the DAG's
  bool deadline_told = false;  // that it is late has been said
  std::vector<TaskRun> tasks;
};

struct Outcome {
  enum class Kind { success, skipped, failed, failed_for_good } kind = Kind::success;
  std::string note;
};

class RunMachine {
 public:
  // The run's tasks are brought into the DAG's order; what the DAG no longer has is `removed`.
  RunMachine(std::shared_ptr<const project::DagSpec> dag, DagRun run);

  const DagRun& run() const { return run_; }
  const project::DagSpec& dag() const { return *dag_; }
  bool has_ended() const {
    return run_.state == RunState::success || run_.state == RunState::failed;
  }

  // A queued run starts.
  void begin(int64_t now_ms);
  // Up to `most` tasks that may start now and that `fits` takes; they stay listed until started().
  std::vector<size_t> startable(size_t most,
                                const std::function<bool(size_t)>& fits = nullptr) const;
  void started(size_t task, int64_t now_ms);
  // The try that started() announced is over. What a cancelled or cleared try says is not counted.
  void finished(size_t task, const Outcome& outcome, int64_t now_ms);
  // Retries whose time has come; the run's own time limit.
  void tick(int64_t now_ms);
  std::optional<int64_t> next_due_ms() const;

  // Back to the beginning for these tasks, and with `downstream` for all that come after them; the
  // run goes on. Returns which tasks those are. Tries that still run have to be stopped.
  std::vector<size_t> clear(const std::vector<size_t>& tasks, bool downstream, int64_t now_ms);
  // The set clear() would touch.
  std::vector<size_t> reached_from(const std::vector<size_t>& tasks, bool downstream) const;
  // Somebody says how a task, or all that have not succeeded, ended. What comes after a task that
  // is successful now, and had not run for its sake, goes back to its beginning; what runs has to
  // be stopped.
  void mark(const std::vector<size_t>& tasks, TaskState state, int64_t now_ms);
  void set_note(std::string note);
  void set_deadline_told();
  // The run fails; what waits is skipped, what runs has to be stopped.
  void cancel(const std::string& note, int64_t now_ms);
  // After the process died: tries that ran have failed, and are retried as their task allows.
  void recover(int64_t now_ms);

  // Tasks whose try is under way although nobody wants it any more.
  std::vector<size_t> to_stop() const;
  size_t busy_count() const { return busy_count_; }
  std::optional<size_t> find_task(std::string_view id) const;

  // What changed since the last call, for storing.
  struct Changes {
    bool run = false;
    std::set<size_t> tasks;
  };
  Changes take_changes();

 private:
  struct Links {
    std::vector<size_t> before;
    std::vector<size_t> after;
    size_t succeeded = 0, failed = 0, skipped = 0;  // of those before
    bool busy = false;                              // a try has started and not ended
  };
  enum class Verdict { wait, run, skip, upstream_failed };

  Verdict judge(size_t task) const;
  void settle(size_t task, TaskState state, std::string note, int64_t now_ms);
  void set_state(size_t task, TaskState state);
  void examine(std::vector<size_t> tasks, int64_t now_ms);
  void count_ended(size_t task, int by);
  int64_t timeout_ms() const {
    return run_.timeout_ms > 0 ? run_.timeout_ms : dag_->run_timeout_ms;
  }
  void end_if_done(int64_t now_ms);
  void fail_try(size_t task, const std::string& note, bool for_good, int64_t now_ms);

  std::shared_ptr<const project::DagSpec> dag_;
  DagRun run_;
  std::vector<Links> links_;  // of the DAG's own tasks
  std::deque<size_t> ready_;
  std::set<std::pair<int64_t, size_t>> retries_;
  size_t open_ = 0;  // tasks that have not ended
  size_t busy_count_ = 0;
  Changes changes_;
};

// The pause after failed try `try_number`.
int64_t retry_delay_ms(const project::TaskSpec& task, int try_number);

}  // namespace pinpipe::scheduler
