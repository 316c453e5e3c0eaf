#include "app/dag_jobs.h"

#include <algorithm>
#include <fmt/format.h>

#include "codec/json.h"
#include "doors/databricks/door.h"
#include "project/nearest.h"
#include "scheduler/schedule.h"

namespace pinpipe::app {

namespace {

using scheduler::JobContext;

io::Task<Status> run_batch(jobs::Batch& batch, JobContext& context) {
  auto report = co_await batch.run({.name = context.run_id});
  if (!report) {
    context.log.error(report.error().text());
    co_return report.error();
  }
  for (const jobs::DatasetCount& c : report->counts) {
    context.log.info(fmt::format(
        "{}: {} objects, {} read ({}), {} rows, {} clean, {} quarantined, table version {}",
        c.dataset, c.objects, c.new_objects, c.load, c.rows, c.clean, c.quarantined + c.refused,
        c.version));
  }
  for (const jobs::CheckResult& c : report->checks) {
    if (c.is_ok()) continue;
    std::string line = fmt::format("check {}.{} {}: {} rows fail, for example {}", c.stage,
                                   c.dataset, c.check, c.failing, c.sample);
    if (c.is_error) {
      context.log.error(line);
    } else {
      context.log.warn(line);
    }
  }
  if (report->state == jobs::BatchReport::State::failed)
    co_return Error(Code::invalid, report->error);
  context.log.info(fmt::format("load {} ms, clean {} ms, questions {} ms", report->load_ms,
                               report->clean_ms, report->ask_ms));
  co_return Status{};
}

// As Airflow's TriggerDagRunOperator. Each try triggers a run of its own.
io::Task<Status> trigger_dag(scheduler::Scheduler& scheduler, JobContext& context) {
  auto dag = context.params.find(std::string(scheduler::triggered_dag_param));
  if (dag == context.params.end()) co_return Error(Code::invalid, "the task names no dag_id");
  scheduler::TriggerRequest request;
  request.dag_id = dag->second;
  request.run_id =
      fmt::format("triggered__{}__{}__{}", context.run_id, context.task_id, context.try_number);
  if (auto conf = context.params.find("conf"); conf != context.params.end())
    request.conf = conf->second;
  request.triggered_by = "operator";
  auto run = co_await scheduler.trigger(std::move(request));
  if (!run) co_return run.error();
  context.log.info(fmt::format("triggered {} {}", run->dag_id, run->run_id));
  if (!context.params.contains("wait")) co_return Status{};
  auto ended = co_await scheduler.wait_run(run->dag_id, run->run_id, io::never);
  if (!ended) co_return ended.error();
  if (ended->state == scheduler::RunState::failed)
    co_return Error(Code::unavailable, fmt::format("{} {} failed", run->dag_id, run->run_id));
  co_return Status{};
}

// Which job a submitted notebook stands for is looked up when it runs.
io::Task<Status> run_notebook(const project::Project& project,
                              const std::map<std::string, scheduler::Job>& jobs,
                              JobContext& context) {
  auto conf = codec::parse_json(context.conf);
  if (!conf) co_return conf.error();
  auto path = (*conf)[databricks::path_key].as_string().value_or("");
  scheduler::NotebookJob stands_for = scheduler::job_of_notebook(notebook_jobs(project), path);
  context.log.info(stands_for.sentence);
  auto job = jobs.find(stands_for.job);
  if (job == jobs.end())
    co_return Error(Code::invalid, fmt::format("there is no job {}", stands_for.job));
  for (const auto& [name, value] : (*conf)["base_parameters"].members()) {
    auto text = value.as_string();
    context.params[name] = text ? std::string(*text) : codec::to_json(value);
  }
  co_return co_await job->second(context);
}

}  // namespace

void register_jobs(scheduler::Scheduler& scheduler, jobs::Batch& batch,
                   const project::Project& project) {
  std::map<std::string, scheduler::Job> notebooks{
      {"batch", [&batch](JobContext& context) { return run_batch(batch, context); }}};
  for (const auto& [name, job] : notebooks) scheduler.register_job(name, job);
  scheduler.register_job(std::string(databricks::notebook_job),
                         [&project, notebooks = std::move(notebooks)](JobContext& context) {
                           return run_notebook(project, notebooks, context);
                         });
  scheduler.register_job(std::string(scheduler::nothing_job),
                         [](JobContext&) -> io::Task<Status> { co_return Status{}; });
  scheduler.register_job(std::string(scheduler::trigger_job), [&scheduler](JobContext& context) {
    return trigger_dag(scheduler, context);
  });
}

void check_dags(const project::Project& project, project::Diagnostics& out) {
  scheduler::check_schedules(project, io::posix_files(), out);
  const std::vector<std::string> of_notebooks = {"batch"};
  const std::vector<std::string> of_tasks = {"batch", std::string(scheduler::nothing_job),
                                             std::string(scheduler::trigger_job)};
  auto refuse = [&](const project::Position& at, const std::string& who, const std::string& job,
                    const std::vector<std::string>& known) {
    if (std::ranges::find(known, job) != known.end()) return;
    out.add(project::problems::unknown_name, at,
            fmt::format("{} leads to {}, which is no job", who, job),
            {.hint = project::did_you_mean(job, known),
             .help = fmt::format("there are {}", fmt::join(known, ", "))});
  };
  for (const project::Notebook& one : project.notebooks)
    refuse({}, fmt::format("notebooks: \"{}\"", one.pattern), one.job, of_notebooks);
  for (const project::DagSpec& dag : project.dags) {
    for (const project::TaskSpec& task : dag.tasks)
      refuse(dag.schedule_at, fmt::format("task {} of DAG {}", task.id, dag.id), task.job,
             of_tasks);
  }
}

scheduler::NotebookJobs notebook_jobs(const project::Project& project) {
  return {.notebooks = project.notebooks, .fallback = "batch"};
}

}  // namespace pinpipe::app
