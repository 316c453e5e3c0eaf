// What a batch run reads: all objects, or those that are new since the last one.
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "jobs/batch_parts.h"

namespace pinpipe::jobs {
namespace {

// What a store tells no ETag for is known by its size and time.
std::string identity_of(const objects::ObjectFacts& object) {
  return object.etag.empty() ? fmt::format("{}@{}", object.size, object.modified_ms) : object.etag;
}

}  // namespace

std::string meaning_of(const project::Dataset& dataset) {
  std::string text;
  for (const columns::Column& column : dataset.schema.columns()) {
    text += fmt::format("{} {} {} {}\n", column.name, name_of(column.type), column.nullable,
                        fmt::join(column.synonyms, ","));
  }
  return to_hex(sha256(text + "\n" + dataset.clean.text + "\n" + dataset.quarantine.text));
}

io::Task<Result<std::vector<Batch::Load>>> Batch::plan(const RunOrder& order, BatchReport& report) {
  std::vector<Load> loads;
  BatchRecords::Listings listings;
  for (const project::Dataset& dataset : options_.project->datasets) {
    if (dataset.topic.empty()) continue;
    auto place = place_of_dataset(*options_.project, dataset);
    if (!place) co_return place.error().with("data set " + dataset.name);
    auto listing = co_await list_objects(*options_.store, *place);
    if (!listing) co_return listing.error().with("data set " + dataset.name);
    for (objects::ObjectFacts& object : *listing) object.etag = identity_of(object);
    listings.emplace(dataset.name, std::move(*listing));
    Load& load = loads.emplace_back();
    load.dataset = &dataset;
    load.place = std::move(*place);
  }
  Result<BatchReport> before = Error(Code::not_found, "");
  Status begun = co_await options_.work->run([&]() -> Status {
    auto last = records_.reports(1, true);
    if (!last) return last.error();
    if (!last->empty()) before = std::move(last->front());
    auto known = records_.begin(order.name, options_.clock->wall_ms(), listings);
    if (!known) return known.error();
    report = std::move(*known);
    for (Load& load : loads) {
      auto inputs = records_.inputs(load.dataset->name, report.serial);
      if (!inputs) return inputs.error();
      load.inputs = std::move(inputs->objects);
      load.last_loss = inputs->last_loss;
    }
    return {};
  });
  if (!begun) co_return begun.error();
  for (Load& load : loads) {
    if (order.full) load.why_all = "asked for";
    if (!before) load.why_all = "the first run";
    if (load.why_all.empty()) {
      if (Status planned = co_await plan_increment(load, report, *before); !planned)
        co_return planned.error();
    }
    std::vector<BatchRecords::Input> wanted;
    for (const BatchRecords::Input& input : load.inputs) {
      if (!load.is_increment() || input.added > before->serial) wanted.push_back(input);
    }
    auto held = co_await hold(load, wanted, listings[load.dataset->name]);
    if (!held)
      co_return held.error().with(
          fmt::format("run {}: data set {}", report.run, load.dataset->name));
  }
  co_return loads;
}

// Decides whether the run adds to what `before` left; `why_all` says why not.
io::Task<Status> Batch::plan_increment(Load& load, const BatchReport& report,
                                       const BatchReport& before) {
  const DatasetCount* count = before.find(load.dataset->name);
  if (count == nullptr || count->version < 0) {
    load.why_all = "no table yet";
  } else if (count->meaning != meaning_of(*load.dataset)) {
    load.why_all = "its SQL or columns have changed";
  } else if (load.last_loss > before.serial) {
    load.why_all = "objects have changed or gone";
  } else if (!count->by_row) {
    load.why_all = "its SQL looks at more than one row";
  } else if (report.serial <= before.serial) {
    load.why_all = "an earlier run is repeated";
  }
  if (!load.why_all.empty()) co_return Status{};
  auto table = co_await tables_.pin(*load.dataset, count->version);
  if (!table && table.error().code() != Code::not_found) co_return table.error();
  auto head = co_await tables_.head(*load.dataset);
  if (!head && head.error().code() != Code::not_found) co_return head.error();
  if (!table || !head || *head != count->version) {
    load.why_all = "somebody else has written the table";
    co_return Status{};
  }
  load.before = *count;
  load.table = std::move(*table);
  co_return Status{};
}

io::Task<Status> Batch::hold(Load& load, const std::vector<BatchRecords::Input>& wanted,
                             const std::vector<objects::ObjectFacts>& listing) {
  // Both are in key order.
  std::vector<objects::ObjectFacts> objects;
  auto listed = listing.begin();
  for (const BatchRecords::Input& input : wanted) {
    while (listed != listing.end() && listed->key < input.key) ++listed;
    if (listed == listing.end() || listed->key != input.key || listed->etag != input.etag)
      co_return Error(Code::conflict,
                      fmt::format("object {} is not what it was when this run began; a run of "
                                  "another name reads what is there now",
                                  input.key));
    objects.push_back(*listed);
  }
  auto held = co_await pin_objects(*options_.store, load.place.bucket, std::move(objects));
  if (!held) co_return held.error();
  load.objects = std::move(*held);
  co_return Status{};
}

}  // namespace pinpipe::jobs
