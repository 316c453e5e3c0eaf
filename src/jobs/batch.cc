#include "jobs/batch.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "codec/json.h"
#include "jobs/batch_checks.h"
#include "jobs/batch_parts.h"

namespace pinpipe::jobs {
namespace {

// Names of the operators in a plan that was asked for as JSON.
bool all_operators(const codec::Json& plan, const std::vector<std::string_view>& allowed) {
  if (auto name = plan["name"].as_string()) {
    std::string_view trimmed = *name;
    while (trimmed.ends_with(' ')) trimmed.remove_suffix(1);
    if (!trimmed.empty() && std::ranges::find(allowed, trimmed) == allowed.end()) return false;
  }
  for (const codec::Json& part : plan.is_array() ? plan.elements() : plan["children"].elements()) {
    if (!all_operators(part, allowed)) return false;
  }
  return true;
}

// Whether the SELECT makes each of its rows from one row of raw.<dataset>: its plan reads the
// objects, filters, and computes, and does nothing else. Otherwise rows that come later could
// change what earlier ones became.
bool is_row_by_row(sql::Connection& connection, const project::SqlFile& clean) {
  auto plan = connection.query("explain (format json) " + clean.text);
  if (!plan || plan->rows.empty()) return false;
  const auto* text = plan->rows[0].back().get_if<std::string>();
  auto json = text == nullptr ? Result<codec::Json>(Error(Code::internal, "no plan"))
                              : codec::parse_json(*text);
  return json && all_operators(*json, {"PROJECTION", "FILTER", "PINPIPE_JSON", "EMPTY_RESULT"});
}

std::string digest_of(const std::vector<QuestionAnswer>& answers) {
  std::string text;
  for (const QuestionAnswer& answer : answers) {
    text += answer.name;
    for (const sql::ColumnHead& head : answer.table.columns)
      text += fmt::format(" {} {}", head.name, head.type);
    for (const sql::Row& row : answer.table.rows) {
      text += "\n";
      for (const sql::Value& value : row) {
        sql::append_json(text, value);
        text += ",";
      }
    }
    text += "\n";
  }
  return to_hex(sha256(text));
}

}  // namespace

Batch::Batch(Options options)
    : options_(std::move(options)),
      tables_(*options_.lake, options_.lake_bucket),
      records_(options_.state) {}

io::Task<Result<BatchReport>> Batch::run(RunOrder order) {
  {
    std::lock_guard lock(mutex_);
    if (running_) co_return Error(Code::conflict, "a batch run is under way");
    running_ = true;
  }
  auto outcome = co_await carry_out(order);
  {
    std::lock_guard lock(mutex_);
    running_ = false;
  }
  co_return outcome;
}

io::Task<Result<BatchReport>> Batch::carry_out(const RunOrder& order) {
  int64_t begin_ms = options_.clock->steady_ms();
  BatchReport report;
  report.run = order.name;
  auto loads = co_await plan(order, report);
  if (!loads) co_return loads.error();
  report.started_ms = options_.clock->wall_ms();
  report.load_ms = options_.clock->steady_ms() - begin_ms;
  bool is_same = report.state == BatchReport::State::published && !order.full;
  for (const Load& load : *loads) {
    const DatasetCount* count = report.find(load.dataset->name);
    is_same = is_same && count != nullptr && count->meaning == meaning_of(*load.dataset);
  }
  if (is_same) co_return co_await repeat(std::move(report));
  report.error.clear();
  report.state = BatchReport::State::begun;
  auto made = co_await options_.work->run([&] { return make(report, *loads, order.stop); });
  if (made && made->report.state != BatchReport::State::failed)
    co_return co_await publish(std::move(*made));
  // The record tells what went wrong; the tables stay those of the run before.
  BatchReport failed = made ? std::move(made->report) : std::move(report);
  failed.state = BatchReport::State::failed;
  if (!made) failed.error = made.error().text();
  Status saved = co_await options_.work->run([&] { return records_.save(failed, {}, {}); });
  if (!saved) co_return saved.error();
  if (!made) co_return made.error();
  co_return failed;
}

// All that the run once read and meant is as it was: its tables are, and the answers come out anew.
io::Task<Result<BatchReport>> Batch::repeat(BatchReport report) {
  auto tables = co_await pin_tables(report);
  if (!tables) co_return tables.error().with("run " + report.run + " is repeated");
  int64_t begin_ms = options_.clock->steady_ms();
  auto answers = co_await options_.work->run([&]() -> Result<std::vector<QuestionAnswer>> {
    auto engine = sql::Engine::open(options_.engine);
    if (!engine) return engine.error();
    auto connection = (*engine)->connect();
    if (!connection) return connection.error();
    for (const PinnedTable& table : *tables) {
      Status made = (*connection)->create_view({"clean", table.dataset}, table.select());
      if (!made) return made.error();
    }
    if (Status made = make_project_tables(**connection, *options_.project); !made)
      return made.error();
    return answer_questions(**connection, *options_.project, "");
  });
  if (!answers) co_return answers.error();
  report.clean_ms = 0;
  report.ask_ms = options_.clock->steady_ms() - begin_ms;
  report.answers.clear();
  for (const QuestionAnswer& answer : *answers)
    report.answers.emplace_back(answer.name, answer.table.rows.size());
  report.answers_sha256 = digest_of(*answers);
  std::vector<std::string> keeps;
  for (DatasetCount& count : report.counts) {
    keeps.push_back(count.dataset);
    count.new_objects = 0;
    count.load = "nothing: the same run again";
  }
  Status saved = co_await options_.work->run([&] { return records_.save(report, {}, keeps); });
  if (!saved) co_return saved.error();
  co_return report;
}

Result<Batch::Made> Batch::make(BatchReport report, std::vector<Load>& loads,
                                std::stop_token stop) {
  Made made;
  made.report = std::move(report);
  BatchReport& told = made.report;
  told.counts.clear();
  told.checks.clear();
  told.answers.clear();
  int64_t begin_ms = options_.clock->steady_ms();
  auto engine = sql::Engine::open(options_.engine);
  if (!engine) return engine.error();
  auto connection = (*engine)->connect();
  if (!connection) return connection.error();
  for (Load& load : loads) {
    auto count = clean(**connection, load, made, stop);
    if (!count) return count.error().with("data set " + load.dataset->name);
    told.counts.push_back(std::move(*count));
  }
  for (const Load& load : loads) {
    for (bool is_raw : {true, false}) {
      for (const project::Check& check :
           is_raw ? load.dataset->raw_checks : load.dataset->clean_checks) {
        auto result = examine(**connection, load.dataset->name, is_raw, check);
        if (!result) return result.error();
        told.checks.push_back(std::move(*result));
      }
    }
  }
  told.clean_ms = options_.clock->steady_ms() - begin_ms;
  if (told.failed_checks() > 0) {
    told.state = BatchReport::State::failed;
    told.error = fmt::format("{} checks failed", told.failed_checks());
    return made;
  }

  // A question that cannot be answered fails the run before anything of it counts.
  begin_ms = options_.clock->steady_ms();
  if (Status there = make_project_tables(**connection, *options_.project); !there)
    return there.error();
  auto answers = answer_questions(**connection, *options_.project, "");
  if (!answers) return answers.error();
  for (const QuestionAnswer& answer : *answers)
    told.answers.emplace_back(answer.name, answer.table.rows.size());
  told.answers_sha256 = digest_of(*answers);
  told.ask_ms = options_.clock->steady_ms() - begin_ms;
  return made;
}

// Writes the clean rows of what is read now as a file, and makes clean.<dataset> of it and of what
// was there: nothing is held in memory, however much it is.
Result<DatasetCount> Batch::clean(sql::Connection& connection, Load& load, Made& made,
                                  const std::stop_token& stop) {
  const project::Dataset& dataset = *load.dataset;
  DatasetCount count{.dataset = dataset.name,
                     .objects = load.objects->keys.size(),
                     .bytes = load.objects->bytes,
                     .load = {},
                     .meaning = meaning_of(dataset)};
  count.new_objects = count.objects;
  auto refuse = [&](const columns::Refused& refused) {
    if (made.quarantine.size() == quarantine_max) return;
    made.quarantine.push_back({.dataset = dataset.name,
                               .source = std::string(refused.source),
                               .reason = std::string(refused.reason),
                               .bytes = std::string(refused.bytes),
                               .line = refused.line});
  };
  sql::JsonInput input{.schema = std::make_shared<const columns::Schema>(dataset.schema),
                       .open = [objects = load.objects] { return pieces_of_objects(objects); },
                       .on_refused = refuse,
                       .stop = stop};
  auto scan = connection.create_json_view({"raw", dataset.name}, std::move(input));
  if (!scan) return scan.error();
  const sql::TableName view{"clean", dataset.name};
  if (Status viewed = connection.create_view(view, dataset.clean.text); !viewed)
    return with_place(viewed.error(), connection, dataset.clean);
  count.by_row = load.is_increment() || is_row_by_row(connection, dataset.clean);
  auto rows = tables_.encode(connection, view, stop);
  if (!rows) return with_place(rows.error(), connection, dataset.clean);
  // Taken now: a later query over the view begins to count anew.
  columns::Counts counts = (*scan)->counts();
  count.lines = counts.lines;
  count.values = counts.values;
  count.rows = counts.rows;
  count.refused = counts.refused;
  count.clean = static_cast<uint64_t>(rows->rows());
  // What clean took is not in quarantine: when it took all there is nothing to look for.
  if (!dataset.quarantine.text.empty() && count.clean != count.rows) {
    auto taken = take_quarantined(connection, load, made, stop);
    if (!taken) return taken.error();
    count.quarantined = static_cast<uint64_t>(*taken);
  }
  count.filtered = static_cast<int64_t>(count.rows) - static_cast<int64_t>(count.clean) -
                   static_cast<int64_t>(count.quarantined);
  std::string select = BatchTables::select(*rows);
  if (load.is_increment()) {
    count.load = count.objects == 0 ? "nothing new" : "new objects";
    count.add(*load.before);
    count.version = load.before->version;
    made.keeps.push_back(dataset.name);
    select = load.table->select() + " UNION ALL " + select;
  } else {
    count.load = "all: " + load.why_all;
  }
  if (Status viewed = connection.create_view(view, select); !viewed) return viewed.error();
  if (load.is_increment() && rows->files.empty()) return count;
  made.tables.push_back(
      {.dataset = &dataset,
       .rows = std::move(*rows),
       .mode = load.is_increment() ? lake::WriteMode::append : lake::WriteMode::overwrite});
  return count;
}

Result<int64_t> Batch::take_quarantined(sql::Connection& connection, const Load& load, Made& made,
                                        const std::stop_token& stop) {
  const project::SqlFile& file = load.dataset->quarantine;
  int64_t taken = 0;
  auto keep = [&](std::span<const sql::Row> rows) {
    for (const sql::Row& row : rows) {
      ++taken;
      if (made.quarantine.size() == quarantine_max) continue;
      made.quarantine.push_back({.dataset = load.dataset->name,
                                 .source = sql::to_text(row[0]),
                                 .reason = sql::to_text(row[3]),
                                 .bytes = sql::to_text(row[2]),
                                 .line = std::strtoull(sql::to_text(row[1]).c_str(), nullptr, 10)});
    }
    return true;
  };
  size_t columns = 0;
  Status streamed = connection.stream(
      file.text, [&](std::span<const sql::ColumnHead> heads) { columns = heads.size(); },
      [&](std::span<const sql::Row> rows) { return columns == 4 && keep(rows); }, stop);
  if (!streamed) return with_place(streamed.error(), connection, file);
  if (columns != 4)
    return Error(Code::invalid, file.path + ": wants the columns _source, _line, _bytes, reason");
  return taken;
}

io::Task<Result<BatchReport>> Batch::publish(Made made) {
  BatchReport& report = made.report;
  for (Made::Table& table : made.tables) {
    DatasetCount& count =
        *std::ranges::find(report.counts, table.dataset->name, &DatasetCount::dataset);
    lake::CommitFacts facts{.operation = "",
                            .parameters = {},
                            .metrics = {{"numSourceObjects", std::to_string(count.new_objects)},
                                        {"numSourceRows", std::to_string(count.rows)}},
                            .txns = {},
                            .positions = {},
                            .project_sql_sha256 = to_hex(sha256(table.dataset->clean.text)),
                            .user_metadata = report.run};
    auto version = co_await tables_.publish(*table.dataset, table.mode, std::move(table.rows),
                                            std::move(facts));
    if (!version) co_return version.error().with("data set " + count.dataset);
    count.version = *version;
  }
  report.state = BatchReport::State::published;
  Status saved = co_await options_.work->run(
      [&] { return records_.save(report, made.quarantine, made.keeps); });
  if (!saved) co_return saved.error();
  co_return std::move(report);
}

io::Task<Result<BatchReport>> Batch::published(std::string run) {
  auto found = co_await options_.work->run([&]() -> Result<BatchReport> {
    if (!run.empty()) return records_.find(run);
    auto last = records_.reports(1, true);
    if (!last) return last.error();
    if (last->empty())
      return Error(Code::not_found,
                   "there are no clean tables yet; `pinpipe run` makes them from the bucket");
    return std::move(last->front());
  });
  if (found && found->state != BatchReport::State::published)
    co_return Error(Code::not_found,
                    fmt::format("run {} published nothing: {}", found->run,
                                found->error.empty() ? "it did not end" : found->error));
  co_return found;
}

io::Task<Result<std::vector<PinnedTable>>> Batch::pin_tables(const BatchReport& report) {
  std::vector<PinnedTable> tables;
  for (const DatasetCount& count : report.counts) {
    const project::Dataset* dataset = options_.project->find_dataset(count.dataset);
    if (dataset == nullptr) continue;  // the project has lost it since
    auto table = co_await tables_.pin(*dataset, count.version);
    if (!table) co_return table.error();
    tables.push_back(std::move(*table));
  }
  co_return tables;
}

io::Task<Result<std::map<std::string, Batch::FirstRead>>> Batch::first_reads(
    const BatchReport& report, std::string dataset, std::set<std::string> keys) {
  using Reads = std::map<std::string, FirstRead>;
  co_return co_await options_.work->run([&]() -> Result<Reads> {
    auto inputs = records_.inputs(dataset, report.serial);
    if (!inputs) return inputs.error();
    auto runs = records_.reports(BatchRecords::runs_kept_max, true);
    if (!runs) return runs.error();
    Reads reads;
    for (const BatchRecords::Input& input : inputs->objects) {
      if (!keys.contains(input.key)) continue;
      // A run that failed has listed objects that a later one read.
      const BatchReport* first = nullptr;
      for (const BatchReport& run : *runs) {
        if (run.serial >= input.added && run.find(dataset) != nullptr) first = &run;
      }
      if (first != nullptr) reads[input.key] = {first->run, first->version_of(dataset)};
    }
    return reads;
  });
}

io::Task<Result<std::vector<BatchReport>>> Batch::reports(size_t count_max) {
  co_return co_await options_.work->run([&] { return records_.reports(count_max, false); });
}

io::Task<Result<std::vector<Quarantined>>> Batch::quarantine(size_t count_max) {
  co_return co_await options_.work->run([&] { return records_.quarantine(count_max); });
}

io::Task<Result<Quarantined>> Batch::quarantined(int64_t id) {
  co_return co_await options_.work->run([&] { return records_.quarantined(id); });
}

io::Task<Status> Batch::mark_replayed(int64_t id) {
  co_return co_await options_.work->run(
      [&] { return records_.mark_replayed(id, options_.clock->wall_ms()); });
}

}  // namespace pinpipe::jobs
