#include "source/mysql.h"

#include <errmsg.h>
#include <fmt/format.h>
#include <mysql.h>
#include <mysqld_error.h>

#include "source/datetime.h"
#include "source/remote_table.h"

namespace pinpipe::source {
namespace {

constexpr unsigned connect_timeout_s = 10, answer_timeout_s = 120;
// Below the smallest max_allowed_packet in use (4 MiB).
constexpr size_t insert_bytes_max = 1 << 20;

Code code_of(unsigned number) {
  switch (number) {
    case ER_ACCESS_DENIED_ERROR:
    case ER_DBACCESS_DENIED_ERROR:
    case ER_TABLEACCESS_DENIED_ERROR:
      return Code::denied;
    case ER_BAD_DB_ERROR:
    case ER_NO_SUCH_TABLE:
      return Code::not_found;
    case ER_TABLE_EXISTS_ERROR:
      return Code::conflict;
    case ER_PARSE_ERROR:
    case ER_BAD_FIELD_ERROR:
      return Code::invalid;
    default:
      return Code::unavailable;
  }
}

Error error_of(MYSQL* connection, std::string_view action) {
  return Error(code_of(mysql_errno(connection)),
               fmt::format("cannot {}: {}", action, mysql_error(connection)));
}

bool is_lost(MYSQL* connection) {
  unsigned number = mysql_errno(connection);
  return number == CR_SERVER_GONE_ERROR || number == CR_SERVER_LOST;
}

std::string quoted(std::string_view name) {
  std::string out = "`";
  for (char c : name) {
    if (c == '`') out.push_back('`');
    out.push_back(c);
  }
  return out + "`";
}

struct FreeResult {
  void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};
using ResultSet = std::unique_ptr<MYSQL_RES, FreeResult>;

Status run(MYSQL* connection, std::string_view sql, std::string_view action) {
  if (mysql_real_query(connection, sql.data(), sql.size()) != 0)
    return error_of(connection, action);
  return {};
}

std::string part_name(const TableSchema& schema) {
  return fmt::format("{}_part", schema.name);
}

std::string create_sql(const TableSchema& schema) {
  std::string columns;
  for (const Column& column : schema.columns)
    columns += fmt::format("{} {} NOT NULL, ", quoted(column.name), column.mysql_type);
  return fmt::format("CREATE TABLE {} ({}PRIMARY KEY ({})) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
                     quoted(part_name(schema)), columns, quoted(schema.columns.front().name));
}

void append_value(std::string& to, MYSQL* connection, const Row& row, size_t column) {
  switch (row.kind(column)) {
    case Kind::null:
      to += "NULL";
      return;
    case Kind::integer:
      fmt::format_to(std::back_inserter(to), "{}", row.integer(column));
      return;
    case Kind::real:
      to += row.text(column);
      return;
    case Kind::datetime:
      to.push_back('\'');
      append_datetime(to, row.integer(column), DatetimeStyle::blank);
      to.push_back('\'');
      return;
    case Kind::text: {
      std::string_view text = row.text(column);
      to.push_back('\'');
      size_t at = to.size();
      to.resize(at + 2 * text.size() + 1);
      at += mysql_real_escape_string(connection, to.data() + at, text.data(), text.size());
      to.resize(at);
      to.push_back('\'');
      return;
    }
  }
}

}  // namespace

void MysqlSource::Close::operator()(st_mysql* connection) const {
  mysql_close(connection);
}

MysqlSource::~MysqlSource() = default;

Result<MysqlSource::Connection> MysqlSource::connect(const Address& address) {
  Connection connection(mysql_init(nullptr));
  if (!connection) return Error(Code::internal, "cannot begin a MySQL connection");
  MYSQL* raw = connection.get();
  mysql_options(raw, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout_s);
  mysql_options(raw, MYSQL_OPT_READ_TIMEOUT, &answer_timeout_s);
  mysql_options(raw, MYSQL_OPT_WRITE_TIMEOUT, &answer_timeout_s);
  mysql_options(raw, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  my_bool on = 1;
  if (address.tls_required || !address.ca_file.empty())
    mysql_options(raw, MYSQL_OPT_SSL_ENFORCE, &on);
  if (!address.ca_file.empty()) {
    mysql_options(raw, MYSQL_OPT_SSL_CA, address.ca_file.c_str());
    mysql_options(raw, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
  }
  if (mysql_real_connect(raw, address.host.c_str(), address.user.c_str(), address.password.c_str(),
                         address.database.c_str(), address.port, nullptr, 0) == nullptr) {
    return error_of(raw, "reach " + address.shown());
  }
  return connection;
}

Result<std::unique_ptr<MysqlSource>> MysqlSource::open(const Address& address) {
  std::unique_ptr<MysqlSource> source(new MysqlSource(address));
  auto connection = connect(address);
  if (!connection) return connection.error();
  source->connection_ = std::move(*connection);
  for (Table table : all_tables) {
    if (Status found = source->find_columns(table); !found)
      return found.error().with(address.shown());
  }
  return source;
}

Status MysqlSource::query(const std::string& sql) {
  Status done = run(connection_.get(), sql, "read " + address_.shown());
  if (done || !is_lost(connection_.get())) return done;
  auto again = connect(address_);
  if (!again) return again.error();
  connection_ = std::move(*again);
  return run(connection_.get(), sql, "read " + address_.shown());
}

Status MysqlSource::find_columns(Table table) {
  const TableSchema& schema = schema_of(table);
  if (Status asked = query(fmt::format("SELECT * FROM {} LIMIT 0", quoted(schema.name))); !asked)
    return asked;
  ResultSet result(mysql_store_result(connection_.get()));
  if (!result) return error_of(connection_.get(), "read columns");
  std::vector<std::string> there;
  for (unsigned i = 0; i < mysql_num_fields(result.get()); ++i)
    there.emplace_back(mysql_fetch_field_direct(result.get(), i)->name);
  auto matched = match_columns(schema, there);
  if (!matched) return matched.error();
  Names& names = names_[static_cast<size_t>(table)];
  names.key = quoted(matched->front());
  for (const std::string& name : *matched)
    names.list += (names.list.empty() ? "" : ", ") + quoted(name);
  return {};
}

Result<uint64_t> MysqlSource::count(Table table) {
  const Names& names = names_[static_cast<size_t>(table)];
  // Indexes run without gaps from 0, so the last one tells the count without reading the table.
  Status asked = query(fmt::format("SELECT COALESCE(MAX({}) + 1, 0) FROM {}", names.key,
                                   quoted(schema_of(table).name)));
  if (!asked) return asked.error();
  ResultSet result(mysql_store_result(connection_.get()));
  MYSQL_ROW row = result ? mysql_fetch_row(result.get()) : nullptr;
  if (row == nullptr || row[0] == nullptr) return error_of(connection_.get(), "count rows");
  return static_cast<uint64_t>(std::strtoull(row[0], nullptr, 10));
}

Status MysqlSource::read(Table table, uint64_t index, Row& row) {
  bool found = false;
  Status done = read_range(table, index, 1, row, [&](const Row&) { return found = true; });
  if (done && !found) {
    return Error(Code::not_found, fmt::format("{} has no row {}", schema_of(table).name, index));
  }
  return done;
}

Status MysqlSource::read_range(Table table, uint64_t first, uint64_t count, Row& row,
                               const std::function<bool(const Row&)>& use) {
  const TableSchema& schema = schema_of(table);
  const Names& names = names_[static_cast<size_t>(table)];
  uint64_t end = first + std::min(count, UINT64_MAX - first);
  Status asked =
      query(fmt::format("SELECT {0} FROM {1} WHERE {2} >= {3} AND {2} < {4} ORDER BY {2}",
                        names.list, quoted(schema.name), names.key, first, end));
  if (!asked) return asked;
  ResultSet result(mysql_use_result(connection_.get()));
  if (!result) return error_of(connection_.get(), "read rows");
  while (MYSQL_ROW values = mysql_fetch_row(result.get())) {
    const unsigned long* sizes = mysql_fetch_lengths(result.get());
    row.begin(schema);
    for (size_t i = 0; i < schema.columns.size(); ++i) {
      std::optional<std::string_view> text;
      if (values[i] != nullptr) text = std::string_view(values[i], sizes[i]);
      add_value(row, schema.columns[i].kind, text);
    }
    if (!use(row)) return {};  // what is left is read and forgotten with the result
  }
  if (mysql_errno(connection_.get()) != 0) return error_of(connection_.get(), "read rows");
  return {};
}

std::string MysqlSource::description() const {
  return address_.shown();
}

// The tables are filled under other names and get theirs in one statement. What a crash left under
// those names is only a part.
Status MysqlSource::fill(const Address& address, Generator::Options rows,
                         const Progress& progress) {
  auto connection = connect(address);
  if (!connection) return connection.error();
  MYSQL* raw = connection->get();
  Status filled = fill_tables(raw, rows, progress);
  if (filled) {
    std::string renames;
    for (Table table : all_tables) {
      const TableSchema& schema = schema_of(table);
      renames += fmt::format("{}{} TO {}", renames.empty() ? "" : ", ", quoted(part_name(schema)),
                             quoted(schema.name));
    }
    filled = run(raw, "RENAME TABLE " + renames, "name the tables");
  }
  if (filled) return filled;
  for (Table table : all_tables)
    (void)run(raw, "DROP TABLE IF EXISTS " + quoted(part_name(schema_of(table))), "tidy up");
  return filled.error().with(address.shown());
}

Status MysqlSource::fill_tables(st_mysql* connection, Generator::Options rows,
                                const Progress& progress) {
  Generator generator(rows);
  Row row;
  std::string insert;
  uint64_t done = 0;
  const uint64_t total = rows.rows * all_tables.size();
  for (Table table : all_tables) {
    const TableSchema& schema = schema_of(table);
    std::string name = quoted(part_name(schema));
    Status made = run(connection, "DROP TABLE IF EXISTS " + name, "remove a former part");
    if (made) made = run(connection, create_sql(schema), "make table " + std::string(schema.name));
    if (!made) return made;
    for (uint64_t index = 0; index < rows.rows; ++index) {
      generator.read(table, index, row);
      insert += insert.empty() ? fmt::format("INSERT INTO {} VALUES (", name) : ", (";
      for (size_t i = 0; i < row.size(); ++i) {
        if (i > 0) insert.push_back(',');
        append_value(insert, connection, row, i);
      }
      insert.push_back(')');
      if (insert.size() >= insert_bytes_max || index + 1 == rows.rows) {
        if (Status put = run(connection, insert, "fill the tables"); !put) return put;
        insert.clear();
      }
      if (++done % progress_rows == 0 && progress) progress(done, total);
    }
  }
  if (progress) progress(total, total);
  return {};
}

}  // namespace pinpipe::source
