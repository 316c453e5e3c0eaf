#include "jobs/trace.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <set>

#include "jobs/stream_positions.h"
#include "jobs/trace_find.h"
#include "jobs/trace_rows.h"
#include "lake/history.h"
#include "lake/scan.h"
#include "lake/table.h"

namespace pinpipe::jobs {
namespace {

constexpr size_t commits_read_max = 100'000;

// What a record may call the column, by its name here or a synonym.
std::vector<std::string> names_in_records(const project::Dataset& dataset,
                                          const std::string& column) {
  auto at = dataset.schema.find(column);
  if (!at) return {};
  const columns::Column& found = dataset.schema.columns()[*at];
  std::vector<std::string> names = found.synonyms;
  names.push_back(found.name);
  return names;
}

// Of a commit's own words, which anybody may have written.
std::optional<broker::Offset> offset_of(const std::string& text) {
  broker::Offset offset = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  bool is_whole = error == std::errc{} && end == text.data() + text.size();
  return is_whole ? std::optional(offset) : std::nullopt;
}

// The offsets that a commit took from one source.
struct CommitRange {
  broker::Offset from = 0;
  broker::Offset to = 0;
  lake::Version version = 0;
};

std::map<std::string, std::vector<CommitRange>> ranges_of(
    const std::vector<lake::HistoryEntry>& history) {
  std::map<std::string, std::vector<CommitRange>> ranges;
  for (const lake::HistoryEntry& entry : history) {
    for (const lake::SourcePosition& position : entry.info.positions) {
      auto from = offset_of(position.from);
      auto to = offset_of(position.to);
      if (from && to) ranges[position.source].push_back({*from, *to, entry.version});
    }
  }
  return ranges;
}

// Which records of a stream that all data sets share are this one's.
RecordFilter filter_of(const project::Project& project, const project::Dataset& dataset) {
  RecordFilter filter;
  if (project.stream_input(dataset) != project.shared_stream) return filter;
  for (const project::Dataset& one : project.datasets) {
    if (project.stream_input(one) != project.shared_stream) continue;
    if (&one == &dataset) filter.own = filter.datasets.size();
    filter.datasets.push_back(one.name);
  }
  return filter;
}

void note_if_cut(Trace& trace, const project::Dataset& dataset, size_t found) {
  if (found <= Trace::copies_max) return;
  trace.notes.push_back(fmt::format("data set {} has {} copies; the first {} are told",
                                    dataset.name, found, Trace::copies_max));
}

// Where a file of that path came into the table: the first version after the last one without it.
// Versions that the log has no more count as without.
io::Task<lake::Version> since_of(lake::Table& table, lake::Version newest, std::string path) {
  lake::Version without = -1;
  lake::Version with = newest;
  while (with - without > 1) {
    lake::Version middle = without + (with - without) / 2;
    auto snapshot = co_await table.at_version(middle);
    bool has = snapshot && (*snapshot)->has_file(path);
    (has ? with : without) = middle;
  }
  co_return with;
}

std::vector<lake::FilePtr> files_to_look_at(const lake::Snapshot& snapshot,
                                            const TraceOrder& order) {
  const lake::Field* field = snapshot.schema().find(order.column);
  bool is_text = field != nullptr && field->type.kind == lake::Kind::string;
  bool is_number =
      !order.value.empty() && order.value.find_first_not_of("-0123456789") == std::string::npos;
  std::vector<lake::Bound> bounds;
  if (field != nullptr && (is_text || is_number))
    bounds.push_back({.column = order.column, .value = order.value, .is_text = is_text});
  return lake::files_within(snapshot, bounds);
}

}  // namespace

int64_t TracedTable::rows() const {
  int64_t sum = 0;
  for (const TracedFile& file : files) sum += file.rows;
  return sum;
}

// One order under way.
struct Tracer::Work {
  TraceOrder order;
  Trace trace = {};
  std::unique_ptr<TraceSession> session = {};
  // Of the tables that have been traced, for the answers.
  std::vector<TraceSession::Table> batch_tables = {};
  std::vector<TraceSession::Table> stream_tables = {};
  std::vector<objects::Store::Pinned> held = {};

  PostFinder finder(const project::Dataset& dataset) const {
    return {names_in_records(dataset, order.column), order.value};
  }
};

io::Task<Result<Trace>> Tracer::run(TraceOrder order) {
  Work work{.order = std::move(order)};
  bool is_known = std::ranges::any_of(options_.project->datasets, [&](const auto& dataset) {
    return dataset.schema.find(work.order.column).has_value();
  });
  if (!is_known)
    co_return Error(
        Code::not_found,
        fmt::format("no data set has a column \"{}\" to know a post by", work.order.column));
  auto session = co_await options_.work->run(
      [&] { return TraceSession::open(options_.engine, *options_.project, work.order); });
  if (!session) co_return session.error();
  work.session = std::move(*session);
  for (const project::Dataset& dataset : options_.project->datasets) {
    if (!dataset.topic.empty()) {
      if (Status traced = co_await trace_batch(work, dataset); !traced)
        co_return traced.error().with("data set " + dataset.name);
    }
    if (!options_.project->stream_input(dataset).empty()) {
      if (Status traced = co_await trace_stream(work, dataset); !traced)
        co_return traced.error().with("data set " + dataset.name);
    }
  }
  for (bool by_stream : {false, true}) {
    if (Status asked = co_await trace_answers(work, by_stream); !asked) co_return asked.error();
  }
  // The session's memory goes where it blocks nobody.
  (void)co_await options_.work->run([&] {
    work.session.reset();
    return true;
  });
  co_return std::move(work.trace);
}

io::Task<Status> Tracer::trace_batch(Work& work, const project::Dataset& dataset) {
  PostFinder finder = work.finder(dataset);
  size_t found = 0;
  std::vector<TracedCopy> in_log;
  std::vector<TracedCopy> in_objects;
  auto keep = [&found](std::vector<TracedCopy>& into) {
    return [&found, &into](TracedCopy copy) {
      ++found;
      if (into.size() < Trace::copies_max) into.push_back(std::move(copy));
    };
  };
  std::map<broker::PartitionId, broker::Offset> committed;
  if (auto topic = options_.topics->find(dataset.topic)) {
    auto read = co_await find_in_log({.topics = options_.topics,
                                      .name = dataset.topic,
                                      .partitions = topic->partitions,
                                      .stream = nullptr,
                                      .work = options_.work},
                                     finder, keep(in_log));
    if (!read) co_return read.error();
    work.trace.records_read += *read;
    auto sunk = co_await committed_of(dataset.topic, topic->partitions);
    if (!sunk) co_return sunk.error();
    committed = std::move(*sunk);
  }
  note_if_cut(work.trace, dataset, found);
  if (auto place = place_of_dataset(*options_.project, dataset)) {
    found = 0;
    auto read =
        co_await find_in_objects(*options_.store, *options_.work, *place, finder, keep(in_objects));
    if (!read) co_return read.error();
    work.trace.objects_read += *read;
    if (in_log.empty()) note_if_cut(work.trace, dataset, found);
  }
  std::vector<TracedCopy> copies = pair_copies(std::move(in_log), std::move(in_objects), committed);
  for (TracedCopy& copy : copies) copy.dataset = dataset.name;
  if (Status told = co_await read_runs(work, dataset, copies); !told) co_return told;
  std::ranges::move(copies, std::back_inserter(work.trace.copies));
  co_return Status{};
}

// Where the connector that takes the topic is: the one that is furthest, when there are several.
io::Task<Result<std::map<broker::PartitionId, broker::Offset>>> Tracer::committed_of(
    std::string topic, int32_t partitions) {
  std::map<broker::PartitionId, broker::Offset> committed;
  std::vector<broker::TopicPartition> which;
  for (broker::PartitionId p = 0; p < partitions; ++p) which.push_back({topic, p});
  for (const std::string& connector : co_await options_.connectors()) {
    auto positions = co_await options_.topics->committed("connect-" + connector, which);
    if (!positions) co_return positions.error();
    for (const auto& [where, position] : *positions) {
      broker::Offset& furthest = committed[where.partition];
      furthest = std::max(furthest, position.offset);
    }
  }
  co_return committed;
}

// Which run read each copy's object, and what became of its rows.
io::Task<Status> Tracer::read_runs(Work& work, const project::Dataset& dataset,
                                   std::vector<TracedCopy>& copies) {
  auto published = co_await options_.batch->published("");
  if (!published && published.error().code() == Code::not_found) co_return Status{};
  if (!published) co_return published.error();
  const DatasetCount* count = published->find(dataset.name);
  if (count == nullptr) co_return Status{};
  std::set<std::string> keys;
  for (const TracedCopy& copy : copies) {
    if (copy.object) keys.insert(copy.object->key);
  }
  auto reads = co_await options_.batch->first_reads(*published, dataset.name, std::move(keys));
  if (!reads) co_return reads.error();
  PostFinder finder = work.finder(dataset);
  for (TracedCopy& copy : copies) {
    if (!copy.object) continue;
    auto read = reads->find(copy.object->key);
    if (read == reads->end()) continue;
    copy.run = read->second.run;
    copy.version = read->second.version;
    auto rows = co_await options_.work->run([&] {
      return work.session->rows_of(dataset, finder, copy.object->key, copy.object->line, copy.text);
    });
    if (!rows) co_return rows.error();
    copy.rows = std::move(*rows);
  }
  Status traced = co_await trace_table(work, dataset, false, count->version);
  if (traced && !work.trace.tables.empty()) work.trace.tables.back().by_row = count->by_row;
  co_return traced;
}

io::Task<Status> Tracer::trace_stream(Work& work, const project::Dataset& dataset) {
  std::string input = options_.project->stream_input(dataset);
  auto facts = options_.topics->find(input);
  std::vector<TracedCopy> copies;
  if (facts) {
    auto stream = options_.find_stream(input);
    auto shards = stream ? static_cast<int32_t>((*stream)->shards.size()) : facts->partitions;
    size_t found = 0;
    auto read = co_await find_in_log({.topics = options_.topics,
                                      .name = input,
                                      .partitions = shards,
                                      .stream = stream ? *stream : nullptr,
                                      .filter = filter_of(*options_.project, dataset),
                                      .work = options_.work},
                                     work.finder(dataset), [&](TracedCopy copy) {
                                       if (++found > Trace::copies_max) return;
                                       copy.dataset = dataset.name;
                                       copy.by_stream = true;
                                       copies.push_back(std::move(copy));
                                     });
    if (!read) co_return read.error();
    work.trace.records_read += *read;
    note_if_cut(work.trace, dataset, found);
    Status told = co_await read_commits(work, dataset, *facts, copies);
    if (!told) co_return told;
  }
  std::ranges::move(copies, std::back_inserter(work.trace.copies));
  co_return co_await trace_table(work, dataset, true, std::nullopt);
}

// Which commit of the stream's table took each copy: every commit says which records it has.
io::Task<Status> Tracer::read_commits(Work& work, const project::Dataset& dataset,
                                      const broker::TopicFacts& stream,
                                      std::vector<TracedCopy>& copies) {
  if (copies.empty()) co_return Status{};
  lake::Location location{options_.lake_bucket, dataset.tables.stream};
  auto table = co_await lake::Table::open(*options_.lake, location);
  if (!table && table.error().code() == Code::not_found) co_return Status{};
  if (!table) co_return table.error();
  auto history = co_await lake::history(**table, commits_read_max);
  if (!history) co_return history.error();
  std::map<std::string, std::vector<CommitRange>> ranges =
      co_await options_.work->run([&] { return ranges_of(*history); });
  PostFinder finder = work.finder(dataset);
  auto snapshot = (*table)->snapshot();
  auto positions = StreamPositions::of(*snapshot, dataset.name);
  for (TracedCopy& copy : copies) {
    std::string source =
        fmt::format("{}/{}/{}", stream.name, stream.id.text(), copy.log->partition);
    // Newest first: a table that was emptied and began again has taken it more than once.
    auto taken = std::ranges::find_if(ranges[source], [&](const CommitRange& range) {
      return range.from <= copy.log->offset && copy.log->offset <= range.to;
    });
    if (taken != ranges[source].end()) copy.version = taken->version;
    // The log forgets old commits; the table knows how far it has come all the same.
    if (copy.log->offset > positions.stored(*snapshot, stream.id, copy.log->partition)) continue;
    copy.run = copy.version < 0 ? "an earlier commit" : fmt::format("commit {}", copy.version);
    auto rows = co_await options_.work->run(
        [&] { return work.session->rows_of(dataset, finder, copy.log->name, 1, copy.text); });
    if (!rows) co_return rows.error();
    copy.rows = std::move(*rows);
  }
  co_return Status{};
}

io::Task<Status> Tracer::trace_table(Work& work, const project::Dataset& dataset, bool by_stream,
                                     std::optional<lake::Version> version) {
  TracedTable traced{.dataset = dataset.name,
                     .by_stream = by_stream,
                     .name = by_stream ? dataset.tables.stream : dataset.tables.batch,
                     .files = {}};
  lake::Location location{options_.lake_bucket, traced.name};
  auto table = co_await lake::Table::open(*options_.lake, location);
  if (!table && table.error().code() == Code::not_found) co_return Status{};
  if (!table) co_return table.error();
  Result<std::shared_ptr<const lake::Snapshot>> snapshot = (*table)->snapshot();
  if (version) snapshot = co_await (*table)->at_version(*version);
  if (!snapshot) co_return snapshot.error();
  traced.version = (*snapshot)->version();
  auto whole = co_await lake::scan(*options_.lake, location, *snapshot);
  if (!whole) co_return whole.error();
  (by_stream ? work.stream_tables : work.batch_tables).push_back({dataset.name, whole->select});
  std::ranges::move(whole->pinned, std::back_inserter(work.held));
  for (const lake::FilePtr& file : files_to_look_at(**snapshot, work.order)) {
    auto scan = co_await lake::scan_files(*options_.lake, location, *snapshot, {file});
    if (!scan) co_return scan.error();
    auto rows = co_await options_.work->run([&] { return work.session->count(scan->select); });
    if (!rows) co_return rows.error();
    if (!*rows || **rows == 0) continue;
    traced.files.push_back({.path = file->path,
                            .rows = **rows,
                            .since = co_await since_of(**table, traced.version, file->path)});
  }
  std::ranges::sort(traced.files, {}, &TracedFile::since);
  work.trace.tables.push_back(std::move(traced));
  co_return Status{};
}

io::Task<Status> Tracer::trace_answers(Work& work, bool by_stream) {
  const auto& tables = by_stream ? work.stream_tables : work.batch_tables;
  bool has_rows = std::ranges::any_of(work.trace.tables, [&](const TracedTable& table) {
    return table.by_stream == by_stream && !table.files.empty();
  });
  if (!has_rows) co_return Status{};
  // A question over tables that are not all there has no answer to count in.
  for (const project::Dataset& dataset : options_.project->datasets) {
    bool is_there =
        std::ranges::find(tables, dataset.name, &TraceSession::Table::dataset) != tables.end();
    if (is_there) continue;
    work.trace.notes.push_back(
        fmt::format("the answers of the {} path are not asked: data set {} "
                    "has no table there yet",
                    by_stream ? "stream" : "batch", dataset.name));
    co_return Status{};
  }
  auto answers = co_await options_.work->run([&] { return work.session->answers(tables); });
  if (!answers) co_return answers.error();
  for (TracedAnswer& answer : *answers) {
    answer.by_stream = by_stream;
    work.trace.answers.push_back(std::move(answer));
  }
  co_return Status{};
}

}  // namespace pinpipe::jobs
