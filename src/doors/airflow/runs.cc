// Runs: trigger, find, change.
#include <algorithm>
#include <fmt/format.h>

#include "doors/airflow/door.h"
#include "doors/airflow/input.h"
#include "doors/airflow/run_query.h"
#include "doors/airflow/shapes.h"

namespace pinpipe::airflow {

using codec::Json;
using scheduler::DagRun;
using scheduler::RunState;

namespace {

constexpr size_t run_id_bytes_max = 250;  // as Airflow's

bool is_run_id_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_.~:+-").find(c) != std::string_view::npos;
}

void check_run_id(const std::string& run_id, Body& body) {
  if (run_id.empty() || run_id.size() > run_id_bytes_max ||
      !std::ranges::all_of(run_id, is_run_id_char)) {
    body.refuse(
        "string_pattern_mismatch", "dag_run_id",
        fmt::format("String should match pattern '^[A-Za-z0-9_.~:+-]{{1,{}}}$'", run_id_bytes_max));
  }
  for (std::string_view type : {"scheduled", "backfill", "asset_triggered"}) {
    if (!run_id.starts_with(fmt::format("{}__", type))) continue;
    body.refuse("value_error", "dag_run_id",
                fmt::format("Value error, A manual DAG run cannot use ID '{}' since it is reserved "
                            "for {} runs",
                            run_id, type));
  }
}

// Our runs stand for a moment, which is also their data interval: no other one can be given.
void check_interval(std::optional<int64_t> logical_ms, Body& body) {
  auto start = body.time_ms("data_interval_start");
  auto end = body.time_ms("data_interval_end");
  if (start.has_value() != end.has_value()) {
    body.refuse("value_error", start ? "data_interval_start" : "data_interval_end",
                "Value error, Either both data_interval_start and data_interval_end must be "
                "provided or both must be None");
  } else if (start && (start != logical_ms || end != logical_ms)) {
    body.refuse("value_error", "data_interval_start",
                "Value error, the data interval of a run is its logical date here",
                "leave data_interval_start and data_interval_end out");
  }
}

scheduler::TriggerRequest read_trigger(const std::string& dag_id, Body& body) {
  scheduler::TriggerRequest wanted{.dag_id = dag_id, .triggered_by = "rest_api"};
  body.require("logical_date",
               "send \"logical_date\": null for a run without a date, or a time with its zone, as "
               "2026-01-02T00:00:00Z");
  wanted.logical_ms = body.time_ms("logical_date");
  if (auto run_id = body.text("dag_run_id")) {
    check_run_id(*run_id, body);
    wanted.run_id = std::move(*run_id);
  }
  check_interval(wanted.logical_ms, body);
  wanted.run_after_ms = body.time_ms("run_after");
  if (const Json* conf = body.object("conf")) wanted.conf = codec::to_json(*conf);
  wanted.note = body.note().value_or("");
  body.only_without("partition_key", nullptr, "runs have no partitions here");
  body.finish();
  return wanted;
}

Answer answer_runs(const FoundRuns& found) {
  Json runs = Json::array();
  for (const DagRun& run : found.runs) runs.push(run_json(run));
  return answer_json(200,
                     Json::object({{"dag_runs", std::move(runs)}, {"total_entries", found.total}}));
}

}  // namespace

io::Task<Answer> Door::trigger(const http::Request& request) const {
  Issues issues;
  Body body(request, issues);
  scheduler::TriggerRequest wanted = read_trigger(request.param("dag_id"), body);
  if (!issues.empty()) co_return issues.answer();
  auto run = co_await options_.scheduler->trigger(std::move(wanted));
  if (!run) co_return answer_error(run.error());
  co_return answer_json(200, run_json(*run));
}

io::Task<Answer> Door::list_runs(const http::Request& request) const {
  Issues issues;
  Query query(request, issues);
  RunQuery wanted = read_run_query(query);
  query.finish();
  if (!issues.empty()) co_return issues.answer();
  const std::string& dag_id = request.param("dag_id");
  if (dag_id != "~") {
    auto dag = co_await options_.scheduler->dag(dag_id);
    if (!dag) co_return answer_error(dag.error());
    wanted.dag_ids = {dag_id};
  }
  auto found = co_await find_runs(*options_.scheduler, wanted);
  if (!found) co_return answer_error(found.error());
  co_return answer_runs(*found);
}

io::Task<Answer> Door::list_runs_by_body(const http::Request& request) const {
  if (request.param("dag_id") != "~") {
    co_return answer_detail(404, "the list by body is of all DAGs: /api/v2/dags/~/dagRuns/list");
  }
  Issues issues;
  Body body(request, issues);
  RunQuery wanted = read_run_query(body);
  body.finish();
  if (!issues.empty()) co_return issues.answer();
  auto found = co_await find_runs(*options_.scheduler, wanted);
  if (!found) co_return answer_error(found.error());
  co_return answer_runs(*found);
}

io::Task<Answer> Door::show_run(const http::Request& request) const {
  auto run =
      co_await options_.scheduler->find_run(request.param("dag_id"), request.param("run_id"));
  if (!run) co_return answer_error(run.error());
  co_return answer_json(200, run_json(*run));
}

io::Task<Answer> Door::change_run(const http::Request& request) const {
  Issues issues;
  Body body(request, issues);
  auto state = body.text("state");
  if (state && *state != "queued" && *state != "success" && *state != "failed") {
    body.refuse("enum", "state", "Input should be 'queued', 'success' or 'failed'");
  }
  auto note = body.note();
  body.finish();
  Query query(request, issues);
  std::vector<std::string> mask = query.texts("update_mask");
  for (const std::string& field : mask) {
    if (field == "state" || field == "note") continue;
    query.refuse("value_error", "update_mask", "Only `state` and `note` can be updated");
  }
  query.finish();
  if (!issues.empty()) co_return issues.answer();
  auto is_meant = [&](std::string_view field) {
    return mask.empty() || std::ranges::find(mask, field) != mask.end();
  };
  auto run =
      co_await options_.scheduler->find_run(request.param("dag_id"), request.param("run_id"));
  if (!run) co_return answer_error(run.error());
  if (note && is_meant("note") && *note != run->note) {
    Status done = co_await options_.scheduler->set_note(run->dag_id, run->run_id, *note);
    if (!done) co_return answer_error(done.error());
  }
  if (state && is_meant("state")) {
    Status done = co_await set_run_state(std::move(*run), *state);
    if (!done) co_return answer_error(done.error());
  }
  co_return co_await show_run(request);
}

io::Task<Answer> Door::delete_run(const http::Request& request) const {
  auto done =
      co_await options_.scheduler->delete_run(request.param("dag_id"), request.param("run_id"));
  if (!done) co_return answer_error(done.error());
  co_return Answer{.status = 204, .body = ""};
}

io::Task<Status> Door::set_run_state(DagRun run, std::string wanted) const {
  bool is_open = run.state == RunState::queued || run.state == RunState::running;
  if (wanted == name_of(run.state)) co_return Status{};
  if (wanted == "failed" && is_open) {
    co_return co_await options_.scheduler->cancel(run.dag_id, run.run_id);
  }
  if (wanted == "failed") {  // one that succeeded: its last tasks decide
    scheduler::Scheduler::MarkRequest mark;
    mark.dag_id = run.dag_id;
    mark.run_id = run.run_id;
    mark.state = scheduler::TaskState::failed;
    for (const scheduler::TaskRun& task : run.tasks) {
      if (task.state == scheduler::TaskState::success) mark.task_ids.push_back(task.task_id);
    }
    auto marked = co_await options_.scheduler->mark(std::move(mark));
    if (!marked) co_return marked.error();
    co_return Status{};
  }
  if (wanted == "success") {
    auto marked = co_await options_.scheduler->mark({.dag_id = run.dag_id, .run_id = run.run_id});
    if (!marked) co_return marked.error();
    co_return Status{};
  }
  if (is_open) {
    co_return Error(Code::conflict, "the run is under way already");
  }
  scheduler::Scheduler::ClearRequest again;
  again.dag_id = run.dag_id;
  again.run_id = run.run_id;
  again.only_failed = true;
  auto cleared = co_await options_.scheduler->clear(std::move(again));
  if (!cleared) co_return cleared.error();
  if (cleared->empty()) {
    co_return Error(Code::conflict, "nothing of this run has failed; clear the run to repeat it");
  }
  co_return Status{};
}

}  // namespace pinpipe::airflow
