// What others ask of the scheduler. A request that changes something is carried out on the loop,
// between two rounds, and answered once its round is stored; one that only asks reads what is
// stored.
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/id.h"
#include "codec/json.h"
#include "scheduler/ask.h"

namespace pinpipe::scheduler {

DagView Scheduler::view_of(const Dag& dag) {
  return {*dag.spec,     dag.row.paused, dag.next_ms, dag.row.last_fired_ms,
          dag.open_runs, dag.problem,    dag.replaces};
}

io::Task<Result<std::vector<DagView>>> Scheduler::list_dags() {
  co_return co_await ask<std::vector<DagView>>([this]() -> Result<std::vector<DagView>> {
    std::vector<DagView> views;
    for (const auto& [id, dag] : dags_) {
      if (!dag.removed) views.push_back(view_of(dag));
    }
    return views;
  });
}

io::Task<Result<DagView>> Scheduler::dag(std::string dag_id) {
  co_return co_await ask<DagView>([this, dag_id = std::move(dag_id)]() -> Result<DagView> {
    auto found = find(dag_id);
    if (!found) return found.error();
    return view_of(**found);
  });
}

io::Task<Result<DagRun>> Scheduler::trigger(TriggerRequest request) {
  // Whether the date or the name is taken by a run that has ended, only the disk knows.
  Result<bool> taken = co_await parts_.disk.run([&]() -> Result<bool> {
    if (request.logical_ms) {
      auto date = store_->has_logical_date(request.dag_id, *request.logical_ms);
      if (!date || *date) return date;
    }
    if (request.run_id.empty()) return false;
    auto run = store_->run(request.dag_id, request.run_id);
    if (!run && run.error().code() != Code::not_found) return run.error();
    return run.has_value();
  });
  if (!taken) co_return taken.error();
  co_return co_await ask<DagRun>([this, request = std::move(request), taken = *taken]() mutable {
    return accept(std::move(request), taken);
  });
}

Result<DagRun> Scheduler::accept(TriggerRequest request, bool taken) {
  auto dag = find(request.dag_id);
  if (!dag) return dag.error();
  if (request.conf.size() > conf_bytes_max) {
    return Error(Code::invalid, fmt::format("conf is longer than {} bytes", conf_bytes_max));
  }
  auto conf = codec::parse_json(request.conf);
  if (!conf) return conf.error().with("conf");
  if (!conf->is_object()) return Error(Code::invalid, "conf is a JSON object");
  for (const auto& [key, open] : runs_) {
    bool same_date = request.logical_ms && open.machine.run().logical_ms == request.logical_ms;
    if (key.first == request.dag_id && same_date) taken = true;
  }
  if (taken) {
    return Error(Code::conflict, fmt::format("DAG {} has a run of that id or logical date already",
                                             request.dag_id));
  }
  int64_t now = parts_.clock.wall_ms();
  DagRun run;
  run.dag_id = request.dag_id;
  run.run_id = request.run_id;
  if (run.run_id.empty()) {
    run.run_id = fmt::format("manual__{}_{}", airflow_time(now), to_hex(random_bytes(4)));
  }
  run.type = RunType::manual;
  run.logical_ms = request.logical_ms;
  run.run_after_ms = request.run_after_ms.value_or(now);
  run.conf = codec::to_json(*conf);
  run.note = request.note;
  run.triggered_by = request.triggered_by;
  run.timeout_ms = request.timeout_ms;
  return admit(std::move(run));
}

io::Task<Status> Scheduler::set_paused(std::string dag_id, bool paused) {
  auto done = co_await ask<bool>([this, dag_id = std::move(dag_id), paused]() -> Result<bool> {
    auto dag = find(dag_id);
    if (!dag) return dag.error();
    (*dag)->row.paused = paused;
    changed_dags_.insert(dag_id);
    plan(**dag);
    return true;
  });
  if (!done) co_return done.error();
  co_return Status{};
}

io::Task<Result<std::vector<std::string>>> Scheduler::clear(ClearRequest request) {
  using Names = std::vector<std::string>;
  auto stored = co_await find_run(request.dag_id, request.run_id);
  if (!stored) co_return stored.error();
  co_return co_await ask<Names>([this, request = std::move(request), stored = std::move(*stored)] {
    return clear_now(request, stored);
  });
}

Result<std::vector<std::string>> Scheduler::clear_now(const ClearRequest& request,
                                                      const DagRun& stored) {
  auto dag = find(stored.dag_id);
  if (!dag) return dag.error();
  auto open = runs_.find({stored.dag_id, stored.run_id});
  bool ended = stored.state == RunState::success || stored.state == RunState::failed;
  if (open == runs_.end() && !ended) return Error(Code::busy, "the run is just ending; try again");
  // A dry run looks at a copy; an ended run is opened again only when something is cleared.
  RunMachine copy = open != runs_.end() ? open->second.machine : RunMachine((*dag)->spec, stored);
  std::vector<size_t> tasks;
  for (size_t i = 0; i < copy.dag().tasks.size(); ++i) {
    TaskState state = copy.run().tasks[i].state;
    bool failed = state == TaskState::failed || state == TaskState::upstream_failed;
    if (request.task_ids.empty() && (failed || !request.only_failed)) tasks.push_back(i);
  }
  for (const std::string& id : request.task_ids) {
    auto task = copy.find_task(id);
    if (!task) {
      return Error(Code::not_found, fmt::format("DAG {} has no task {}", stored.dag_id, id));
    }
    tasks.push_back(*task);
  }
  std::vector<std::string> names;
  for (size_t task : copy.reached_from(tasks, request.downstream)) {
    names.push_back(copy.run().tasks[task].task_id);
  }
  if (request.dry_run || names.empty()) return names;
  auto target = reopen(stored);
  if (!target) return target.error();
  (*target)->machine.clear(tasks, request.downstream, parts_.clock.wall_ms());
  return names;
}

io::Task<Status> Scheduler::cancel(std::string dag_id, std::string run_id) {
  auto stored = co_await find_run(dag_id, run_id);
  if (!stored) co_return stored.error();
  auto done = co_await ask<bool>([this, key = RunKey{dag_id, run_id}]() -> Result<bool> {
    auto open = runs_.find(key);
    if (open == runs_.end() || open->second.machine.has_ended()) {
      return Error(Code::conflict, fmt::format("run {} has ended already", key.second));
    }
    open->second.machine.cancel("cancelled", parts_.clock.wall_ms());
    return true;
  });
  if (!done) co_return done.error();
  co_return Status{};
}

io::Task<Result<RunPage>> Scheduler::list_runs(RunFilter filter) {
  co_return co_await parts_.disk.run([&] { return store_->runs(filter); });
}

io::Task<Result<DagRun>> Scheduler::find_run(std::string dag_id, std::string run_id) {
  co_return co_await parts_.disk.run([&] { return store_->run(dag_id, run_id); });
}

io::Task<Result<std::vector<PoolView>>> Scheduler::pools() {
  using Views = std::vector<PoolView>;
  co_return co_await ask<Views>([this]() -> Result<Views> {
    std::map<std::string, int> slots = parts_.pools;
    slots.try_emplace(std::string(default_pool), default_pool_slots);
    Views views;
    for (const auto& [name, count] : slots) {
      auto used = pool_used_.find(name);
      views.push_back({name, count, used == pool_used_.end() ? 0 : used->second});
    }
    return views;
  });
}

io::Task<Result<DagRun>> Scheduler::find_run_numbered(int64_t number) {
  co_return co_await parts_.disk.run([&] { return store_->run_numbered(number); });
}

io::Task<Result<std::string>> Scheduler::task_log(std::string dag_id, std::string run_id,
                                                  std::string task_id, int try_number) {
  // A round stores what has been said until now.
  auto round = co_await ask<bool>([]() -> Result<bool> { return true; });
  if (!round) co_return round.error();
  co_return co_await parts_.disk.run(
      [&] { return store_->log(dag_id, run_id, task_id, try_number); });
}

io::Task<Result<DagRun>> Scheduler::wait_run(std::string dag_id, std::string run_id,
                                             io::Instant deadline) {
  while (true) {
    uint64_t version = stored_.version();
    auto state = co_await parts_.disk.run([&] { return store_->state_of(dag_id, run_id); });
    if (!state) co_return state.error();
    if (*state == RunState::success || *state == RunState::failed) {
      co_return co_await find_run(dag_id, run_id);
    }
    Status waited = co_await stored_.wait_beyond(version, deadline);
    if (!waited) co_return waited.error().with("run " + run_id + " has not ended");
  }
}

}  // namespace pinpipe::scheduler
