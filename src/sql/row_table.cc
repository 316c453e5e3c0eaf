#include "sql/row_table.h"

#include <vector>

#include "base/check.h"
#include "sql/vector_target.h"

namespace pinpipe::sql {
namespace {

using columns::Target;

struct BindData {
  std::shared_ptr<const RowInput> input;
};

// One query's reading. max_threads is 1, so that one thread at a time is here.
struct Reading {
  std::shared_ptr<const RowInput> input;
  std::unique_ptr<RowReader> reader;
  std::vector<idx_t> wanted;
};

void bind(duckdb_bind_info info) {
  auto* tables = static_cast<RowTables*>(library().bind_get_extra_info(info));
  duckdb_value parameter = library().bind_get_parameter(info, 0);
  int64_t number = library().get_int64(parameter);
  library().destroy_value(&parameter);
  std::shared_ptr<const RowInput> input = tables->find(number);
  if (input == nullptr) {
    library().bind_set_error(info, "these rows are no longer there");
    return;
  }
  for (const columns::Column& column : input->schema->columns())
    add_result_column(info, column.name.c_str(), duckdb_type_of(column.type));
  library().bind_set_bind_data(info, new BindData{std::move(input)}, destroy_as<BindData>);
}

void init(duckdb_init_info info) {
  auto* bound = static_cast<BindData*>(library().init_get_bind_data(info));
  auto reading = std::make_unique<Reading>(bound->input, bound->input->open());
  for (idx_t i = 0; i < library().init_get_column_count(info); ++i)
    reading->wanted.push_back(library().init_get_column_index(info, i));
  library().init_set_max_threads(info, 1);
  library().init_set_init_data(info, reading.release(), destroy_as<Reading>);
}

void scan(duckdb_function_info info, duckdb_data_chunk output) {
  auto* reading = static_cast<Reading*>(library().function_get_init_data(info));
  Target target;
  target.columns.resize(reading->input->schema->size());
  target.put_text = put_text_in_vector;
  target.rows_max = library().vector_size();
  for (size_t i = 0; i < reading->wanted.size(); ++i) {
    // A query that only counts rows asks for a column that does not exist.
    if (reading->wanted[i] >= target.columns.size()) continue;
    target.columns[reading->wanted[i]] =
        column_target_of(library().data_chunk_get_vector(output, i));
  }
  auto rows = reading->reader->fill(target);
  library().data_chunk_set_size(output, rows ? *rows : 0);
  if (!rows) library().function_set_error(info, rows.error().text().c_str());
}

}  // namespace

Status RowTables::register_function(duckdb_connection connection) {
  const Library& db = library();
  duckdb_table_function function = db.create_table_function();
  db.table_function_set_name(function, "pinpipe_rows");
  duckdb_logical_type number = db.create_logical_type(DUCKDB_TYPE_BIGINT);
  db.table_function_add_parameter(function, number);
  db.destroy_logical_type(&number);
  db.table_function_set_extra_info(function, this, nullptr);
  db.table_function_set_bind(function, bind);
  db.table_function_set_init(function, init);
  db.table_function_set_function(function, scan);
  db.table_function_supports_projection_pushdown(function, true);
  duckdb_state state = db.register_table_function(connection, function);
  db.destroy_table_function(&function);
  if (state != DuckDBSuccess)
    return Error(Code::internal, "cannot register the table function of rows");
  return {};
}

int64_t RowTables::add(RowInput input) {
  CHECK(input.schema != nullptr && input.open != nullptr, "rows have a schema and a reader");
  std::lock_guard lock(mutex_);
  tables_.emplace(next_, std::make_shared<const RowInput>(std::move(input)));
  return next_++;
}

void RowTables::remove(int64_t number) {
  std::lock_guard lock(mutex_);
  tables_.erase(number);
}

std::shared_ptr<const RowInput> RowTables::find(int64_t number) {
  std::lock_guard lock(mutex_);
  auto found = tables_.find(number);
  return found == tables_.end() ? nullptr : found->second;
}

}  // namespace pinpipe::sql
