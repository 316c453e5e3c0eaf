#include "jobs/batch.h"

#include <array>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/hash.h"

namespace pinpipe::jobs {
namespace {

using ObjectsByDataset = std::map<std::string, std::shared_ptr<const DatasetObjects>>;

// A failure in a project's SQL names the file and the place in it.
Error with_place(const Error& error, const sql::Connection& connection,
                 const project::SqlFile& file) {
  const sql::Failure& failure = connection.last_failure();
  if (!failure.position) return error.with(file.path);
  return error.with(
      fmt::format("{}:{}:{}", file.path, failure.position->line, failure.position->column));
}

}  // namespace

struct Batch::Loaded {
  ObjectsByDataset objects;
  int64_t started_ms = 0;
  int64_t load_ms = 0;
};

// What a run has made, before any of it counts.
struct Batch::Cleaned {
  BatchReport report;
  std::vector<Quarantined> quarantine;
  std::vector<lake::Encoded> tables;  // one for each of the report's counts
};

Batch::Batch(Options options)
    : options_(std::move(options)), tables_(*options_.lake, options_.lake_bucket) {}

io::Task<Result<ObjectsByDataset>> Batch::pin_all() {
  ObjectsByDataset all;
  for (const project::Dataset& dataset : options_.project->datasets) {
    if (dataset.topic.empty()) continue;
    auto place = place_of_topic(*options_.project, dataset.topic);
    if (!place) co_return place.error().with("data set " + dataset.name);
    auto pinned = co_await pin_objects(*options_.store, *place);
    if (!pinned) co_return pinned.error().with("data set " + dataset.name);
    all.emplace(dataset.name, std::move(*pinned));
  }
  co_return all;
}

io::Task<Result<BatchReport>> Batch::run(std::string run, std::stop_token stop) {
  {
    std::lock_guard lock(mutex_);
    if (running_) co_return Error(Code::conflict, "a batch run is under way");
    running_ = true;
  }
  Loaded loaded{.objects = {}, .started_ms = options_.clock->wall_ms()};
  int64_t begin_ms = options_.clock->steady_ms();
  auto pinned = co_await pin_all();
  Result<BatchReport> outcome = pinned ? BatchReport{} : Result<BatchReport>(pinned.error());
  if (pinned) {
    loaded.objects = std::move(*pinned);
    loaded.load_ms = options_.clock->steady_ms() - begin_ms;
    auto cleaned = co_await options_.work->run([&] { return clean_and_ask(run, loaded, stop); });
    outcome =
        cleaned ? co_await publish(std::move(*cleaned)) : Result<BatchReport>(cleaned.error());
  }
  {
    std::lock_guard lock(mutex_);
    running_ = false;
  }
  co_return outcome;
}

Result<Batch::Cleaned> Batch::clean_and_ask(const std::string& run, const Loaded& loaded,
                                            std::stop_token stop) {
  Cleaned cleaned{.report = {.run = run,
                             .started_ms = loaded.started_ms,
                             .load_ms = loaded.load_ms,
                             .counts = {}},
                  .quarantine = {},
                  .tables = {}};
  int64_t begin_ms = options_.clock->steady_ms();
  auto engine = sql::Engine::open(options_.engine);
  if (!engine) return engine.error();
  auto connection = (*engine)->connect();
  if (!connection) return connection.error();
  for (const project::Dataset& dataset : options_.project->datasets) {
    auto objects = loaded.objects.find(dataset.name);
    if (objects == loaded.objects.end()) continue;
    auto count = clean(**connection, dataset, objects->second, cleaned.quarantine, stop);
    if (!count) return count.error().with("data set " + dataset.name);
    auto table = tables_.encode(**connection, dataset.name, stop);
    if (!table) return table.error().with("data set " + dataset.name);
    cleaned.tables.push_back(std::move(*table));
    cleaned.report.counts.push_back(std::move(*count));
  }
  cleaned.report.clean_ms = options_.clock->steady_ms() - begin_ms;

  // A question that cannot be answered fails the run before anything of it counts.
  begin_ms = options_.clock->steady_ms();
  if (Status made = make_project_tables(**connection); !made) return made.error();
  auto answers = answer(**connection, "");
  if (!answers) return answers.error();
  cleaned.report.ask_ms = options_.clock->steady_ms() - begin_ms;
  return cleaned;
}

io::Task<Result<BatchReport>> Batch::publish(Cleaned cleaned) {
  for (size_t i = 0; i < cleaned.tables.size(); ++i) {
    DatasetCount& count = cleaned.report.counts[i];
    const project::Dataset* dataset = options_.project->find_dataset(count.dataset);
    lake::CommitFacts facts{.operation = "",
                            .parameters = {},
                            .metrics = {{"numSourceObjects", std::to_string(count.objects)},
                                        {"numSourceRows", std::to_string(count.rows)}},
                            .txns = {},
                            .positions = {},
                            .project_sql_sha256 = to_hex(sha256(dataset->clean.text)),
                            .user_metadata = cleaned.report.run};
    auto version =
        co_await tables_.publish(*dataset, std::move(cleaned.tables[i]), std::move(facts));
    if (!version) co_return version.error().with("data set " + count.dataset);
    count.version = *version;
  }
  Status saved =
      co_await options_.work->run([&] { return save(cleaned.report, cleaned.quarantine); });
  if (!saved) co_return saved.error();
  co_return std::move(cleaned.report);
}

Result<DatasetCount> Batch::clean(sql::Connection& connection, const project::Dataset& dataset,
                                  std::shared_ptr<const DatasetObjects> objects,
                                  std::vector<Quarantined>& quarantine, std::stop_token stop) {
  DatasetCount count{
      .dataset = dataset.name, .objects = objects->keys.size(), .bytes = objects->bytes};
  sql::JsonInput input{.schema = std::make_shared<const columns::Schema>(dataset.schema),
                       .open = [objects] { return pieces_of_objects(objects); },
                       .on_refused =
                           [&](const columns::Refused& refused) {
                             if (quarantine.size() == quarantine_max) return;
                             quarantine.push_back({.dataset = dataset.name,
                                                   .source = std::string(refused.source),
                                                   .reason = std::string(refused.reason),
                                                   .bytes = std::string(refused.bytes),
                                                   .line = refused.line});
                           },
                       .stop = stop};
  auto scan = connection.create_json_view({"raw", dataset.name}, std::move(input));
  if (!scan) return scan.error();
  auto rows = connection.create_table({"clean", dataset.name}, dataset.clean.text, stop);
  if (!rows) return with_place(rows.error(), connection, dataset.clean);
  // Taken now: a later query over the view begins to count anew.
  columns::Counts counts = (*scan)->counts();
  count.lines = counts.lines;
  count.rows = counts.rows;
  count.refused = counts.refused;
  count.clean = static_cast<uint64_t>(*rows);
  if (!dataset.quarantine.text.empty()) {
    auto taken =
        connection.query(dataset.quarantine.text, {.rows_max = quarantine_max, .stop = stop});
    if (!taken) return with_place(taken.error(), connection, dataset.quarantine);
    count.quarantined = taken->rows.size();
    for (const sql::Row& row : taken->rows) {
      if (quarantine.size() == quarantine_max) break;
      quarantine.push_back({.dataset = dataset.name,
                            .source = sql::to_text(row[0]),
                            .reason = sql::to_text(row[3]),
                            .bytes = sql::to_text(row[2]),
                            .line = std::strtoull(sql::to_text(row[1]).c_str(), nullptr, 10)});
    }
  }
  count.filtered = static_cast<int64_t>(count.rows) - static_cast<int64_t>(count.clean) -
                   static_cast<int64_t>(count.quarantined);
  return count;
}

Status Batch::make_project_tables(sql::Connection& connection) const {
  for (const project::ProjectTable& table : options_.project->tables) {
    if (Status made = connection.create_view({"main", table.name}, table.sql.text); !made)
      return with_place(made.error(), connection, table.sql);
  }
  return {};
}

Result<std::vector<QuestionAnswer>> Batch::answer(sql::Connection& connection,
                                                  const std::string& question) const {
  std::vector<QuestionAnswer> answers;
  for (const project::Query& query : options_.project->queries) {
    if (!question.empty() && query.name != question) continue;
    auto table = connection.query(query.sql.text, {.rows_max = 1'000'000});
    if (!table) return with_place(table.error(), connection, query.sql);
    answers.push_back({query.name, query.title, query.defaults, std::move(*table)});
  }
  return answers;
}

io::Task<Result<std::vector<PinnedTable>>> Batch::pin_tables() {
  auto last = co_await reports(1);
  if (!last) co_return last.error();
  if (last->empty()) {
    co_return Error(Code::not_found,
                    "there are no clean tables yet; `pinpipe run` makes them from the bucket");
  }
  std::vector<PinnedTable> tables;
  for (const DatasetCount& count : last->front().counts) {
    const project::Dataset* dataset = options_.project->find_dataset(count.dataset);
    if (dataset == nullptr) continue;  // the project has lost it since
    auto table = co_await tables_.pin(*dataset, count.version);
    if (!table) co_return table.error();
    tables.push_back(std::move(*table));
  }
  co_return tables;
}

Result<std::unique_ptr<sql::Connection>> Batch::open_reader(const std::vector<PinnedTable>& tables,
                                                            const ObjectsByDataset& raw) {
  sql::Engine::Options options = options_.engine;
  options.role = sql::Role::user;
  options.readable_directories = {options_.lake_directory};
  auto engine = sql::Engine::open(options);
  if (!engine) return engine.error();
  auto connection = (*engine)->connect();
  if (!connection) return connection.error();
  for (const PinnedTable& table : tables) {
    const project::Dataset* dataset = options_.project->find_dataset(table.dataset);
    for (const sql::TableName& name :
         {sql::TableName{"clean", table.dataset}, sql::TableName{"main", "df_" + table.dataset},
          sql::TableName{"main", dataset->tables.batch}}) {
      if (Status made = (*connection)->create_view(name, table.select()); !made)
        return made.error();
    }
  }
  for (const auto& [name, objects] : raw) {
    const project::Dataset* dataset = options_.project->find_dataset(name);
    sql::JsonInput input{.schema = std::make_shared<const columns::Schema>(dataset->schema),
                         .open = [objects] { return pieces_of_objects(objects); },
                         .stop = {}};
    auto scan = (*connection)->create_json_view({"raw", name}, std::move(input));
    if (!scan) return scan.error();
  }
  if (Status made = make_project_tables(**connection); !made) return made.error();
  return std::move(*connection);
}

io::Task<Result<std::vector<QuestionAnswer>>> Batch::ask(std::string question) {
  auto tables = co_await pin_tables();
  if (!tables) co_return tables.error();
  co_return co_await ask_over(std::move(question), std::move(*tables));
}

io::Task<Result<std::vector<QuestionAnswer>>> Batch::ask_over(std::string question,
                                                              std::vector<PinnedTable> tables) {
  if (!question.empty() && options_.project->find_query(question) == nullptr) {
    std::string names;
    for (const project::Query& query : options_.project->queries) names += " " + query.name;
    co_return Error(Code::not_found,
                    fmt::format("there is no question \"{}\"; there are:{}", question, names));
  }
  co_return co_await options_.work->run([&]() -> Result<std::vector<QuestionAnswer>> {
    auto connection = open_reader(tables, {});
    if (!connection) return connection.error();
    return answer(**connection, question);
  });
}

io::Task<Result<sql::Table>> Batch::query(std::string text, size_t rows_max) {
  // The raw views cost a listing of the bucket, so they are made for questions that name them.
  ObjectsByDataset raw;
  if (text.find("raw") != std::string::npos) {
    auto pinned = co_await pin_all();
    if (!pinned) co_return pinned.error();
    raw = std::move(*pinned);
  }
  auto tables = co_await pin_tables();
  if (!tables) co_return tables.error();
  co_return co_await options_.work->run([&]() -> Result<sql::Table> {
    auto connection = open_reader(*tables, raw);
    if (!connection) return connection.error();
    return (*connection)->ask(text, {.rows_max = rows_max});
  });
}

}  // namespace pinpipe::jobs
