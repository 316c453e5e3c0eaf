#include "app/snapshot.h"

#include "app/health.h"
#include "app/house.h"

namespace pinpipe::app {
namespace {

using codec::Json;

io::Task<int64_t> records_in(House& house, std::string topic) {
  auto range = co_await house.topics().range(topic, 0);
  co_return range ? range->high_watermark : 0;
}

Json hop(std::string_view name, Json count, std::string_view note, bool behind = false) {
  return Json::object(
      {{"name", name}, {"count", std::move(count)}, {"note", note}, {"behind", behind}});
}

}  // namespace

io::Task<Json> take_snapshot(House& house) {
  auto reports = co_await house.batch().reports(1);
  const jobs::BatchReport* last = reports && !reports->empty() ? &reports->front() : nullptr;
  Json paths = Json::array();
  Json topics = Json::array();
  for (const broker::TopicFacts& topic : house.topics().list()) topics.push(topic.name);
  for (const project::Dataset& dataset : house.project().datasets) {
    Json hops = Json::array();
    int64_t records = co_await records_in(house, dataset.topic);
    hops.push(hop(dataset.topic, records, "records in the topic"));
    uint64_t rows = 0;
    uint64_t clean = 0;
    uint64_t bad = 0;
    if (last != nullptr) {
      for (const jobs::DatasetCount& c : last->counts) {
        if (c.dataset != dataset.name) continue;
        rows = c.rows;
        clean = c.clean;
        bad = c.quarantined + c.refused;
      }
    }
    hops.push(hop("raw." + dataset.name, rows, "rows loaded by the last run"));
    hops.push(hop("clean." + dataset.name, clean, bad > 0 ? "some rows are in quarantine" : "rows",
                  bad > 0));
    paths.push(Json::object({{"name", dataset.name}, {"hops", std::move(hops)}}));
  }
  std::string reason;
  for (const PartHealth& part : co_await look_at_parts(house)) {
    if (part.behind) reason += (reason.empty() ? "" : "; ") + part.part + ": " + part.note;
  }
  co_return Json::object({{"healthy", reason.empty()},
                          {"reason", reason},
                          {"paths", std::move(paths)},
                          {"topics", std::move(topics)},
                          {"answers_version", last != nullptr ? last->run : std::string()}});
}

}  // namespace pinpipe::app
