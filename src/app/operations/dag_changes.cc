// dag errors|backfill|cancel|mark|note|delete: what people decide about DAGs and runs.
#include <fmt/format.h>

#include "app/operations/list.h"
#include "base/clock.h"
#include "scheduler/scheduler.h"

namespace pinpipe::app {

using codec::Json;

namespace {

io::Task<Result<Answer>> list_errors(House& house, Json) {
  auto files = co_await house.scheduler().files();
  if (!files) co_return files.error();
  Answer answer;
  answer.columns = {"file", "line", "taken", "reason"};
  for (const scheduler::DagFileView& file : *files) {
    for (const scheduler::DagFileProblem& one : file.problems) {
      answer.add_row(
          {file.name, one.line == 0 ? Json() : Json(one.line), !one.refused, one.sentence});
    }
  }
  co_return answer;
}

// A day ("2026-01-02") or a moment with its zone.
Result<int64_t> moment_of(const Json& arguments, std::string_view name, bool whole_day) {
  std::string text = text_argument(arguments, name);
  bool day = text.size() == 10;
  auto at = from_rfc3339(day ? text + "T00:00:00Z" : text);
  if (!at) {
    return Error(Code::invalid,
                 fmt::format("--{}: \"{}\" is no day such as 2026-01-02, and no moment "
                             "such as 2026-01-02T06:00:00Z",
                             name, text));
  }
  constexpr int64_t last_of_day = 86'400'000 - 1;
  return day && whole_day ? *at + last_of_day : *at;
}

io::Task<Result<Answer>> backfill(House& house, Json arguments) {
  auto from = moment_of(arguments, "from", false);
  if (!from) co_return from.error();
  auto to = moment_of(arguments, "to", true);
  if (!to) co_return to.error();
  scheduler::BackfillRequest request;
  request.dag_id = dag_of(house, arguments);
  request.from_ms = *from;
  request.to_ms = *to;
  request.failed_too = flag_argument(arguments, "failed-too");
  request.all_too = flag_argument(arguments, "all-too");
  request.backwards = flag_argument(arguments, "backwards");
  request.dry_run = flag_argument(arguments, "dry-run");
  auto runs = co_await house.scheduler().backfill(std::move(request));
  if (!runs) co_return runs.error();
  Answer answer;
  answer.columns = {"run", "logical_date", "action"};
  for (const scheduler::BackfillRun& run : *runs) {
    answer.add_row({run.run_id, to_rfc3339(run.logical_ms), run.action});
  }
  co_return answer;
}

Answer done_with(const std::string& dag, const std::string& run, std::string_view what) {
  Answer answer;
  answer.columns = {"dag", "run", "done"};
  answer.add_row({dag, run, what});
  return answer;
}

io::Task<Result<Answer>> cancel_run(House& house, Json arguments) {
  std::string dag = dag_of(house, arguments), run = text_argument(arguments, "run");
  if (Status done = co_await house.scheduler().cancel(dag, run); !done) co_return done.error();
  co_return done_with(dag, run, "cancelled");
}

io::Task<Result<Answer>> mark_run(House& house, Json arguments) {
  auto state = scheduler::task_state_named(text_argument(arguments, "state"));
  if (!state) co_return Error(Code::invalid, "--state is success, failed or skipped");
  std::string task = text_argument(arguments, "task");
  scheduler::Scheduler::MarkRequest request;
  request.dag_id = dag_of(house, arguments);
  request.run_id = text_argument(arguments, "run");
  if (!task.empty()) request.task_ids = {task};
  request.state = *state;
  request.dry_run = flag_argument(arguments, "dry-run");
  auto marked = co_await house.scheduler().mark(std::move(request));
  if (!marked) co_return marked.error();
  Answer answer;
  answer.columns = {"task"};
  for (const std::string& one : *marked) answer.add_row({one});
  co_return answer;
}

io::Task<Result<Answer>> note_run(House& house, Json arguments) {
  std::string dag = dag_of(house, arguments), run = text_argument(arguments, "run");
  Status done = co_await house.scheduler().set_note(dag, run, text_argument(arguments, "note"));
  if (!done) co_return done.error();
  co_return done_with(dag, run, "noted");
}

io::Task<Result<Answer>> delete_run(House& house, Json arguments) {
  std::string dag = dag_of(house, arguments), run = text_argument(arguments, "run");
  if (Status done = co_await house.scheduler().delete_run(dag, run); !done) co_return done.error();
  co_return done_with(dag, run, "deleted");
}

constexpr Parameter which_run{
    .name = "run", .positional = true, .required = true, .summary = "its id"};
constexpr Parameter which_dag{.name = "dag",
                              .summary = "its id; the project's only one unless given"};

}  // namespace

std::vector<Operation> dag_change_operations() {
  using Kind = Parameter::Kind;
  return {
      {.noun = "dag",
       .verb = "errors",
       .summary = "what of the DAG files in the bucket could not be taken, by line",
       .example = "pinpipe dag errors",
       .parameters = {},
       .run = list_errors},
      {.noun = "dag",
       .verb = "backfill",
       .summary = "make the runs of dates that have passed",
       .example = "pinpipe dag backfill --from 2026-01-01 --to 2026-01-07 --dry-run",
       .writes = true,
       .runs_tasks = true,
       .parameters = {{.name = "from", .required = true, .summary = "first day, or moment"},
                      {.name = "to", .required = true, .summary = "last day, or moment"},
                      {.name = "dry-run", .kind = Kind::flag, .summary = "only say which"},
                      {.name = "failed-too", .kind = Kind::flag, .summary = "failed runs again"},
                      {.name = "all-too", .kind = Kind::flag, .summary = "all ended runs again"},
                      {.name = "backwards", .kind = Kind::flag, .summary = "latest date first"},
                      {.name = "dag",
                       .positional = true,
                       .summary = "its id; the project's only one unless given"}},
       .run = backfill},
      {.noun = "dag",
       .verb = "cancel",
       .summary = "end a run now; it has failed then",
       .example = "pinpipe dag cancel manual__2026-01-02T10:15:00+00:00",
       .writes = true,
       .parameters = {which_run, which_dag},
       .run = cancel_run},
      {.noun = "dag",
       .verb = "mark",
       .summary = "say how a run, or a task of it, has ended",
       .example = "pinpipe dag mark manual__2026-01-02T10:15:00+00:00 --state success",
       .writes = true,
       .parameters = {which_run,
                      {.name = "state", .required = true, .summary = "success, failed or skipped"},
                      {.name = "task",
                       .summary = "this one; all that have not succeeded unless given"},
                      {.name = "dry-run", .kind = Kind::flag, .summary = "only say which"},
                      which_dag},
       .run = mark_run},
      {.noun = "dag",
       .verb = "note",
       .summary = "write a note on a run",
       .example = "pinpipe dag note manual__2026-01-02T10:15:00+00:00 \"late data\"",
       .writes = true,
       .parameters = {which_run,
                      {.name = "note", .positional = true, .required = true, .summary = "the text"},
                      which_dag},
       .run = note_run},
      {.noun = "dag",
       .verb = "delete",
       .summary = "forget a run that has ended, with its logs",
       .example = "pinpipe dag delete manual__2026-01-02T10:15:00+00:00",
       .writes = true,
       .parameters = {which_run, which_dag},
       .run = delete_run},
  };
}

}  // namespace pinpipe::app
