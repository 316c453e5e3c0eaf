// dag list|show|run|runs|pause|resume|clear and task log.
#include <fmt/format.h>

#include "app/operations/list.h"
#include "base/clock.h"
#include "scheduler/scheduler.h"

namespace pinpipe::app {

using codec::Json;

namespace {

Json time_cell(int64_t at_ms) {
  return at_ms == 0 ? Json() : Json(to_rfc3339(at_ms));
}

Answer tasks_of(const scheduler::DagRun& run) {
  Answer answer;
  answer.title = fmt::format("{}  {}: {}", run.dag_id, run.run_id, name_of(run.state));
  answer.columns = {"task", "state", "try", "started", "ended", "note"};
  for (const scheduler::TaskRun& task : run.tasks) {
    answer.add_row({task.task_id, name_of(task.state), task.try_number, time_cell(task.start_ms),
                    time_cell(task.end_ms), task.note});
  }
  answer.failed = run.state == scheduler::RunState::failed;
  return answer;
}

io::Task<Result<Answer>> list_dags(House& house, Json) {
  auto dags = co_await house.scheduler().list_dags();
  if (!dags) co_return dags.error();
  Answer answer;
  answer.columns = {"dag",  "schedule",  "timezone", "paused",   "next",
                    "last", "open_runs", "file",     "replaces", "problem"};
  for (const scheduler::DagView& dag : *dags) {
    answer.add_row({dag.spec.id, dag.spec.schedule, dag.spec.timezone, dag.paused,
                    time_cell(dag.next_ms.value_or(0)), time_cell(dag.last_fired_ms), dag.open_runs,
                    dag.spec.file, dag.replaces, dag.problem});
    if (!dag.replaces.empty())
      answer.notes.push_back(fmt::format("{} comes from {}, in place of {}", dag.spec.id,
                                         dag.spec.file, dag.replaces));
  }
  auto files = co_await house.scheduler().files();
  if (!files) co_return files.error();
  for (const scheduler::DagFileView& file : *files) {
    if (!file.problems.empty())
      answer.notes.push_back(
          fmt::format("{} is not taken as it stands: pinpipe dag errors", file.name));
  }
  co_return answer;
}

io::Task<Result<Answer>> run_dag(House& house, Json arguments) {
  auto run = co_await house.scheduler().trigger({.dag_id = dag_of(house, arguments),
                                                 .conf = text_argument(arguments, "conf"),
                                                 .triggered_by = "cli"});
  if (!run) co_return run.error();
  if (flag_argument(arguments, "wait")) {
    int64_t timeout_s = integer_argument(arguments, "timeout");
    run = co_await house.scheduler().wait_run(run->dag_id, run->run_id,
                                              io::after(Millis(timeout_s * 1000)));
    if (!run) co_return run.error();
  }
  Answer answer = tasks_of(*run);
  answer.notes.push_back(
      fmt::format("log of a task: pinpipe task log {} <task> --dag {}", run->run_id, run->dag_id));
  co_return answer;
}

io::Task<Result<Answer>> show_run(House& house, Json arguments) {
  auto run = co_await house.scheduler().find_run(dag_of(house, arguments),
                                                 text_argument(arguments, "run"));
  if (!run) co_return run.error();
  co_return tasks_of(*run);
}

io::Task<Result<Answer>> list_dag_runs(House& house, Json arguments) {
  auto page = co_await house.scheduler().list_runs(
      {.dag_id = dag_of(house, arguments), .limit = integer_argument(arguments, "count")});
  if (!page) co_return page.error();
  Answer answer;
  answer.columns = {"dag", "run", "type", "state", "logical_date", "started", "ended"};
  for (const scheduler::DagRun& run : page->runs) {
    answer.add_row({run.dag_id, run.run_id, name_of(run.type), name_of(run.state),
                    time_cell(run.logical_ms.value_or(0)), time_cell(run.start_ms),
                    time_cell(run.end_ms)});
  }
  co_return answer;
}

io::Task<Result<Answer>> set_paused(House& house, Json arguments, bool paused) {
  std::string dag = dag_of(house, arguments);
  if (Status done = co_await house.scheduler().set_paused(dag, paused); !done)
    co_return done.error();
  Answer answer;
  answer.columns = {"dag", "paused"};
  answer.add_row({dag, paused});
  if (paused)
    answer.notes.emplace_back("runs triggered by hand wait until it is resumed, as in Airflow");
  co_return answer;
}

io::Task<Result<Answer>> pause_dag(House& house, Json arguments) {
  return set_paused(house, std::move(arguments), true);
}

io::Task<Result<Answer>> resume_dag(House& house, Json arguments) {
  return set_paused(house, std::move(arguments), false);
}

io::Task<Result<Answer>> clear_run(House& house, Json arguments) {
  std::string task = text_argument(arguments, "task");
  auto cleared = co_await house.scheduler().clear(
      {.dag_id = dag_of(house, arguments),
       .run_id = text_argument(arguments, "run"),
       .task_ids = task.empty() ? std::vector<std::string>{} : std::vector<std::string>{task},
       .only_failed = flag_argument(arguments, "only-failed"),
       .dry_run = flag_argument(arguments, "dry-run")});
  if (!cleared) co_return cleared.error();
  Answer answer;
  answer.columns = {"task"};
  for (const std::string& one : *cleared) answer.add_row({one});
  co_return answer;
}

io::Task<Result<Answer>> show_task_log(House& house, Json arguments) {
  std::string dag = dag_of(house, arguments);
  std::string run_id = text_argument(arguments, "run");
  std::string task_id = text_argument(arguments, "task");
  int64_t number = integer_argument(arguments, "try");
  if (number == 0) {
    auto run = co_await house.scheduler().find_run(dag, run_id);
    if (!run) co_return run.error();
    for (const scheduler::TaskRun& task : run->tasks) {
      if (task.task_id == task_id) number = task.try_number;
    }
  }
  auto text = co_await house.scheduler().task_log(dag, run_id, task_id, static_cast<int>(number));
  if (!text) co_return text.error();
  Answer answer;
  answer.columns = {"line"};
  std::string_view rest = *text;
  while (!rest.empty()) {
    size_t end = rest.find('\n');
    answer.add_row({rest.substr(0, end)});
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  co_return answer;
}

constexpr Parameter named_dag{
    .name = "dag", .positional = true, .summary = "its id; the project's only one unless given"};

}  // namespace

std::string dag_of(House& house, const Json& arguments) {
  std::string named = text_argument(arguments, "dag");
  if (!named.empty() || house.project().dags.size() != 1) return named;
  return house.project().dags.front().id;
}

// tidy: long because it is the table of this subject.
std::vector<Operation> dag_operations() {
  using Kind = Parameter::Kind;
  return {
      {.noun = "dag",
       .verb = "list",
       .summary = "the DAGs, when they ran and when they are due",
       .example = "pinpipe dag list",
       .parameters = {},
       .run = list_dags},
      {.noun = "dag",
       .verb = "run",
       .summary = "trigger a DAG now",
       .example = "pinpipe dag run --wait",
       .writes = true,
       .runs_tasks = true,
       .parameters = {named_dag,
                      {.name = "conf", .summary = "a JSON object for the run", .fallback = "{}"},
                      {.name = "wait",
                       .kind = Kind::flag,
                       .summary = "until it has ended; exit code 1 when it failed"},
                      {.name = "timeout",
                       .kind = Kind::integer,
                       .summary = "seconds to wait; then exit code 6",
                       .fallback = "3600"}},
       .run = run_dag},
      {.noun = "dag",
       .verb = "show",
       .summary = "the tasks of one run",
       .example = "pinpipe dag show manual__2026-01-02T10:15:00+00:00",
       .parameters = {{.name = "run", .positional = true, .required = true, .summary = "its id"},
                      {.name = "dag", .summary = "its id; the project's only one unless given"}},
       .run = show_run},
      {.noun = "dag",
       .verb = "runs",
       .summary = "the runs, newest first",
       .example = "pinpipe dag runs --count 5",
       .parameters = {named_dag,
                      {.name = "count",
                       .kind = Kind::integer,
                       .summary = "how many at most",
                       .fallback = "20"}},
       .run = list_dag_runs},
      {.noun = "dag",
       .verb = "pause",
       .summary = "start no run of it by schedule",
       .example = "pinpipe dag pause",
       .writes = true,
       .parameters = {named_dag},
       .run = pause_dag},
      {.noun = "dag",
       .verb = "resume",
       .summary = "follow its schedule again",
       .example = "pinpipe dag resume",
       .writes = true,
       .parameters = {named_dag},
       .run = resume_dag},
      {.noun = "dag",
       .verb = "clear",
       .summary = "run tasks of a run again",
       .example = "pinpipe dag clear manual__2026-01-02T10:15:00+00:00 --only-failed",
       .writes = true,
       .runs_tasks = true,
       .parameters = {{.name = "run", .positional = true, .required = true, .summary = "its id"},
                      {.name = "task", .summary = "this one and what follows; all unless given"},
                      {.name = "only-failed",
                       .kind = Kind::flag,
                       .summary = "leave those that succeeded"},
                      {.name = "dry-run", .kind = Kind::flag, .summary = "only say which"},
                      {.name = "dag", .summary = "its id; the project's only one unless given"}},
       .run = clear_run},
      {.noun = "task",
       .verb = "log",
       .summary = "what a try of a task said",
       .example = "pinpipe task log manual__2026-01-02T10:15:00+00:00 batch",
       .parameters =
           {{.name = "run", .positional = true, .required = true, .summary = "the run's id"},
            {.name = "task", .positional = true, .required = true, .summary = "the task"},
            {.name = "try",
             .kind = Kind::integer,
             .summary = "which; the last unless given",
             .fallback = "0"},
            {.name = "dag", .summary = "its id; the project's only one unless given"}},
       .run = show_task_log,
       .plain = first_cells},
  };
}

}  // namespace pinpipe::app
