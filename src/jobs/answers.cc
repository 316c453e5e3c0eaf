#include "jobs/answers.h"

#include <algorithm>
#include <fmt/format.h>

#include "project/nearest.h"
#include "sql/references.h"

namespace pinpipe::jobs {
namespace {

// "clean.pin has 5 rows, clean.geo none": of the clean tables that the question names.
std::string why_empty(sql::Connection& connection, const project::Project& project,
                      const project::Query& query) {
  auto names = sql::references_of(query.sql.text, {});
  if (!names) return {};
  std::string text;
  for (const project::Dataset& dataset : project.datasets) {
    bool named = std::ranges::any_of(*names, [&](const sql::Reference& name) {
      return name.parts == std::vector<std::string>{"clean", dataset.name};
    });
    if (!named) continue;
    auto count =
        connection.query("select count(*) from " + sql::TableName{"clean", dataset.name}.quoted());
    if (!count) return {};
    text += fmt::format("{}clean.{} has {} rows", text.empty() ? "no rows: " : ", ", dataset.name,
                        sql::to_text(count->rows[0][0]));
  }
  return text;
}

}  // namespace

Error with_place(const Error& error, const sql::Connection& connection,
                 const project::SqlFile& file) {
  const sql::Failure& failure = connection.last_failure();
  if (!failure.position) return error.with(file.path);
  // The place is told once, in the way that editors follow.
  bool is_same = error.text().ends_with(failure.message);
  return (is_same ? Error(error.code(), failure.message) : error)
      .with(fmt::format("{}:{}:{}", file.path, failure.position->line, failure.position->column));
}

Status make_project_tables(sql::Connection& connection, const project::Project& project) {
  for (const project::ProjectTable& table : project.tables) {
    if (Status made = connection.create_view({"main", table.name}, table.sql.text); !made)
      return with_place(made.error(), connection, table.sql);
  }
  return {};
}

Result<std::vector<QuestionAnswer>> answer_questions(sql::Connection& connection,
                                                     const project::Project& project,
                                                     const std::string& question) {
  std::vector<QuestionAnswer> answers;
  for (const project::Query& query : project.queries) {
    if (!question.empty() && query.name != question) continue;
    auto table = connection.query(query.sql.text, {.rows_max = answer_rows_max});
    if (!table) return with_place(table.error(), connection, query.sql);
    bool is_empty = table->rows.empty();
    answers.push_back({.name = query.name,
                       .title = query.title,
                       .defaults = query.defaults,
                       .table = std::move(*table),
                       .why_empty = is_empty ? why_empty(connection, project, query) : "",
                       .chart = query.chart});
  }
  return answers;
}

Status check_question_name(const project::Project& project, const std::string& question) {
  if (question.empty() || project.find_query(question) != nullptr) return {};
  std::vector<std::string> names;
  for (const project::Query& query : project.queries) names.push_back(query.name);
  std::string meant = project::did_you_mean(question, names);
  return Error(Code::not_found,
               fmt::format("there is no question \"{}\"; {}there are: {}", question,
                           meant.empty() ? "" : meant + " ", fmt::join(names, " ")));
}

}  // namespace pinpipe::jobs
