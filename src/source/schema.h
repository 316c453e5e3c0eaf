// The three source tables, as the course's database has them: names, column order and types.
// `pinterest_data.index`, `geolocation_data.ind` and `user_data.ind` are the same number.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace pinpipe::source {

enum class Table : uint8_t { pin, geo, user };
inline constexpr std::array all_tables = {Table::pin, Table::geo, Table::user};

enum class Kind : uint8_t { null, integer, real, text, datetime };

struct Column {
  std::string_view name;
  Kind kind;
  std::string_view mysql_type;
};

struct TableSchema {
  Table table;
  std::string_view name;        // in the database: pinterest_data
  std::string_view short_name;  // in topics and streams: pin
  std::vector<Column> columns;  // in the order of SELECT *; the first is the index
};

// Live for ever.
const TableSchema& schema_of(Table table);
// By database name or short name.
std::optional<Table> table_named(std::string_view name);

}  // namespace pinpipe::source
