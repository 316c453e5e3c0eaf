#include "jobs/trace_rows.h"

#include <algorithm>
#include <fmt/format.h>

#include "codec/json.h"

namespace pinpipe::jobs {
namespace {

constexpr size_t clean_rows_max = 10'000;  // of one record
constexpr size_t answer_rows_told_max = 20;

std::string text_of(const sql::Row& row) {
  std::string text;
  for (const sql::Value& value : row)
    text += (text.empty() ? "" : ", ") + (value.is_null() ? "null" : sql::to_text(value));
  return text;
}

std::string json_of(const sql::Table& table, const sql::Row& row) {
  std::string json = "{";
  for (size_t i = 0; i < row.size(); ++i) {
    if (i > 0) json += ',';
    codec::append_json_string(json, table.columns[i].name);
    json += ':';
    sql::append_json(json, row[i]);
  }
  return json + "}";
}

}  // namespace

Result<std::unique_ptr<TraceSession>> TraceSession::open(const sql::Engine::Options& options,
                                                         const project::Project& project,
                                                         TraceOrder order) {
  auto engine = sql::Engine::open(options);
  if (!engine) return engine.error();
  auto connection = (*engine)->connect();
  if (!connection) return connection.error();
  std::unique_ptr<TraceSession> session(new TraceSession(project, std::move(order)));
  session->engine_ = std::move(*engine);
  session->connection_ = std::move(*connection);
  if (Status made = make_project_tables(*session->connection_, project); !made) return made.error();
  return session;
}

std::string TraceSession::condition() const {
  return fmt::format("cast({} as varchar) = {}", sql::quoted_name(order_.column),
                     sql::quoted_text(order_.value));
}

Result<bool> TraceSession::has_column(const std::string& select) {
  auto described = connection_->query("describe " + select);
  if (!described) return described.error();
  return std::ranges::any_of(described->rows, [&](const sql::Row& column) {
    return sql::to_text(column[0]) == order_.column;
  });
}

Result<std::optional<int64_t>> TraceSession::count(const std::string& select) {
  auto has = has_column(select);
  if (!has) return has.error();
  if (!*has) return std::optional<int64_t>();
  auto counted =
      connection_->query(fmt::format("select count(*) from ({}) where {}", select, condition()));
  if (!counted) return counted.error();
  const auto* rows = counted->rows[0][0].get_if<int64_t>();
  return std::optional<int64_t>(rows == nullptr ? 0 : *rows);
}

Result<TracedRows> TraceSession::rows_of(const project::Dataset& dataset, const PostFinder& finder,
                                         const std::string& source, uint64_t line,
                                         const std::string& text) {
  TracedRows traced;
  auto bytes = std::make_shared<const std::string>(text + "\n");
  auto refuse = [&](const columns::Refused& refused) {
    // Of an array that cannot be read at all nobody knows which row was meant.
    if (finder.rows_in(refused.bytes) > 0) traced.quarantined.emplace_back(refused.reason);
  };
  sql::JsonInput input{
      .schema = std::make_shared<const columns::Schema>(dataset.schema),
      .open =
          [bytes, source, line] {
            return sql::pieces_of(
                {{.source = source, .bytes = *bytes, .first_line = line, .keep = bytes}});
          },
      .on_refused = refuse,
      .stop = {}};
  auto scan = connection_->create_json_view({"raw", dataset.name}, std::move(input));
  if (!scan) return scan.error();
  Status made = connection_->create_view({"clean", dataset.name}, dataset.clean.text);
  if (!made) return with_place(made.error(), *connection_, dataset.clean);
  if (Status taken = take_clean(dataset, traced); !taken) return taken.error();
  size_t refused = traced.quarantined.size();
  size_t in_record = finder.rows_in(text);
  traced.rows = in_record - std::min(in_record, refused);
  if (!dataset.quarantine.text.empty() && traced.clean < traced.rows) {
    auto taken = connection_->query(dataset.quarantine.text, {.rows_max = clean_rows_max});
    if (!taken) return with_place(taken.error(), *connection_, dataset.quarantine);
    for (const sql::Row& row : taken->rows) {
      if (row.size() == 4 && finder.rows_in(sql::to_text(row[2])) > 0)
        traced.quarantined.push_back(sql::to_text(row[3]));
    }
  }
  traced.filtered = static_cast<int64_t>(traced.rows) - static_cast<int64_t>(traced.clean) -
                    static_cast<int64_t>(traced.quarantined.size() - refused);
  return traced;
}

Status TraceSession::take_clean(const project::Dataset& dataset, TracedRows& into) {
  std::string select = "select * from " + sql::TableName{"clean", dataset.name}.quoted();
  auto has = has_column(select);
  if (!has) return has.error();
  if (!*has)
    return Error(Code::not_found, fmt::format("clean.{} has no column {} to know the rows by",
                                              dataset.name, order_.column));
  auto rows = connection_->query(select + " where " + condition(), {.rows_max = clean_rows_max});
  if (!rows) return with_place(rows.error(), *connection_, dataset.clean);
  into.clean = rows->rows.size();
  if (!rows->rows.empty()) into.sample = json_of(*rows, rows->rows.front());
  return {};
}

Result<std::vector<QuestionAnswer>> TraceSession::ask(const std::vector<Table>& tables,
                                                      Which which) {
  for (const Table& table : tables) {
    std::string select = table.select;
    auto has = has_column(select);
    if (!has) return has.error();
    if (*has && which != Which::all)
      select =
          fmt::format("select * from ({}) where {}", select,
                      which == Which::alone ? condition() : "(" + condition() + ") is not true");
    if (Status made = connection_->create_view({"clean", table.dataset}, select); !made)
      return made.error();
  }
  return answer_questions(*connection_, project_, "");
}

Result<std::vector<TracedAnswer>> TraceSession::answers(const std::vector<Table>& tables) {
  auto all = ask(tables, Which::all);
  if (!all) return all.error();
  auto alone = ask(tables, Which::alone);
  if (!alone) return alone.error();
  auto without = ask(tables, Which::without);
  if (!without) return without.error();
  std::vector<TracedAnswer> answers;
  for (size_t i = 0; i < all->size(); ++i) {
    TracedAnswer answer{.question = (*all)[i].name,
                        .alone = {},
                        .changed = (*all)[i].table.rows != (*without)[i].table.rows};
    for (const sql::Row& row : (*alone)[i].table.rows) {
      if (answer.alone.size() < answer_rows_told_max) answer.alone.push_back(text_of(row));
    }
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace pinpipe::jobs
