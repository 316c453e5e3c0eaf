#include "sql/parquet.h"

#include <charconv>

#include "base/check.h"
#include "sql/lexer.h"
#include "sql/rewrite.h"

namespace pinpipe::sql {
namespace {

// "\"coords\".\"element\"" as its parts.
std::vector<std::string> path_of(std::string_view quoted) {
  std::vector<std::string> path;
  for (const Token& token : tokens_of(quoted)) {
    if (token.text != ".") path.push_back(name_of(token));
  }
  return path;
}

ParquetColumn column_of(const Value& key, const Map& statistics) {
  ParquetColumn column;
  if (const auto* text = key.get_if<std::string>()) column.path = path_of(*text);
  for (size_t i = 0; i < statistics.keys.size(); ++i) {
    const auto* label = statistics.keys[i].get_if<std::string>();
    const auto* text = statistics.values[i].get_if<std::string>();
    if (label == nullptr || text == nullptr) continue;
    if (*label == "min") column.min = *text;
    if (*label == "max") column.max = *text;
    if (*label == "has_nan") column.has_nan = *text == "true";
    if (*label == "null_count") {
      int64_t count = 0;
      auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), count);
      if (error == std::errc{}) column.null_count = count;
    }
  }
  return column;
}

}  // namespace

std::string read_parquet(std::span<const std::string> files, const ReadParquetOptions& options) {
  CHECK(!files.empty(), "there is a file to read");
  std::string sql = "read_parquet([";
  for (const std::string& file : files) {
    if (&file != files.data()) sql += ", ";
    sql += quoted_text(file);
  }
  sql += "], hive_partitioning = false, union_by_name = ";
  sql += options.union_by_name ? "true" : "false";
  if (options.file_name) sql += ", filename = true";
  if (options.file_row_number) sql += ", file_row_number = true";
  return sql + ")";
}

Result<ParquetFile> parquet_file_of(const Table& stats) {
  if (stats.rows.size() != 1) return Error(Code::internal, "COPY did not answer with one file");
  ParquetFile file;
  const Row& row = stats.rows[0];
  auto number = [&](std::string_view name) {
    int at = stats.column(name);
    const auto* value = at < 0 ? nullptr : row[static_cast<size_t>(at)].get_if<int64_t>();
    return value == nullptr ? int64_t{-1} : *value;
  };
  file.rows = number("count");
  file.bytes = number("file_size_bytes");
  int footer = stats.column("footer_size_bytes");
  // The footer's size comes as UBIGINT or as text, depending on the version.
  if (footer >= 0) file.footer_bytes = number("footer_size_bytes");
  if (file.rows < 0 || file.bytes < 0) return Error(Code::internal, "COPY gave no file statistics");
  int columns = stats.column("column_statistics");
  const Map* map = columns < 0 ? nullptr : row[static_cast<size_t>(columns)].get_if<Map>();
  if (map != nullptr) {
    for (size_t i = 0; i < map->keys.size(); ++i) {
      if (const auto* statistics = map->values[i].get_if<Map>()) {
        file.columns.push_back(column_of(map->keys[i], *statistics));
      }
    }
  }
  return file;
}

}  // namespace pinpipe::sql
