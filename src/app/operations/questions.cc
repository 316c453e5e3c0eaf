// ask, questions, sql: what people want to know.
#include <fmt/format.h>

#include "app/house.h"
#include "app/operations/list.h"
#include "jobs/live_questions.h"

namespace pinpipe::app {

using codec::Json;

namespace {

Json cell_of(const sql::Value& value) {
  if (value.is_null()) return {};
  if (const auto* flag = value.get_if<bool>()) return {*flag};
  if (const auto* number = value.get_if<int64_t>()) return {*number};
  if (const auto* real = value.get_if<double>()) return {*real};
  return {sql::to_text(value)};
}

io::Task<Result<Answer>> ask(House& house, Json arguments) {
  std::string question = text_argument(arguments, "question");
  std::string from = text_argument(arguments, "from");
  std::string run = text_argument(arguments, "run");
  if (from != "batch" && from != "stream" && from != "live")
    co_return Error(Code::invalid, "--from is batch, stream or live, not \"" + from + "\"");
  if (!run.empty() && from != "batch")
    co_return Error(Code::invalid, "--run names a batch run; leave --from away");
  if (question.empty())
    co_return Error(Code::invalid, "which question? `pinpipe questions` lists them");
  if (question == "all") question.clear();
  Result<std::vector<jobs::QuestionAnswer>> answers = Error(Code::internal, "not asked");
  if (from == "batch") {
    answers = co_await house.questions().ask(question, run);
  } else if (from == "live") {
    answers = co_await jobs::ask_live(house.questions(), house.project(), question);
  } else {
    auto tables = co_await house.stream_job().pin_tables();
    if (!tables) co_return tables.error();
    answers = co_await house.questions().ask_over(question, std::move(*tables));
  }
  if (!answers) co_return answers.error();
  if (answers->empty()) co_return Error(Code::not_found, "the project has no questions");
  Answer answer = answer_of(answers->front());
  for (size_t i = 1; i < answers->size(); ++i) {
    Answer further = answer_of((*answers)[i]);
    for (std::string& note : further.notes)
      answer.notes.push_back((*answers)[i].name + ": " + note);
    further.notes.clear();
    answer.more.push_back(std::move(further));
  }
  co_return answer;
}

io::Task<Result<Answer>> list_questions(House& house, Json) {
  Answer answer;
  answer.columns = {"question", "title", "read_as"};
  for (const project::Query& query : house.project().queries)
    answer.add_row({query.name, query.title, query.defaults});
  co_return answer;
}

io::Task<Result<Answer>> query_sql(House& house, Json arguments) {
  auto rows_max = static_cast<size_t>(std::max<int64_t>(1, integer_argument(arguments, "rows")));
  auto table = co_await house.questions().query(text_argument(arguments, "query"), rows_max);
  if (!table) co_return table.error();
  co_return answer_of(*table);
}

io::Task<Result<Answer>> list_names(House& house, Json) {
  auto names = co_await house.questions().names();
  if (!names) co_return names.error();
  Answer answer;
  answer.columns = {"name"};
  for (const std::string& name : *names) answer.add_row({name});
  co_return answer;
}

}  // namespace

Answer answer_of(const sql::Table& table) {
  Answer answer;
  for (const sql::ColumnHead& head : table.columns) answer.columns.push_back(head.name);
  for (const sql::Row& row : table.rows) {
    std::vector<Json> cells;
    for (const sql::Value& value : row) cells.push_back(cell_of(value));
    answer.rows.push_back(std::move(cells));
  }
  if (table.cut)
    answer.notes.push_back(
        fmt::format("only the first {} rows are shown; --rows raises that", table.rows.size()));
  return answer;
}

Answer answer_of(const jobs::QuestionAnswer& question) {
  Answer answer = answer_of(question.table);
  answer.title = fmt::format("{}: {}", question.name, question.title);
  if (!question.defaults.empty()) answer.notes.push_back("read as: " + question.defaults);
  if (!question.why_empty.empty()) answer.notes.push_back(question.why_empty);
  return answer;
}

std::vector<Operation> question_operations() {
  using Kind = Parameter::Kind;
  return {
      {.noun = "",
       .verb = "ask",
       .summary = "one of the project's questions, over the clean tables",
       .example = "pinpipe ask q1 -o csv",
       .parameters = {{.name = "question",
                       .positional = true,
                       .required = true,
                       .summary = "its name, or all; `pinpipe questions` lists them"},
                      {.name = "from",
                       .summary =
                           "batch or stream: whose tables; live: the stream's, and what it holds "
                           "beyond them",
                       .fallback = "batch"},
                      {.name = "run",
                       .summary = "over the tables as this batch run left them; the last one's "
                                  "unless given"}},
       .run = ask},
      {.noun = "",
       .verb = "questions",
       .summary = "the questions there are, and how each is read",
       .example = "pinpipe questions",
       .parameters = {},
       .run = list_questions},
      {.noun = "",
       .verb = "sql",
       .summary =
           "any SELECT over clean.*, live.*, raw.*, lake tables and their versions, topic('x'), "
           "stream('x'), objects('s3://bucket/x*')",
       .example =
           "pinpipe sql \"select category, count(*) from clean.pin group by 1 order by 2 desc\"",
       .parameters =
           {{.name = "query", .positional = true, .required = true, .summary = "the statement"},
            {.name = "rows",
             .kind = Kind::integer,
             .summary = "how many rows at most",
             .fallback = "10000"}},
       .run = query_sql},
      {.noun = "",
       .verb = "names",
       .summary = "the tables that a query can name",
       .example = "pinpipe names",
       .parameters = {},
       .run = list_names},
  };
}

}  // namespace pinpipe::app
