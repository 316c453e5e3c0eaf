// The project's questions over a session that has its clean tables.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "project/project.h"
#include "sql/connection.h"

namespace pinpipe::jobs {

// One question's rows, with what must be said beside them.
struct QuestionAnswer {
  std::string name, title, defaults;
  sql::Table table;
  std::string why_empty;  // how many rows its tables have, when it has none itself
  project::Chart chart;
};

// A failure in a project's SQL names the file and the place in it.
Error with_place(const Error& error, const sql::Connection& connection,
                 const project::SqlFile& file);

// The small tables that the project brings itself, as views.
Status make_project_tables(sql::Connection& connection, const project::Project& project);

// The named question, or all with an empty name. Rows beyond answer_rows_max are cut.
inline constexpr size_t answer_rows_max = 1'000'000;
Result<std::vector<QuestionAnswer>> answer_questions(sql::Connection& connection,
                                                     const project::Project& project,
                                                     const std::string& question);

// `not_found` with the nearest name when the project has no such question.
Status check_question_name(const project::Project& project, const std::string& question);

}  // namespace pinpipe::jobs
