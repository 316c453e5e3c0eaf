#include "jobs/live_questions.h"

#include "base/ascii.h"
#include "sql/connection.h"
#include "sql/references.h"

namespace pinpipe::jobs {
namespace {

// The data set behind clean.x or df_x.
const project::Dataset* dataset_of(const project::Project& project,
                                   const sql::Reference& reference) {
  constexpr std::string_view frame = "df_";
  if (reference.kind != sql::Reference::Kind::name) return nullptr;
  if (reference.parts.size() == 2 && lowered(reference.parts[0]) == "clean")
    return project.find_dataset(lowered(reference.parts[1]));
  if (reference.parts.size() == 1 && lowered(reference.parts[0]).starts_with(frame))
    return project.find_dataset(lowered(reference.parts[0]).substr(frame.size()));
  return nullptr;
}

}  // namespace

Result<std::string> over_live_tables(const project::Project& project, const std::string& sql) {
  auto references = sql::references_of(sql, {});
  if (!references) return references.error();
  std::string text;
  size_t done = 0;
  for (const sql::Reference& reference : *references) {
    const project::Dataset* dataset = dataset_of(project, reference);
    if (dataset == nullptr) continue;
    if (project.stream_input(*dataset).empty())
      return Error(Code::not_found, "data set " + dataset->name + " has no stream");
    if (reference.has_version())
      return Error(Code::invalid, "live." + dataset->name + " has no versions; its table has");
    text += sql.substr(done, reference.offset - done);
    text += sql::TableName{"live", dataset->name}.quoted();
    done = reference.offset + reference.length;
  }
  return text + sql.substr(done);
}

io::Task<Result<std::vector<QuestionAnswer>>> ask_live(Questions& questions,
                                                       const project::Project& project,
                                                       std::string question) {
  if (Status known = check_question_name(project, question); !known) co_return known.error();
  std::vector<QuestionAnswer> answers;
  for (const project::Query& query : project.queries) {
    if (!question.empty() && query.name != question) continue;
    auto text = over_live_tables(project, query.sql.text);
    if (!text) co_return text.error().with(query.sql.path);
    auto table = co_await questions.query(*text, answer_rows_max);
    if (!table) co_return table.error().with(query.sql.path);
    answers.push_back({.name = query.name,
                       .title = query.title,
                       .defaults = query.defaults,
                       .table = std::move(*table),
                       .why_empty = {},
                       .chart = query.chart});
  }
  co_return answers;
}

}  // namespace pinpipe::jobs
