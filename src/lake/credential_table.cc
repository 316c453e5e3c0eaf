#include "lake/credential_table.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iterator>

#include "base/ascii.h"
#include "base/log_line.h"
#include "lake/moment.h"
#include "lake/scan.h"

namespace pinpipe::lake {
namespace {

constexpr std::array<std::string_view, 3> column_names = {"User name", "Access key ID",
                                                          "Secret access key"};

std::string rows_of(const std::vector<auth::Credential>& credentials) {
  std::string values;
  for (const auth::Credential& one : credentials) {
    if (!values.empty()) values += ", ";
    values += fmt::format("({}, {}, {})", sql::quoted_text(one.principal.name),
                          sql::quoted_text(one.access_key), sql::quoted_text(one.secret));
  }
  std::string names;
  for (std::string_view name : column_names) {
    if (!names.empty()) names += ", ";
    names += sql::quoted_name(name);
  }
  return fmt::format("SELECT * FROM (VALUES {}) AS keys({})", values, names);
}

// What `wanted` is called in the table.
const Field* column_of(const Schema& schema, std::string_view wanted) {
  auto at = std::ranges::find_if(schema.fields, [&wanted](const Field& field) {
    return field.type.kind == Kind::string && lowered(field.name) == lowered(std::string(wanted));
  });
  return at == schema.fields.end() ? nullptr : &*at;
}

Result<std::string> select_keys(const Schema& schema, const std::string& rows) {
  std::string list;
  std::string both;
  for (std::string_view name : column_names) {
    const Field* column = column_of(schema, name);
    if (!list.empty()) list += ", ";
    if (column != nullptr) {
      list += fmt::format("trim({})", sql::quoted_name(column->name));
    } else if (name == column_names[0]) {
      list += "NULL";  // older tables have the two keys alone
      continue;
    } else {
      return Error(Code::invalid, fmt::format("there is no text column \"{}\"", name));
    }
    if (name == column_names[0]) continue;
    both += fmt::format("{}trim({}) <> ''", both.empty() ? "" : " AND ",
                        sql::quoted_name(column->name));
  }
  return fmt::format("SELECT {} FROM ({}) AS keys WHERE {} LIMIT {}", list, rows, both,
                     credential_rows_max);
}

std::string text_of(const sql::Value& value) {
  const auto* text = value.get_if<std::string>();
  return text == nullptr ? std::string() : *text;
}

std::vector<auth::Credential> credentials_of(const sql::Table& table) {
  std::vector<auth::Credential> credentials;
  for (const sql::Row& row : table.rows) {
    auth::Credential one;
    one.principal.name = text_of(row[0]);
    one.access_key = text_of(row[1]);
    one.secret = text_of(row[2]);
    redact_in_logs(one.secret);
    credentials.push_back(std::move(one));
  }
  return credentials;
}

}  // namespace

io::Task<Result<Version>> write_credentials(const Services& services, Location location,
                                            std::vector<auth::Credential> credentials) {
  if (credentials.empty() || credentials.size() > credential_rows_max)
    co_return Error(Code::invalid, fmt::format("one to {} access keys", credential_rows_max));
  for (const auth::Credential& one : credentials) {
    if (one.access_key.empty() || one.secret.empty())
      co_return Error(Code::invalid, "an access key or its secret is empty");
    redact_in_logs(one.secret);
  }
  auto work = [&]() -> Result<Encoded> {
    auto connection = services.connect();
    if (!connection) return connection.error();
    auto data = encode(**connection, rows_of(credentials), services.store.new_temporary(),
                       {.blanks_in_names = true, .stop = {}});
    // The engine's own words would quote the statement, and with it the secrets.
    if (!data) return Error(data.error().code(), "the access keys could not be written");
    for (DataFile& file : data->files)
      file.stats.json = fmt::format(R"({{"numRecords":{}}})", data->rows());
    return data;
  };
  auto data = co_await services.work.run(work);
  if (!data) co_return data.error();
  TableOptions options;
  options.name = "authentication_credentials";
  options.blanks_in_names = true;
  auto table = co_await Table::open_or_create(services, std::move(location), data->schema, options);
  if (!table) co_return table.error();
  CommitFacts facts;
  facts.schema_change = SchemaChange::replace;
  co_return co_await (*table)->write(WriteMode::overwrite, std::move(*data), std::move(facts));
}

io::Task<Result<std::vector<auth::Credential>>> read_credentials(const Services& services,
                                                                 Location location) {
  auto snapshot = co_await snapshot_at(services, location);
  if (!snapshot) co_return snapshot.error();
  auto rows = co_await scan(services, location, *snapshot);
  if (!rows) co_return rows.error();
  auto select = select_keys((*snapshot)->schema(), rows->select);
  if (!select) co_return select.error().with(location.text());
  auto work = [&]() -> Result<sql::Table> {
    auto connection = services.connect();
    if (!connection) return connection.error();
    return (*connection)->query(*select, {.rows_max = credential_rows_max});
  };
  auto table = co_await services.work.run(work);
  if (!table) co_return table.error().with(location.text());
  auto credentials = credentials_of(*table);
  if (credentials.empty())
    co_return Error(Code::invalid, location.text() + ": no row has both keys");
  co_return credentials;
}

}  // namespace pinpipe::lake
