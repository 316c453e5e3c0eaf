// What people decide about runs: notes, marks, deletion, and runs for dates that have passed.
#include <algorithm>
#include <fmt/format.h>

#include "scheduler/ask.h"

namespace pinpipe::scheduler {

io::Task<Result<std::vector<std::string>>> Scheduler::mark(MarkRequest request) {
  using Names = std::vector<std::string>;
  auto stored = co_await find_run(request.dag_id, request.run_id);
  if (!stored) co_return stored.error();
  co_return co_await ask<Names>([this, request = std::move(request), stored = std::move(*stored)] {
    return mark_now(request, stored);
  });
}

Result<std::vector<std::string>> Scheduler::mark_now(const MarkRequest& request,
                                                     const DagRun& stored) {
  bool known = request.state == TaskState::success || request.state == TaskState::failed ||
               request.state == TaskState::skipped;
  if (!known) return Error(Code::invalid, "a task is marked as success, failed or skipped");
  auto dag = find(stored.dag_id);
  if (!dag) return dag.error();
  auto open = runs_.find({stored.dag_id, stored.run_id});
  bool ended = stored.state == RunState::success || stored.state == RunState::failed;
  if (open == runs_.end() && !ended) return Error(Code::busy, "the run is just ending; try again");
  RunMachine copy = open != runs_.end() ? open->second.machine : RunMachine((*dag)->spec, stored);
  std::vector<size_t> tasks;
  if (request.task_ids.empty()) {
    for (size_t i = 0; i < copy.dag().tasks.size(); ++i) {
      TaskState state = copy.run().tasks[i].state;
      bool stays = state == TaskState::success || state == TaskState::skipped;
      if (!stays && state != request.state) tasks.push_back(i);
    }
  }
  for (const std::string& id : request.task_ids) {
    auto task = copy.find_task(id);
    if (!task || *task >= copy.dag().tasks.size()) {
      return Error(Code::not_found, fmt::format("DAG {} has no task {}", stored.dag_id, id));
    }
    if (copy.run().tasks[*task].state != request.state) tasks.push_back(*task);
  }
  std::vector<std::string> names;
  for (size_t task : tasks) names.push_back(copy.run().tasks[task].task_id);
  if (request.dry_run || tasks.empty()) return names;
  auto target = reopen(stored);
  if (!target) return target.error();
  (*target)->machine.mark(tasks, request.state, parts_.clock.wall_ms());
  return names;
}

io::Task<Status> Scheduler::set_note(std::string dag_id, std::string run_id, std::string note) {
  auto stored = co_await find_run(dag_id, run_id);
  if (!stored) co_return stored.error();
  auto done = co_await ask<bool>(
      [this, note = std::move(note), stored = std::move(*stored)]() mutable -> Result<bool> {
        auto target = reopen(stored);
        if (!target) return target.error();
        (*target)->machine.set_note(std::move(note));
        return true;
      });
  if (!done) co_return done.error();
  co_return Status{};
}

io::Task<Status> Scheduler::delete_run(std::string dag_id, std::string run_id) {
  auto stored = co_await find_run(dag_id, run_id);
  if (!stored) co_return stored.error();
  auto done = co_await ask<bool>([this, key = RunKey{dag_id, run_id}]() -> Result<bool> {
    if (runs_.contains(key)) {
      return Error(Code::conflict,
                   fmt::format("run {} is under way; cancel it before it is deleted", key.second));
    }
    deleted_.push_back({key.first, key.second});
    return true;
  });
  if (!done) co_return done.error();
  co_return Status{};
}

io::Task<Result<std::vector<BackfillRun>>> Scheduler::backfill(BackfillRequest request) {
  using Runs = std::vector<BackfillRun>;
  if (request.to_ms < request.from_ms) {
    co_return Error(Code::invalid, "a backfill ends where it begins, or later");
  }
  auto stored = co_await parts_.disk.run(
      [&] { return store_->runs_dated(request.dag_id, request.from_ms, request.to_ms); });
  if (!stored) co_return stored.error();
  co_return co_await ask<Runs>([this, request = std::move(request), stored = std::move(*stored)] {
    return backfill_now(request, stored);
  });
}

Result<std::vector<BackfillRun>> Scheduler::backfill_now(const BackfillRequest& request,
                                                         const std::vector<DagRun>& stored) {
  auto dag = find(request.dag_id);
  if (!dag) return dag.error();
  std::vector<int64_t> due;
  if ((*dag)->schedule) {
    due = (*dag)->schedule->due_between(request.from_ms, request.to_ms,
                                        BackfillRequest::runs_max + 1);
  }
  if (due.empty()) {
    return Error(Code::invalid,
                 fmt::format("the schedule of DAG {} has no date in that range", request.dag_id));
  }
  if (due.size() > BackfillRequest::runs_max || runs_.size() + due.size() > open_runs_max) {
    return Error(Code::invalid, fmt::format("that are more than {} runs; choose a shorter range",
                                            BackfillRequest::runs_max));
  }
  if (request.backwards) std::ranges::reverse(due);
  std::vector<BackfillRun> plan_of_runs;
  for (int64_t at : due) {
    int64_t logical = (*dag)->schedule->logical_ms(at);
    auto known = std::ranges::find(stored, std::optional(logical), &DagRun::logical_ms);
    BackfillRun one{"backfill__" + airflow_time(logical), logical, "new"};
    if (known != stored.end()) {
      bool ended = known->state == RunState::success || known->state == RunState::failed;
      bool again =
          ended && (request.all_too || (request.failed_too && known->state == RunState::failed));
      one = {known->run_id, logical, again ? "again" : "kept"};
    }
    plan_of_runs.push_back(one);
    if (request.dry_run || one.action == "kept") continue;
    if (one.action == "again") {
      auto target = reopen(*known);
      if (!target) return target.error();
      std::vector<size_t> all((*target)->machine.dag().tasks.size());
      for (size_t i = 0; i < all.size(); ++i) all[i] = i;
      (*target)->machine.clear(all, true, parts_.clock.wall_ms());
      continue;
    }
    DagRun run;
    run.dag_id = request.dag_id;
    run.run_id = one.run_id;
    run.type = RunType::backfill;
    run.logical_ms = logical;
    run.run_after_ms = parts_.clock.wall_ms();
    run.conf = request.conf;
    run.triggered_by = "backfill";
    auto admitted = admit(std::move(run));
    if (!admitted) return admitted.error();
  }
  return plan_of_runs;
}

}  // namespace pinpipe::scheduler
