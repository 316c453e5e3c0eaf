#include "state/database.h"

#include <map>
#include <mutex>
#include <sqlite3.h>

#include "base/check.h"

namespace pinpipe::state {

struct Connection::Impl {
  sqlite3* handle = nullptr;
  std::string path;
  std::map<std::string, sqlite3_stmt*, std::less<>> statements;
};

struct Database::Impl {
  std::mutex mutex;
  std::unique_ptr<Connection> connection;
};

namespace {

sqlite3_stmt* as_statement(void* statement) {
  return static_cast<sqlite3_stmt*>(statement);
}

Code code_of(int outcome) {
  switch (outcome & 0xff) {
    case SQLITE_CONSTRAINT:
      return Code::conflict;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::corrupt;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      return Code::unavailable;
    default:
      return Code::internal;
  }
}

}  // namespace

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Connection::~Connection() {
  for (auto& [sql, statement] : impl_->statements) sqlite3_finalize(statement);
  sqlite3_close_v2(impl_->handle);
}

Error Connection::last_error(std::string_view action) const {
  return Error(
      code_of(sqlite3_extended_errcode(impl_->handle)),
      "cannot " + std::string(action) + " " + impl_->path + ": " + sqlite3_errmsg(impl_->handle));
}

Status Connection::script(const std::string& sql) {
  if (sqlite3_exec(impl_->handle, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return last_error("change");
  return {};
}

Result<void*> Connection::prepare(std::string_view sql) {
  auto found = impl_->statements.find(sql);
  // A statement that is still being stepped through must not be reset under its reader.
  if (found != impl_->statements.end() && sqlite3_stmt_busy(found->second) == 0)
    return static_cast<void*>(found->second);
  CHECK(found == impl_->statements.end(), "one query is not run again while its rows are read");
  CHECK(impl_->statements.size() < statements_max, "SQL texts are constants");
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(impl_->handle, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
    return last_error("ask");
  impl_->statements.emplace(sql, statement);
  return static_cast<void*>(statement);
}

Status Connection::run(std::string_view sql, std::initializer_list<Value> values) {
  Rows rows = query(sql, values);
  while (rows.next()) {
  }
  return rows.status();
}

Rows Connection::query(std::string_view sql, std::initializer_list<Value> values) {
  return Rows(*this, sql, values);
}

int64_t Connection::last_insert_id() const {
  return sqlite3_last_insert_rowid(impl_->handle);
}
int64_t Connection::changes() const {
  return sqlite3_changes64(impl_->handle);
}

Rows::Rows(Connection& connection, std::string_view sql, std::initializer_list<Value> values)
    : connection_(&connection) {
  auto prepared = connection.prepare(sql);
  if (!prepared) {
    status_ = prepared.error();
    return;
  }
  statement_ = *prepared;
  sqlite3_stmt* statement = as_statement(statement_);
  CHECK(sqlite3_bind_parameter_count(statement) == static_cast<int>(values.size()),
        "a query gets one value for each ?");
  int at = 0;
  for (const Value& value : values) {
    ++at;
    if (auto* number = std::get_if<int64_t>(&value.is_)) {
      sqlite3_bind_int64(statement, at, *number);
    } else if (auto* real = std::get_if<double>(&value.is_)) {
      sqlite3_bind_double(statement, at, *real);
    } else if (auto* text = std::get_if<std::string_view>(&value.is_)) {
      sqlite3_bind_text64(statement, at, text->data() == nullptr ? "" : text->data(), text->size(),
                          SQLITE_TRANSIENT, SQLITE_UTF8);
    } else if (auto* blob = std::get_if<Blob>(&value.is_)) {
      sqlite3_bind_blob64(statement, at, blob->bytes.data() == nullptr ? "" : blob->bytes.data(),
                          blob->bytes.size(), SQLITE_TRANSIENT);
    } else {
      sqlite3_bind_null(statement, at);
    }
  }
}

Rows::Rows(Rows&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      connection_(other.connection_),
      status_(std::move(other.status_)) {}

Rows::~Rows() {
  if (statement_ == nullptr) return;
  sqlite3_reset(as_statement(statement_));
  sqlite3_clear_bindings(as_statement(statement_));
}

bool Rows::next() {
  if (!status_ || statement_ == nullptr) return false;
  int outcome = sqlite3_step(as_statement(statement_));
  if (outcome == SQLITE_ROW) return true;
  if (outcome != SQLITE_DONE) status_ = connection_->last_error("use");
  return false;
}

bool Rows::is_null(int column) const {
  return sqlite3_column_type(as_statement(statement_), column) == SQLITE_NULL;
}
int64_t Rows::integer(int column) const {
  return sqlite3_column_int64(as_statement(statement_), column);
}
double Rows::real(int column) const {
  return sqlite3_column_double(as_statement(statement_), column);
}
std::string Rows::text(int column) const {
  const void* bytes = sqlite3_column_blob(as_statement(statement_), column);
  auto size = static_cast<size_t>(sqlite3_column_bytes(as_statement(statement_), column));
  return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), size);
}
std::optional<int64_t> Rows::maybe_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}
std::optional<std::string> Rows::maybe_text(int column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const std::string& path,
                                                 std::span<const std::string_view> migrations) {
  auto inner = std::make_unique<Connection::Impl>();
  inner->path = path;
  int outcome = sqlite3_open_v2(
      path.c_str(), &inner->handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  std::unique_ptr<Connection> connection(new Connection(std::move(inner)));
  if (outcome != SQLITE_OK) return connection->last_error("open");
  sqlite3_busy_timeout(connection->impl_->handle, 5000);
  if (Status set = connection->script("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                      "PRAGMA foreign_keys=ON;");
      !set)
    return set.error();
  auto impl = std::make_unique<Impl>();
  impl->connection = std::move(connection);
  std::unique_ptr<Database> database(new Database(std::move(impl)));

  auto version = database->read([](Connection& c) -> Result<int64_t> {
    Rows rows = c.query("PRAGMA user_version");
    if (!rows.next())
      return rows.status() ? Error(Code::corrupt, "no version") : rows.status().error();
    return rows.integer(0);
  });
  if (!version) return version.error();
  if (*version > static_cast<int64_t>(migrations.size()))
    return Error(Code::invalid, path + " was written by a newer pinpipe (schema version " +
                                    std::to_string(*version) + ", known up to " +
                                    std::to_string(migrations.size()) + ")");
  for (auto at = static_cast<size_t>(*version); at < migrations.size(); ++at) {
    Status moved = database->write([&](Connection& c) -> Status {
      if (Status done = c.script(std::string(migrations[at])); !done) return done;
      return c.script("PRAGMA user_version=" + std::to_string(at + 1));
    });
    if (!moved) return moved.error();
  }
  return database;
}

Status Database::transact(const std::function<bool(Connection&)>& work) {
  std::lock_guard lock(impl_->mutex);
  Connection& connection = *impl_->connection;
  if (Status begun = connection.script("BEGIN IMMEDIATE"); !begun) return begun;
  if (work(connection)) {
    Status committed = connection.script("COMMIT");
    if (committed) return committed;
    (void)connection.script("ROLLBACK");
    return committed;
  }
  // What failed may have ended the transaction already; then there is nothing to undo.
  if (sqlite3_get_autocommit(connection.impl_->handle) == 0) return connection.script("ROLLBACK");
  return {};
}

void Database::alone(const std::function<void(Connection&)>& work) {
  std::lock_guard lock(impl_->mutex);
  work(*impl_->connection);
}

}  // namespace pinpipe::state
