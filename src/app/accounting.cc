#include "app/accounting.h"

#include <charconv>
#include <fmt/format.h>

#include "app/house.h"
#include "jobs/stream_positions.h"
#include "lake/history.h"
#include "lake/table.h"

namespace pinpipe::app {
namespace {

using Kind = Finding::Kind;

constexpr size_t commits_read_max = 1'000'000;

std::string path_of(const PathCount& count) {
  return fmt::format("{} ({})", count.dataset, count.by_stream ? "stream" : "batch");
}

std::string records(int64_t count) {
  return fmt::format("{} record{}", count, count == 1 ? "" : "s");
}

// Of a commit's own words, which anybody may have written: 0 when it is none.
int64_t number_of(const std::string& text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

int64_t number_in(const std::map<std::string, std::string>& metrics, const std::string& name) {
  auto at = metrics.find(name);
  return at == metrics.end() ? 0 : number_of(at->second);
}

io::Task<Result<int64_t>> records_of(House& house, std::string topic) {
  auto facts = house.topics().find(topic);
  int64_t sum = 0;
  if (!facts) co_return sum;
  for (broker::PartitionId p = 0; p < facts->partitions; ++p) {
    auto range = co_await house.topics().range(topic, p);
    if (!range && range.error().code() == Code::not_found) continue;
    if (!range) co_return range.error();
    sum += range->high_watermark;
  }
  co_return sum;
}

io::Task<Result<std::unique_ptr<lake::Table>>> open_table(House& house, const std::string& name) {
  co_return co_await lake::Table::open(house.lake(), {House::lake_bucket, name});
}

// What the connector that takes the topic says; of several the one that is furthest. False when
// none follows it now: one that is stopped says nothing.
bool add_connector(const std::vector<sink::SinkStatus>& connectors, const std::string& topic,
                   PathCount& count) {
  bool is_followed = false;
  for (const sink::SinkStatus& connector : connectors) {
    int64_t committed = 0;
    int64_t skipped = 0;
    for (const sink::TaskStatus& task : connector.tasks) {
      for (const sink::PartitionStatus& partition : task.partitions) {
        if (partition.topic != topic) continue;
        is_followed = true;
        committed += partition.committed;
        skipped += partition.skipped;
      }
    }
    if (committed <= count.carried) continue;
    count.carried = committed;
    count.skipped = skipped;
  }
  return is_followed;
}

io::Task<Result<PathCount>> count_batch(House& house, const project::Dataset& dataset,
                                        const std::vector<sink::SinkStatus>& connectors,
                                        const jobs::BatchReport* last) {
  PathCount count{.dataset = dataset.name, .unknown = {}};
  auto written = co_await records_of(house, dataset.topic);
  if (!written) co_return written.error();
  count.records = *written;
  if (!add_connector(connectors, dataset.topic, count) && count.records > 0)
    count.unknown = "no connector follows its topic now";
  if (!count.unknown.empty()) co_return count;
  const jobs::DatasetCount* loaded = last == nullptr ? nullptr : last->find(dataset.name);
  if (loaded == nullptr || loaded->version < 0) co_return count;
  count.lines = static_cast<int64_t>(loaded->lines);
  count.values = static_cast<int64_t>(loaded->values);
  count.clean = static_cast<int64_t>(loaded->clean);
  count.filtered = loaded->filtered;
  count.quarantined = static_cast<int64_t>(loaded->quarantined + loaded->refused);
  auto table = co_await open_table(house, dataset.tables.batch);
  if (!table) co_return table.error();
  auto snapshot = co_await (*table)->at_version(loaded->version);
  if (!snapshot) co_return snapshot.error();
  count.table_rows = (*snapshot)->rows().value_or(-1);
  co_return count;
}

// How many records the table's positions say that it is beyond.
int64_t passed_by(const lake::Snapshot& snapshot, const broker::TopicFacts& stream,
                  const std::string& dataset) {
  auto positions = jobs::StreamPositions::of(snapshot, dataset);
  int64_t passed = 0;
  for (broker::PartitionId p = 0; p < stream.partitions; ++p)
    passed += positions.stored(snapshot, stream.id, p) + 1;
  return passed;
}

// How many offsets of the stream a commit says that it took.
int64_t taken_by(const lake::CommitInfo& commit, const std::string& source) {
  int64_t taken = 0;
  for (const lake::SourcePosition& position : commit.positions) {
    if (!position.source.starts_with(source)) continue;
    taken += number_of(position.to) - number_of(position.from) + 1;
  }
  return taken;
}

// Adds what the commits say since the table began, or began again.
void add_commits(const std::vector<lake::HistoryEntry>& newest_first, const std::string& source,
                 PathCount& count) {
  int64_t taken = 0;
  for (const lake::HistoryEntry& entry : newest_first) {
    const auto& metrics = entry.info.metrics;
    auto mode = entry.info.parameters.find("mode");
    if (mode != entry.info.parameters.end() && mode->second == "Overwrite") break;  // a reset
    if (!metrics.contains("numSourceRecords")) continue;  // another writer's, or without records
    int64_t here = taken_by(entry.info, source);
    taken += here;
    // Commits of a former stream of that name have rows in the table, but no records in this one.
    if (here > 0) count.lines += number_in(metrics, "numSourceRecords");
    count.values += number_in(metrics, "numSourceValues");
    count.clean += number_in(metrics, "numOutputRows");
    count.filtered += number_in(metrics, "numFilteredRows");
    count.quarantined += number_in(metrics, "numQuarantinedRows");
  }
  count.skipped = count.carried - taken;
}

io::Task<Result<PathCount>> count_stream(House& house, const project::Dataset& dataset,
                                         std::string input, Depth depth) {
  PathCount count{.dataset = dataset.name, .by_stream = true, .unknown = {}};
  auto stream = house.topics().find(input);
  if (!stream) co_return count;  // nothing was sent yet
  auto written = co_await records_of(house, input);
  if (!written) co_return written.error();
  count.records = *written;
  auto table = co_await open_table(house, dataset.tables.stream);
  if (!table && table.error().code() == Code::not_found) co_return count;
  if (!table) co_return table.error();
  auto snapshot = (*table)->snapshot();
  count.carried = passed_by(*snapshot, *stream, dataset.name);
  count.table_rows = snapshot->rows().value_or(-1);
  if (!house.project().shared_stream.empty()) count.unknown = "it shares its stream";
  count.whole = depth == Depth::commits && count.unknown.empty();
  if (!count.whole) co_return count;
  auto history = co_await lake::history(**table, commits_read_max);
  if (!history) co_return history.error();
  if (!history->empty() && history->back().version > 0)
    count.unknown = fmt::format("the table's log begins with version {}", history->back().version);
  add_commits(*history, fmt::format("{}/{}/", input, stream->id.text()), count);
  co_return count;
}

}  // namespace

std::vector<Finding> audit(const PathCount& count) {
  std::vector<Finding> findings;
  auto find = [&](Kind kind, std::string text) {
    findings.push_back({kind, path_of(count) + ": " + text});
  };
  std::string_view next = count.by_stream ? "commits of its table" : "objects";
  int64_t behind = count.records - count.carried;
  if (!count.unknown.empty()) find(Kind::unknown, count.unknown);
  bool is_known = count.unknown.empty() || count.by_stream;
  if (is_known && behind > 0)
    find(Kind::on_its_way, fmt::format("{} on the way to {}", records(behind), next));
  if (is_known && behind < 0)
    find(Kind::surplus, fmt::format("{} more in {} than in the log", records(-behind), next));
  if (!count.unknown.empty()) return findings;
  if (!count.whole) return findings;
  int64_t written = count.carried - count.skipped;
  if (count.lines < written && count.by_stream)
    find(Kind::lost,
         fmt::format("its commits took {} and have {}", records(written), records(count.lines)));
  if (count.lines < written && !count.by_stream)
    find(Kind::on_its_way, fmt::format("{} in objects not read by a run yet (`pinpipe run`), or "
                                       "their objects are gone",
                                       records(written - count.lines)));
  if (count.lines > written && !count.by_stream)
    find(Kind::surplus, fmt::format("{} in objects that the connector did not write there",
                                    records(count.lines - written)));
  int64_t became = count.clean + count.filtered + count.quarantined;
  if (count.values != became || count.filtered < 0)
    find(became < count.values ? Kind::lost : Kind::surplus,
         fmt::format("of {} rows read {} are clean, {} filtered, {} quarantined", count.values,
                     count.clean, count.filtered, count.quarantined));
  if (count.clean != count.table_rows)
    find(count.table_rows < count.clean ? Kind::lost : Kind::surplus,
         fmt::format("{} rows are clean, the table has {}", count.clean, count.table_rows));
  return findings;
}

std::vector<Finding> audit(const source::Tally& tally, uint64_t stored) {
  std::vector<Finding> findings;
  uint64_t told = tally.acknowledged + tally.failed + tally.unknown;
  if (tally.sent != told)
    findings.push_back({Kind::lost, fmt::format("{} posts were sent, of {} it is known what became "
                                                "of them",
                                                tally.sent, told)});
  if (stored < tally.acknowledged)
    findings.push_back({Kind::lost, fmt::format("{} posts were acknowledged, {} are stored",
                                                tally.acknowledged, stored)});
  if (stored > tally.acknowledged + tally.unknown + tally.retried)
    findings.push_back(
        {Kind::surplus, fmt::format("{} posts are stored, more than {} acknowledged, {} unknown "
                                    "and {} retried explain",
                                    stored, tally.acknowledged, tally.unknown, tally.retried)});
  return findings;
}

io::Task<Result<std::vector<PathCount>>> count_paths(House& house, Depth depth) {
  auto connectors = co_await house.connector_status();
  auto last = co_await house.batch().published("");
  if (!last && last.error().code() != Code::not_found) co_return last.error();
  std::vector<PathCount> counts;
  for (const project::Dataset& dataset : house.project().datasets) {
    if (dataset.topic.empty()) continue;
    auto count = co_await count_batch(house, dataset, connectors, last ? &*last : nullptr);
    if (!count) co_return count.error().with("data set " + dataset.name);
    counts.push_back(std::move(*count));
  }
  for (const project::Dataset& dataset : house.project().datasets) {
    std::string input = house.project().stream_input(dataset);
    if (input.empty()) continue;
    auto count = co_await count_stream(house, dataset, std::move(input), depth);
    if (!count) co_return count.error().with("data set " + dataset.name);
    counts.push_back(std::move(*count));
  }
  co_return counts;
}

Answer answer_of(const std::vector<PathCount>& counts) {
  Answer answer;
  answer.columns = {"dataset", "path",     "records",     "kept_apart", "carried",  "read",
                    "rows",    "filtered", "quarantined", "clean",      "in_table", "state"};
  bool is_open = false;
  for (const PathCount& c : counts) {
    std::string state = "closes";
    for (const Finding& finding : audit(c)) {
      answer.failed = answer.failed || finding.is_wrong();
      is_open = true;
      state = finding.is_wrong()              ? "does not close"
              : state == "does not close"     ? state
              : finding.kind == Kind::unknown ? "unknown"
                                              : "on its way";
      answer.notes.push_back(finding.text);
    }
    answer.add_row({c.dataset, c.by_stream ? "stream" : "batch", c.records, c.skipped, c.carried,
                    c.lines, c.values, c.filtered, c.quarantined, c.clean, c.table_rows, state});
  }
  if (!is_open) answer.notes.emplace_back("the accounting closes");
  return answer;
}

}  // namespace pinpipe::app
