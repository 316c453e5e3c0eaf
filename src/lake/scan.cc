#include "lake/scan.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "base/check.h"

namespace pinpipe::lake {
namespace {

// "SELECT NULL::T AS c, …" without rows: gives every column its name and type.
std::string empty_select(const Schema& schema) {
  std::string list;
  for (const Field& field : schema.fields) {
    if (!list.empty()) list += ", ";
    list += fmt::format("CAST(NULL AS {}) AS {}", to_sql(field.type), sql::quoted_name(field.name));
  }
  return fmt::format("SELECT {} WHERE false", list);
}

std::string name_list(const Schema& schema) {
  std::string list;
  for (const Field& field : schema.fields) {
    if (!list.empty()) list += ", ";
    list += sql::quoted_name(field.name);
  }
  return list;
}

// ", CAST('2024-01-01' AS DATE) AS day": the same for all files of one group.
Result<std::string> partition_constants(const Snapshot& snapshot, const AddFile& file) {
  std::string list;
  for (const std::string& column : snapshot.metadata().partition_columns) {
    const Field* field = snapshot.schema().find(column);
    if (field == nullptr || field->type.kind == Kind::binary) {
      return Error(Code::invalid, fmt::format("partition column \"{}\" cannot be read", column));
    }
    auto at = std::ranges::find(file.partition_values, column,
                                &std::pair<std::string, std::optional<std::string>>::first);
    bool has_value = at != file.partition_values.end() && at->second.has_value();
    list +=
        fmt::format(", CAST({} AS {}) AS {}", has_value ? sql::quoted_text(*at->second) : "NULL",
                    to_sql(field->type), sql::quoted_name(field->name));
  }
  return list;
}

}  // namespace

Result<std::string> scan_select(const Snapshot& snapshot, std::span<const FilePtr> files,
                                std::span<const std::string> paths) {
  CHECK(files.size() == paths.size(), "every file has a path");
  std::map<std::string, std::vector<std::string>> groups;
  for (size_t i = 0; i < files.size(); ++i) {
    auto constants = partition_constants(snapshot, *files[i]);
    if (!constants) return constants.error();
    groups[std::move(*constants)].push_back(paths[i]);
  }
  std::string sql = fmt::format("SELECT {} FROM ({}", name_list(snapshot.schema()),
                                empty_select(snapshot.schema()));
  for (const auto& [constants, group] : groups) {
    sql +=
        fmt::format(" UNION ALL BY NAME SELECT *{} FROM {}", constants, sql::read_parquet(group));
  }
  return sql + ") AS files";
}

io::Task<Result<Scan>> scan(const Services& services, Location location,
                            std::shared_ptr<const Snapshot> snapshot) {
  Scan result;
  // In the order in which they were written, so that small tables print as people expect.
  std::vector<FilePtr> files(snapshot->files().begin(), snapshot->files().end());
  std::ranges::sort(files, [](const FilePtr& a, const FilePtr& b) {
    return std::tie(a->modified_ms, a->path) < std::tie(b->modified_ms, b->path);
  });
  std::vector<std::string> paths;
  for (const FilePtr& file : files) {
    auto path = decode_path(file->path);
    if (!path) co_return path.error();
    auto pinned = co_await services.store.materialize(location.bucket, location.key(*path));
    if (!pinned) co_return std::move(pinned.error()).with(location.key(*path));
    paths.push_back(pinned->path);
    result.pinned.push_back(std::move(*pinned));
  }
  auto select = scan_select(*snapshot, files, paths);
  if (!select) co_return select.error();
  result.select = std::move(*select);
  co_return result;
}

}  // namespace pinpipe::lake
