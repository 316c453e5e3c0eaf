// table list|describe|history|read|export|optimize|vacuum|restore|checkpoint: the lake's tables, by
// name, version and moment.
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/operations/list.h"
#include "base/clock.h"
#include "io/files.h"
#include "lake/catalog.h"
#include "lake/history.h"
#include "lake/moment.h"
#include "lake/optimize.h"
#include "lake/scan.h"
#include "lake/vacuum.h"
#include "project/nearest.h"

namespace pinpipe::app {

using codec::Json;

namespace {

constexpr int64_t hour_ms = 3'600'000;
constexpr int64_t retain_hours_max = 24 * 366 * 1000;  // more is no different

std::string name_of(const lake::Location& location) {
  return location.prefix;
}

// An unknown name's error names the nearest one that there is.
io::Task<Error> table_error(House& house, std::string name, Error error) {
  if (error.code() != Code::not_found) co_return error;
  auto tables = co_await lake::list_tables(house.lake(), House::lake_bucket);
  if (!tables) co_return error;
  std::vector<std::string> names;
  for (const lake::Location& location : *tables) names.push_back(name_of(location));
  if (std::ranges::find(names, name) != names.end()) co_return error;
  std::string meant = project::did_you_mean(name, names);
  co_return Error(Code::not_found,
                  fmt::format("there is no table \"{}\"; {}`pinpipe table list` lists them", name,
                              meant.empty() ? "" : meant + " "));
}

lake::Location location_of(const Json& arguments) {
  return {House::lake_bucket, text_argument(arguments, "table")};
}

io::Task<Result<std::unique_ptr<lake::Table>>> open_table(House& house, const Json& arguments) {
  auto table = co_await lake::Table::open(house.lake(), location_of(arguments));
  if (table) co_return table;
  co_return co_await table_error(house, text_argument(arguments, "table"), table.error());
}

// A number of at least `least`.
Result<int64_t> at_least(const Json& arguments, std::string_view name, int64_t least) {
  int64_t number = integer_argument(arguments, name);
  if (number >= least) return number;
  return Error(Code::invalid, fmt::format("--{} is at least {}, not {}", name, least, number));
}

Result<lake::Moment> moment_of(const Json& arguments) {
  lake::Moment moment;
  auto version = at_least(arguments, "version", -1);
  if (!version) return version.error();
  if (*version >= 0) moment.version = *version;
  std::string timestamp = text_argument(arguments, "timestamp");
  if (!timestamp.empty()) {
    auto at_ms = lake::parse_moment(timestamp);
    if (!at_ms) return at_ms.error();
    moment.wall_ms = *at_ms;
  }
  return moment;
}

io::Task<Result<std::shared_ptr<const lake::Snapshot>>> find_snapshot(House& house,
                                                                      const Json& arguments) {
  auto moment = moment_of(arguments);
  if (!moment) co_return moment.error();
  auto snapshot = co_await lake::snapshot_at(house.lake(), location_of(arguments), *moment);
  if (snapshot) co_return snapshot;
  co_return co_await table_error(house, text_argument(arguments, "table"), snapshot.error());
}

Json count_or_null(const std::optional<int64_t>& count) {
  return count ? Json(*count) : Json();
}

io::Task<Result<Answer>> list_tables(House& house, Json) {
  auto tables = co_await lake::list_tables(house.lake(), House::lake_bucket);
  if (!tables) co_return tables.error();
  Answer answer;
  answer.columns = {"table", "version", "rows", "files", "bytes", "modified"};
  for (const lake::Location& location : *tables) {
    auto snapshot = co_await lake::snapshot_at(house.lake(), location);
    if (!snapshot) {
      // One that cannot be read does not hide the others.
      answer.add_row({name_of(location), Json(), Json(), Json(), Json(), Json()});
      answer.notes.push_back(snapshot.error().text());
      continue;
    }
    lake::TableDetails about = lake::describe(location, **snapshot);
    answer.add_row({name_of(location), about.version, count_or_null(about.rows), about.files,
                    about.bytes, to_rfc3339(about.modified_ms)});
  }
  co_return answer;
}

std::string joined(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, ", "));
}

io::Task<Result<Answer>> describe_table(House& house, Json arguments) {
  auto snapshot = co_await find_snapshot(house, arguments);
  if (!snapshot) co_return snapshot.error();
  lake::TableDetails about = lake::describe(location_of(arguments), **snapshot);
  const lake::Protocol& protocol = (*snapshot)->protocol();
  Answer answer;
  answer.columns = {"name", "value"};
  answer.add_row({"table", name_of(about.location)});
  answer.add_row({"location", fmt::format("{}/{}", house.lake_url(), about.location.text())});
  answer.add_row({"uri", fmt::format("s3://user-{}-bucket/delta/{}", house.user_id(),
                                     name_of(about.location))});
  answer.add_row({"id", about.id});
  if (!about.description.empty()) answer.add_row({"description", about.description});
  answer.add_row({"version", about.version});
  answer.add_row({"created", to_rfc3339(about.created_ms)});
  answer.add_row({"modified", to_rfc3339(about.modified_ms)});
  answer.add_row({"rows", count_or_null(about.rows)});
  answer.add_row({"files", about.files});
  answer.add_row({"bytes", about.bytes});
  answer.add_row({"partitioned by", joined(about.partition_columns)});
  answer.add_row({"reader version", static_cast<int64_t>(about.min_reader_version)});
  answer.add_row({"writer version", static_cast<int64_t>(about.min_writer_version)});
  if (protocol.writer_features) answer.add_row({"features", joined(*protocol.writer_features)});
  for (const auto& [key, value] : about.properties) answer.add_row({"property " + key, value});
  for (const auto& [app_id, version] : about.txns)
    answer.add_row({"transaction " + app_id, version});
  for (const lake::Field& field : about.schema.fields) {
    answer.add_row(
        {"column " + field.name, lake::to_text(field.type) + (field.nullable ? "" : " not null")});
  }
  co_return answer;
}

io::Task<Result<Answer>> show_history(House& house, Json arguments) {
  auto count = at_least(arguments, "count", 1);
  if (!count) co_return count.error();
  auto table = co_await open_table(house, arguments);
  if (!table) co_return table.error();
  auto entries = co_await lake::history(**table, static_cast<size_t>(*count));
  if (!entries) co_return entries.error();
  Answer answer;
  answer.columns = {"version", "time", "operation", "parameters", "metrics", "engine"};
  auto pairs = [](const std::map<std::string, std::string>& map) {
    Json object = Json::object();
    for (const auto& [key, value] : map) object.set(key, Json(value));
    return codec::to_json(object);
  };
  for (const lake::HistoryEntry& entry : *entries) {
    answer.add_row({entry.version, to_rfc3339(entry.committed_ms), entry.info.operation,
                    pairs(entry.info.parameters), pairs(entry.info.metrics), entry.info.engine});
  }
  co_return answer;
}

// The rows of `select`, asked of the engine with the table's files held.
io::Task<Result<sql::Table>> query_table(House& house, std::string select, size_t rows_max) {
  const lake::Services& lake = house.lake();
  auto ask = [&]() -> Result<sql::Table> {
    auto connection = lake.connect();
    if (!connection) return connection.error();
    return (*connection)->query(select, {.rows_max = rows_max});
  };
  co_return co_await lake.work.run(ask);
}

io::Task<Result<Answer>> read_table(House& house, Json arguments) {
  auto rows_max = at_least(arguments, "rows", 1);
  if (!rows_max) co_return rows_max.error();
  auto snapshot = co_await find_snapshot(house, arguments);
  if (!snapshot) co_return snapshot.error();
  std::string where = text_argument(arguments, "where");
  // Nothing but comparisons of columns with literals gets through, so the text may stand as it is.
  lake::ScanOptions options{.bounds = lake::bounds_of(where)};
  if (!where.empty() && options.bounds.empty()) {
    co_return Error(
        Code::invalid,
        "--where takes comparisons of columns with literals, joined by AND: \"age >= 30 "
        "AND name = 'Ada'\"; `pinpipe sql` takes everything else");
  }
  auto scan = co_await lake::scan(house.lake(), location_of(arguments), *snapshot, options);
  if (!scan) co_return scan.error();
  if (!where.empty())
    scan->select = fmt::format("SELECT * FROM ({}) WHERE {}", scan->select, where);
  auto rows = co_await query_table(house, scan->select, static_cast<size_t>(*rows_max));
  if (!rows) co_return rows.error();
  Answer answer = answer_of(*rows);
  if (scan->skipped > 0) {
    answer.notes.push_back(fmt::format("{} of {} files cannot hold such rows and were not read",
                                       scan->skipped, scan->skipped + scan->files));
  }
  co_return answer;
}

Result<int64_t> export_now(const lake::Services& lake, const std::string& select,
                           const std::string& form, const std::string& path) {
  auto connection = lake.connect();
  if (!connection) return connection.error();
  if (form == "parquet") {
    auto file = (*connection)->copy_to_parquet(select, path);
    if (!file) return file.error();
    return file->rows;
  }
  std::string options = form == "csv" ? "FORMAT csv, HEADER" : "FORMAT json";
  auto copied =
      (*connection)
          ->query(fmt::format("COPY ({}) TO {} ({})", select, sql::quoted_text(path), options));
  if (!copied) return copied.error();
  const auto* rows = copied->rows.empty() ? nullptr : copied->rows[0][0].get_if<int64_t>();
  return rows == nullptr ? 0 : *rows;
}

// A file in the data directory's exports/: whoever asks need not have the server's rights. A
// table's name may have slashes, which must not lead anywhere.
std::string export_name(std::string table, lake::Version version, std::string_view form) {
  std::ranges::replace(table, '/', '_');
  return fmt::format("{}-v{}.{}", table, version, form);
}

io::Task<Result<Answer>> export_table(House& house, Json arguments) {
  std::string form = text_argument(arguments, "to");
  if (form != "csv" && form != "json" && form != "parquet")
    co_return Error(Code::invalid, "--to is csv, json or parquet, not \"" + form + "\"");
  auto snapshot = co_await find_snapshot(house, arguments);
  if (!snapshot) co_return snapshot.error();
  auto scan = co_await lake::scan(house.lake(), location_of(arguments), *snapshot);
  if (!scan) co_return scan.error();
  std::string folder = house.directory().path() + "/exports";
  std::string path =
      folder + "/" + export_name(text_argument(arguments, "table"), (*snapshot)->version(), form);
  const lake::Services& lake = house.lake();
  auto work = [&]() -> Result<std::pair<int64_t, int64_t>> {
    io::Files& files = io::posix_files();
    if (Status made = files.make_directories(folder); !made) return made.error();
    std::string partial = path + ".partial";
    if (Status gone = files.remove(partial); !gone && gone.error().code() != Code::not_found)
      return gone.error();
    auto rows = export_now(lake, scan->select, form, partial);
    if (!rows) {
      (void)files.remove(partial);
      return rows.error();
    }
    if (Status moved = files.rename(partial, path); !moved) return moved.error();
    auto facts = files.facts(path);
    if (!facts) return facts.error();
    return std::pair{*rows, static_cast<int64_t>(facts->size)};
  };
  auto done = co_await lake.work.run(work);
  if (!done) co_return done.error();
  Answer answer;
  answer.columns = {"table", "version", "rows", "bytes", "path"};
  answer.add_row(
      {text_argument(arguments, "table"), (*snapshot)->version(), done->first, done->second, path});
  co_return answer;
}

io::Task<Result<Answer>> optimize_table(House& house, Json arguments) {
  auto table = co_await open_table(house, arguments);
  if (!table) co_return table.error();
  auto outcome = co_await lake::optimize(**table);
  if (!outcome) co_return outcome.error();
  Answer answer;
  answer.columns = {"table",       "version",       "files_removed",
                    "files_added", "bytes_removed", "bytes_added"};
  answer.add_row({text_argument(arguments, "table"), outcome->version, outcome->files_removed,
                  outcome->files_added, outcome->bytes_removed, outcome->bytes_added});
  co_return answer;
}

io::Task<Result<Answer>> vacuum_table(House& house, Json arguments) {
  lake::VacuumOptions options{.retention_ms = {},
                              .allow_short_retention = flag_argument(arguments, "force"),
                              .dry_run = flag_argument(arguments, "dry-run")};
  auto hours = at_least(arguments, "retain-hours", -1);
  if (!hours) co_return hours.error();
  if (*hours >= 0) options.retention_ms = std::min(*hours, retain_hours_max) * hour_ms;
  auto table = co_await open_table(house, arguments);
  if (!table) co_return table.error();
  auto outcome = co_await lake::vacuum(**table, options);
  if (!outcome) co_return outcome.error();
  Answer answer;
  answer.columns = {"file"};
  for (const std::string& file : outcome->files) answer.add_row({file});
  answer.notes.push_back(fmt::format("{} file{} of {} bytes {}deleted", outcome->files.size(),
                                     outcome->files.size() == 1 ? "" : "s", outcome->bytes,
                                     options.dry_run ? "would be " : ""));
  co_return answer;
}

io::Task<Result<Answer>> restore_table(House& house, Json arguments) {
  auto snapshot = co_await find_snapshot(house, arguments);
  if (!snapshot) co_return snapshot.error();
  if (integer_argument(arguments, "version") < 0 && text_argument(arguments, "timestamp").empty())
    co_return Error(Code::invalid, "restore to what? --version or --timestamp tells");
  auto table = co_await open_table(house, arguments);
  if (!table) co_return table.error();
  auto version = co_await lake::restore(**table, (*snapshot)->version());
  if (!version) co_return version.error();
  Answer answer;
  answer.columns = {"table", "version", "restored_version"};
  answer.add_row({text_argument(arguments, "table"), *version, (*snapshot)->version()});
  co_return answer;
}

io::Task<Result<Answer>> checkpoint_table(House& house, Json arguments) {
  auto table = co_await open_table(house, arguments);
  if (!table) co_return table.error();
  auto version = co_await (*table)->checkpoint();
  if (!version) co_return version.error();
  Answer answer;
  answer.columns = {"table", "checkpoint_version"};
  answer.add_row({text_argument(arguments, "table"), *version});
  co_return answer;
}

using Kind = Parameter::Kind;

Parameter the_table() {
  return {.name = "table", .positional = true, .required = true, .summary = "its name"};
}

std::vector<Parameter> of_a_moment(std::vector<Parameter> more) {
  std::vector<Parameter> all = {the_table(),
                                {.name = "version",
                                 .kind = Kind::integer,
                                 .summary = "as it was at this version; -1 is the present one",
                                 .fallback = "-1"},
                                {.name = "timestamp", .summary = "as it was at this moment (UTC)"}};
  for (Parameter& parameter : more) all.push_back(std::move(parameter));
  return all;
}

std::vector<Operation> reading() {
  return {
      {.noun = "table",
       .verb = "list",
       .summary = "the lake's tables",
       .example = "pinpipe table list",
       .parameters = {},
       .run = list_tables},
      {.noun = "table",
       .verb = "describe",
       .summary = "columns, size, properties and transactions of a table",
       .example = "pinpipe table describe 0e90e0175553_pin_clean",
       .parameters = of_a_moment({}),
       .run = describe_table},
      {.noun = "table",
       .verb = "history",
       .summary = "who did what to a table, newest first",
       .example = "pinpipe table history 0e90e0175553_pin_clean --count 5",
       .parameters = {the_table(),
                      {.name = "count",
                       .kind = Kind::integer,
                       .summary = "how many versions",
                       .fallback = "20"}},
       .run = show_history},
      {.noun = "table",
       .verb = "read",
       .summary = "rows of a table, also of a former version",
       .example = "pinpipe table read 0e90e0175553_pin_clean --version 3 --rows 10",
       .parameters = of_a_moment(
           {{.name = "where", .summary = "only rows like \"age >= 30 AND name = 'Ada'\""},
            {.name = "rows",
             .kind = Kind::integer,
             .summary = "how many at most",
             .fallback = "100"}}),
       .run = read_table},
      {.noun = "table",
       .verb = "export",
       .summary = "a table as one CSV, JSON or Parquet file in the data directory's exports/, in "
                  "place of a former one of that version",
       .example = "pinpipe table export 0e90e0175553_pin_clean --to csv",
       .writes = true,
       .parameters =
           of_a_moment({{.name = "to", .summary = "csv, json or parquet", .fallback = "csv"}}),
       .run = export_table},
  };
}

std::vector<Operation> keeping() {
  return {
      {.noun = "table",
       .verb = "optimize",
       .summary = "write many small files as few large ones",
       .example = "pinpipe table optimize 0e90e0175553_pin_table",
       .writes = true,
       .parameters = {the_table()},
       .run = optimize_table},
      {.noun = "table",
       .verb = "vacuum",
       .summary = "delete files that no version within the retention needs",
       .example = "pinpipe table vacuum 0e90e0175553_pin_table --dry-run",
       .writes = true,
       .parameters = {the_table(),
                      {.name = "dry-run", .kind = Kind::flag, .summary = "only say which"},
                      {.name = "retain-hours",
                       .kind = Kind::integer,
                       .summary = "another retention than the table's own; -1 is its own",
                       .fallback = "-1"},
                      {.name = "force",
                       .kind = Kind::flag,
                       .summary = "also shorter than the table's own"}},
       .run = vacuum_table},
      {.noun = "table",
       .verb = "restore",
       .summary = "a new version with the rows of a former one",
       .example = "pinpipe table restore 0e90e0175553_pin_clean --version 3",
       .writes = true,
       .parameters = of_a_moment({}),
       .run = restore_table},
      {.noun = "table",
       .verb = "checkpoint",
       .summary = "write the newest version's checkpoint now",
       .example = "pinpipe table checkpoint 0e90e0175553_pin_table",
       .writes = true,
       .parameters = {the_table()},
       .run = checkpoint_table},
  };
}

}  // namespace

std::vector<Operation> table_operations() {
  std::vector<Operation> all = reading();
  for (Operation& operation : keeping()) all.push_back(std::move(operation));
  return all;
}

}  // namespace pinpipe::app
