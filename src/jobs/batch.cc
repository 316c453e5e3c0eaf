#include "jobs/batch.h"

#include <array>
#include <fmt/format.h>

#include "base/check.h"

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

Batch::Batch(Options options)
    : options_(std::move(options)), tables_(*options_.files, options_.tables_directory) {}

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
  Result<BatchReport> outcome = Error(Code::internal, "the run has no outcome");
  if (pinned) {
    loaded.objects = std::move(*pinned);
    loaded.load_ms = options_.clock->steady_ms() - begin_ms;
    outcome = co_await options_.work->run([&] { return clean_and_ask(run, loaded, stop); });
  } else {
    outcome = pinned.error();
  }
  {
    std::lock_guard lock(mutex_);
    running_ = false;
  }
  co_return outcome;
}

Result<BatchReport> Batch::clean_and_ask(const std::string& run, const Loaded& loaded,
                                         std::stop_token stop) {
  BatchReport report{
      .run = run, .started_ms = loaded.started_ms, .load_ms = loaded.load_ms, .counts = {}};
  int64_t begin_ms = options_.clock->steady_ms();
  auto engine = sql::Engine::open(options_.engine);
  if (!engine) return engine.error();
  auto connection = (*engine)->connect();
  if (!connection) return connection.error();

  std::vector<Quarantined> quarantine;
  Publication publication{.run = run, .tables = {}};
  for (const project::Dataset& dataset : options_.project->datasets) {
    auto objects = loaded.objects.find(dataset.name);
    if (objects == loaded.objects.end()) continue;
    auto count = clean(**connection, dataset, objects->second, quarantine, stop);
    if (!count) return count.error().with("data set " + dataset.name);
    auto table = tables_.write(**connection, dataset.name, run);
    if (!table) return table.error().with("data set " + dataset.name);
    publication.tables.push_back(std::move(*table));
    report.counts.push_back(std::move(*count));
  }
  report.clean_ms = options_.clock->steady_ms() - begin_ms;

  begin_ms = options_.clock->steady_ms();
  if (Status made = make_project_tables(**connection); !made) return made.error();
  auto answers = answer(**connection, "");
  if (!answers) return answers.error();
  report.ask_ms = options_.clock->steady_ms() - begin_ms;

  if (Status published = tables_.publish(publication); !published) return published.error();
  if (Status saved = save(report, quarantine); !saved) return saved.error();
  return report;
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

Result<std::unique_ptr<sql::Connection>> Batch::open_reader(const ObjectsByDataset& raw) {
  auto publication = tables_.current();
  if (!publication) return publication.error();
  if (publication->run.empty()) {
    return Error(Code::not_found,
                 "there are no clean tables yet; `pinpipe run` makes them from the bucket");
  }
  sql::Engine::Options options = options_.engine;
  options.role = sql::Role::user;
  options.readable_directories = {options_.tables_directory};
  auto engine = sql::Engine::open(options);
  if (!engine) return engine.error();
  auto connection = (*engine)->connect();
  if (!connection) return connection.error();
  for (const CleanTable& table : publication->tables) {
    std::string select = "SELECT * FROM " + sql::read_parquet(table.files);
    for (const sql::TableName& name :
         {sql::TableName{"clean", table.dataset}, sql::TableName{"main", "df_" + table.dataset}}) {
      if (Status made = (*connection)->create_view(name, select); !made) return made.error();
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
  if (!question.empty() && options_.project->find_query(question) == nullptr) {
    std::string names;
    for (const project::Query& query : options_.project->queries) names += " " + query.name;
    co_return Error(Code::not_found,
                    fmt::format("there is no question \"{}\"; there are:{}", question, names));
  }
  co_return co_await options_.work->run([&]() -> Result<std::vector<QuestionAnswer>> {
    auto connection = open_reader({});
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
  co_return co_await options_.work->run([&]() -> Result<sql::Table> {
    auto connection = open_reader(raw);
    if (!connection) return connection.error();
    return (*connection)->ask(text, {.rows_max = rows_max});
  });
}

}  // namespace pinpipe::jobs
