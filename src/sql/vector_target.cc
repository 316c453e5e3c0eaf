#include "sql/vector_target.h"

#include <cstring>

namespace pinpipe::sql {

using columns::ColumnTarget;
using columns::Type;

duckdb_type duckdb_type_of(Type type) {
  switch (type) {
    case Type::int32:
      return DUCKDB_TYPE_INTEGER;
    case Type::int64:
      return DUCKDB_TYPE_BIGINT;
    case Type::float64:
      return DUCKDB_TYPE_DOUBLE;
    case Type::text:
      return DUCKDB_TYPE_VARCHAR;
    case Type::boolean:
      return DUCKDB_TYPE_BOOLEAN;
    case Type::timestamp:
      return DUCKDB_TYPE_TIMESTAMP;
  }
  return DUCKDB_TYPE_VARCHAR;
}

ColumnTarget column_target_of(duckdb_vector vector) {
  library().vector_ensure_validity_writable(vector);
  return {.values = library().vector_get_data(vector),
          .validity = library().vector_get_validity(vector),
          .owner = vector};
}

void put_text_in_vector(const ColumnTarget& column, size_t row, std::string_view text,
                        bool in_piece) {
  auto& cell = static_cast<duckdb_string_t*>(column.values)[row];
  if (text.size() <= sizeof cell.value.inlined.inlined) {
    std::memset(&cell, 0, sizeof cell);
    cell.value.inlined.length = static_cast<uint32_t>(text.size());
    std::memcpy(cell.value.inlined.inlined, text.data(), text.size());
  } else if (in_piece) {
    cell.value.pointer.length = static_cast<uint32_t>(text.size());
    std::memcpy(cell.value.pointer.prefix, text.data(), sizeof cell.value.pointer.prefix);
    cell.value.pointer.ptr = const_cast<char*>(text.data());
  } else {
    library().vector_assign_string_element_len(static_cast<duckdb_vector>(column.owner), row,
                                               text.data(), text.size());
  }
}

void add_result_column(duckdb_bind_info info, const char* name, duckdb_type id) {
  duckdb_logical_type type = library().create_logical_type(id);
  library().bind_add_result_column(info, name, type);
  library().destroy_logical_type(&type);
}

}  // namespace pinpipe::sql
