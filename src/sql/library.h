// libduckdb's C interface, found when it is first needed: the program starts without it, and a
// command that asks no SQL never pays for it. One library per process, never unloaded. Looked for
// in this order: the file that PINPIPE_LIBDUCKDB names; libduckdb.so beside the program;
// ../lib/pinpipe/libduckdb.so from there; the place it had when pinpipe was built.
// Promise: only the version whose header this was compiled with is accepted.
#pragma once

#include <duckdb.h>
#include <string_view>

#include "base/result.h"

// Every function of libduckdb that pinpipe calls, without the prefix duckdb_.
// clang-format off: it would break the lines inside the names.
#define PINPIPE_DUCKDB_FUNCTIONS(X) \
  X(library_version) X(create_config) X(set_config) X(destroy_config) X(open_ext) X(close)  \
  X(connect) X(disconnect) X(interrupt) X(free) X(extract_statements)                       \
  X(extract_statements_error) X(destroy_extracted) X(prepare_extracted_statement)           \
  X(prepare_error) X(destroy_prepare) X(prepared_statement_type) X(pending_prepared)        \
  X(pending_prepared_streaming) X(pending_error) X(execute_pending) X(destroy_pending)      \
  X(result_error) X(result_error_type) X(destroy_result) X(fetch_chunk) X(column_count)     \
  X(column_name) X(column_logical_type) X(rows_changed) X(result_return_type)               \
  X(destroy_data_chunk) X(data_chunk_get_size) X(data_chunk_set_size)                       \
  X(data_chunk_get_vector) X(vector_size) X(vector_get_data) X(vector_get_validity)         \
  X(vector_ensure_validity_writable) X(vector_assign_string_element_len)                    \
  X(list_vector_get_child) X(list_vector_get_size) X(struct_vector_get_child) X(array_vector_get_child)             \
  X(create_logical_type) X(destroy_logical_type) X(get_type_id) X(decimal_scale)            \
  X(decimal_width) X(decimal_internal_type) X(enum_internal_type) X(enum_dictionary_value)  \
  X(enum_dictionary_size) X(list_type_child_type) X(array_type_child_type)                  \
  X(array_type_array_size) X(map_type_key_type) X(map_type_value_type)                      \
  X(struct_type_child_count) X(struct_type_child_name) X(struct_type_child_type)            \
  X(create_table_function) X(destroy_table_function) X(table_function_set_name)             \
  X(table_function_add_parameter) X(table_function_set_extra_info)                          \
  X(table_function_set_bind) X(table_function_set_init) X(table_function_set_local_init)    \
  X(table_function_set_function) X(table_function_supports_projection_pushdown)             \
  X(register_table_function) X(bind_get_extra_info) X(bind_get_parameter)                   \
  X(bind_add_result_column) X(bind_set_bind_data) X(bind_set_error) X(get_int64)            \
  X(destroy_value) X(init_get_bind_data) X(init_set_init_data) X(init_get_column_count)     \
  X(init_get_column_index) X(init_set_max_threads) X(init_set_error)                        \
  X(function_get_bind_data) X(function_get_init_data) X(function_get_local_init_data)       \
  X(function_set_error)
// clang-format on

namespace pinpipe::sql {

struct Library {
#define PINPIPE_DUCKDB_MEMBER(name) decltype(&::duckdb_##name) name = nullptr;
  PINPIPE_DUCKDB_FUNCTIONS(PINPIPE_DUCKDB_MEMBER)
#undef PINPIPE_DUCKDB_MEMBER

  static constexpr std::string_view version_wanted = "v1.4.4";
};

// The library, loaded by the first call; later calls give the same answer at once.
Result<const Library*> load_library();

// Loads the library at `path` for itself, past the process's one. For tests of the checks.
Result<Library> load_library_at(const char* path);

// The loaded library; load_library() has succeeded before.
const Library& library();

}  // namespace pinpipe::sql
