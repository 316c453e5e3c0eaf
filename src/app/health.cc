#include "app/health.h"

#include <fmt/format.h>

#include "app/house.h"

namespace pinpipe::app {
namespace {

using codec::Json;

PartHealth look_at_source(const House& house) {
  const std::string& at = house.endpoints().mysql;
  return {.part = "source database",
          .state = "ok",
          .count = {},
          .note = at.empty() ? "rows to post; MySQL clients need `pinpipe up`"
                             : "rows to post; MySQL on " + at};
}

io::Task<> look_at_topics(House& house, std::vector<PartHealth>& parts) {
  for (const project::Dataset& dataset : house.project().datasets) {
    auto range = co_await house.topics().range(dataset.topic, 0);
    parts.push_back({.part = dataset.topic,
                     .state = range ? "ok" : "absent",
                     .count = range ? Json(range->high_watermark) : Json(),
                     .note = "records in the topic"});
  }
}

PartHealth health_of(const sink::SinkStatus& connector) {
  PartHealth health{
      .part = connector.name, .state = "ok", .count = {}, .note = connector.waiting_for};
  int64_t records = 0;
  for (const sink::TaskStatus& task : connector.tasks) {
    for (const sink::PartitionStatus& partition : task.partitions) records += partition.committed;
    if (task.state != "FAILED") continue;
    health.state = "failed";
    health.behind = true;
    health.note = task.trace;
  }
  if (connector.state != "RUNNING") health.state = "paused";
  health.count = records;
  return health;
}

io::Task<Status> look_at_batch(House& house, std::vector<PartHealth>& parts) {
  auto reports = co_await house.batch().reports(1);
  if (!reports) co_return reports.error();
  if (reports->empty()) {
    parts.push_back(
        {.part = "batch",
         .state = "never ran",
         .count = {},
         .note = "`pinpipe run` cleans what is in the bucket and answers the questions"});
    co_return Status{};
  }
  if (const jobs::BatchReport& last = reports->front();
      last.state == jobs::BatchReport::State::failed) {
    parts.push_back(
        {.part = "batch",
         .state = "failed",
         .count = {},
         .note = fmt::format("run {}: {}; `pinpipe retry` runs it again", last.run, last.error),
         .behind = true});
  }
  auto published = co_await house.batch().published("");
  if (!published) {
    if (published.error().code() == Code::not_found) co_return Status{};
    co_return published.error();
  }
  for (const jobs::DatasetCount& c : published->counts) {
    uint64_t bad = c.refused + c.quarantined;
    parts.push_back({.part = "clean." + c.dataset,
                     .state = bad > 0 ? "has quarantine" : "ok",
                     .count = c.clean,
                     .note = bad > 0
                                 ? fmt::format("{} in quarantine: `pinpipe quarantine list`", bad)
                                 : fmt::format("rows after run {}", published->run)});
  }
  co_return Status{};
}

io::Task<> look_at_streams(House& house, std::vector<PartHealth>& parts) {
  for (const jobs::StreamStatus& s : co_await house.stream_job().status()) {
    bool failing = s.state == jobs::StreamStatus::State::failing;
    bool stopped = s.state == jobs::StreamStatus::State::stopped;
    std::string note =
        fmt::format("rows; {} records of {} to go, {:.0f} a second, {} ms old when committed",
                    s.lag, s.stream, s.records_per_second, s.freshness_ms);
    if (stopped)
      note = fmt::format("rows; {} records of {} to go: `pinpipe stream-job start {}`", s.lag,
                         s.stream, s.dataset);
    parts.push_back({.part = s.table,
                     .state = std::string(name_of(s.state)),
                     .count = s.table_rows,
                     .note = failing ? s.error : std::move(note),
                     .behind = failing});
  }
}

}  // namespace

io::Task<std::vector<PartHealth>> look_at_parts(House& house) {
  std::vector<PartHealth> parts;
  parts.push_back(look_at_source(house));
  co_await look_at_topics(house, parts);
  for (const sink::SinkStatus& connector : co_await house.connector_status())
    parts.push_back(health_of(connector));
  if (Status looked = co_await look_at_batch(house, parts); !looked)
    parts.push_back({.part = "batch",
                     .state = "failing",
                     .count = {},
                     .note = looked.error().text(),
                     .behind = true});
  co_await look_at_streams(house, parts);
  co_return parts;
}

}  // namespace pinpipe::app
