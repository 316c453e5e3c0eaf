// run, dag runs, quarantine: the batch job and what it left.
#include <fmt/format.h>

#include "app/operations/list.h"
#include "base/clock.h"
#include "io/timer.h"
#include "scheduler/scheduler.h"

namespace pinpipe::app {

using codec::Json;

namespace {

// "2026-01-02", or a time: "2026-01-02T10:15:00Z", also without the zone.
bool is_date(const std::string& text) {
  constexpr std::string_view day = "2026-01-02";
  return from_rfc3339(text.size() == day.size() ? text + "T00:00:00Z" : text) ||
         from_rfc3339(text + "Z");
}

io::Task<Result<Answer>> run_batch(House& house, Json arguments) {
  std::string date = text_argument(arguments, "date");
  if (!date.empty() && !is_date(date))
    co_return Error(Code::invalid,
                    fmt::format("--date {}: write 2026-01-02 or 2026-01-02T10:15:00Z", date));
  auto report = co_await house.batch().run(
      {.name = date.empty() ? manual_run_name(system_clock()) : "date__" + date,
       .full = flag_argument(arguments, "full")});
  if (!report) co_return report.error();
  co_return answer_of(*report);
}

// What the last run that failed was, and how it is done again: by the scheduler when it belongs to
// a DAG, so that its record there becomes right too.
io::Task<Result<Answer>> retry_run(House& house, Json arguments) {
  auto reports = co_await house.batch().reports(1);
  if (!reports) co_return reports.error();
  if (reports->empty())
    co_return Error(Code::not_found, "there was no batch run yet; `pinpipe run` starts one");
  if (reports->front().state == jobs::BatchReport::State::published) {
    Answer answer;
    answer.columns = {"run", "state"};
    answer.notes.emplace_back("the last run did not fail; `pinpipe run` starts another one");
    co_return answer;
  }
  std::string run = reports->front().run;
  for (const project::DagSpec& dag : house.project().dags) {
    auto known = co_await house.scheduler().find_run(dag.id, run);
    if (!known) continue;
    auto cleared =
        co_await house.scheduler().clear({.dag_id = dag.id, .run_id = run, .only_failed = true});
    if (!cleared) co_return cleared.error();
    auto ended = co_await house.scheduler().wait_run(
        dag.id, run, io::after(Millis(integer_argument(arguments, "timeout") * 1000)));
    if (!ended) co_return ended.error();
    Answer answer;
    answer.columns = {"run", "state"};
    answer.add_row({run, name_of(ended->state)});
    answer.failed = ended->state == scheduler::RunState::failed;
    co_return answer;
  }
  auto report = co_await house.batch().run({.name = run});
  if (!report) co_return report.error();
  co_return answer_of(*report);
}

io::Task<Result<Answer>> list_checks(House& house, Json arguments) {
  std::string run = text_argument(arguments, "run");
  auto reports = co_await house.batch().reports(run.empty() ? 1 : 1000);
  if (!reports) co_return reports.error();
  for (const jobs::BatchReport& report : *reports) {
    if (run.empty() || report.run == run) co_return checks_of(report);
  }
  co_return Error(Code::not_found, run.empty() ? "there was no batch run yet"
                                               : "there is no batch run \"" + run + "\"");
}

io::Task<Result<Answer>> list_runs(House& house, Json arguments) {
  auto reports = co_await house.batch().reports(
      static_cast<size_t>(std::max<int64_t>(1, integer_argument(arguments, "count"))));
  if (!reports) co_return reports.error();
  Answer answer;
  answer.columns = {"run",  "state", "started",     "load_ms",       "clean_ms", "ask_ms",
                    "rows", "clean", "quarantined", "failed_checks", "answers"};
  for (const jobs::BatchReport& report : *reports) {
    uint64_t rows = 0;
    uint64_t clean = 0;
    uint64_t quarantined = 0;
    for (const jobs::DatasetCount& c : report.counts) {
      rows += c.rows;
      clean += c.clean;
      quarantined += c.quarantined + c.refused;
    }
    answer.add_row({report.run, name_of(report.state), to_rfc3339(report.started_ms),
                    report.load_ms, report.clean_ms, report.ask_ms, rows, clean, quarantined,
                    report.failed_checks(), report.answers_sha256.substr(0, 12)});
  }
  co_return answer;
}

Json replayed_cell(const jobs::Quarantined& q) {
  return q.replayed_ms == 0 ? Json() : Json(to_rfc3339(q.replayed_ms));
}

io::Task<Result<Answer>> list_quarantine(House& house, Json arguments) {
  auto list = co_await house.batch().quarantine(
      static_cast<size_t>(std::max<int64_t>(1, integer_argument(arguments, "count"))));
  if (!list) co_return list.error();
  Answer answer;
  answer.columns = {"number", "dataset", "object", "line", "reason", "bytes", "replayed"};
  for (const jobs::Quarantined& q : *list)
    answer.add_row({q.id, q.dataset, q.source, q.line, q.reason, q.bytes, replayed_cell(q)});
  co_return answer;
}

io::Task<Result<Answer>> show_quarantined(House& house, Json arguments) {
  auto q = co_await house.batch().quarantined(integer_argument(arguments, "number"));
  if (!q) co_return q.error();
  Answer answer;
  answer.columns = {"what", "value"};
  answer.add_row({"dataset", q->dataset});
  answer.add_row({"object", q->source});
  answer.add_row({"line", q->line});
  answer.add_row({"reason", q->reason});
  answer.add_row({"replayed", replayed_cell(*q)});
  answer.add_row({"bytes", q->bytes});
  answer.notes.push_back(
      fmt::format("send it again, mended: pinpipe quarantine replay {} --value '{{…}}'", q->id));
  co_return answer;
}

// The record goes to its topic again, mended or as it was, and takes the way of any other.
io::Task<Result<Answer>> replay_quarantined(House& house, Json arguments) {
  auto q = co_await house.batch().quarantined(integer_argument(arguments, "number"));
  if (!q) co_return q.error();
  const project::Dataset* dataset = house.project().find_dataset(q->dataset);
  if (dataset == nullptr || dataset->topic.empty())
    co_return Error(Code::not_found, "data set " + q->dataset + " has no topic to send it to");
  if (q->replayed_ms != 0 && !flag_argument(arguments, "again"))
    co_return Error(Code::conflict, fmt::format("it was sent at {} already; --again sends it anew",
                                                to_rfc3339(q->replayed_ms)));
  std::string value = text_argument(arguments, "value");
  if (value.empty()) value = q->bytes;
  std::vector<broker::RecordIn> records(1);
  records[0].value = value;
  auto placed = co_await house.topics().produce(dataset->topic, records, broker::Acks::committed);
  if (!placed) co_return placed.error();
  if (placed->front().error) co_return *placed->front().error;
  if (Status marked = co_await house.batch().mark_replayed(q->id); !marked)
    co_return marked.error();
  Answer answer;
  answer.columns = {"number", "topic", "partition", "offset"};
  answer.add_row({q->id, dataset->topic, placed->front().partition, placed->front().offset});
  answer.notes.emplace_back(
      "the connector brings it into the bucket; `pinpipe run` cleans it then");
  co_return answer;
}

}  // namespace

Answer answer_of(const jobs::BatchReport& report) {
  Answer answer;
  answer.title = fmt::format("run {}: load {} ms, clean {} ms, questions {} ms", report.run,
                             report.load_ms, report.clean_ms, report.ask_ms);
  answer.columns = {"dataset",     "objects",  "bytes", "records", "rows", "refused",
                    "quarantined", "filtered", "clean", "read",    "load"};
  for (const jobs::DatasetCount& c : report.counts) {
    answer.add_row({c.dataset, c.objects, c.bytes, c.lines, c.rows, c.refused, c.quarantined,
                    c.filtered, c.clean, c.new_objects, c.load});
  }
  for (const jobs::CheckResult& check : report.checks) {
    if (check.is_ok()) continue;
    answer.notes.push_back(fmt::format("{}: {}.{} {}: {} rows fail, for example {}",
                                       check.is_error ? "error" : "warning", check.stage,
                                       check.dataset, check.check, check.failing, check.sample));
  }
  if (!report.checks.empty())
    answer.notes.push_back(fmt::format("{} checks, {} failed; `pinpipe batch checks` lists them",
                                       report.checks.size(), report.failed_checks()));
  std::string rows;
  for (const auto& [question, count] : report.answers)
    rows += fmt::format("{}{} {}", rows.empty() ? "rows answered: " : ", ", question, count);
  if (!rows.empty()) answer.notes.push_back(std::move(rows));
  answer.failed = report.state == jobs::BatchReport::State::failed;
  if (answer.failed)
    answer.notes.push_back(report.error + "; nothing was published, `pinpipe retry` runs it again");
  return answer;
}

Answer checks_of(const jobs::BatchReport& report) {
  Answer answer;
  answer.title = "checks";
  answer.columns = {"table", "check", "severity", "result", "failing", "sample"};
  for (const jobs::CheckResult& check : report.checks) {
    answer.add_row({check.stage + "." + check.dataset, check.check,
                    check.is_error ? "error" : "warn", check.is_ok() ? "ok" : "failed",
                    check.failing, check.sample});
  }
  return answer;
}

std::string manual_run_name(const Clock& clock) {
  return "manual__" + to_rfc3339(clock.wall_ms());
}

// tidy: long because it is the table of this subject.
std::vector<Operation> run_operations() {
  using Kind = Parameter::Kind;
  return {
      {.noun = "",
       .verb = "run",
       .summary = "run the batch job now: load, clean, check, answer",
       .example = "pinpipe run",
       .writes = true,
       .parameters = {{.name = "full",
                       .kind = Kind::flag,
                       .summary = "read all objects, not only those that are new"},
                      {.name = "date",
                       .summary = "a logical date; the same date reads the same objects again"}},
       .run = run_batch},
      {.noun = "",
       .verb = "retry",
       .summary = "run again what failed last, over the same objects",
       .example = "pinpipe retry",
       .writes = true,
       .runs_tasks = true,
       .parameters = {{.name = "timeout",
                       .kind = Kind::integer,
                       .summary = "seconds to wait for a DAG run",
                       .fallback = "3600"}},
       .run = retry_run},
      {.noun = "quarantine",
       .verb = "list",
       .summary = "what could not be read, with its place and reason",
       .example = "pinpipe quarantine list",
       .parameters = {{.name = "count",
                       .kind = Kind::integer,
                       .summary = "how many at most",
                       .fallback = "100"}},
       .run = list_quarantine},
      {.noun = "quarantine",
       .verb = "show",
       .summary = "one of them, whole",
       .example = "pinpipe quarantine show 1",
       .parameters = {{.name = "number",
                       .kind = Kind::integer,
                       .positional = true,
                       .required = true,
                       .summary = "as `pinpipe quarantine list` tells it"}},
       .run = show_quarantined},
      {.noun = "quarantine",
       .verb = "replay",
       .summary = "send one of them to its topic again, mended or as it was",
       .example = "pinpipe quarantine replay 1 --value '{\"ind\": 1, \"age\": 36}'",
       .writes = true,
       .parameters = {{.name = "number",
                       .kind = Kind::integer,
                       .positional = true,
                       .required = true,
                       .summary = "as `pinpipe quarantine list` tells it"},
                      {.name = "value", .summary = "the mended record; as it was unless given"},
                      {.name = "again",
                       .kind = Kind::flag,
                       .summary = "also when it was sent already"}},
       .run = replay_quarantined},
      {.noun = "batch",
       .verb = "checks",
       .summary = "what the checks of a batch run found",
       .example = "pinpipe batch checks",
       .parameters = {{.name = "run", .summary = "its name; the last one's unless given"}},
       .run = list_checks},
      {.noun = "batch",
       .verb = "runs",
       .summary = "what the batch job's runs loaded and cleaned, newest first",
       .example = "pinpipe batch runs",
       .parameters = {{.name = "count",
                       .kind = Kind::integer,
                       .summary = "how many at most",
                       .fallback = "20"}},
       .run = list_runs},
  };
}

}  // namespace pinpipe::app
