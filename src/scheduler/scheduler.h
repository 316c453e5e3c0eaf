// Runs DAGs: by their schedules, by hand, again after failures and after crashes.
// A task names a job; a job is a function that somebody registered. The scheduler knows no job.
// Promise: what an operation answered is stored. A try is stored as running before its job starts,
// so that after a crash it has failed and is retried as its task allows; it never runs twice at
// once. Everything that happens in one round of the loop is one transaction.
// The scheduler lives on one loop; its operations may be awaited on any.
// Bounds: dags_max DAGs, open_runs_max runs that have not ended, requests_max waiting requests.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "io/pool.h"
#include "io/scope.h"
#include "io/task.h"
#include "io/wake.h"
#include "project/project.h"
#include "scheduler/dag_file.h"
#include "scheduler/run.h"
#include "scheduler/run_store.h"
#include "scheduler/schedule.h"
#include "scheduler/task_log.h"

namespace pinpipe::scheduler {

// "2026-01-02T00:00:00+00:00", with the milliseconds when there are any: as in Airflow's run ids.
std::string airflow_time(int64_t at_ms);

// What a job gets; lives until the job's task has ended.
struct JobContext {
  std::string dag_id = {};
  std::string run_id = {};
  std::string task_id = {};
  int try_number = 1;
  std::optional<int64_t> logical_ms = {};
  project::Params params = {};  // the DAG's, overlaid by the task's
  std::string conf = {};        // the run's JSON object
  TaskLog& log;
  bool skipped = false;  // a job sets it to end as `skipped` instead of `success`
};

// Ok: success. `invalid`: failed, and trying again will not help. Any other error: failed, retried
// as the task says. A job that is cancelled or out of time sees its waits answer `cancelled`.
using Job = std::function<io::Task<Status>(JobContext&)>;

struct TriggerRequest {
  std::string dag_id;
  std::string run_id = {};                   // empty: manual__<now>
  std::optional<int64_t> logical_ms = {};    // one run per date
  std::optional<int64_t> run_after_ms = {};  // not before
  std::string conf = "{}";
  std::string note = {};
  std::string triggered_by = "api";
  int64_t timeout_ms = 0;  // of this run; 0: the DAG's
};

// What is told to those whom the DAG's `notify` names.
struct Told {
  project::Notice to;
  std::string event;  // success, failure, deadline
  DagRun run;
};
// Tells it; an error is logged. Awaited on the scheduler's loop.
using Teller = std::function<io::Task<Status>(Told)>;

// One reading of a DAG file that was put somewhere, and what came of it.
struct DagFileView {
  std::string name;
  std::vector<std::string> dags;
  std::vector<DagFileProblem> problems;
  int64_t read_ms = 0;
};

struct BackfillRequest {
  static constexpr size_t runs_max = 1000;
  std::string dag_id;
  int64_t from_ms = 0;  // logical dates, both included
  int64_t to_ms = 0;
  // A date that has a run already is left out, unless it failed and `failed_too`, or, with
  // `all_too`, however it ended: that run is cleared.
  bool failed_too = false;
  bool all_too = false;
  bool backwards = false;
  bool dry_run = false;
  std::string conf = "{}";
};
struct BackfillRun {
  std::string run_id;
  int64_t logical_ms = 0;
  std::string action;  // new, again, kept
};

struct PoolView {
  std::string name;
  int slots = 0;
  int used = 0;
};

struct DagView {
  project::DagSpec spec;
  bool paused = false;
  std::optional<int64_t> next_ms;  // when it is due next
  int64_t last_fired_ms = 0;
  int open_runs = 0;
  std::string problem;   // why its schedule cannot be followed
  std::string replaces;  // where the definition is that an imported file has taken the place of
};

class Scheduler {
 public:
  static constexpr size_t dags_max = 20'000;
  static constexpr size_t open_runs_max = 10'000;
  static constexpr size_t requests_max = 10'000;
  static constexpr size_t conf_bytes_max = 256 * 1024;
  static constexpr size_t files_max = 1000;
  static constexpr int default_pool_slots = 128;

  struct Parts {
    io::Loop& loop;
    io::Pool& disk;
    io::Files& files;
    Clock& clock;
    std::map<std::string, int> pools = {};  // slots by name; default_pool may be among them
  };

  // Opens state at `path` and takes up what an earlier process left; DAGs of `files` take the place
  // of those of the same id in `dags`. Blocks.
  static Result<std::unique_ptr<Scheduler>> open(const std::string& path, Parts parts,
                                                 const std::vector<project::DagSpec>& dags,
                                                 std::vector<DagFile> files = {});
  ~Scheduler();

  // Before run().
  void register_job(std::string name, Job job);
  void set_teller(Teller teller) { teller_ = std::move(teller); }
  // Does the work until cancelled, then stops the tries under way. On the scheduler's loop.
  io::Task<> run();
  // Instead of run(), for a process that ends soon: answers and stores what is asked for, and
  // neither fires a DAG nor goes on with a run.
  io::Task<> answer_requests();

  io::Task<Result<std::vector<DagView>>> list_dags();
  io::Task<Result<DagView>> dag(std::string dag_id);
  io::Task<Result<DagRun>> trigger(TriggerRequest request);
  io::Task<Status> set_paused(std::string dag_id, bool paused);
  // Takes the file's DAGs in, each in place of the project's DAG of that id and of what the file of
  // that name said before; runs under way go on with the old definition. A DAG that cannot be
  // taken becomes a problem of the file.
  io::Task<Result<DagFileView>> put_file(DagFile file);
  // Its DAGs are gone; the project's own come back. Runs of DAGs that are gone are cancelled.
  io::Task<Status> drop_file(std::string name);
  io::Task<Result<std::vector<DagFileView>>> files();
  io::Task<Result<std::vector<PoolView>>> pools();
  struct ClearRequest {
    std::string dag_id;
    std::string run_id;
    std::vector<std::string> task_ids = {};  // empty: all
    bool downstream = true;
    bool only_failed = false;
    bool dry_run = false;
  };
  // The tasks that were, or would be, cleared.
  io::Task<Result<std::vector<std::string>>> clear(ClearRequest request);
  io::Task<Status> cancel(std::string dag_id, std::string run_id);
  // `state` is success, failed or skipped; no task: all that have not succeeded. What runs is
  // stopped.
  struct MarkRequest {
    std::string dag_id;
    std::string run_id;
    std::vector<std::string> task_ids = {};
    TaskState state = TaskState::success;
    bool dry_run = false;
  };
  io::Task<Result<std::vector<std::string>>> mark(MarkRequest request);
  io::Task<Status> set_note(std::string dag_id, std::string run_id, std::string note);
  // With its tasks and logs; `conflict` while it is under way.
  io::Task<Status> delete_run(std::string dag_id, std::string run_id);
  io::Task<Result<std::vector<BackfillRun>>> backfill(BackfillRequest request);
  io::Task<Result<RunPage>> list_runs(RunFilter filter);
  io::Task<Result<DagRun>> find_run(std::string dag_id, std::string run_id);
  io::Task<Result<DagRun>> find_run_numbered(int64_t number);
  // The lines of one try, those not stored yet included.
  io::Task<Result<std::string>> task_log(std::string dag_id, std::string run_id,
                                         std::string task_id, int try_number);
  // Until the run has ended.
  io::Task<Result<DagRun>> wait_run(std::string dag_id, std::string run_id, io::Instant deadline);

 private:
  struct Dag {
    std::shared_ptr<const project::DagSpec> spec;
    std::optional<Schedule> schedule;
    std::string problem;
    DagRow row;
    std::string file;      // of an imported one: the file's name
    std::string replaces;  // that of the project's definition
    bool removed = false;  // waits for its last run to end
    int open_runs = 0;
    int running = 0;  // counted anew every round
    std::optional<int64_t> next_ms;
  };
  struct Try;
  using RunKey = std::pair<std::string, std::string>;
  struct OpenRun {
    RunMachine machine;
    uint64_t number;
    std::map<size_t, std::shared_ptr<Try>> tries;
    bool told_end = false;  // its end was told, or lies before this process
  };

  Scheduler(Parts parts, std::unique_ptr<RunStore> store);

  template <class T>
  io::Task<Result<T>> ask(std::move_only_function<Result<T>()> work);
  Dag& adopt(project::DagSpec spec, Result<Schedule> schedule);
  static DagView view_of(const Dag& dag);
  Status check(const project::DagSpec& spec) const;
  bool leads_to(const project::DagSpec& from, const std::string& dag_id) const;
  struct ScheduledFile {
    DagFile file;
    std::vector<Result<Schedule>> schedules;
  };
  ScheduledFile with_schedules(DagFile file) const;
  DagFileView take_file(ScheduledFile file);
  void remove_dag(const std::string& dag_id);
  Result<Dag*> find(const std::string& dag_id);
  void plan(Dag& dag);

  // The loop's round, in this order.
  void take_requests();
  void take_ended(int64_t now_ms);
  void fire_due(int64_t now_ms);
  void advance_runs(int64_t now_ms);
  std::string pool_of(const project::TaskSpec& task) const;
  int pool_slots(const project::TaskSpec& task) const;
  int slots_of(const project::TaskSpec& task) const;
  void start_tries(const RunKey& key, OpenRun& run, int64_t now_ms);
  void watch_deadline(OpenRun& run, int64_t now_ms);
  static std::optional<int64_t> deadline_of(const RunMachine& machine);
  void forget_old(int64_t now_ms);
  void tell(const RunMachine& machine, std::string_view event);
  io::Task<> tell_one(Told told);
  StoreBatch collect();
  io::Task<Status> store(StoreBatch batch);
  void act_on_stored();
  io::Instant next_wake(int64_t now_ms) const;

  Result<DagRun> admit(DagRun run);
  Result<OpenRun*> reopen(const DagRun& stored);
  Result<DagRun> accept(TriggerRequest request, bool taken);
  Result<std::vector<std::string>> clear_now(const ClearRequest& request, const DagRun& stored);
  Result<std::vector<std::string>> mark_now(const MarkRequest& request, const DagRun& stored);
  Result<std::vector<BackfillRun>> backfill_now(const BackfillRequest& request,
                                                const std::vector<DagRun>& stored);
  void start_try(const RunKey& key, OpenRun& run, size_t task, int64_t now_ms);
  io::Task<> run_try(std::shared_ptr<Try> attempt);
  static io::Task<> run_job(const Job* job, std::shared_ptr<Try> attempt);

  Parts parts_;
  std::unique_ptr<RunStore> store_;
  std::map<std::string, Job> jobs_;
  Teller teller_;

  std::mutex mutex_;  // guards requests_ alone
  std::deque<std::move_only_function<void()>> requests_;
  io::Signal signal_;

  io::Signal stored_;  // after every round

  // On the loop only.
  io::Scope scope_;
  std::map<std::string, DagRow> known_dags_;  // of earlier processes, not defined at present
  std::map<std::string, Dag> dags_;
  struct Shipped {
    project::DagSpec spec;
    std::optional<Schedule> schedule;
    std::string problem;
  };
  std::map<std::string, Shipped> shipped_;  // the project's DAGs whose place a file has taken
  std::map<std::string, DagFileView> files_;
  std::map<std::string, int, std::less<>> pool_used_;
  int64_t forgot_ms_ = 0;
  std::set<std::pair<int64_t, std::string>> due_;
  std::map<RunKey, OpenRun> runs_;
  std::set<std::pair<uint64_t, RunKey>> order_;  // runs_ in the order they were made
  uint64_t next_number_ = 0;
  std::set<std::string> changed_dags_;
  std::set<RunKey> new_runs_;
  std::vector<RunName> deleted_;
  std::vector<Forgetting> forgotten_;
  std::vector<Told> to_tell_;
  std::vector<std::shared_ptr<Try>> to_start_;
  std::vector<std::shared_ptr<Try>> live_;
  std::vector<std::pair<std::shared_ptr<Try>, Outcome>> ended_;  // for the next round
  std::vector<std::move_only_function<void()>> answers_;
};

}  // namespace pinpipe::scheduler
