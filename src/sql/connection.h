// A session with the SQL engine: statements, questions, JSON in, Parquet out.
//
// execute(), query() and the verbs that make tables take SQL that the project or pinpipe wrote;
// ask() takes anybody's. Both are rewritten as rewrite.h says. A failure's code is `invalid` (the
// SQL is wrong), `denied`, `busy` (out of memory or temporary disk), `cancelled`, `unavailable` (a
// file) or `internal`; last_failure() tells the place.
#pragma once

#include <cstdint>
#include <duckdb.h>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/engine.h"
#include "sql/json_scan.h"
#include "sql/parquet.h"
#include "sql/rewrite.h"
#include "sql/row_scan.h"
#include "sql/value.h"

namespace pinpipe::sql {

struct TableName {
  std::string schema;  // made when it is not there
  std::string name;

  std::string quoted() const { return quoted_name(schema) + "." + quoted_name(name); }
};

struct QueryOptions {
  size_t rows_max = 10'000;
  // What the rows may take as Values; more is `busy`. Each list and text counts before it is made.
  uint64_t bytes_max = uint64_t{512} << 20;
  std::stop_token stop = {};
  std::span<const Substitution> substitutions = {};  // of ask() alone
};

struct Failure {
  std::string message;               // the database's own words, with the nearest names it knows
  std::optional<Position> position;  // in the SQL as it was given
};

class Connection {
 public:
  ~Connection();
  Connection(const Connection&) = delete;

  // Any number of statements, all of them or up to the first that fails.
  Status execute(std::string_view sql, std::stop_token stop = {});

  // The rows of the last statement, at most rows_max of them.
  Result<Table> query(std::string_view sql, const QueryOptions& options = {});

  // A question by somebody who may only read: one SELECT, FROM, DESCRIBE, SHOW or EXPLAIN of these.
  Result<Table> ask(std::string_view sql, const QueryOptions& options = {});

  // Hands out rows as they come, in groups of at most 2,048, until `on_rows` says false.
  // `on_columns` is called once before. Nothing is kept: any number of rows passes in constant
  // memory.
  Status stream(std::string_view sql,
                const std::function<void(std::span<const ColumnHead>)>& on_columns,
                const std::function<bool(std::span<const Row>)>& on_rows,
                std::stop_token stop = {});

  // CREATE OR REPLACE TABLE or VIEW … AS; places in failures are places in `select`.
  Result<int64_t> create_table(const TableName& table, std::string_view select,
                               std::stop_token stop = {});
  Status create_view(const TableName& view, std::string_view select);

  // `view` has the schema's columns; <view>_records has also _source, _line and _bytes of each row.
  // The JSON is read whenever a query names one of them; see json_scan.h. Both views and the input
  // live as long as the connection, or until the view is created again with another input.
  Result<std::shared_ptr<JsonScan>> create_json_view(const TableName& view, JsonInput input);
  // A view whose rows come from C++, read anew by every query that names it; see row_scan.h.
  Status create_row_view(const TableName& view, RowInput input);
  // Reads it once, into a table.
  Result<columns::Counts> load_json(const TableName& table, JsonInput input);

  // The rows of `select` as one Parquet file. Refuses a path that exists; syncs nothing.
  Result<ParquetFile> copy_to_parquet(std::string_view select, const std::string& path,
                                      const ParquetOptions& options = {},
                                      std::stop_token stop = {});

  // Of the last call that failed.
  const Failure& last_failure() const { return failure_; }

 private:
  friend class Engine;
  struct Text;
  struct Sink;

  Connection(std::shared_ptr<Engine::State> engine, duckdb_connection handle, std::string catalog);

  Status run(const Text& text, const Sink& sink, std::stop_token stop);
  Status run_statement(const Text& text, duckdb_prepared_statement statement, const Sink& sink,
                       const std::stop_token& stop);
  Status read_result(const Text& text, duckdb_result& result, const Sink& sink,
                     const std::stop_token& stop);
  Result<Table> collect(const Text& text, const QueryOptions& options);
  Error fail(const Text& text, std::string_view message, duckdb_error_type type);
  std::string nearest_columns(const std::string& sql) const;

  std::shared_ptr<Engine::State> engine_;
  duckdb_connection handle_;
  std::string catalog_;
  std::map<std::string, int64_t> inputs_;  // by quoted view
  std::map<std::string, int64_t> rows_;    // likewise
  Failure failure_;
};

}  // namespace pinpipe::sql
