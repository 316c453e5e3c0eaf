#include "scheduler/scheduler.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/check.h"
#include "base/log_line.h"
#include "project/nearest.h"
#include "scheduler/try.h"

namespace pinpipe::scheduler {
namespace {

constexpr Millis idle_wait_max{1000};  // the wall clock may jump
constexpr Millis log_wait_max{500};    // how long a line waits to be stored
constexpr Millis store_retry_wait{1000};

Error no_dag(const std::string& dag_id, const std::vector<std::string>& known) {
  std::string hint = project::did_you_mean(dag_id, known);
  return Error(Code::not_found,
               fmt::format("there is no DAG {}{}{}", dag_id, hint.empty() ? "" : "; ", hint));
}

}  // namespace

std::string airflow_time(int64_t at_ms) {
  return to_rfc3339(at_ms).substr(0, at_ms % 1000 == 0 ? 19 : 23) + "+00:00";
}

Scheduler::Scheduler(Parts parts, std::unique_ptr<RunStore> store)
    : parts_(parts), store_(std::move(store)), scope_(parts.loop) {}

Scheduler::~Scheduler() = default;

Result<std::unique_ptr<Scheduler>> Scheduler::open(const std::string& path, Parts parts,
                                                   const std::vector<project::DagSpec>& dags,
                                                   std::vector<DagFile> files) {
  if (dags.size() > dags_max) return Error(Code::invalid, "there are too many DAGs");
  auto store = RunStore::open(path);
  if (!store) return store.error();
  std::unique_ptr<Scheduler> self(new Scheduler(parts, std::move(*store)));
  auto rows = self->store_->dags();
  if (!rows) return rows.error();
  for (DagRow& row : *rows) self->known_dags_[row.dag_id] = row;
  for (const project::DagSpec& spec : dags) {
    self->adopt(spec, Schedule::of(spec, parts.files));
    Status fits = self->check(spec);
    if (!fits) self->dags_.at(spec.id).problem = fits.error().text();
  }
  for (DagFile& file : files) self->take_file(self->with_schedules(std::move(file)));

  auto open_runs = self->store_->open_runs();
  if (!open_runs) return open_runs.error();
  int64_t now = parts.clock.wall_ms();
  for (const DagRun& run : *open_runs) {
    auto reopened = self->reopen(run);
    if (reopened) {
      (*reopened)->machine.recover(now);
      continue;
    }
    // Its DAG is gone: nothing will ever go on with it.
    DagRun orphan = run;
    orphan.state = RunState::failed;
    orphan.end_ms = now;
    orphan.note = "the DAG is not defined any more";
    StoreBatch batch;
    batch.runs.push_back(std::move(orphan));
    Status done = self->store_->write(batch);
    if (!done) return done.error();
  }
  for (auto& [id, dag] : self->dags_) self->plan(dag);
  return self;
}

void Scheduler::register_job(std::string name, Job job) {
  jobs_[std::move(name)] = std::move(job);
}

// Takes the definition in, with what is known about the DAG from before.
Scheduler::Dag& Scheduler::adopt(project::DagSpec spec, Result<Schedule> schedule) {
  Dag& dag = dags_[spec.id];
  dag.removed = false;
  if (dag.row.dag_id.empty()) {
    auto known = known_dags_.extract(spec.id);
    dag.row = known.empty() ? DagRow{spec.id, false, parts_.clock.wall_ms(), 0}
                            : std::move(known.mapped());
    changed_dags_.insert(spec.id);
  }
  dag.problem = schedule ? "" : schedule.error().text();
  dag.schedule = schedule ? std::optional(std::move(*schedule)) : std::nullopt;
  if (!dag.problem.empty()) {
    log_warn("scheduler", "a schedule cannot be followed",
             {{"dag", spec.id}, {"reason", dag.problem}});
  }
  dag.spec = std::make_shared<const project::DagSpec>(std::move(spec));
  return dag;
}

Result<Scheduler::Dag*> Scheduler::find(const std::string& dag_id) {
  auto found = dags_.find(dag_id);
  if (found != dags_.end() && !found->second.removed) return &found->second;
  std::vector<std::string> known;
  for (const auto& [id, dag] : dags_) {
    if (!dag.removed) known.push_back(id);
  }
  return no_dag(dag_id, known);
}

// When the DAG is due next. One that is paused or has all the runs it may have is not in due_.
void Scheduler::plan(Dag& dag) {
  if (dag.next_ms) due_.erase({*dag.next_ms, dag.row.dag_id});
  dag.next_ms = dag.schedule ? dag.schedule->next_ms(dag.row.last_fired_ms, dag.row.first_seen_ms)
                             : std::nullopt;
  if (dag.next_ms && !dag.removed && !dag.row.paused && dag.open_runs < dag.spec->max_active_runs) {
    due_.emplace(*dag.next_ms, dag.row.dag_id);
  }
}

io::Task<> Scheduler::run() {
  while (!co_await io::cancelled()) {
    uint64_t version = signal_.version();
    int64_t now = parts_.clock.wall_ms();
    take_requests();
    take_ended(now);
    fire_due(now);
    advance_runs(now);
    forget_old(now);
    StoreBatch batch = collect();
    if (!batch.empty()) {
      Status stored = co_await store(std::move(batch));
      if (!stored) break;
    }
    act_on_stored();
    (void)co_await signal_.wait_beyond(version, next_wake(now));
  }
  scope_.cancel();
  co_await scope_.join();
}

io::Task<> Scheduler::answer_requests() {
  while (!co_await io::cancelled()) {
    uint64_t version = signal_.version();
    take_requests();
    StoreBatch batch = collect();
    to_tell_.clear();
    if (!batch.empty()) {
      Status stored = co_await store(std::move(batch));
      if (!stored) break;
    }
    act_on_stored();
    (void)co_await signal_.wait_beyond(version, io::never);
  }
}

void Scheduler::take_requests() {
  std::deque<std::move_only_function<void()>> requests;
  {
    std::lock_guard lock(mutex_);
    requests.swap(requests_);
  }
  for (auto& request : requests) request();
}

// Ends of tries wait for the round: while one is being stored, no run may change.
void Scheduler::take_ended(int64_t now_ms) {
  for (auto& [attempt, outcome] : std::exchange(ended_, {})) {
    if (!outcome.note.empty()) attempt->log.error(outcome.note);
    attempt->log.close();
    attempt->ended = true;
    pool_used_[attempt->pool] -= attempt->slots;
    OpenRun& run = runs_.at(attempt->key);
    run.tries.erase(attempt->task);
    run.machine.finished(attempt->task, outcome, now_ms);
  }
}

void Scheduler::fire_due(int64_t now_ms) {
  while (!due_.empty() && due_.begin()->first <= now_ms) {
    std::string dag_id = due_.begin()->second;
    Dag& dag = dags_.at(dag_id);
    int64_t at = dag.schedule->fire_ms(*dag.next_ms, now_ms);
    DagRun run;
    run.dag_id = dag_id;
    run.logical_ms = dag.schedule->logical_ms(at);
    run.run_id = "scheduled__" + airflow_time(*run.logical_ms);
    run.type = RunType::scheduled;
    run.run_after_ms = at;
    run.triggered_by = "timetable";
    dag.row.last_fired_ms = std::max(dag.row.last_fired_ms, at);
    changed_dags_.insert(dag_id);
    auto admitted = admit(std::move(run));
    if (!admitted) {
      log_warn("scheduler", "a scheduled run was left out",
               {{"dag", dag_id}, {"reason", admitted.error().text()}});
    }
    plan(dag);
  }
}

// Makes a new run part of the round; it is stored before anybody hears of it.
Result<DagRun> Scheduler::admit(DagRun run) {
  RunKey key{run.dag_id, run.run_id};
  if (runs_.contains(key)) {
    return Error(Code::conflict, fmt::format("DAG {} has a run {} already", key.first, key.second));
  }
  if (runs_.size() >= open_runs_max) {
    return Error(Code::busy, fmt::format("{} runs have not ended", runs_.size()));
  }
  run.queued_ms = parts_.clock.wall_ms();
  auto opened = reopen(run);
  if (!opened) return opened.error();
  new_runs_.insert(key);
  return (*opened)->machine.run();
}

Result<Scheduler::OpenRun*> Scheduler::reopen(const DagRun& stored) {
  RunKey key{stored.dag_id, stored.run_id};
  if (auto open = runs_.find(key); open != runs_.end()) return &open->second;
  auto dag = find(stored.dag_id);
  if (!dag) return dag.error();
  uint64_t number = next_number_++;
  auto entry = runs_.emplace(key, OpenRun{RunMachine((*dag)->spec, stored), number, {}}).first;
  entry->second.told_end = entry->second.machine.has_ended();
  order_.emplace(number, key);
  ++(*dag)->open_runs;
  return &entry->second;
}

void Scheduler::start_try(const RunKey& key, OpenRun& run, size_t task, int64_t now_ms) {
  RunMachine& machine = run.machine;
  machine.started(task, now_ms);
  const project::DagSpec& dag = machine.dag();
  const project::TaskSpec& spec = dag.tasks[task];
  auto attempt = std::make_shared<Try>(parts_.clock);
  attempt->key = key;
  attempt->task = task;
  attempt->job = spec.job;
  attempt->pool = pool_of(spec);
  attempt->slots = slots_of(spec);
  attempt->timeout_ms = spec.execution_timeout_ms;
  if (!spec.note.empty()) attempt->log.info(spec.note);
  JobContext& context = attempt->context;
  context.dag_id = key.first;
  context.run_id = key.second;
  context.task_id = spec.id;
  context.try_number = machine.run().tasks[task].try_number;
  context.logical_ms = machine.run().logical_ms;
  context.params = spec.params;
  context.params.insert(dag.params.begin(), dag.params.end());
  context.conf = machine.run().conf;
  run.tries[task] = attempt;
  to_start_.push_back(std::move(attempt));
}

StoreBatch Scheduler::collect() {
  StoreBatch batch;
  for (const std::string& id : changed_dags_) {
    auto dag = dags_.find(id);
    batch.dags.push_back(dag != dags_.end() ? dag->second.row : known_dags_.at(id));
  }
  changed_dags_.clear();
  batch.deleted = std::exchange(deleted_, {});
  batch.forgotten = std::exchange(forgotten_, {});
  for (auto& [key, run] : runs_) {
    RunMachine::Changes changes = run.machine.take_changes();
    bool fresh = new_runs_.contains(key);
    const DagRun& state = run.machine.run();
    if (!run.machine.has_ended()) {
      run.told_end = false;
    } else if (!std::exchange(run.told_end, true)) {
      tell(run.machine, state.state == RunState::success ? "success" : "failure");
    }
    if (fresh || changes.run) {
      DagRun row = state;
      row.tasks.clear();
      batch.runs.push_back(std::move(row));
    }
    if (fresh) {
      for (const TaskRun& task : state.tasks) batch.tasks.push_back({key.first, key.second, task});
      continue;
    }
    for (size_t i : changes.tasks) {
      batch.tasks.push_back({key.first, key.second, state.tasks[i]});
    }
  }
  new_runs_.clear();
  for (const std::shared_ptr<Try>& attempt : live_) {
    std::string text = attempt->log.take();
    if (text.empty()) continue;
    const JobContext& context = attempt->context;
    batch.logs.push_back(
        {context.dag_id, context.run_id, context.task_id, context.try_number, std::move(text)});
  }
  return batch;
}

// Until it is stored: nothing may happen that the disk does not know of.
io::Task<Status> Scheduler::store(StoreBatch batch) {
  while (true) {
    Status done = co_await parts_.disk.run([&] { return store_->write(batch); });
    if (done) co_return done;
    log_error("scheduler", "runs cannot be stored; nothing starts until they can",
              {{"reason", done.error().text()}});
    Status waited = co_await io::sleep_for(store_retry_wait);
    if (!waited) co_return waited;
  }
}

void Scheduler::act_on_stored() {
  for (std::shared_ptr<Try>& attempt : to_start_) {
    live_.push_back(attempt);
    scope_.spawn("try", run_try(attempt));
  }
  to_start_.clear();
  for (Told& told : std::exchange(to_tell_, {})) scope_.spawn("tell", tell_one(std::move(told)));
  for (const std::shared_ptr<Try>& attempt : live_) {
    if (attempt->stopping && attempt->scope != nullptr) attempt->scope->cancel();
  }
  std::erase_if(live_, [](const std::shared_ptr<Try>& attempt) { return attempt->ended; });
  for (auto at = order_.begin(); at != order_.end();) {
    auto open = runs_.find(at->second);
    RunMachine& machine = open->second.machine;
    if (!machine.has_ended() || machine.busy_count() > 0) {
      ++at;
      continue;
    }
    Dag& dag = dags_.at(at->second.first);
    --dag.open_runs;
    plan(dag);
    runs_.erase(open);
    if (dag.removed && dag.open_runs == 0) {
      known_dags_[dag.row.dag_id] = dag.row;
      dags_.erase(at->second.first);
    }
    at = order_.erase(at);
    signal_.notify_all();  // the DAG may have room for the next run
  }
  for (auto& answer : answers_) answer();
  answers_.clear();
  stored_.notify_all();
}

io::Instant Scheduler::next_wake(int64_t now_ms) const {
  Millis wait = live_.empty() ? idle_wait_max : log_wait_max;
  auto consider = [&](int64_t at_ms) {
    wait = std::min(wait, Millis(std::max<int64_t>(0, at_ms - now_ms)));
  };
  if (!due_.empty()) consider(due_.begin()->first);
  for (const auto& [key, run] : runs_) {
    if (auto due = run.machine.next_due_ms()) consider(*due);
    if (auto deadline = deadline_of(run.machine)) consider(*deadline);
    const DagRun& state = run.machine.run();
    if (state.state == RunState::queued && state.run_after_ms > now_ms) {
      consider(state.run_after_ms);
    }
  }
  return io::after(wait);
}

io::Task<> Scheduler::run_job(const Job* job, std::shared_ptr<Try> attempt) {
  Status status = co_await (*job)(attempt->context);
  Outcome outcome;
  if (status) {
    outcome.kind = attempt->context.skipped ? Outcome::Kind::skipped : Outcome::Kind::success;
  } else {
    bool hopeless = status.error().code() == Code::invalid;
    outcome.kind = hopeless ? Outcome::Kind::failed_for_good : Outcome::Kind::failed;
    outcome.note = status.error().text();
  }
  attempt->done.set(std::move(outcome));
}

io::Task<> Scheduler::run_try(std::shared_ptr<Try> attempt) {
  Outcome outcome;
  auto job = jobs_.find(attempt->job);
  if (job == jobs_.end()) {
    std::vector<std::string> known;
    for (const auto& [name, function] : jobs_) known.push_back(name);
    std::string hint = project::did_you_mean(attempt->job, known);
    outcome = {Outcome::Kind::failed_for_good,
               fmt::format("there is no job {}{}{}", attempt->job, hint.empty() ? "" : "; ", hint)};
  } else {
    io::Scope scope(parts_.loop);
    attempt->scope = &scope;
    scope.spawn("job", run_job(&job->second, attempt));
    if (attempt->stopping) scope.cancel();
    auto deadline = attempt->timeout_ms > 0 ? io::after(Millis(attempt->timeout_ms)) : io::never;
    Result<Outcome> ended = co_await attempt->done.wait(deadline);
    if (!ended) scope.cancel();
    co_await scope.join();
    attempt->scope = nullptr;
    if (ended) {
      outcome = std::move(*ended);
    } else if (ended.error().code() == Code::timeout) {
      outcome = {Outcome::Kind::failed,
                 fmt::format("took longer than {} seconds",
                             static_cast<double>(attempt->timeout_ms) / 1000)};
    } else {
      co_return;  // the process ends; the next one finds the try running and calls it failed
    }
  }
  ended_.emplace_back(std::move(attempt), std::move(outcome));
  signal_.notify_all();
}

}  // namespace pinpipe::scheduler
