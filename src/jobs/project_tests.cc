#include "jobs/project_tests.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "codec/json.h"
#include "jobs/answers.h"
#include "sql/connection.h"

namespace pinpipe::jobs {
namespace {

using codec::Json;
using project::TestCell;
using project::TestRow;
using project::TestSpec;

// As the sender of such a row would have written it.
Json json_of(const TestCell& cell) {
  if (cell.is_null) return {};
  if (cell.is_text) return {cell.text};
  auto literal = codec::parse_json(cell.text);
  bool is_literal = literal && (literal->is_number() || literal->is_bool() || literal->is_array());
  return is_literal ? std::move(*literal) : Json(cell.text);
}

std::shared_ptr<const std::string> lines_of(const std::vector<TestRow>& rows) {
  std::string lines;
  for (const TestRow& row : rows) {
    Json object = Json::object();
    for (const auto& [column, cell] : row) object.set(column, json_of(cell));
    lines += codec::to_json(object) + "\n";
  }
  return std::make_shared<const std::string>(std::move(lines));
}

std::string cell_text(const TestCell& cell) {
  return cell.is_null ? "null" : cell.text;
}

bool equals(const sql::Value& value, const TestCell& cell) {
  if (value.is_null() || cell.is_null) return value.is_null() && cell.is_null;
  std::string text = sql::to_text(value);
  if (text == cell.text) return true;
  auto number_of = [](const std::string& from) -> std::optional<double> {
    double number = 0;
    auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), number);
    if (error != std::errc{} || end != from.data() + from.size()) return std::nullopt;
    return number;
  };
  auto mine = number_of(text);
  return mine && !cell.is_text && mine == number_of(cell.text);
}

class ProjectTest {
 public:
  ProjectTest(const project::Project& project, const TestSpec& test, sql::Connection& connection)
      : project_(project), test_(test), connection_(connection) {}

  // The difference; an error says why the test could not be run.
  Result<std::string> run() {
    for (const project::Dataset& dataset : project_.datasets) {
      if (Status made = make_raw(dataset); !made) return made.error();
      if (Status made = make_clean(dataset); !made) return made.error();
    }
    if (Status made = make_project_tables(connection_, project_); !made) return made.error();
    auto table = target_rows();
    if (!table) return table.error();
    return difference(*table);
  }

 private:
  const std::vector<TestRow>* given(const std::string& table) const {
    for (const auto& [name, rows] : test_.given) {
      if (name == table) return &rows;
    }
    return nullptr;
  }

  Status make_raw(const project::Dataset& dataset) {
    const std::vector<TestRow>* rows = given("raw." + dataset.name);
    auto lines = lines_of(rows == nullptr ? std::vector<TestRow>{} : *rows);
    sql::JsonInput input{
        .schema = std::make_shared<const columns::Schema>(dataset.schema),
        .open =
            [lines] {
              return sql::pieces_of(
                  {{.source = "given", .bytes = *lines, .first_line = 1, .keep = lines}});
            },
        .on_refused =
            [this](const columns::Refused& refused) { refused_ = std::string(refused.reason); },
        .stop = {}};
    auto scan = connection_.create_json_view({"raw", dataset.name}, std::move(input));
    return scan ? Status{} : Status(scan.error());
  }

  // By the project's SQL, or of the given rows in the types which that SQL has.
  Status make_clean(const project::Dataset& dataset) {
    const sql::TableName view{"clean", dataset.name};
    if (Status made = connection_.create_view(view, dataset.clean.text); !made)
      return with_place(made.error(), connection_, dataset.clean);
    const std::vector<TestRow>* rows = given("clean." + dataset.name);
    if (rows == nullptr) return {};
    auto described = connection_.query("describe " + view.quoted());
    if (!described) return described.error();
    std::string select;
    for (const TestRow& row : *rows) {
      std::string cells;
      for (const sql::Row& column : described->rows) {
        std::string name = sql::to_text(column[0]);
        auto cell = std::ranges::find(row, name, &std::pair<std::string, TestCell>::first);
        bool is_null = cell == row.end() || cell->second.is_null;
        cells += fmt::format("{}cast({} as {}) as {}", cells.empty() ? "" : ", ",
                             is_null ? "null" : sql::quoted_text(cell->second.text),
                             sql::to_text(column[1]), sql::quoted_name(name));
      }
      for (const auto& [name, cell] : row) {
        bool known = std::ranges::any_of(described->rows, [&](const sql::Row& column) {
          return sql::to_text(column[0]) == name;
        });
        if (!known)
          return Error(Code::invalid, fmt::format("clean.{} has no column {}", dataset.name, name));
      }
      select += (select.empty() ? "select " : " union all select ") + cells;
    }
    if (select.empty()) select = "select * from " + view.quoted() + " where false";
    auto made = connection_.create_table({"given", dataset.name}, select);
    if (!made) return made.error();
    return connection_.create_view(
        view, "select * from " + sql::TableName{"given", dataset.name}.quoted());
  }

  Result<sql::Table> target_rows() {
    size_t dot = test_.run.find('.');
    const project::SqlFile* file = nullptr;
    if (dot == std::string::npos) {
      file = &project_.find_query(test_.run)->sql;
    } else if (const project::Dataset* dataset =
                   project_.find_dataset(std::string_view(test_.run).substr(dot + 1))) {
      file = test_.run.starts_with("clean.") ? &dataset->clean : &dataset->quarantine;
    }
    if (file == nullptr) return Error(Code::not_found, "there is no " + test_.run);
    auto table = connection_.query(file->text, {.rows_max = answer_rows_max});
    if (!table) return with_place(table.error(), connection_, *file);
    return table;
  }

  bool matches(const sql::Table& table, const sql::Row& row, const TestRow& expected) const {
    return std::ranges::all_of(expected, [&](const auto& cell) {
      int column = table.column(cell.first);
      return column >= 0 && equals(row[static_cast<size_t>(column)], cell.second);
    });
  }

  std::string shown(const sql::Table& table, const sql::Row& row) const {
    std::string text;
    for (const auto& [name, cell] : test_.expect.empty() ? TestRow{} : test_.expect.front()) {
      int column = table.column(name);
      if (column < 0) continue;
      const sql::Value& value = row[static_cast<size_t>(column)];
      text += fmt::format("{}{}: {}", text.empty() ? "{" : ", ", name,
                          value.is_null() ? "null" : sql::to_text(value));
    }
    if (!text.empty()) return text + "}";
    for (size_t i = 0; i < row.size(); ++i)
      text += fmt::format("{}{}: {}", i == 0 ? "{" : ", ", table.columns[i].name,
                          row[i].is_null() ? "null" : sql::to_text(row[i]));
    return text + "}";
  }

  static std::string shown(const TestRow& row) {
    std::string text;
    for (const auto& [name, cell] : row)
      text += fmt::format("{}{}: {}", text.empty() ? "{" : ", ", name, cell_text(cell));
    return text + "}";
  }

  // Questions have an order, clean rows have none.
  std::string difference(const sql::Table& table) const {
    for (const TestRow& row : test_.expect) {
      for (const auto& [name, cell] : row) {
        if (table.column(name) < 0) return fmt::format("there is no column {}", name);
      }
    }
    bool ordered = test_.run.find('.') == std::string::npos;
    std::vector<bool> used(table.rows.size());
    for (size_t i = 0; i < test_.expect.size(); ++i) {
      size_t at = ordered ? i : 0;
      size_t end = ordered ? std::min(i + 1, table.rows.size()) : table.rows.size();
      while (at < end && (used[at] || !matches(table, table.rows[at], test_.expect[i]))) ++at;
      if (at >= end) {
        std::string got = ordered && i < table.rows.size() ? shown(table, table.rows[i]) : "";
        return fmt::format("expected {}{}{}", shown(test_.expect[i]),
                           got.empty() ? ", which is not there" : ", got " + got,
                           refused_.empty() ? "" : "; a given row was refused: " + refused_);
      }
      used[at] = true;
    }
    auto further = std::ranges::find(used, false);
    if (further == used.end()) return {};
    return "a row that nobody expects: " +
           shown(table, table.rows[static_cast<size_t>(further - used.begin())]);
  }

  const project::Project& project_;
  const TestSpec& test_;
  sql::Connection& connection_;
  std::string refused_;
};

}  // namespace

Result<std::vector<TestResult>> run_tests(const project::Project& project,
                                          const sql::Engine::Options& options, const Clock& clock) {
  auto engine = sql::Engine::open(options);
  if (!engine) return engine.error();
  std::vector<TestResult> results;
  for (const TestSpec& test : project.tests) {
    auto connection = (*engine)->connect();
    if (!connection) return connection.error();
    TestResult result{
        .name = test.name,
        .place = fmt::format("{}:{}", test.at.source ? test.at.source->name : "?", test.at.line),
        .difference = {}};
    int64_t begin_ms = clock.steady_ms();
    auto difference = ProjectTest(project, test, **connection).run();
    result.took_ms = clock.steady_ms() - begin_ms;
    result.difference = difference ? std::move(*difference) : difference.error().text();
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace pinpipe::jobs
