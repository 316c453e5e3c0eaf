#include "lake/scan.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/files.h"
#include "lake/column_mapping.h"
#include "lake/deletion_vector.h"
#include "lake/parquet_footer.h"

namespace pinpipe::lake {
namespace {

// What the files' rows are given to tell them apart; a table with columns of these names is
// refused.
constexpr std::string_view file_column = "pinpipe file";
constexpr std::string_view number_column = "pinpipe number";

using Rows = std::vector<uint64_t>;

constexpr size_t files_at_once = 64;  // fetched from the store

// What a scan reads: files in order, and the deleted rows of some.
struct Inputs {
  std::vector<FilePtr> files;
  std::vector<std::string> paths = {};
  // Lines "file's number,row's number"; empty: no rows are deleted.
  std::string deleted_path = {};
};

// The files of a scan as they are fetched.
struct Fetched {
  ColumnMapping mapping = ColumnMapping::none;
  std::vector<objects::Store::Pinned> pinned = {};
  std::vector<Rows> deleted = {};  // of each
  bool any_deleted = false;
};

// "SELECT NULL::T AS c, …" without rows: gives every column its name and type.
std::string empty_select(const Schema& schema) {
  std::string list;
  for (const Field& field : schema.fields) {
    if (!list.empty()) list += ", ";
    list += fmt::format("CAST(NULL AS {}) AS {}", to_sql(field.type), sql::quoted_name(field.name));
  }
  return fmt::format("SELECT {} WHERE false", list);
}

std::string list_of(const std::vector<std::string>& paths) {
  std::vector<std::string> quoted;
  for (const std::string& path : paths) quoted.push_back(sql::quoted_text(path));
  return fmt::format("[{}]", fmt::join(quoted, ", "));
}

// How many rows the planner may expect; nothing when files do not say.
std::optional<int64_t> rows_of(const std::vector<FilePtr>& files) {
  int64_t sum = 0;
  for (const FilePtr& file : files) {
    auto rows = rows_of_stats(file->stats);
    if (!rows) return std::nullopt;
    sum += *rows;
  }
  return sum;
}

// Told the columns, the engine need not look into every file before it begins with the first.
std::string read_columns(const Inputs& inputs, const std::vector<Field>& columns) {
  std::vector<std::string> map;
  for (const Field& column : columns) {
    std::string name = sql::quoted_text(column.name);
    map.push_back(fmt::format("{0}: {{'name': {0}, 'type': {1}, 'default_value': NULL}}", name,
                              sql::quoted_text(to_sql(column.type))));
  }
  std::string options = fmt::format("schema = MAP {{{}}}", fmt::join(map, ", "));
  if (auto rows = rows_of(inputs.files)) {
    options += fmt::format(", explicit_cardinality = {}", *rows);
  }
  return options;
}

std::string read_files(const Inputs& inputs, const std::vector<Field>& columns, bool numbered) {
  // Deleted rows are told by their numbers, for which the engine wants to find the columns itself.
  bool by_itself = columns.empty() || !inputs.deleted_path.empty();
  return fmt::format("read_parquet({}, hive_partitioning = false, {}{}{})", list_of(inputs.paths),
                     by_itself ? "union_by_name = true" : read_columns(inputs, columns),
                     numbered ? fmt::format(", filename = {}", sql::quoted_text(file_column)) : "",
                     inputs.deleted_path.empty() ? "" : ", file_row_number = true");
}

Result<std::vector<Field>> partition_fields(const Snapshot& snapshot) {
  std::vector<Field> fields;
  for (const std::string& column : snapshot.metadata().partition_columns) {
    const Field* field = snapshot.schema().find(column);
    if (field == nullptr || field->type.kind == Kind::binary) {
      return Error(Code::invalid, fmt::format("partition column \"{}\" cannot be read", column));
    }
    fields.push_back(*field);
    fields.back().name = physical_name(*field);
  }
  return fields;
}

// ('path', 3, CAST('2024-01-02' AS DATE)): a file with its number and partition values.
std::string file_row(const AddFile& file, const std::string& path, size_t number,
                     const std::vector<Field>& partitions) {
  std::string row = fmt::format("({}, {}", sql::quoted_text(path), number);
  for (const Field& field : partitions) {
    auto at = std::ranges::find(file.partition_values, field.name,
                                &std::pair<std::string, std::optional<std::string>>::first);
    bool has_value = at != file.partition_values.end() && at->second.has_value();
    row += fmt::format(", CAST({} AS {})", has_value ? sql::quoted_text(*at->second) : "NULL",
                       to_sql(field.type));
  }
  return row + ")";
}

// The files' rows under their physical names. Files have no partition columns, or have them a
// second time: the log's values are the truth.
std::string physical_rows(const Inputs& inputs, const Schema& physical,
                          const std::vector<Field>& partitions) {
  std::vector<Field> columns = physical.fields;
  std::erase_if(columns, [&partitions](const Field& column) {
    return std::ranges::find(partitions, column.name, &Field::name) != partitions.end();
  });
  if (partitions.empty() && inputs.deleted_path.empty()) {
    return "SELECT * FROM " + read_files(inputs, columns, false);
  }
  std::vector<std::string> hidden = {sql::quoted_text(file_column)};
  std::vector<std::string> names = {sql::quoted_name(file_column), sql::quoted_name(number_column)};
  std::string values;
  for (const Field& field : partitions) {
    hidden.push_back(sql::quoted_text(field.name));
    names.push_back(sql::quoted_name(field.name));
    values += ", placed." + sql::quoted_name(field.name);
  }
  if (!inputs.deleted_path.empty()) hidden.emplace_back("'file_row_number'");
  std::vector<std::string> rows;
  for (size_t i = 0; i < inputs.files.size(); ++i) {
    rows.push_back(file_row(*inputs.files[i], inputs.paths[i], i, partitions));
  }
  std::string sql = fmt::format(
      "SELECT COLUMNS(lambda name: NOT list_contains([{}], name)){} FROM {} AS data JOIN (VALUES "
      "{}) AS placed({}) ON placed.{} = data.{}",
      fmt::join(hidden, ", "), values, read_files(inputs, columns, true), fmt::join(rows, ", "),
      fmt::join(names, ", "), sql::quoted_name(file_column), sql::quoted_name(file_column));
  if (inputs.deleted_path.empty()) return sql;
  return sql + fmt::format(
                   " ANTI JOIN read_csv({}, header = false, auto_detect = false, columns = "
                   "{{'file': 'BIGINT', 'row': 'BIGINT'}}) AS deleted ON deleted.file = placed.{} "
                   "AND deleted.row = data.file_row_number",
                   sql::quoted_text(inputs.deleted_path), sql::quoted_name(number_column));
}

Result<std::string> select_of(const Snapshot& snapshot, const Inputs& inputs) {
  auto partitions = partition_fields(snapshot);
  if (!partitions) return partitions.error();
  Schema physical = physical_schema(snapshot.schema());
  bool numbered = !partitions->empty() || !inputs.deleted_path.empty();
  for (std::string_view taken : {file_column, number_column, std::string_view("file_row_number")}) {
    if (!numbered || physical.find(taken) == nullptr) continue;
    if (taken == "file_row_number" && inputs.deleted_path.empty()) continue;
    return Error(Code::invalid, fmt::format("a table with partitions or deletion vectors and a "
                                            "column \"{}\" is not read",
                                            taken));
  }
  std::string list;
  for (size_t i = 0; i < physical.fields.size(); ++i) {
    const Field& field = snapshot.schema().fields[i];
    if (i > 0) list += ", ";
    list += logical_expression(field.type, sql::quoted_name(physical.fields[i].name));
    list += " AS " + sql::quoted_name(field.name);
  }
  std::string rows = empty_select(physical);
  if (!inputs.files.empty()) {
    rows += " UNION ALL BY NAME " + physical_rows(inputs, physical, *partitions);
  }
  return fmt::format("SELECT {} FROM ({}) AS files", list, rows);
}

// Under mapping by id a file's columns are found by their numbers. Every writer that we know gives
// the columns their physical names as well; a file where number and name disagree is refused.
Status check_field_ids(const std::vector<Field>& fields, const ParquetFooter& footer,
                       std::vector<std::string>& path) {
  for (const Field& field : fields) {
    auto id = field_id(field);
    path.push_back(physical_name(field));
    if (field.type.kind == Kind::structure) {
      if (Status inner = check_field_ids(field.type.parts, footer, path); !inner) return inner;
    }
    for (const ParquetLeaf& leaf : footer.leaves) {
      size_t depth = path.size();
      if (!id || leaf.path.size() < depth) continue;
      bool same_name = std::equal(path.begin(), path.end(), leaf.path.begin());
      const auto& there = leaf.field_ids[depth - 1];
      bool same_parent = std::equal(path.begin(), path.end() - 1, leaf.path.begin());
      if (!same_parent || !there || same_name == (*there == *id)) continue;
      return Error(Code::invalid,
                   fmt::format("column \"{}\" has number {} in the table and \"{}\" has {} in the "
                               "file: columnMapping by id with other names is not read",
                               field.name, *id, leaf.path[depth - 1], *there));
    }
    path.pop_back();
  }
  return {};
}

Status check_ids_of(const Snapshot& snapshot, const std::string& path) {
  auto file = io::posix_files().open(path, io::OpenMode::read);
  if (!file) return file.error();
  auto footer = read_parquet_footer(**file);
  if (!footer) return footer.error();
  std::vector<std::string> names;
  return check_field_ids(snapshot.schema().fields, *footer, names);
}

io::Task<Result<Rows>> read_deleted(const Services& services, const Location& location,
                                    const AddFile& file) {
  auto vector = parse_deletion_vector(file.deletion_vector);
  if (!vector) co_return vector.error();
  std::string bytes;
  if (!vector->path.empty()) {
    auto got = co_await services.store.get(location.bucket, location.key(vector->path));
    if (!got) co_return std::move(got.error()).with(vector->path);
    bytes = std::move(*got);
  }
  co_return co_await services.work.run([&] { return deleted_rows(*vector, bytes); });
}

Result<objects::Store::Pinned> write_deleted(const std::string& path,
                                             const std::vector<Rows>& deleted) {
  std::string lines;
  for (size_t i = 0; i < deleted.size(); ++i) {
    for (uint64_t row : deleted[i]) fmt::format_to(std::back_inserter(lines), "{},{}\n", i, row);
  }
  auto file = io::posix_files().open(path, io::OpenMode::create_new);
  if (!file) return file.error();
  std::shared_ptr<void> keep(nullptr, [path](void*) { (void)io::posix_files().remove(path); });
  Status written = (*file)->write_at(std::string_view(lines), 0);
  if (!written) return written.error();
  return objects::Store::Pinned{path, std::move(keep)};
}

// Fetches some of the snapshot's files, with the deleted rows of each, behind what is there
// already.
io::Task<Status> fetch_files(const Services& services, const Location& location,
                             const Snapshot& snapshot, std::span<const FilePtr> files,
                             Fetched& into) {
  std::vector<std::string> keys;
  for (const FilePtr& file : files) {
    auto path = decode_path(file->path);
    if (!path) co_return path.error();
    keys.push_back(location.key(*path));
  }
  auto pinned = co_await services.store.materialize_all(location.bucket, keys);
  for (size_t i = 0; i < files.size(); ++i) {
    if (!pinned[i]) co_return std::move(pinned[i].error()).with(keys[i]);
    if (into.mapping == ColumnMapping::by_id) {
      auto check = [&] { return check_ids_of(snapshot, pinned[i]->path); };
      Status checked = co_await services.work.run(check);
      if (!checked) co_return checked.error().with(keys[i]);
    }
    Rows rows;
    if (!files[i]->deletion_vector_id.empty()) {
      auto read = co_await read_deleted(services, location, *files[i]);
      if (!read) co_return read.error().with(keys[i]);
      rows = std::move(*read);
    }
    into.any_deleted = into.any_deleted || !rows.empty();
    into.deleted.push_back(std::move(rows));
    into.pinned.push_back(std::move(*pinned[i]));
  }
  co_return Status{};
}

}  // namespace

io::Task<Result<Scan>> scan_files(const Services& services, Location location,
                                  std::shared_ptr<const Snapshot> snapshot,
                                  std::vector<FilePtr> files) {
  auto mapping = column_mapping_of(*snapshot);
  if (!mapping) co_return mapping.error();
  Fetched fetched{.mapping = *mapping};
  for (size_t first = 0; first < files.size(); first += files_at_once) {
    auto some = std::span(files).subspan(first, std::min(files_at_once, files.size() - first));
    Status done = co_await fetch_files(services, location, *snapshot, some, fetched);
    if (!done) co_return done.error();
  }
  Inputs inputs{.files = std::move(files)};
  for (const auto& pinned : fetched.pinned) inputs.paths.push_back(pinned.path);
  Scan result{.select = {}, .pinned = std::move(fetched.pinned), .files = inputs.files.size()};
  if (fetched.any_deleted) {
    inputs.deleted_path = services.store.new_temporary();
    auto work = [&] { return write_deleted(inputs.deleted_path, fetched.deleted); };
    auto written = co_await services.work.run(work);
    if (!written) co_return written.error();
    result.pinned.push_back(std::move(*written));
  }
  auto select = select_of(*snapshot, inputs);
  if (!select) co_return select.error().with(location.text());
  result.select = std::move(*select);
  co_return result;
}

io::Task<Result<Scan>> scan(const Services& services, Location location,
                            std::shared_ptr<const Snapshot> snapshot, ScanOptions options) {
  auto files = files_within(*snapshot, options.bounds);
  size_t skipped = snapshot->files().size() - files.size();
  auto result =
      co_await scan_files(services, std::move(location), std::move(snapshot), std::move(files));
  if (result) result->skipped = skipped;
  co_return result;
}

}  // namespace pinpipe::lake
