// stream-job start|stop|status|reset: how the streams are followed, data set by data set.
#include <fmt/format.h>

#include "app/operations/list.h"

namespace pinpipe::app {

using codec::Json;

namespace {

using Trigger = project::StreamJobSettings::Trigger;

Answer answer_of(const std::vector<jobs::StreamStatus>& all, const std::string& dataset) {
  Answer answer;
  answer.columns = {"dataset", "stream",      "table",        "state",     "lag",
                    "version", "rows",        "freshness_ms", "behind_ms", "rate",
                    "files",   "quarantined", "trigger",      "error"};
  for (const jobs::StreamStatus& s : all) {
    if (!dataset.empty() && s.dataset != dataset) continue;
    answer.add_row({s.dataset, s.stream, s.table, name_of(s.state), s.lag, s.table_version,
                    s.table_rows, s.freshness_ms, s.behind_ms,
                    static_cast<int64_t>(s.records_per_second), s.table_files, s.quarantined,
                    name_of(s.trigger), s.error});
  }
  return answer;
}

io::Task<Result<Answer>> tell_status(House& house, Json arguments) {
  std::string dataset = text_argument(arguments, "dataset");
  if (Status known = house.stream_job().check_name(dataset); !known) co_return known.error();
  co_return answer_of(co_await house.stream_job().status(), dataset);
}

io::Instant deadline_of(const Json& arguments) {
  return io::after(Millis(1'000 * std::max<int64_t>(1, integer_argument(arguments, "timeout"))));
}

io::Task<Result<Answer>> start(House& house, Json arguments) {
  std::string dataset = text_argument(arguments, "dataset");
  std::string name = text_argument(arguments, "trigger");
  auto trigger = project::stream_trigger_named(name);
  if (!name.empty() && !trigger)
    co_return Error(Code::invalid, fmt::format("--trigger is continuous, available-now or once, "
                                               "not \"{}\"",
                                               name));
  bool has_server = !house.endpoints().console.empty();
  if (!has_server && (!trigger || *trigger == Trigger::continuous))
    co_return Error(Code::unavailable,
                    "without a server only a run that ends can be started: --trigger "
                    "available-now; `pinpipe up` follows streams");
  if (Status told = co_await house.stream_job().start(dataset, trigger); !told)
    co_return told.error();
  if (!has_server || flag_argument(arguments, "wait")) {
    Status done = co_await house.stream_job().wait_until_done(dataset, deadline_of(arguments));
    if (!done) co_return done.error();
  }
  co_return co_await tell_status(house, std::move(arguments));
}

io::Task<Result<Answer>> stop(House& house, Json arguments) {
  Status done =
      co_await house.stream_job().stop(text_argument(arguments, "dataset"), deadline_of(arguments));
  if (!done) co_return done.error();
  co_return co_await tell_status(house, std::move(arguments));
}

io::Task<Result<Answer>> reset(House& house, Json arguments) {
  std::string dataset = text_argument(arguments, "dataset");
  std::string from = text_argument(arguments, "start");
  auto start = project::stream_start_of(from);
  if (!start)
    co_return Error(Code::invalid, fmt::format("--start is earliest, latest or a time such as "
                                               "2026-01-02T10:15:00Z, not \"{}\"",
                                               from));
  if (Status done = co_await house.stream_job().reset(dataset, *start); !done)
    co_return done.error();
  auto answer = co_await tell_status(house, std::move(arguments));
  if (answer) answer->notes.emplace_back("`pinpipe stream-job start` reads it again");
  co_return answer;
}

Parameter timeout() {
  return {.name = "timeout",
          .kind = Parameter::Kind::integer,
          .summary = "seconds to wait",
          .fallback = "60"};
}

const Parameter which{
    .name = "dataset", .positional = true, .summary = "its name; all of them unless given"};

}  // namespace

// tidy: long because it is the table of this subject.
std::vector<Operation> stream_job_operations() {
  using Kind = Parameter::Kind;
  return {
      {.noun = "stream-job",
       .verb = "status",
       .summary = "how far each stream is in its table",
       .example = "pinpipe stream-job status",
       .parameters = {which},
       .run = tell_status},
      {.noun = "stream-job",
       .verb = "start",
       .summary = "follow a stream again, or read what is there and end",
       .example = "pinpipe stream-job start pin --trigger available-now --wait",
       .writes = true,
       .parameters = {which,
                      {.name = "trigger",
                       .summary = "continuous, available-now or once, for this time; the project's "
                                  "unless given"},
                      {.name = "wait", .kind = Kind::flag, .summary = "until the run has ended"},
                      timeout()},
       .run = start},
      {.noun = "stream-job",
       .verb = "stop",
       .summary = "commit what was read and rest, also after a restart",
       .example = "pinpipe stream-job stop pin",
       .writes = true,
       .parameters = {which, timeout()},
       .run = stop},
      {.noun = "stream-job",
       .verb = "reset",
       .summary = "empty a stopped stream's table and quarantine, to read the stream again",
       .example = "pinpipe stream-job reset pin --start earliest",
       .writes = true,
       .parameters = {which,
                      {.name = "start",
                       .summary = "earliest, latest or a time such as 2026-01-02T10:15:00Z",
                       .fallback = "earliest"}},
       .run = reset},
  };
}

}  // namespace pinpipe::app
