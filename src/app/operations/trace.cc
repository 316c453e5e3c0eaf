// trace: every copy of a post through every hop of both paths.
#include "jobs/trace.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>

#include "app/operations/list.h"
#include "base/clock.h"

namespace pinpipe::app {
namespace {

using codec::Json;

// One line of the answer.
struct Hop {
  std::string_view what;
  std::string where;
  std::string note;
};

std::string_view path_name(bool by_stream) {
  return by_stream ? "stream" : "batch";
}

void add_log(const jobs::TracedCopy& copy, std::vector<Hop>& hops) {
  std::string_view what = copy.by_stream ? "stream" : "topic";
  if (!copy.log) {
    hops.push_back({what, "", "not there: removed since, or the object was put by somebody else"});
    return;
  }
  if (copy.by_stream) {
    hops.push_back({"request", "", "a stream keeps no mark of its requests"});
  } else {
    bool is_marked = !copy.log->post.empty();
    hops.push_back({"request", copy.log->post,
                    is_marked ? "its pinpipe-post header" : "it had no pinpipe-post header"});
  }
  std::string note = "arrived " + to_rfc3339(copy.log->arrived_ms);
  if (copy.by_stream) note += ", sequence number " + copy.log->sequence;
  hops.push_back(
      {what, fmt::format("{}/{}@{}", copy.log->name, copy.log->partition, copy.log->offset), note});
}

// False when the copy has come no further.
bool add_load(const jobs::TracedCopy& copy, std::vector<Hop>& hops) {
  if (copy.by_stream) {
    hops.push_back({"load", copy.run,
                    copy.run.empty() ? "not in the table yet; the stream job is on its way" : ""});
    return !copy.run.empty();
  }
  if (!copy.object) {
    hops.push_back(
        {"object", "", "in none yet; `pinpipe connector flush` closes those that are open"});
    return false;
  }
  hops.push_back(
      {"object",
       fmt::format("s3://{}/{}:{}", copy.object->bucket, copy.object->key, copy.object->line),
       "the key and the line"});
  hops.push_back(
      {"load", copy.run, copy.run.empty() ? "not read yet; `pinpipe run` reads it" : ""});
  return !copy.run.empty();
}

void add_rows(const jobs::TracedRows& rows, std::vector<Hop>& hops) {
  auto many = [](std::string_view what, uint64_t count) {
    return count == 1 ? std::string(what) : fmt::format("{}: {} rows", what, count);
  };
  if (rows.clean > 0) hops.push_back({"row", many("clean", rows.clean), rows.sample});
  for (const std::string& reason : rows.quarantined) hops.push_back({"row", "quarantined", reason});
  if (rows.filtered > 0)
    hops.push_back({"row", many("filtered", static_cast<uint64_t>(rows.filtered)),
                    "the project's clean SQL leaves it out"});
}

// The file that came with the version that first had the copy's rows, or all that have some now.
void add_table(const jobs::Trace& trace, const jobs::TracedCopy& copy, std::vector<Hop>& hops) {
  for (const jobs::TracedTable& table : trace.tables) {
    if (table.dataset != copy.dataset || table.by_stream != copy.by_stream) continue;
    bool is_own = std::ranges::any_of(
        table.files, [&](const jobs::TracedFile& file) { return file.since == copy.version; });
    for (const jobs::TracedFile& file : table.files) {
      if (is_own && file.since != copy.version) continue;
      std::string note = fmt::format("{} row{} of the post, since version {}", file.rows,
                                     file.rows == 1 ? "" : "s", file.since);
      if (!table.by_row) note += "; the clean SQL looks at more than one row";
      hops.push_back({"table", fmt::format("{}@{}/{}", table.name, table.version, file.path),
                      std::move(note)});
    }
    if (table.files.empty())
      hops.push_back({"table", fmt::format("{}@{}", table.name, table.version),
                      "has no row of the post: somebody has written it since"});
  }
}

std::vector<Hop> hops_of(const jobs::Trace& trace, const jobs::TracedCopy& copy) {
  std::vector<Hop> hops;
  add_log(copy, hops);
  if (!add_load(copy, hops) || !copy.rows) return hops;
  add_rows(*copy.rows, hops);
  if (copy.rows->clean > 0) add_table(trace, copy, hops);
  return hops;
}

Answer answer_of(const jobs::Trace& trace, const std::string& title) {
  Answer answer;
  answer.title = title;
  answer.columns = {"dataset", "path", "copy", "hop", "where", "note"};
  std::map<std::pair<std::string, bool>, int64_t> copies;
  for (const jobs::TracedCopy& copy : trace.copies) {
    int64_t number = ++copies[{copy.dataset, copy.by_stream}];
    for (Hop& hop : hops_of(trace, copy))
      answer.add_row({copy.dataset, path_name(copy.by_stream), number, hop.what,
                      std::move(hop.where), std::move(hop.note)});
  }
  for (const jobs::TracedAnswer& asked : trace.answers) {
    if (asked.alone.empty() && !asked.changed) continue;
    std::string note = fmt::format("{}", fmt::join(asked.alone, "; "));
    note += asked.changed ? " (another answer without it)" : " (the same answer without it)";
    answer.add_row({Json(), path_name(asked.by_stream), Json(), "answer", asked.question, note});
  }
  answer.notes = trace.notes;
  answer.notes.push_back(fmt::format("{} copies; looked at {} records and {} objects",
                                     trace.copies.size(), trace.records_read, trace.objects_read));
  return answer;
}

io::Task<Result<Answer>> trace_post(House& house, Json arguments) {
  jobs::TraceOrder order{.value = text_argument(arguments, "value"),
                         .column = text_argument(arguments, "by")};
  auto trace = co_await house.tracer().run(order);
  if (!trace) co_return trace.error();
  if (trace->copies.empty())
    co_return Error(
        Code::not_found,
        fmt::format("no record and no object has {} {}; looked at {} records and {} "
                    "objects",
                    order.column, order.value, trace->records_read, trace->objects_read));
  co_return answer_of(*trace, fmt::format("{} {}", order.column, order.value));
}

// A paragraph a copy, a line a hop.
std::string as_paragraphs(const Answer& answer) {
  std::string text = answer.title + "\n";
  std::string before;
  for (const std::vector<Json>& row : answer.rows) {
    auto cell = [&](size_t i) { return std::string(row[i].as_string().value_or("")); };
    auto number = row[2].as_int();
    std::string head = number ? fmt::format("{}, {}, copy {}", cell(0), cell(1), *number)
                              : fmt::format("answers, {}", cell(1));
    if (head != before) text += "\n" + head + "\n";
    before = head;
    bool is_answer = !number;
    text += fmt::format("  {:<8} {}", is_answer ? cell(4) : cell(3), is_answer ? "" : cell(4));
    if (!cell(4).empty() && !is_answer && !cell(5).empty()) text += "\n           ";
    text += cell(5) + "\n";
  }
  text += "\n";
  for (const std::string& note : answer.notes) text += note + "\n";
  return text;
}

}  // namespace

std::vector<Operation> trace_operations() {
  return {{.noun = "",
           .verb = "trace",
           .summary = "every copy of a post: request, log, object, load, row, table, answers",
           .example = "pinpipe trace 7528",
           .parameters = {{.name = "value",
                           .positional = true,
                           .required = true,
                           .summary = "the post's value in that column"},
                          {.name = "by",
                           .summary = "the column, also under its synonyms",
                           .fallback = "ind"}},
           .run = trace_post,
           .plain = as_paragraphs}};
}

}  // namespace pinpipe::app
