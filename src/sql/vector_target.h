// The database's vectors as what columns::Target points to. Inside this room only.
#pragma once

#include "columns/target.h"
#include "sql/library.h"

namespace pinpipe::sql {

duckdb_type duckdb_type_of(columns::Type type);
columns::ColumnTarget column_target_of(duckdb_vector vector);

// A Target::PutText. Up to 12 bytes lie in the vector itself. Text in the piece is only pointed to:
// the piece has to stay until the thread's next call, and by then the database has taken what it
// keeps, because it lends the same vectors again. Other text is copied to the vector's own heap.
void put_text_in_vector(const columns::ColumnTarget& column, size_t row, std::string_view text,
                        bool in_piece);

void add_result_column(duckdb_bind_info info, const char* name, duckdb_type type);

template <class T>
void destroy_as(void* object) {
  delete static_cast<T*>(object);
}

}  // namespace pinpipe::sql
