#include "jobs/batch_checks.h"

#include <cmath>
#include <fmt/format.h>

#include "sql/references.h"

namespace pinpipe::jobs {
namespace {

using project::Check;

std::string number_text(double number) {
  double whole = 0;
  return std::modf(number, &whole) == 0 ? fmt::format("{:.0f}", number) : fmt::format("{}", number);
}

std::string range_text(const Check& check) {
  return (check.least ? number_text(*check.least) : "") + ".." +
         (check.most ? number_text(*check.most) : "");
}

std::string name_list(const Check& check) {
  std::string list;
  for (const std::string& column : check.columns)
    list += (list.empty() ? "" : ", ") + sql::quoted_name(column);
  return list;
}

// "clean.geo" as "clean"."geo".
std::string quoted_path(const std::string& path) {
  size_t dot = path.find('.');
  if (dot == std::string::npos) return sql::quoted_name(path);
  return sql::TableName{path.substr(0, dot), path.substr(dot + 1)}.quoted();
}

std::string outside_range(const Check& check, const std::string& value) {
  std::string condition = "false";
  if (check.least) condition += fmt::format(" or {} < {}", value, number_text(*check.least));
  if (check.most) condition += fmt::format(" or {} > {}", value, number_text(*check.most));
  return condition;
}

// The rows that fail, in columns that show what is wrong with them.
std::string failing_rows(const Check& check, const std::string& table) {
  std::string names = name_list(check);
  switch (check.kind) {
    case Check::Kind::not_null: {
      std::string condition;
      for (const std::string& column : check.columns)
        condition += (condition.empty() ? "" : " or ") + sql::quoted_name(column) + " is null";
      return fmt::format("select * from {} where {}", table, condition);
    }
    case Check::Kind::unique: {
      // As in SQL's own UNIQUE: rows with a null are no duplicates.
      std::string condition;
      for (const std::string& column : check.columns)
        condition += (condition.empty() ? "" : " and ") + sql::quoted_name(column) + " is not null";
      return fmt::format(
          "select {0}, count(*) as times from {1} where {2} group by {0} having count(*) > 1 "
          "order by times desc, {0}",
          names, table, condition);
    }
    case Check::Kind::accepted_range:
      return fmt::format("select {0} from {1} where {2} order by {0}", names, table,
                         outside_range(check, names));
    case Check::Kind::row_count:
      return fmt::format(
          "select row_count from (select count(*) as row_count from {}) as counted "
          "where {}",
          table, outside_range(check, "row_count"));
    case Check::Kind::relationships:
      return fmt::format(
          "select {0} from {1} where {0} is not null and {0} not in "
          "(select {2} from {3} where {2} is not null) order by {0}",
          names, table, sql::quoted_name(check.to_column), quoted_path(check.to_table));
  }
  return {};
}

std::string sample_of(const sql::Table& table) {
  std::string sample;
  if (table.rows.empty()) return sample;
  constexpr size_t columns_shown_max = 4;
  for (size_t i = 0; i < table.columns.size() && i < columns_shown_max; ++i) {
    std::string cell = sql::to_text(table.rows[0][i]);
    sample += fmt::format("{}{} = {}", sample.empty() ? "" : ", ", table.columns[i].name,
                          cell.empty() ? "null" : cell);
  }
  return sample;
}

}  // namespace

std::string title_of(const Check& check) {
  std::string columns;
  for (const std::string& column : check.columns) columns += (columns.empty() ? "" : ", ") + column;
  switch (check.kind) {
    case Check::Kind::not_null:
      return fmt::format("not_null({})", columns);
    case Check::Kind::unique:
      return fmt::format("unique({})", columns);
    case Check::Kind::accepted_range:
      return fmt::format("accepted_range({}, {})", columns, range_text(check));
    case Check::Kind::row_count:
      return fmt::format("row_count({})", range_text(check));
    case Check::Kind::relationships:
      return fmt::format("relationships({} -> {}.{})", columns, check.to_table, check.to_column);
  }
  return {};
}

Result<CheckResult> examine(sql::Connection& connection, const std::string& dataset, bool is_raw,
                            const Check& check) {
  CheckResult result{.dataset = dataset,
                     .stage = is_raw ? "raw" : "clean",
                     .check = title_of(check),
                     .is_error = check.severity == project::Severity::error,
                     .sample = {}};
  std::string rows = failing_rows(check, sql::TableName{result.stage, dataset}.quoted());
  auto place = [&](const Error& error) {
    return error.with(fmt::format("{}:{}:{}: check {}",
                                  check.at.source ? check.at.source->name : "?", check.at.line,
                                  check.at.column, result.check));
  };
  auto count = connection.query("select count(*) from (" + rows + ") as failing");
  if (!count) return place(count.error());
  if (const auto* number = count->rows[0][0].get_if<int64_t>())
    result.failing = static_cast<uint64_t>(*number);
  if (result.is_ok()) return result;
  auto sample = connection.query("select * from (" + rows + ") as failing limit 1");
  if (!sample) return place(sample.error());
  result.sample = sample_of(*sample);
  return result;
}

}  // namespace pinpipe::jobs
