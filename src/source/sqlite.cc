#include "source/sqlite.h"

#include <algorithm>
#include <fmt/format.h>
#include <sqlite3.h>

#include "source/datetime.h"

namespace pinpipe::source {
namespace {

Error error_of(sqlite3* database, std::string_view action) {
  Code code = Code::internal;
  switch (sqlite3_errcode(database)) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      code = Code::busy;
      break;
    case SQLITE_NOTADB:
    case SQLITE_ERROR:  // a table that is not there
      code = Code::invalid;
      break;
    case SQLITE_CORRUPT:
      code = Code::corrupt;
      break;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      code = Code::unavailable;
      break;
    default:
      break;
  }
  return Error(code, fmt::format("cannot {}: {}", action, sqlite3_errmsg(database)));
}

std::string quoted(std::string_view name) {
  return fmt::format("\"{}\"", name);
}

// The first column is SQLite's row id: rows lie in index order, and the n-th is found at once.
std::string create_sql(const TableSchema& schema) {
  std::string columns;
  for (const Column& column : schema.columns) {
    bool first = &column == &schema.columns.front();
    // MySQL's usual collations make no difference between a and A.
    std::string_view compared = column.kind == Kind::text ? " COLLATE NOCASE" : "";
    columns += fmt::format(
        "{}  {} {}", first ? "" : ",\n", quoted(column.name),
        first ? "INTEGER PRIMARY KEY" : fmt::format("{} NOT NULL{}", column.mysql_type, compared));
  }
  return fmt::format("CREATE TABLE {} (\n{}\n)", schema.name, columns);
}

std::string insert_sql(const TableSchema& schema) {
  std::string marks = "?";
  for (size_t i = 1; i < schema.columns.size(); ++i) marks += ",?";
  return fmt::format("INSERT INTO {} VALUES ({})", schema.name, marks);
}

std::string range_sql(const TableSchema& schema) {
  std::string columns;
  for (const Column& column : schema.columns) {
    columns += (columns.empty() ? "" : ",") + quoted(column.name);
  }
  std::string key = quoted(schema.columns.front().name);
  return fmt::format("SELECT {0} FROM {1} WHERE {2} >= ?1 AND {2} < ?2 ORDER BY {2}", columns,
                     schema.name, key);
}

void bind_row(sqlite3_stmt* statement, const Row& row, std::string& datetimes) {
  datetimes.clear();
  for (size_t i = 0; i < row.size(); ++i) {
    int at = static_cast<int>(i) + 1;
    switch (row.kind(i)) {
      case Kind::null:
        sqlite3_bind_null(statement, at);
        break;
      case Kind::integer:
        sqlite3_bind_int64(statement, at, row.integer(i));
        break;
      case Kind::datetime: {
        size_t from = datetimes.size();
        append_datetime(datetimes, row.integer(i), DatetimeStyle::blank);
        sqlite3_bind_text(statement, at, datetimes.data() + from,
                          static_cast<int>(datetimes.size() - from), SQLITE_TRANSIENT);
        break;
      }
      case Kind::real:  // the column's affinity makes a number of the digits
      case Kind::text: {
        std::string_view text = row.text(i);
        sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
        break;
      }
    }
  }
}

std::string_view text_of(sqlite3_stmt* statement, int column) {
  auto text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement, column))};
}

}  // namespace

void SqliteSource::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}
void SqliteSource::Close::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

SqliteSource::SqliteSource(std::string path, Database database)
    : path_(std::move(path)), database_(std::move(database)) {}

SqliteSource::~SqliteSource() = default;

Result<SqliteSource::Database> SqliteSource::open_database(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  int outcome = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(raw);
  if (outcome != SQLITE_OK) return error_of(raw, "open " + path);
  return database;
}

Result<SqliteSource::Statement> SqliteSource::prepare(sqlite3* database, const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(database, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK) {
    return error_of(database, "read the source tables");
  }
  return Statement(raw);
}

Status SqliteSource::run(sqlite3* database, const std::string& sql) {
  if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return error_of(database, "fill the source tables");
  }
  return {};
}

Result<std::unique_ptr<SqliteSource>> SqliteSource::open_or_create(io::Files& files,
                                                                   const std::string& path,
                                                                   Generator::Options rows,
                                                                   const Progress& progress) {
  if (!files.exists(path)) {
    Status created = create(files, path, rows, progress);
    if (!created) return created.error();
  }
  return open(files, path);
}

Result<std::unique_ptr<SqliteSource>> SqliteSource::open(io::Files& files,
                                                         const std::string& path) {
  if (!files.exists(path)) return Error(Code::not_found, "there is no source file " + path);
  Result<Database> database = open_database(path, SQLITE_OPEN_READONLY);
  if (!database) return database.error();
  std::unique_ptr<SqliteSource> source(new SqliteSource(path, std::move(*database)));
  Status prepared = source->prepare_reads();
  if (!prepared) return prepared.error().with("source file " + path);
  return source;
}

Status SqliteSource::create(io::Files& files, const std::string& path, Generator::Options rows,
                            const Progress& progress) {
  if (files.exists(path))
    return Error(Code::conflict, "the source file " + path + " exists already");
  std::string directory = io::parent_directory(path);
  Status made = files.make_directories(directory);
  if (!made) return made;
  // What a crash left under this name is only a part.
  std::string part = path + ".part";
  if (files.exists(part)) {
    Status removed = files.remove(part);
    if (!removed) return removed;
  }
  Status filled = fill_file(part, rows, progress);
  if (!filled) {
    Status removed = files.remove(part);
    std::string left = removed ? "" : "; " + part + " is left behind";
    return Error(filled.error().code(), filled.error().text() + left);
  }
  // SQLite was told not to sync while filling; one sync before the name counts is enough.
  auto file = files.open(part, io::OpenMode::write);
  if (!file) return file.error();
  Status synced = (*file)->sync();
  if (!synced) return synced;
  Status renamed = files.rename(part, path);
  if (!renamed) return renamed;
  return files.sync_directory(directory);
}

Status SqliteSource::fill_file(const std::string& path, Generator::Options rows,
                               const Progress& progress) {
  Result<Database> database =
      open_database(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE);
  if (!database) return database.error();
  return fill(database->get(), rows, progress);
}

Status SqliteSource::fill(sqlite3* database, Generator::Options rows, const Progress& progress) {
  Status begun =
      run(database,
          "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;"
          "PRAGMA cache_size=-16384; BEGIN");
  if (!begun) return begun;
  std::array<Statement, all_tables.size()> inserts;
  for (Table table : all_tables) {
    Status created = run(database, create_sql(schema_of(table)));
    if (!created) return created;
    Result<Statement> insert = prepare(database, insert_sql(schema_of(table)));
    if (!insert) return insert.error();
    inserts[static_cast<size_t>(table)] = std::move(*insert);
  }
  Generator generator(rows);
  // Table by table: each is one run of pages in the file, and every insert is an append.
  Row row;
  std::string datetimes;
  uint64_t done = 0;
  const uint64_t total = rows.rows * all_tables.size();
  for (Table table : all_tables) {
    sqlite3_stmt* insert = inserts[static_cast<size_t>(table)].get();
    for (uint64_t index = 0; index < rows.rows; ++index) {
      generator.read(table, index, row);
      bind_row(insert, row, datetimes);
      if (sqlite3_step(insert) != SQLITE_DONE) return error_of(database, "write the source tables");
      sqlite3_reset(insert);
      if (++done % progress_rows == 0 && progress) progress(done, total);
    }
  }
  if (progress) progress(total, total);
  for (Statement& insert : inserts) insert.reset();
  return run(database, "COMMIT");
}

Status SqliteSource::prepare_reads() {
  for (Table table : all_tables) {
    Result<Statement> range = prepare(database_.get(), range_sql(schema_of(table)));
    if (!range) return range.error();
    ranges_[static_cast<size_t>(table)] = std::move(*range);
  }
  return {};
}

Result<uint64_t> SqliteSource::count(Table table) {
  const TableSchema& schema = schema_of(table);
  // Indexes run without gaps from 0, so the last one tells the count without reading the table.
  Result<Statement> statement =
      prepare(database_.get(), fmt::format("SELECT coalesce(max({}) + 1, 0) FROM {}",
                                           quoted(schema.columns.front().name), schema.name));
  if (!statement) return statement.error();
  if (sqlite3_step(statement->get()) != SQLITE_ROW) return error_of(database_.get(), "count rows");
  return static_cast<uint64_t>(sqlite3_column_int64(statement->get(), 0));
}

Status SqliteSource::read(Table table, uint64_t index, Row& row) {
  bool found = false;
  Status read = read_range(table, index, 1, row, [&](const Row&) {
    found = true;
    return false;
  });
  if (!read) return read;
  if (!found) {
    return Error(Code::not_found, fmt::format("{} has no row {}", schema_of(table).name, index));
  }
  return {};
}

Status SqliteSource::read_range(Table table, uint64_t first, uint64_t count, Row& row,
                                const std::function<bool(const Row&)>& use) {
  constexpr uint64_t most = INT64_MAX;
  first = std::min(first, most);
  count = std::min(count, most - first);
  sqlite3_stmt* statement = ranges_[static_cast<size_t>(table)].get();
  sqlite3_bind_int64(statement, 1, static_cast<int64_t>(first));
  sqlite3_bind_int64(statement, 2, static_cast<int64_t>(first + count));
  int outcome = SQLITE_ROW;
  while ((outcome = sqlite3_step(statement)) == SQLITE_ROW) {
    read_row(statement, table, row);
    if (!use(row)) break;
  }
  Status status;
  if (outcome != SQLITE_ROW && outcome != SQLITE_DONE)
    status = error_of(database_.get(), "read rows");
  sqlite3_reset(statement);
  return status;
}

void SqliteSource::read_row(sqlite3_stmt* statement, Table table, Row& row) {
  const TableSchema& schema = schema_of(table);
  row.begin(schema);
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    int column = static_cast<int>(i);
    if (sqlite3_column_type(statement, column) == SQLITE_NULL) {
      row.add_null();
      continue;
    }
    switch (schema.columns[i].kind) {
      case Kind::integer:
        row.add_integer(sqlite3_column_int64(statement, column));
        break;
      case Kind::real:
        row.add_real(fmt::format("{:.6g}", sqlite3_column_double(statement, column)));
        break;
      case Kind::datetime: {
        std::string_view text = text_of(statement, column);
        std::optional<int64_t> seconds = parse_datetime(text);
        // A hand-made file may hold another text there; it is passed on as it is.
        seconds ? row.add_datetime(*seconds) : row.add_text(text);
        break;
      }
      default:
        row.add_text(text_of(statement, column));
    }
  }
}

std::string SqliteSource::description() const {
  return "sqlite:" + path_;
}

}  // namespace pinpipe::source
