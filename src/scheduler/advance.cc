// The part of a round that makes runs go on: which begin, which tasks have room, what is late, what
// is old.
#include <algorithm>

#include "base/log_line.h"
#include "scheduler/try.h"

namespace pinpipe::scheduler {

void Scheduler::advance_runs(int64_t now_ms) {
  for (const auto& [key, run] : runs_) dags_.at(key.first).running = 0;
  for (const auto& [key, run] : runs_) {
    if (run.machine.run().state == RunState::running) ++dags_.at(key.first).running;
  }
  for (const auto& [number, key] : order_) {
    OpenRun& run = runs_.at(key);
    RunMachine& machine = run.machine;
    Dag& dag = dags_.at(key.first);
    RunState before = machine.run().state;
    if (before == RunState::queued && !dag.row.paused && dag.running < dag.spec->max_active_runs &&
        machine.run().run_after_ms <= now_ms) {
      machine.begin(now_ms);
      ++dag.running;
    }
    machine.tick(now_ms);
    watch_deadline(run, now_ms);
    if (!dag.row.paused) start_tries(key, run, now_ms);
    for (size_t task : machine.to_stop()) run.tries.at(task)->stopping = true;
  }
}

// As many as the DAG's limit and the pools have room for.
void Scheduler::start_tries(const RunKey& key, OpenRun& run, int64_t now_ms) {
  RunMachine& machine = run.machine;
  auto most = static_cast<size_t>(machine.dag().max_active_tasks);
  size_t free = most > machine.busy_count() ? most - machine.busy_count() : 0;
  auto fits = [&](size_t task) {
    const project::TaskSpec& spec = machine.dag().tasks[task];
    int& used = pool_used_[pool_of(spec)];
    int slots = slots_of(spec);
    if (used + slots > pool_slots(spec)) return false;
    used += slots;
    return true;
  };
  for (size_t task : machine.startable(free, fits)) start_try(key, run, task, now_ms);
}

// A pool that is not known is the default one: who checks the project has said so.
std::string Scheduler::pool_of(const project::TaskSpec& task) const {
  return parts_.pools.contains(task.pool) ? task.pool : std::string(default_pool);
}

int Scheduler::pool_slots(const project::TaskSpec& task) const {
  auto known = parts_.pools.find(pool_of(task));
  return known == parts_.pools.end() ? default_pool_slots : known->second;
}

// A task that wants more than the pool has runs alone in it.
int Scheduler::slots_of(const project::TaskSpec& task) const {
  return std::min(task.pool_slots, pool_slots(task));
}

std::optional<int64_t> Scheduler::deadline_of(const RunMachine& machine) {
  const DagRun& run = machine.run();
  if (machine.dag().deadline_ms == 0 || run.deadline_told || machine.has_ended()) return {};
  int64_t from = run.queued_ms;
  if (machine.dag().deadline_from_logical_date && run.logical_ms) from = *run.logical_ms;
  return from + machine.dag().deadline_ms;
}

void Scheduler::watch_deadline(OpenRun& run, int64_t now_ms) {
  auto deadline = deadline_of(run.machine);
  if (!deadline || now_ms < *deadline) return;
  run.machine.set_deadline_told();
  tell(run.machine, "deadline");
}

// Once an hour, what is older than the DAG's history.
void Scheduler::forget_old(int64_t now_ms) {
  constexpr int64_t hour_ms = 3'600'000;
  if (now_ms < forgot_ms_ + hour_ms && now_ms >= forgot_ms_) return;
  forgot_ms_ = now_ms;
  for (const auto& [id, dag] : dags_) {
    int64_t history = dag.spec->history_ms;
    if (history > 0) forgotten_.push_back({id, now_ms - history});
  }
}

void Scheduler::tell(const RunMachine& machine, std::string_view event) {
  constexpr size_t waiting_max = 1000;
  for (const project::Notice& notice : machine.dag().notify) {
    if (!teller_ || std::ranges::find(notice.on, event) == notice.on.end()) continue;
    if (to_tell_.size() >= waiting_max) {
      log_warn("scheduler", "too much to tell at once; a notice was left out",
               {{"dag", machine.run().dag_id}, {"event", std::string(event)}});
      continue;
    }
    to_tell_.push_back({notice, std::string(event), machine.run()});
  }
}

io::Task<> Scheduler::tell_one(Told told) {
  std::string dag = told.run.dag_id, event = told.event;
  Status done = co_await teller_(std::move(told));
  if (!done && done.error().code() != Code::cancelled) {
    log_warn("scheduler", "nobody could be told of a run",
             {{"dag", dag}, {"event", event}, {"reason", done.error().text()}});
  }
}

}  // namespace pinpipe::scheduler
