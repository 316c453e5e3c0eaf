// DAGs that come from files put somewhere while the scheduler runs, and the project's own beside
// them.
#include <algorithm>
#include <fmt/format.h>

#include "base/log_line.h"
#include "project/nearest.h"
#include "scheduler/ask.h"

namespace pinpipe::scheduler {

// Reads the zones' files: blocks.
Scheduler::ScheduledFile Scheduler::with_schedules(DagFile file) const {
  ScheduledFile scheduled{std::move(file), {}};
  for (const project::DagSpec& spec : scheduled.file.dags) {
    scheduled.schedules.push_back(Schedule::of(spec, parts_.files));
  }
  return scheduled;
}

// What makes a definition useless whoever wrote it. Jobs are known once they are registered.
Status Scheduler::check(const project::DagSpec& spec) const {
  std::vector<std::string> jobs;
  for (const auto& [name, job] : jobs_) jobs.push_back(name);
  for (const project::TaskSpec& task : spec.tasks) {
    if (!jobs.empty() && !jobs_.contains(task.job)) {
      std::string hint = project::did_you_mean(task.job, jobs);
      return Error(
          Code::invalid,
          fmt::format("task {}: there is no job {}; {}", task.id, task.job,
                      hint.empty() ? fmt::format("there are {}", fmt::join(jobs, ", ")) : hint));
    }
    bool pool = task.pool.empty() || task.pool == default_pool || parts_.pools.contains(task.pool);
    if (!pool) {
      return Error(Code::invalid,
                   fmt::format("task {}: there is no pool {}; name it under pools: in pinpipe.yaml",
                               task.id, task.pool));
    }
  }
  if (leads_to(spec, spec.id)) {
    return Error(Code::invalid,
                 fmt::format("DAG {} would trigger itself, again and again", spec.id));
  }
  return {};
}

// Whether a run of `from` triggers one of `dag_id`, directly or by other DAGs.
bool Scheduler::leads_to(const project::DagSpec& from, const std::string& dag_id) const {
  std::set<std::string> seen;
  std::vector<const project::DagSpec*> open{&from};
  while (!open.empty()) {
    const project::DagSpec* spec = open.back();
    open.pop_back();
    for (const project::TaskSpec& task : spec->tasks) {
      if (task.job != trigger_job) continue;
      auto target = task.params.find(std::string(triggered_dag_param));
      if (target == task.params.end() || !seen.insert(target->second).second) continue;
      if (target->second == dag_id) return true;
      auto next = dags_.find(target->second);
      if (next != dags_.end()) open.push_back(next->second.spec.get());
    }
  }
  return false;
}

DagFileView Scheduler::take_file(ScheduledFile scheduled) {
  DagFile& file = scheduled.file;
  DagFileView view{file.name, {}, std::move(file.problems), parts_.clock.wall_ms()};
  for (size_t i = 0; i < file.dags.size(); ++i) {
    project::DagSpec& spec = file.dags[i];
    Result<Schedule>& schedule = scheduled.schedules[i];
    auto refuse = [&](std::string sentence) {
      view.problems.push_back({0, std::move(sentence), true});
    };
    auto present = dags_.find(spec.id);
    bool is_present = present != dags_.end() && !present->second.removed;
    if (is_present && !present->second.file.empty() && present->second.file != file.name) {
      refuse(fmt::format("DAG {} is defined by {} already", spec.id, present->second.file));
      continue;
    }
    if (!is_present && dags_.size() >= dags_max) {
      refuse("there are too many DAGs");
      continue;
    }
    if (Status fits = check(spec); !fits) {
      refuse(fits.error().text());
      continue;
    }
    if (!schedule) {
      refuse(fmt::format("DAG {}: {}", spec.id, schedule.error().text()));
      continue;
    }
    if (is_present && present->second.file.empty()) {
      Dag& own = present->second;
      shipped_[spec.id] = {*own.spec, own.schedule, own.problem};
    }
    std::string id = spec.id;
    Dag& dag = adopt(std::move(spec), std::move(schedule));
    dag.file = file.name;
    auto shipped = shipped_.find(id);
    dag.replaces = shipped == shipped_.end() ? "" : shipped->second.spec.file;
    plan(dag);
    view.dags.push_back(id);
    log_info("scheduler", "a DAG was imported",
             {{"dag", id}, {"file", file.name}, {"replaces", dag.replaces}});
  }
  for (const std::string& id : files_[file.name].dags) {
    if (std::ranges::find(view.dags, id) == view.dags.end()) remove_dag(id);
  }
  for (const DagFileProblem& problem : view.problems) {
    log_warn("scheduler",
             problem.refused ? "a DAG was not imported" : "a line of a DAG file is not followed",
             {{"file", file.name},
              {"line", std::to_string(problem.line)},
              {"reason", problem.sentence}});
  }
  files_[file.name] = view;
  return view;
}

// The project's own definition comes back; without one the DAG goes with its last run.
void Scheduler::remove_dag(const std::string& dag_id) {
  Dag& dag = dags_.at(dag_id);
  dag.file.clear();
  dag.replaces.clear();
  auto shipped = shipped_.extract(dag_id);
  if (!shipped.empty()) {
    Shipped& own = shipped.mapped();
    dag.spec = std::make_shared<const project::DagSpec>(std::move(own.spec));
    dag.schedule = std::move(own.schedule);
    dag.problem = std::move(own.problem);
    return plan(dag);
  }
  dag.removed = true;
  dag.schedule.reset();
  plan(dag);
  for (auto& [key, run] : runs_) {
    if (key.first == dag_id) {
      run.machine.cancel("the DAG is not defined any more", parts_.clock.wall_ms());
    }
  }
  if (dag.open_runs > 0) return;
  known_dags_[dag_id] = dag.row;
  dags_.erase(dag_id);
}

io::Task<Result<DagFileView>> Scheduler::put_file(DagFile file) {
  ScheduledFile scheduled =
      co_await parts_.disk.run([&] { return with_schedules(std::move(file)); });
  co_return co_await ask<DagFileView>(
      [this, taken = std::move(scheduled)]() mutable -> Result<DagFileView> {
        if (!files_.contains(taken.file.name) && files_.size() >= files_max) {
          return Error(Code::busy, "there are too many DAG files");
        }
        return take_file(std::move(taken));
      });
}

io::Task<Status> Scheduler::drop_file(std::string name) {
  auto done = co_await ask<bool>([this, name = std::move(name)]() -> Result<bool> {
    auto file = files_.extract(name);
    if (file.empty()) return Error(Code::not_found, "there is no DAG file " + name);
    for (const std::string& id : file.mapped().dags) remove_dag(id);
    return true;
  });
  if (!done) co_return done.error();
  co_return Status{};
}

io::Task<Result<std::vector<DagFileView>>> Scheduler::files() {
  using Views = std::vector<DagFileView>;
  co_return co_await ask<Views>([this]() -> Result<Views> {
    Views views;
    for (const auto& [name, view] : files_) views.push_back(view);
    return views;
  });
}

}  // namespace pinpipe::scheduler
