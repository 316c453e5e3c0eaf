#include "sql/connection.h"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

#include "base/check.h"
#include "sql/engine_state.h"
#include "sql/error_text.h"
#include "sql/guard.h"
#include "sql/lexer.h"
#include "sql/library.h"
#include "sql/result_reader.h"

namespace pinpipe::sql {

// SQL as somebody gave it, inside what we put around it, as the database gets it.
struct Connection::Text {
  Text(std::string_view before, std::string_view given, std::string_view after,
       std::span<const Substitution> substitutions = {})
      : original(given), rewritten(given, substitutions), prefix(before.size()) {
    sql = std::string(before) + rewritten.text();
    // A comment at the end of the given text must not swallow what follows.
    if (!after.empty()) sql += "\n" + std::string(after);
  }
  explicit Text(std::string_view given) : Text("", given, "") {}

  std::optional<Position> position(size_t offset) const {
    if (offset < prefix || offset > prefix + rewritten.text().size()) return std::nullopt;
    return position_of(original, rewritten.original_offset(offset - prefix));
  }

  std::string_view original;
  Rewritten rewritten;
  size_t prefix;
  std::string sql;
};

// Where the rows of the last statement go.
struct Connection::Sink {
  std::function<void(std::span<const ColumnHead>)> on_columns = [](std::span<const ColumnHead>) {};
  std::function<bool(std::span<const Row>)> on_rows = [](std::span<const Row>) { return true; };
  std::optional<uint64_t> bytes_max = {};  // of all rows
};

namespace {

// A statement that fails while it is prepared tells no type, but its words begin with one.
duckdb_error_type type_of(std::string_view message, duckdb_error_type otherwise) {
  constexpr std::pair<std::string_view, duckdb_error_type> spellings[] = {
      {"Permission Error", DUCKDB_ERROR_PERMISSION},
      {"Out of Memory Error", DUCKDB_ERROR_OUT_OF_MEMORY},
      {"IO Error", DUCKDB_ERROR_IO},
      {"INTERNAL Error", DUCKDB_ERROR_INTERNAL}};
  for (auto [words, type] : spellings) {
    if (message.starts_with(words)) return type;
  }
  return otherwise;
}

Code code_of(duckdb_error_type type) {
  switch (type) {
    case DUCKDB_ERROR_INTERRUPT:
      return Code::cancelled;
    case DUCKDB_ERROR_OUT_OF_MEMORY:
      return Code::busy;
    case DUCKDB_ERROR_PERMISSION:
      return Code::denied;
    case DUCKDB_ERROR_IO:
      return Code::unavailable;
    case DUCKDB_ERROR_FATAL:
    case DUCKDB_ERROR_INTERNAL:
      return Code::internal;
    default:
      return Code::invalid;
  }
}

// Spaces, semicolons and comments off the end, so that the text fits inside parentheses.
std::string_view without_end(std::string_view sql) {
  std::vector<Token> tokens = tokens_of(sql);
  while (!tokens.empty() && tokens.back().text == ";") tokens.pop_back();
  if (tokens.empty()) return sql.substr(0, 0);
  return sql.substr(0, tokens.back().offset + tokens.back().text.size());
}

// Destroys a handle at the end of the scope.
template <class Handle>
class Owned {
 public:
  explicit Owned(void (*destroy)(Handle*)) : destroy_(destroy) {}
  ~Owned() { destroy_(&handle_); }
  Owned(const Owned&) = delete;
  Handle* out() { return &handle_; }
  Handle get() const { return handle_; }

 private:
  void (*destroy_)(Handle*);
  Handle handle_{};
};

// Interrupts the connection's statement when the caller gives up.
class Interrupter {
 public:
  Interrupter(duckdb_connection connection, const std::stop_token& stop)
      : callback_(stop, Interrupt{connection}) {}

 private:
  struct Interrupt {
    duckdb_connection connection;
    void operator()() const { library().interrupt(connection); }
  };
  std::stop_callback<Interrupt> callback_;
};

}  // namespace

Connection::Connection(std::shared_ptr<Engine::State> engine, duckdb_connection handle,
                       std::string catalog)
    : engine_(std::move(engine)), handle_(handle), catalog_(std::move(catalog)) {}

Connection::~Connection() {
  if (!catalog_.empty()) {
    // What cannot be dropped now (the session is in a failed state) goes with the engine.
    if (auto gone = execute("use memory; detach " + catalog_); !gone) catalog_.clear();
  }
  for (const auto& [view, input] : inputs_) engine_->json_tables.remove(input);
  for (const auto& [view, input] : rows_) engine_->row_tables.remove(input);
  library().disconnect(&handle_);
}

Status Connection::execute(std::string_view sql, std::stop_token stop) {
  return run(Text(sql), Sink(), std::move(stop));
}

Result<Table> Connection::query(std::string_view sql, const QueryOptions& options) {
  return collect(Text(sql), options);
}

Result<Table> Connection::ask(std::string_view sql, const QueryOptions& options) {
  Status allowed = check_question(sql);
  if (allowed) return collect(Text("", without_end(sql), "", options.substitutions), options);
  failure_ = {allowed.error().text(), std::nullopt};
  return allowed.error();
}

Status Connection::stream(std::string_view sql,
                          const std::function<void(std::span<const ColumnHead>)>& on_columns,
                          const std::function<bool(std::span<const Row>)>& on_rows,
                          std::stop_token stop) {
  return run(Text(sql), {.on_columns = on_columns, .on_rows = on_rows}, std::move(stop));
}

Result<int64_t> Connection::create_table(const TableName& table, std::string_view select,
                                         std::stop_token stop) {
  if (auto made = execute("create schema if not exists " + quoted_name(table.schema)); !made) {
    return made.error();
  }
  Text text("create or replace table " + table.quoted() + " as (", without_end(select), ")");
  auto answer = collect(text, {.rows_max = 1, .stop = std::move(stop)});
  if (!answer) return answer.error();
  const auto* count = answer->rows.empty() ? nullptr : answer->rows[0][0].get_if<int64_t>();
  return count == nullptr ? 0 : *count;
}

Status Connection::create_view(const TableName& view, std::string_view select) {
  if (auto made = execute("create schema if not exists " + quoted_name(view.schema)); !made) {
    return made;
  }
  Text text("create or replace view " + view.quoted() + " as (", without_end(select), ")");
  return run(text, Sink(), {});
}

Result<std::shared_ptr<JsonScan>> Connection::create_json_view(const TableName& view,
                                                               JsonInput input) {
  std::string names;
  for (const columns::Column& column : input.schema->columns()) {
    names += (names.empty() ? "" : ", ") + quoted_name(column.name);
  }
  auto [number, table] = engine_->json_tables.add(std::move(input));
  auto [known, is_new] = inputs_.try_emplace(view.quoted(), number);
  if (!is_new) engine_->json_tables.remove(std::exchange(known->second, number));
  auto made = create_view(view, fmt::format("select {} from pinpipe_json({})", names, number));
  if (!made) return made.error();
  made = create_view({view.schema, view.name + "_records"},
                     fmt::format("select * from pinpipe_json({})", number));
  if (!made) return made.error();
  return as_scan(table);
}

Status Connection::create_row_view(const TableName& view, RowInput input) {
  int64_t number = engine_->row_tables.add(std::move(input));
  auto [known, is_new] = rows_.try_emplace(view.quoted(), number);
  if (!is_new) engine_->row_tables.remove(std::exchange(known->second, number));
  return create_view(view, fmt::format("select * from pinpipe_rows({})", number));
}

Result<columns::Counts> Connection::load_json(const TableName& table, JsonInput input) {
  std::stop_token stop = input.stop;
  auto [number, scan] = engine_->json_tables.add(std::move(input));
  auto rows = create_table(
      table, fmt::format("select * exclude (_source, _line, _bytes) from pinpipe_json({})", number),
      stop);
  engine_->json_tables.remove(number);
  if (!rows) return rows.error();
  columns::Counts counts = as_scan(scan)->counts();
  CHECK(counts.rows == static_cast<uint64_t>(*rows), "every decoded row is in the table");
  return counts;
}

Result<ParquetFile> Connection::copy_to_parquet(std::string_view select, const std::string& path,
                                                const ParquetOptions& options,
                                                std::stop_token stop) {
  if (access(path.c_str(), F_OK) == 0) return Error(Code::conflict, path + " exists already");
  Text text("copy (", without_end(select),
            fmt::format(") to {} (format parquet, compression zstd, compression_level {}, "
                        "row_group_size {}, return_stats)",
                        quoted_text(path), options.zstd_level, options.row_group_rows));
  auto stats = collect(text, {.rows_max = 2, .stop = std::move(stop)});
  if (!stats) return stats.error();
  auto file = parquet_file_of(*stats);
  if (file) file->path = path;
  return file;
}

Result<Table> Connection::collect(const Text& text, const QueryOptions& options) {
  Table table;
  Sink sink;
  sink.bytes_max = options.bytes_max;
  sink.on_columns = [&table](std::span<const ColumnHead> columns) {
    table.columns.assign(columns.begin(), columns.end());
    table.rows.clear();
    table.cut = false;
  };
  sink.on_rows = [&table, &options](std::span<const Row> rows) {
    size_t room = options.rows_max - table.rows.size();
    table.cut = rows.size() > room;
    table.rows.insert(table.rows.end(), rows.begin(),
                      rows.begin() + static_cast<ptrdiff_t>(std::min(room, rows.size())));
    return !table.cut;
  };
  if (auto ran = run(text, sink, options.stop); !ran) return ran.error();
  return table;
}

Status Connection::run(const Text& text, const Sink& sink, std::stop_token stop) {
  const Library& db = library();
  Owned<duckdb_extracted_statements> statements(db.destroy_extracted);
  idx_t count = db.extract_statements(handle_, text.sql.c_str(), statements.out());
  if (count == 0) {
    const char* reason = db.extract_statements_error(statements.get());
    if (reason == nullptr || *reason == '\0') return Error(Code::invalid, "there is no SQL here");
    return fail(text, reason, DUCKDB_ERROR_PARSER);
  }
  for (idx_t i = 0; i < count; ++i) {
    Owned<duckdb_prepared_statement> statement(db.destroy_prepare);
    if (db.prepare_extracted_statement(handle_, statements.get(), i, statement.out()) !=
        DuckDBSuccess) {
      return fail(text, db.prepare_error(statement.get()), DUCKDB_ERROR_BINDER);
    }
    bool is_last = i + 1 == count;
    auto ran = run_statement(text, statement.get(), is_last ? sink : Sink(), stop);
    if (ran) continue;
    // Whatever words the statement ended with, the reason was the caller.
    if (stop.stop_requested()) return Error(Code::cancelled, "the query was cancelled");
    return ran;
  }
  return {};
}

Status Connection::run_statement(const Text& text, duckdb_prepared_statement statement,
                                 const Sink& sink, const std::stop_token& stop) {
  const Library& db = library();
  Owned<duckdb_pending_result> pending(db.destroy_pending);
  if (db.pending_prepared_streaming(statement, pending.out()) != DuckDBSuccess) {
    return fail(text, db.pending_error(pending.get()), DUCKDB_ERROR_BINDER);
  }
  // Only now: making the pending result clears the interrupt of an earlier statement.
  Interrupter interrupter(handle_, stop);
  Owned<duckdb_result> result(db.destroy_result);
  if (db.execute_pending(pending.get(), result.out()) != DuckDBSuccess) {
    return fail(text, db.result_error(result.out()), db.result_error_type(result.out()));
  }
  return read_result(text, *result.out(), sink, stop);
}

Status Connection::read_result(const Text& text, duckdb_result& result, const Sink& sink,
                               const std::stop_token& stop) {
  const Library& db = library();
  std::vector<CellType> types;
  std::vector<ColumnHead> heads;
  for (idx_t i = 0; i < db.column_count(&result); ++i) {
    Owned<duckdb_logical_type> handle(db.destroy_logical_type);
    *handle.out() = db.column_logical_type(&result, i);
    auto type = read_type(handle.get());
    if (!type) return type.error().with(db.column_name(&result, i));
    heads.push_back({db.column_name(&result, i), type->name});
    types.push_back(std::move(*type));
  }
  sink.on_columns(heads);
  std::vector<Row> rows;
  uint64_t weight = 0;
  while (!stop.stop_requested()) {
    Owned<duckdb_data_chunk> chunk(db.destroy_data_chunk);
    *chunk.out() = db.fetch_chunk(result);
    if (chunk.get() == nullptr) {
      const char* reason = db.result_error(&result);
      if (reason == nullptr || *reason == '\0') return {};
      return fail(text, reason, db.result_error_type(&result));
    }
    if (sink.bytes_max && (weight += weight_of(chunk.get(), types)) > *sink.bytes_max) {
      return Error(Code::busy, fmt::format("the answer takes more than {} MB; ask for less of it",
                                           *sink.bytes_max >> 20));
    }
    rows.clear();
    read_rows(chunk.get(), types, db.data_chunk_get_size(chunk.get()), rows);
    if (!sink.on_rows(rows)) return {};
  }
  return Error(Code::cancelled, "the query was cancelled");
}

Error Connection::fail(const Text& text, std::string_view message, duckdb_error_type type) {
  ErrorText error = read_error(message, text.sql);
  if (auto plain = without_qualifier(error, text.sql)) error.message += nearest_columns(*plain);
  failure_ = {std::move(error.message), error.offset ? text.position(*error.offset) : std::nullopt};
  type = type_of(failure_.message, type);
  if (type == DUCKDB_ERROR_INTERRUPT) return Error(Code::cancelled, "the query was cancelled");
  std::string place =
      failure_.position
          ? fmt::format("line {}, column {}: ", failure_.position->line, failure_.position->column)
          : "";
  return Error(code_of(type), place + failure_.message);
}

// What the database says would have been meant. The statement is looked at and never run.
std::string Connection::nearest_columns(const std::string& sql) const {
  const Library& db = library();
  Owned<duckdb_extracted_statements> statements(db.destroy_extracted);
  if (db.extract_statements(handle_, sql.c_str(), statements.out()) != 1) return {};
  Owned<duckdb_prepared_statement> statement(db.destroy_prepare);
  if (db.prepare_extracted_statement(handle_, statements.get(), 0, statement.out()) ==
      DuckDBSuccess)
    return {};
  ErrorText error = read_error(db.prepare_error(statement.get()), sql);
  return std::string(candidates_in(error.message));
}

}  // namespace pinpipe::sql
