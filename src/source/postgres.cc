#include "source/postgres.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include "source/datetime.h"
#include "source/remote_table.h"

namespace pinpipe::source {
namespace {

constexpr size_t copy_bytes = 256 << 10;

struct FreeResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultSet = std::unique_ptr<PGresult, FreeResult>;

std::string_view trimmed(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

// By SQLSTATE, which PostgreSQL keeps for ever.
Code code_of(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  std::string_view code = state == nullptr ? "" : state;
  if (code == "42P01" || code == "3D000") return Code::not_found;
  if (code == "42P07") return Code::conflict;
  if (code == "42501" || code.starts_with("28")) return Code::denied;
  if (code.starts_with("42")) return Code::invalid;
  return Code::unavailable;
}

Error error_of(const PGresult* result, PGconn* connection, std::string_view action) {
  std::string_view text = result == nullptr ? "" : PQresultErrorMessage(result);
  if (text.empty()) text = PQerrorMessage(connection);
  return Error(code_of(result), fmt::format("cannot {}: {}", action, trimmed(text)));
}

Status run(PGconn* connection, const std::string& sql, std::string_view action) {
  ResultSet result(PQexec(connection, sql.c_str()));
  ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN) return {};
  return error_of(result.get(), connection, action);
}

std::string quoted(std::string_view name) {
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out + "\"";
}

std::string_view type_of(Kind kind) {
  switch (kind) {
    case Kind::integer:
      return "integer";
    case Kind::real:
      return "real";
    case Kind::datetime:
      return "timestamp";
    default:
      return "text";
  }
}

std::string create_sql(const TableSchema& schema) {
  std::string columns;
  for (const Column& column : schema.columns)
    columns += fmt::format("{} {} NOT NULL, ", quoted(column.name), type_of(column.kind));
  return fmt::format("CREATE TABLE {} ({}PRIMARY KEY ({}))", quoted(schema.name), columns,
                     quoted(schema.columns.front().name));
}

// A value as COPY reads it: tab-separated, the four bytes that mean something escaped.
void append_value(std::string& to, const Row& row, size_t column) {
  switch (row.kind(column)) {
    case Kind::null:
      to += "\\N";
      return;
    case Kind::integer:
      fmt::format_to(std::back_inserter(to), "{}", row.integer(column));
      return;
    case Kind::datetime:
      append_datetime(to, row.integer(column), DatetimeStyle::blank);
      return;
    case Kind::real:
    case Kind::text:
      for (char c : row.text(column)) {
        switch (c) {
          case '\\':
            to += "\\\\";
            break;
          case '\n':
            to += "\\n";
            break;
          case '\r':
            to += "\\r";
            break;
          case '\t':
            to += "\\t";
            break;
          default:
            to.push_back(c);
        }
      }
      return;
  }
}

}  // namespace

void PostgresSource::Close::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

PostgresSource::~PostgresSource() = default;

Result<PostgresSource::Connection> PostgresSource::connect(const Address& address) {
  std::string port = std::to_string(address.port);
  std::string tls = !address.ca_file.empty() ? "verify-full"
                    : address.tls_required   ? "require"
                                             : "prefer";
  const char* keys[] = {"host",
                        "port",
                        "user",
                        "password",
                        "dbname",
                        "sslmode",
                        "connect_timeout",
                        "client_encoding",
                        "options",
                        "sslrootcert",
                        nullptr};
  const char* values[] = {address.host.c_str(),
                          port.c_str(),
                          address.user.c_str(),
                          address.password.c_str(),
                          address.database.c_str(),
                          tls.c_str(),
                          "10",
                          "UTF8",
                          "-c statement_timeout=120000 -c datestyle=ISO",
                          address.ca_file.empty() ? nullptr : address.ca_file.c_str(),
                          nullptr};
  Connection connection(PQconnectdbParams(keys, values, 0));
  if (PQstatus(connection.get()) == CONNECTION_OK) return connection;
  std::string_view why = trimmed(PQerrorMessage(connection.get()));
  bool refused = why.find("authentication failed") != std::string_view::npos ||
                 why.find("no password supplied") != std::string_view::npos;
  bool absent = why.find("does not exist") != std::string_view::npos;
  return Error(refused  ? Code::denied
               : absent ? Code::not_found
                        : Code::unavailable,
               fmt::format("cannot reach {}: {}", address.shown(), why));
}

Result<std::unique_ptr<PostgresSource>> PostgresSource::open(const Address& address) {
  std::unique_ptr<PostgresSource> source(new PostgresSource(address));
  auto connection = connect(address);
  if (!connection) return connection.error();
  source->connection_ = std::move(*connection);
  for (Table table : all_tables) {
    if (Status found = source->find_columns(table); !found)
      return found.error().with(address.shown());
  }
  return source;
}

Status PostgresSource::keep_connected() {
  if (PQstatus(connection_.get()) == CONNECTION_OK) return {};
  auto again = connect(address_);
  if (!again) return again.error();
  connection_ = std::move(*again);
  return {};
}

Status PostgresSource::find_columns(Table table) {
  const TableSchema& schema = schema_of(table);
  std::string sql = fmt::format("SELECT * FROM {} LIMIT 0", quoted(schema.name));
  ResultSet result(PQexec(connection_.get(), sql.c_str()));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK)
    return error_of(result.get(), connection_.get(), "read columns");
  std::vector<std::string> there;
  for (int i = 0; i < PQnfields(result.get()); ++i) there.emplace_back(PQfname(result.get(), i));
  auto matched = match_columns(schema, there);
  if (!matched) return matched.error();
  Names& names = names_[static_cast<size_t>(table)];
  names.key = quoted(matched->front());
  for (const std::string& name : *matched)
    names.list += (names.list.empty() ? "" : ", ") + quoted(name);
  return {};
}

Result<uint64_t> PostgresSource::count(Table table) {
  if (Status connected = keep_connected(); !connected) return connected.error();
  const Names& names = names_[static_cast<size_t>(table)];
  std::string sql = fmt::format("SELECT COALESCE(MAX({}) + 1, 0) FROM {}", names.key,
                                quoted(schema_of(table).name));
  ResultSet result(PQexec(connection_.get(), sql.c_str()));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK)
    return error_of(result.get(), connection_.get(), "count rows");
  return static_cast<uint64_t>(std::strtoull(PQgetvalue(result.get(), 0, 0), nullptr, 10));
}

Status PostgresSource::read(Table table, uint64_t index, Row& row) {
  bool found = false;
  Status done = read_range(table, index, 1, row, [&](const Row&) { return found = true; });
  if (done && !found) {
    return Error(Code::not_found, fmt::format("{} has no row {}", schema_of(table).name, index));
  }
  return done;
}

Status PostgresSource::read_range(Table table, uint64_t first, uint64_t count, Row& row,
                                  const std::function<bool(const Row&)>& use) {
  if (Status connected = keep_connected(); !connected) return connected;
  const TableSchema& schema = schema_of(table);
  const Names& names = names_[static_cast<size_t>(table)];
  uint64_t end = first + std::min(count, UINT64_MAX - first);
  std::string sql = fmt::format("SELECT {0} FROM {1} WHERE {2} >= {3} AND {2} < {4} ORDER BY {2}",
                                names.list, quoted(schema.name), names.key, first, end);
  PGconn* raw = connection_.get();
  if (PQsendQuery(raw, sql.c_str()) != 1) return error_of(nullptr, raw, "read rows");
  PQsetSingleRowMode(raw);
  bool wanted = true;
  Status outcome;
  // To the end in any case: a connection takes its next statement only then.
  while (ResultSet result{PQgetResult(raw)}) {
    ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK)
      outcome = error_of(result.get(), raw, "read rows");
    if (status != PGRES_SINGLE_TUPLE || !wanted) continue;
    row.begin(schema);
    for (size_t i = 0; i < schema.columns.size(); ++i) {
      int at = static_cast<int>(i);
      std::optional<std::string_view> text;
      if (PQgetisnull(result.get(), 0, at) == 0) {
        text = std::string_view(PQgetvalue(result.get(), 0, at),
                                static_cast<size_t>(PQgetlength(result.get(), 0, at)));
      }
      add_value(row, schema.columns[i].kind, text);
    }
    wanted = use(row);
  }
  return outcome;
}

std::string PostgresSource::description() const {
  return address_.shown();
}

Status PostgresSource::fill(const Address& address, Generator::Options rows,
                            const Progress& progress) {
  auto connection = connect(address);
  if (!connection) return connection.error();
  PGconn* raw = connection->get();
  Generator generator(rows);
  Status done = run(raw, "BEGIN; SET LOCAL statement_timeout = 0", "begin");
  for (Table table : all_tables) {
    if (done) done = run(raw, create_sql(schema_of(table)), "make the tables");
    if (done) done = fill_table(raw, generator, table, progress);
  }
  if (done) done = run(raw, "COMMIT", "commit");
  if (!done) return done.error().with(address.shown());
  if (progress) progress(rows.rows * all_tables.size(), rows.rows * all_tables.size());
  return {};
}

Status PostgresSource::fill_table(pg_conn* connection, const Generator& generator, Table table,
                                  const Progress& progress) {
  const TableSchema& schema = schema_of(table);
  Status begun =
      run(connection, fmt::format("COPY {} FROM STDIN", quoted(schema.name)), "fill the tables");
  if (!begun) return begun;
  std::string lines;
  Row row;
  uint64_t done = static_cast<uint64_t>(table) * generator.rows();
  for (uint64_t index = 0; index < generator.rows(); ++index) {
    generator.read(table, index, row);
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) lines.push_back('\t');
      append_value(lines, row, i);
    }
    lines.push_back('\n');
    if (lines.size() >= copy_bytes || index + 1 == generator.rows()) {
      if (PQputCopyData(connection, lines.data(), static_cast<int>(lines.size())) != 1)
        return error_of(nullptr, connection, "fill the tables");
      lines.clear();
    }
    if (++done % progress_rows == 0 && progress)
      progress(done, generator.rows() * all_tables.size());
  }
  if (PQputCopyEnd(connection, nullptr) != 1)
    return error_of(nullptr, connection, "fill the tables");
  Status outcome;
  while (ResultSet result{PQgetResult(connection)}) {
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK)
      outcome = error_of(result.get(), connection, "fill the tables");
  }
  return outcome;
}

}  // namespace pinpipe::source
