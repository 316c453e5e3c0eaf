// Runs, tasks and logs on disk: state/scheduler.db.
// Promise: a StoreBatch is stored whole or not at all, and survives a power cut once write() has
// returned. Every call blocks: disk pool, or at start.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "scheduler/run.h"
#include "state/database.h"

namespace pinpipe::scheduler {

struct DagRow {
  std::string dag_id;
  bool paused = false;
  int64_t first_seen_ms = 0;
  int64_t last_fired_ms = 0;  // the latest moment a scheduled run stands for
};

struct TaskRow {
  std::string dag_id;
  std::string run_id;
  TaskRun task;
};

struct LogRow {
  std::string dag_id;
  std::string run_id;
  std::string task_id;
  int try_number = 0;
  std::string text;
};

struct RunName {
  std::string dag_id;
  std::string run_id;
};

// Runs of this DAG that ended before the moment are forgotten, with their tasks and logs.
struct Forgetting {
  static constexpr int64_t runs_max = 1000;  // in one batch
  std::string dag_id;
  int64_t ended_before_ms = 0;
};

struct StoreBatch {
  std::vector<DagRow> dags;
  std::vector<DagRun> runs;  // without their tasks
  std::vector<TaskRow> tasks;
  std::vector<LogRow> logs;
  std::vector<RunName> deleted;
  std::vector<Forgetting> forgotten;

  bool empty() const {
    return dags.empty() && runs.empty() && tasks.empty() && logs.empty() && deleted.empty() &&
           forgotten.empty();
  }
};

struct RunFilter {
  std::string dag_id;                  // empty: of all DAGs
  std::optional<RunState> state = {};  // nothing: any
  int64_t limit = 100;
  int64_t offset = 0;
};

struct RunPage {
  std::vector<DagRun> runs;  // latest first, without their tasks
  int64_t total = 0;
};

class RunStore {
 public:
  static Result<std::unique_ptr<RunStore>> open(const std::string& path);

  Status write(const StoreBatch& batch);
  Result<std::vector<DagRow>> dags();
  // Those that have not ended, in the order they were made, with their tasks.
  Result<std::vector<DagRun>> open_runs();
  Result<RunPage> runs(const RunFilter& filter);
  // With its tasks; `not_found` when there is none.
  Result<DagRun> run(const std::string& dag_id, const std::string& run_id);
  // Alone, for who waits for it.
  Result<RunState> state_of(const std::string& dag_id, const std::string& run_id);
  Result<DagRun> run_numbered(int64_t number);
  // Those with logical dates in [from, to], with their tasks.
  Result<std::vector<DagRun>> runs_dated(const std::string& dag_id, int64_t from_ms, int64_t to_ms);
  Result<bool> has_logical_date(const std::string& dag_id, int64_t logical_ms);
  // The stored lines of one try.
  Result<std::string> log(const std::string& dag_id, const std::string& run_id,
                          const std::string& task_id, int try_number);

 private:
  explicit RunStore(std::unique_ptr<state::Database> database) : database_(std::move(database)) {}
  std::unique_ptr<state::Database> database_;
};

}  // namespace pinpipe::scheduler
