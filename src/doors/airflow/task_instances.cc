// Task instances and what they say.
#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

#include "doors/airflow/door.h"
#include "doors/airflow/input.h"
#include "doors/airflow/order.h"
#include "doors/airflow/shapes.h"

namespace pinpipe::airflow {

using codec::Json;
using scheduler::DagRun;
using scheduler::TaskRun;
using scheduler::TaskState;

namespace {

template <auto member>
bool before(const TaskRun& a, const TaskRun& b) {
  return a.*member < b.*member;
}

bool state_before(const TaskRun& a, const TaskRun& b) {
  return name_of(a.state) < name_of(b.state);
}

// The same for all: they stay as they are.
bool never_before(const TaskRun&, const TaskRun&) {
  return false;
}

constexpr std::array<OrderKey<TaskRun>, 6> keys{{
    {"task_id", before<&TaskRun::task_id>},
    {"map_index", never_before},
    {"start_date", before<&TaskRun::start_ms>},
    {"end_date", before<&TaskRun::end_ms>},
    {"try_number", before<&TaskRun::try_number>},
    {"state", state_before},
}};

const TaskRun* find_task(const DagRun& run, std::string_view task_id) {
  auto found = std::ranges::find(run.tasks, task_id, &TaskRun::task_id);
  return found == run.tasks.end() ? nullptr : &*found;
}

// `none` is Airflow's word for a task without a state.
std::vector<TaskState> read_states(Query& query) {
  std::vector<TaskState> states;
  for (const std::string& name : query.texts("state")) {
    if (auto state = scheduler::task_state_named(name)) {
      states.push_back(*state);
    } else if (name == "no_status") {
      states.push_back(TaskState::none);
    } else {
      query.refuse("enum", "state", "Input should be a state of tasks");
    }
  }
  return states;
}

// Tasks are not mapped here: -1 is the only index there is.
bool wants_mapped(Query& query) {
  return query.text("map_index").value_or("-1") != "-1";
}

Json log_lines(std::string_view text) {
  Json lines = Json::array();
  while (!text.empty()) {
    size_t end = text.find('\n');
    auto line = codec::parse_json(text.substr(0, end));
    if (line) lines.push(std::move(*line));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return lines;
}

Answer no_task(const http::Request& request) {
  return answer_detail(
      404, fmt::format("The Task Instance with dag_id: `{}`, run_id: `{}` and task_id: `{}` was "
                       "not found",
                       request.param("dag_id"), request.param("run_id"), request.param("task_id")));
}

}  // namespace

io::Task<Answer> Door::list_task_instances(const http::Request& request) const {
  Issues issues;
  Query query(request, issues);
  Page page = page_of(query);
  std::vector<TaskState> states = read_states(query);
  std::vector<std::string> order_by = query.texts("order_by");
  std::string pattern = query.text("task_display_name_pattern").value_or("~");
  query.finish();
  if (!issues.empty()) co_return issues.answer();
  if (request.param("dag_id") == "~" || request.param("run_id") == "~") {
    co_return answer_detail(400, "task instances are listed for one run here: ~ is not supported");
  }
  auto run =
      co_await options_.scheduler->find_run(request.param("dag_id"), request.param("run_id"));
  if (!run) co_return answer_error(run.error());
  auto dag = co_await options_.scheduler->dag(run->dag_id);
  if (!dag) co_return answer_error(dag.error());
  std::erase_if(run->tasks, [&](const TaskRun& task) {
    bool state_fits = states.empty() || std::ranges::find(states, task.state) != states.end();
    return !state_fits || !matches_pattern(task.task_id, pattern);
  });
  Status sorted = sort_by<TaskRun>(run->tasks, order_by, keys);
  if (!sorted) co_return answer_error(sorted.error());
  TaskIndex specs = index_of(dag->spec);
  Json tasks = Json::array();
  for (size_t i = static_cast<size_t>(page.offset);
       i < run->tasks.size() && tasks.size() < static_cast<size_t>(page.limit); ++i) {
    tasks.push(task_instance_json(*run, run->tasks[i], specs));
  }
  co_return answer_json(200, Json::object({{"task_instances", std::move(tasks)},
                                           {"total_entries", run->tasks.size()}}));
}

io::Task<Answer> Door::show_task_instance(const http::Request& request) const {
  auto run =
      co_await options_.scheduler->find_run(request.param("dag_id"), request.param("run_id"));
  if (!run) co_return answer_error(run.error());
  auto dag = co_await options_.scheduler->dag(run->dag_id);
  if (!dag) co_return answer_error(dag.error());
  const TaskRun* task = find_task(*run, request.param("task_id"));
  if (task == nullptr) co_return no_task(request);
  co_return answer_json(200, task_instance_json(*run, *task, index_of(dag->spec)));
}

io::Task<Answer> Door::change_task_instance(const http::Request& request) const {
  return mark_task(request, false);
}

io::Task<Answer> Door::would_change_task_instance(const http::Request& request) const {
  return mark_task(request, true);
}

io::Task<Answer> Door::mark_task(const http::Request& request, bool dry_run) const {
  Issues issues;
  Body body(request, issues);
  body.require("new_state", "success, failed or skipped");
  auto state = scheduler::task_state_named(body.text("new_state").value_or(""));
  bool known =
      state == TaskState::success || state == TaskState::failed || state == TaskState::skipped;
  if (!known) {
    body.refuse("value_error", "new_state",
                "Value error, new_state is not one of ['success', 'failed', 'skipped']");
  }
  for (std::string_view wide :
       {"include_upstream", "include_downstream", "include_future", "include_past"}) {
    body.only_without(wide, false, "one task of one run is marked at a time");
  }
  body.only_without("note", nullptr, "notes are of runs here: PATCH the run");
  body.finish();
  Query query(request, issues);
  (void)query.texts("update_mask");
  query.finish();
  if (!issues.empty()) co_return issues.answer();
  scheduler::Scheduler::MarkRequest mark;
  mark.dag_id = request.param("dag_id");
  mark.run_id = request.param("run_id");
  mark.task_ids = {request.param("task_id")};
  mark.state = *state;
  mark.dry_run = dry_run;
  auto marked = co_await options_.scheduler->mark(mark);
  if (!marked) co_return answer_error(marked.error());
  if (!dry_run && marked->empty()) {
    co_return answer_detail(409, fmt::format("Task id {} is already in {} state",
                                             request.param("task_id"), name_of(*state)));
  }
  auto run = co_await options_.scheduler->find_run(mark.dag_id, mark.run_id);
  if (!run) co_return answer_error(run.error());
  auto dag = co_await options_.scheduler->dag(mark.dag_id);
  if (!dag) co_return answer_error(dag.error());
  Json tasks = Json::array();
  for (const TaskRun& task : run->tasks) {
    if (std::ranges::find(*marked, task.task_id) == marked->end()) continue;
    tasks.push(task_instance_json(*run, task, index_of(dag->spec)));
  }
  size_t total = tasks.size();
  co_return answer_json(
      200, Json::object({{"task_instances", std::move(tasks)}, {"total_entries", total}}));
}

// A try's lines are few enough (TaskLog::try_bytes_max) to come at once: there is never a token to
// go on with.
io::Task<Answer> Door::show_log(const http::Request& request) const {
  Issues issues;
  Query query(request, issues);
  (void)query.flag("full_content");
  bool mapped = wants_mapped(query);
  if (query.text("token")) {
    query.refuse("value_error", "token",
                 "Bad Signature. Please use only the tokens provided by "
                 "the API.");
  }
  query.finish();
  if (!issues.empty()) co_return issues.answer();
  auto run =
      co_await options_.scheduler->find_run(request.param("dag_id"), request.param("run_id"));
  if (!run) co_return answer_error(run.error());
  const TaskRun* task = find_task(*run, request.param("task_id"));
  const std::string& digits = request.param("try");
  int try_number = 0;
  auto end = std::from_chars(digits.data(), digits.data() + digits.size(), try_number);
  bool is_number = end.ec == std::errc() && end.ptr == digits.data() + digits.size();
  if (task == nullptr || mapped) co_return no_task(request);
  if (!is_number || try_number < 1 || try_number > task->try_number) {
    co_return answer_detail(404, fmt::format("task {} has had {} tries: there is no try {}",
                                             task->task_id, task->try_number, digits));
  }
  auto text =
      co_await options_.scheduler->task_log(run->dag_id, run->run_id, task->task_id, try_number);
  if (!text) co_return answer_error(text.error());
  if (request.headers.lists("accept", "application/x-ndjson")) {
    co_return Answer{.body = std::move(*text), .content_type = "application/x-ndjson"};
  }
  co_return answer_json(
      200, Json::object({{"content", log_lines(*text)}, {"continuation_token", nullptr}}));
}

io::Task<Answer> Door::list_xcoms(const http::Request& request) const {
  auto run =
      co_await options_.scheduler->find_run(request.param("dag_id"), request.param("run_id"));
  if (!run) co_return answer_error(run.error());
  if (find_task(*run, request.param("task_id")) == nullptr) co_return no_task(request);
  co_return answer_json(200, Json::object({{"xcom_entries", Json::array()}, {"total_entries", 0}}));
}

}  // namespace pinpipe::airflow
