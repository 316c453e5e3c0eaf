// run, dag runs, quarantine: the batch job and what it left.
#include <fmt/format.h>

#include "app/operations/list.h"
#include "base/clock.h"

namespace pinpipe::app {

using codec::Json;

namespace {

io::Task<Result<Answer>> run_batch(House& house, Json) {
  auto report = co_await house.batch().run(manual_run_name(system_clock()));
  if (!report) co_return report.error();
  co_return answer_of(*report);
}

io::Task<Result<Answer>> list_runs(House& house, Json arguments) {
  auto reports = co_await house.batch().reports(
      static_cast<size_t>(std::max<int64_t>(1, integer_argument(arguments, "count"))));
  if (!reports) co_return reports.error();
  Answer answer;
  answer.columns = {"run",    "started", "load_ms", "clean_ms",
                    "ask_ms", "rows",    "clean",   "quarantined"};
  for (const jobs::BatchReport& report : *reports) {
    uint64_t rows = 0;
    uint64_t clean = 0;
    uint64_t quarantined = 0;
    for (const jobs::DatasetCount& c : report.counts) {
      rows += c.rows;
      clean += c.clean;
      quarantined += c.quarantined + c.refused;
    }
    answer.add_row({report.run, to_rfc3339(report.started_ms), report.load_ms, report.clean_ms,
                    report.ask_ms, rows, clean, quarantined});
  }
  co_return answer;
}

io::Task<Result<Answer>> tell_stream_job(House& house, Json) {
  Answer answer;
  answer.columns = {"dataset", "stream", "table",        "state", "lag",
                    "version", "rows",   "freshness_ms", "error"};
  for (const jobs::StreamStatus& s : co_await house.stream_job().status()) {
    answer.add_row({s.dataset, s.stream, s.table, name_of(s.state), s.lag, s.table_version,
                    s.table_rows, s.freshness_ms, s.error});
  }
  co_return answer;
}

io::Task<Result<Answer>> list_quarantine(House& house, Json arguments) {
  auto list = co_await house.batch().quarantine(
      static_cast<size_t>(std::max<int64_t>(1, integer_argument(arguments, "count"))));
  if (!list) co_return list.error();
  Answer answer;
  answer.columns = {"dataset", "object", "line", "reason", "bytes"};
  for (const jobs::Quarantined& q : *list)
    answer.add_row({q.dataset, q.source, q.line, q.reason, q.bytes});
  co_return answer;
}

}  // namespace

Answer answer_of(const jobs::BatchReport& report) {
  Answer answer;
  answer.title = fmt::format("run {}: load {} ms, clean {} ms, questions {} ms", report.run,
                             report.load_ms, report.clean_ms, report.ask_ms);
  answer.columns = {"dataset", "objects",     "bytes",    "records", "rows",
                    "refused", "quarantined", "filtered", "clean"};
  for (const jobs::DatasetCount& c : report.counts) {
    answer.add_row({c.dataset, c.objects, c.bytes, c.lines, c.rows, c.refused, c.quarantined,
                    c.filtered, c.clean});
  }
  return answer;
}

std::string manual_run_name(const Clock& clock) {
  return "manual__" + to_rfc3339(clock.wall_ms());
}

std::vector<Operation> run_operations() {
  using Kind = Parameter::Kind;
  return {
      {.noun = "",
       .verb = "run",
       .summary = "run the batch job now: load, clean, check, answer",
       .example = "pinpipe run",
       .writes = true,
       .parameters = {},
       .run = run_batch},
      {.noun = "quarantine",
       .verb = "list",
       .summary = "what could not be read, with its place and reason",
       .example = "pinpipe quarantine list",
       .parameters = {{.name = "count",
                       .kind = Kind::integer,
                       .summary = "how many at most",
                       .fallback = "100"}},
       .run = list_quarantine},
      {.noun = "batch",
       .verb = "runs",
       .summary = "what the batch job's runs loaded and cleaned, newest first",
       .example = "pinpipe batch runs",
       .parameters = {{.name = "count",
                       .kind = Kind::integer,
                       .summary = "how many at most",
                       .fallback = "20"}},
       .run = list_runs},
      {.noun = "stream-job",
       .verb = "status",
       .summary = "how far each stream is in its table",
       .example = "pinpipe stream-job status",
       .parameters = {},
       .run = tell_stream_job},
  };
}

}  // namespace pinpipe::app
