#include "source/schema.h"

namespace pinpipe::source {
namespace {

const TableSchema& pin_schema() {
  static const TableSchema schema{Table::pin,
                                  "pinterest_data",
                                  "pin",
                                  {{"index", Kind::integer, "int"},
                                   {"unique_id", Kind::text, "text"},
                                   {"title", Kind::text, "text"},
                                   {"description", Kind::text, "text"},
                                   {"poster_name", Kind::text, "text"},
                                   {"follower_count", Kind::text, "text"},
                                   {"tag_list", Kind::text, "text"},
                                   {"is_image_or_video", Kind::text, "text"},
                                   {"image_src", Kind::text, "text"},
                                   {"downloaded", Kind::integer, "int"},
                                   {"save_location", Kind::text, "text"},
                                   {"category", Kind::text, "text"}}};
  return schema;
}

const TableSchema& geo_schema() {
  static const TableSchema schema{Table::geo,
                                  "geolocation_data",
                                  "geo",
                                  {{"ind", Kind::integer, "int"},
                                   {"timestamp", Kind::datetime, "datetime"},
                                   {"latitude", Kind::real, "float"},
                                   {"longitude", Kind::real, "float"},
                                   {"country", Kind::text, "text"}}};
  return schema;
}

const TableSchema& user_schema() {
  static const TableSchema schema{Table::user,
                                  "user_data",
                                  "user",
                                  {{"ind", Kind::integer, "int"},
                                   {"first_name", Kind::text, "text"},
                                   {"last_name", Kind::text, "text"},
                                   {"age", Kind::integer, "int"},
                                   {"date_joined", Kind::datetime, "datetime"}}};
  return schema;
}

}  // namespace

const TableSchema& schema_of(Table table) {
  switch (table) {
    case Table::pin:
      return pin_schema();
    case Table::geo:
      return geo_schema();
    case Table::user:
      return user_schema();
  }
  __builtin_unreachable();
}

std::optional<Table> table_named(std::string_view name) {
  for (Table table : all_tables) {
    const TableSchema& schema = schema_of(table);
    if (name == schema.name || name == schema.short_name) return table;
  }
  return std::nullopt;
}

}  // namespace pinpipe::source
