// Clearing: tasks of a run go back to their beginning. Airflow's two calls say which by different
// bodies; both are a dry run unless told otherwise.
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

#include "doors/airflow/door.h"
#include "doors/airflow/input.h"
#include "doors/airflow/shapes.h"

namespace pinpipe::airflow {

using codec::Json;
using project::DagSpec;
using project::TaskSpec;
using scheduler::DagRun;
using scheduler::TaskRun;
using scheduler::TaskState;

namespace {

using Names = std::set<std::string>;

struct ClearWish {
  std::string run_id;
  Names task_ids;
  bool has_task_ids = false;
  bool upstream = false, downstream = false;
  bool only_failed = true, only_running = false;
  bool refuse_running = false;
  bool dry_run = true;
};

// Elements are a task's name, or its name and map index.
void read_task_ids(Body& body, ClearWish& wish) {
  const Json* given = body.raw("task_ids");
  if (given == nullptr) return;
  wish.has_task_ids = true;
  for (const Json& element : given->elements()) {
    bool is_pair = element.size() == 2 && element.elements()[1].as_int() == -1;
    auto name = is_pair ? element.elements()[0].as_string() : element.as_string();
    if (!name) return body.refuse("string_type", "task_ids", "Input should be names of tasks");
    wish.task_ids.emplace(*name);
  }
  if (!given->is_array()) body.refuse("list_type", "task_ids", "Input should be a valid list");
}

ClearWish read_wish(Body& body) {
  ClearWish wish;
  wish.dry_run = body.flag("dry_run", true);
  wish.only_failed = body.flag("only_failed", true);
  wish.only_running = body.flag("only_running", false);
  wish.upstream = body.flag("include_upstream", false);
  wish.downstream = body.flag("include_downstream", false);
  wish.refuse_running = body.flag("prevent_running_task", false);
  read_task_ids(body, wish);
  body.require("dag_run_id", "tasks are cleared in one run here: name it");
  if (auto run_id = body.text("dag_run_id")) {
    wish.run_id = *run_id;
  } else if (body.raw("dag_run_id") == nullptr) {
    body.refuse("value_error", "dag_run_id", "Value error, a run has to be named here");
  }
  std::string_view one_run = "tasks are cleared in the run that dag_run_id names";
  body.only_without("include_past", false, one_run);
  body.only_without("include_future", false, one_run);
  body.only_without("start_date", nullptr, one_run);
  body.only_without("end_date", nullptr, one_run);
  body.only_without("reset_dag_runs", true, "a run goes on when tasks of it are cleared");
  body.only_without("note", "", "a note is set by PATCH of the run");
  (void)body.raw(
      "run_on_latest_version");  // a run that has ended goes on with the DAG as it is now
  body.finish();
  return wish;
}

using Links = std::map<std::string, std::vector<std::string>, std::less<>>;

Names reached(const Names& from, const Links& links) {
  Names all = from;
  std::vector<std::string> open(from.begin(), from.end());
  while (!open.empty()) {
    std::string name = std::move(open.back());
    open.pop_back();
    auto next = links.find(name);
    if (next == links.end()) continue;
    for (const std::string& other : next->second) {
      if (all.insert(other).second) open.push_back(other);
    }
  }
  return all;
}

// The tasks that the body names or means, whatever their state.
Names candidates_of(const ClearWish& wish, const DagSpec& dag) {
  Links before, after;
  Names all;
  for (const TaskSpec& task : dag.tasks) {
    all.insert(task.id);
    before[task.id] = task.after;
    for (const std::string& earlier : task.after) after[earlier].push_back(task.id);
  }
  if (!wish.has_task_ids) return all;
  Names chosen = wish.task_ids;
  if (wish.upstream) chosen.merge(reached(wish.task_ids, before));
  if (wish.downstream) chosen.merge(reached(wish.task_ids, after));
  return chosen;
}

bool is_wanted(const ClearWish& wish, TaskState state) {
  bool failed = state == TaskState::failed || state == TaskState::upstream_failed;
  bool running = state == TaskState::running;
  if (wish.only_failed && wish.only_running) return failed || running;
  if (wish.only_failed) return failed;
  return !wish.only_running || running;
}

template <class List>
Answer answer_instances(const DagRun& run, const DagSpec& dag, const List& names) {
  TaskIndex specs = index_of(dag);
  Names wanted(names.begin(), names.end());
  Json tasks = Json::array();
  for (const TaskRun& task : run.tasks) {
    if (wanted.contains(task.task_id)) tasks.push(task_instance_json(run, task, specs));
  }
  size_t total = tasks.size();
  return answer_json(
      200, Json::object({{"task_instances", std::move(tasks)}, {"total_entries", total}}));
}

}  // namespace

io::Task<Answer> Door::clear_task_instances(const http::Request& request) const {
  Issues issues;
  Body body(request, issues);
  ClearWish wish = read_wish(body);
  if (!issues.empty()) co_return issues.answer();
  auto dag = co_await options_.scheduler->dag(request.param("dag_id"));
  if (!dag) co_return answer_error(dag.error());
  auto run = co_await options_.scheduler->find_run(request.param("dag_id"), wish.run_id);
  if (!run) co_return answer_error(run.error());
  Names candidates = candidates_of(wish, dag->spec);
  TaskIndex specs = index_of(dag->spec);
  for (const std::string& name : wish.task_ids) {
    if (specs.contains(name)) continue;
    co_return answer_detail(404, fmt::format("DAG {} has no task {}", dag->spec.id, name));
  }
  std::vector<std::string> chosen;
  for (const TaskRun& task : run->tasks) {
    if (!candidates.contains(task.task_id) || !is_wanted(wish, task.state)) continue;
    if (wish.refuse_running && task.state == TaskState::running) {
      co_return answer_detail(409, fmt::format("task {} is running", task.task_id));
    }
    chosen.push_back(task.task_id);
  }
  // To the scheduler an empty list means all tasks.
  if (wish.dry_run || chosen.empty()) co_return answer_instances(*run, dag->spec, chosen);
  scheduler::Scheduler::ClearRequest clear;
  clear.dag_id = run->dag_id;
  clear.run_id = run->run_id;
  clear.task_ids = chosen;
  clear.downstream = false;
  auto cleared = co_await options_.scheduler->clear(std::move(clear));
  if (!cleared) co_return answer_error(cleared.error());
  run = co_await options_.scheduler->find_run(run->dag_id, run->run_id);
  if (!run) co_return answer_error(run.error());
  co_return answer_instances(*run, dag->spec, *cleared);
}

io::Task<Answer> Door::clear_run(const http::Request& request) const {
  Issues issues;
  Body body(request, issues);
  scheduler::Scheduler::ClearRequest clear;
  clear.dag_id = request.param("dag_id");
  clear.run_id = request.param("run_id");
  clear.downstream = false;
  clear.dry_run = body.flag("dry_run", true);
  clear.only_failed = body.flag("only_failed", false);
  body.only_without("only_new", false, "a run that is cleared takes new tasks up by itself");
  body.only_without("note", "", "a note is set by PATCH of the run");
  (void)body.raw(
      "run_on_latest_version");  // a run that has ended goes on with the DAG as it is now
  body.finish();
  if (!issues.empty()) co_return issues.answer();
  bool dry_run = clear.dry_run;
  auto cleared = co_await options_.scheduler->clear(std::move(clear));
  if (!cleared) co_return answer_error(cleared.error());
  if (!dry_run) co_return co_await show_run(request);
  auto dag = co_await options_.scheduler->dag(request.param("dag_id"));
  if (!dag) co_return answer_error(dag.error());
  auto run =
      co_await options_.scheduler->find_run(request.param("dag_id"), request.param("run_id"));
  if (!run) co_return answer_error(run.error());
  co_return answer_instances(*run, dag->spec, *cleared);
}

}  // namespace pinpipe::airflow
