#include "app/snapshot.h"

#include <fmt/format.h>
#include <map>

#include "app/health.h"
#include "app/house.h"

namespace pinpipe::app {
namespace {

using codec::Json;

// One place where a data set's records or rows are. `lag` is what the place before it has more.
struct Hop {
  std::string what;  // "topic", "objects", …
  std::string name;
  Json count = {};
  int64_t lag = 0;
  std::string note = {};
  bool behind = false;  // needs somebody
};

Json to_json(const Hop& hop) {
  return Json::object({{"what", hop.what},
                       {"name", hop.name},
                       {"count", hop.count},
                       {"lag", hop.lag},
                       {"note", hop.note},
                       {"behind", hop.behind}});
}

Json to_json(const std::vector<Hop>& hops) {
  Json all = Json::array();
  for (const Hop& hop : hops) all.push(to_json(hop));
  return all;
}

// What the page shows of the whole house, gathered once for all data sets.
struct Seen {
  std::map<std::string, int64_t> records;  // by topic or stream
  std::vector<sink::SinkStatus> connectors;
  std::vector<jobs::StreamStatus> streams;
  std::optional<jobs::BatchReport> last;
};

io::Task<Seen> look(House& house) {
  Seen seen;
  for (const broker::TopicFacts& topic : house.topics().list()) {
    int64_t records = 0;
    for (broker::PartitionId p = 0; p < topic.partitions; ++p) {
      auto range = co_await house.topics().range(topic.name, p);
      if (range) records += range->high_watermark - range->start;
    }
    seen.records[topic.name] = records;
  }
  seen.connectors = co_await house.connector_status();
  seen.streams = co_await house.stream_job().status();
  auto published = co_await house.batch().published("");
  if (published) seen.last = std::move(*published);
  co_return seen;
}

Hop objects_of(const Seen& seen, const std::string& topic) {
  Hop hop{.what = "objects", .name = "no connector"};
  for (const sink::SinkStatus& connector : seen.connectors) {
    int64_t committed = 0;
    int64_t objects = 0;
    bool follows = false;
    for (const sink::TaskStatus& task : connector.tasks) {
      for (const sink::PartitionStatus& partition : task.partitions) {
        if (partition.topic != topic) continue;
        follows = true;
        committed += partition.committed;
        objects += partition.objects;
        hop.lag += partition.high_watermark - partition.committed;
        if (!partition.waiting_for.empty()) hop.note = partition.waiting_for;
      }
      if (task.state == "FAILED") {
        hop.behind = true;
        hop.note = task.trace;
      }
    }
    if (!follows) continue;
    hop.name = connector.name;
    hop.count = committed;
    if (connector.state != "RUNNING") hop.note = "paused";
    if (hop.note.empty()) hop.note = fmt::format("in {} objects", objects);
  }
  return hop;
}

std::vector<Hop> batch_path(const Seen& seen, const project::Dataset& dataset) {
  auto records = seen.records.find(dataset.topic);
  std::vector<Hop> hops{{.what = "topic",
                         .name = dataset.topic,
                         .count = records == seen.records.end() ? Json() : Json(records->second),
                         .note = records == seen.records.end() ? "not there yet" : ""},
                        objects_of(seen, dataset.topic)};
  Hop raw{.what = "loaded", .name = "raw." + dataset.name, .note = "no run yet"};
  Hop clean{.what = "clean", .name = "clean." + dataset.name};
  if (seen.last) {
    for (const jobs::DatasetCount& c : seen.last->counts) {
      if (c.dataset != dataset.name) continue;
      raw.count = c.rows;
      raw.note = "by the last run";
      clean.count = c.clean;
      uint64_t bad = c.quarantined + c.refused;
      clean.note = bad > 0 ? fmt::format("{} in quarantine", bad) : "";
    }
  }
  hops.push_back(std::move(raw));
  hops.push_back(std::move(clean));
  return hops;
}

std::vector<Hop> stream_path(const Seen& seen, const project::Dataset& dataset) {
  auto records = seen.records.find(dataset.stream);
  bool is_there = records != seen.records.end();
  std::vector<Hop> hops{{.what = "stream",
                         .name = dataset.stream,
                         .count = is_there ? Json(records->second) : Json(),
                         .note = is_there ? "" : "not there yet"}};
  for (const jobs::StreamStatus& s : seen.streams) {
    if (s.dataset != dataset.name) continue;
    bool failing = s.state == jobs::StreamStatus::State::failing;
    std::string note = failing                ? s.error
                       : s.quarantined > 0    ? fmt::format("{} in quarantine", s.quarantined)
                       : s.table_version >= 0 ? fmt::format("version {}", s.table_version)
                                              : "no rows yet";
    hops.push_back({.what = "table",
                    .name = s.table,
                    .count = s.table_rows,
                    .lag = static_cast<int64_t>(s.lag),
                    .note = std::move(note),
                    .behind = failing});
  }
  return hops;
}

Json questions_of(const project::Project& project) {
  Json all = Json::array();
  for (const project::Query& query : project.queries) {
    all.push(Json::object({{"name", query.name},
                           {"chart", query.chart.type},
                           {"x", query.chart.x},
                           {"y", query.chart.y.empty() ? query.chart.value : query.chart.y},
                           {"rows", query.chart.type == "heat" ? query.chart.y : ""},
                           {"value", query.chart.value},
                           {"series", query.chart.series}}));
  }
  return all;
}

}  // namespace

io::Task<Json> take_snapshot(House& house) {
  Seen seen = co_await look(house);
  Json datasets = Json::array();
  for (const project::Dataset& dataset : house.project().datasets) {
    Json paths = Json::object();
    if (!dataset.topic.empty()) paths.set("batch", to_json(batch_path(seen, dataset)));
    if (!dataset.stream.empty()) paths.set("stream", to_json(stream_path(seen, dataset)));
    datasets.push(Json::object({{"name", dataset.name}, {"paths", std::move(paths)}}));
  }
  Json topics = Json::array();
  for (const auto& [topic, records] : seen.records) topics.push(topic);
  std::string reason;
  for (const PartHealth& part : co_await look_at_parts(house)) {
    if (part.behind) reason += (reason.empty() ? "" : "; ") + part.part + ": " + part.note;
  }
  int64_t stream_version = 0;
  for (const jobs::StreamStatus& s : seen.streams) stream_version += s.table_version + 1;
  co_return Json::object({{"healthy", reason.empty()},
                          {"reason", reason},
                          {"datasets", std::move(datasets)},
                          {"topics", std::move(topics)},
                          {"questions", questions_of(house.project())},
                          {"batch_version", seen.last ? seen.last->run : std::string()},
                          {"stream_version", stream_version}});
}

}  // namespace pinpipe::app
