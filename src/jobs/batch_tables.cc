#include "jobs/batch_tables.h"

#include "codec/percent.h"
#include "sql/parquet.h"

namespace pinpipe::jobs {

namespace {

std::string select_of(const std::vector<std::string>& paths, const lake::Schema& schema) {
  // Only of one file does the database use what its footer tells of the values: to plan joins.
  if (!paths.empty())
    return "SELECT * FROM " + sql::read_parquet(paths, {.union_by_name = paths.size() > 1});
  std::string columns;
  for (const lake::Field& field : schema.fields) {
    columns += columns.empty() ? "" : ", ";
    columns += "NULL::" + lake::to_sql(field.type) + " AS " + sql::quoted_name(field.name);
  }
  return "SELECT " + columns + " WHERE false";
}

}  // namespace

std::string PinnedTable::select() const {
  std::vector<std::string> paths;
  for (const objects::Store::Pinned& file : files) paths.push_back(file.path);
  return select_of(paths, schema);
}

std::string BatchTables::select(const lake::Encoded& rows) {
  std::vector<std::string> paths;
  for (const lake::DataFile& file : rows.files) paths.push_back(file.temporary_path);
  return select_of(paths, rows.schema);
}

Result<lake::Encoded> BatchTables::encode(sql::Connection& connection, const sql::TableName& view,
                                          std::stop_token stop) const {
  return lake::encode(connection, "SELECT * FROM " + view.quoted(), services_.store.new_temporary(),
                      {.stop = stop});
}

io::Task<Result<lake::Version>> BatchTables::publish(const project::Dataset& dataset,
                                                     lake::WriteMode mode, lake::Encoded rows,
                                                     lake::CommitFacts facts) {
  Status bucket = co_await services_.store.create_bucket(bucket_);
  if (!bucket && bucket.error().code() != Code::conflict) co_return bucket.error();
  auto table = co_await lake::Table::open_or_create(
      services_, location_of(dataset), rows.schema,
      {.name = dataset.tables.batch,
       .description = "clean " + dataset.name + ", written by the batch job",
       .properties = {}});
  if (!table) co_return table.error();
  // The project's SQL says which columns there are, also when it has changed since the last run.
  if (mode == lake::WriteMode::overwrite) facts.schema_change = lake::SchemaChange::replace;
  co_return co_await (*table)->write(mode, std::move(rows), std::move(facts));
}

io::Task<Result<lake::Version>> BatchTables::head(const project::Dataset& dataset) {
  auto table = co_await lake::Table::open(services_, location_of(dataset));
  if (!table) co_return table.error();
  co_return (*table)->snapshot()->version();
}

io::Task<Result<PinnedTable>> BatchTables::pin(const project::Dataset& dataset,
                                               lake::Version version) {
  lake::Location location = location_of(dataset);
  auto table = co_await lake::Table::open(services_, location);
  if (!table) co_return table.error();
  auto snapshot = co_await (*table)->at_version(version);
  if (!snapshot) co_return snapshot.error();
  if (Status plain = (*snapshot)->check_plain(); !plain)
    co_return plain.error().with("table " + location.text());
  PinnedTable pinned{
      .dataset = dataset.name, .version = version, .files = {}, .schema = (*snapshot)->schema()};
  for (const auto& file : (*snapshot)->files()) {
    auto path = codec::percent_decode(file->path);
    if (!path)
      co_return Error(Code::corrupt, location.text() + " names a file badly: " + file->path);
    auto held = co_await services_.store.materialize(bucket_, location.key(*path));
    if (!held) co_return held.error().with("table " + location.text());
    pinned.files.push_back(std::move(*held));
  }
  co_return pinned;
}

}  // namespace pinpipe::jobs
