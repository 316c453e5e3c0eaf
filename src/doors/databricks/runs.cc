// Runs and jobs in the words of Databricks.
#include <algorithm>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "doors/databricks/door.h"

namespace pinpipe::databricks {

using codec::Json;
using scheduler::DagRun;
using scheduler::RunState;
using scheduler::TaskRun;
using scheduler::TaskState;

namespace {

// A run's id is its number; that of its n-th task has n in the bits above. Both stay below 2^53,
// which JSON readers keep exact.
constexpr int64_t task_factor = int64_t{1} << 39;

// The same DAG has the same job id for ever.
int64_t job_id_of(std::string_view dag) {
  std::string digest = sha256(dag);
  int64_t id = 0;
  for (size_t i = 0; i < 6; ++i) id = id << 8 | static_cast<uint8_t>(digest[i]);
  return id;
}

std::string_view life_cycle_of(RunState state) {
  switch (state) {
    case RunState::queued:
      return "PENDING";
    case RunState::running:
      return "RUNNING";
    case RunState::success:
    case RunState::failed:
      return "TERMINATED";
  }
  return "INTERNAL_ERROR";
}

Json state_of(const DagRun& run) {
  Json state = Json::object({{"life_cycle_state", life_cycle_of(run.state)}});
  std::string message = run.note;
  for (const TaskRun& task : run.tasks) {
    if (task.state == TaskState::failed && !task.note.empty()) {
      message = fmt::format("task {}: {}", task.task_id, task.note);
      break;
    }
  }
  if (run.state == RunState::success) state.set("result_state", "SUCCESS");
  if (run.state == RunState::failed) {
    state.set("result_state", run.note == "cancelled" ? "CANCELED" : "FAILED");
  }
  state.set("state_message", message);
  return state;
}

Json state_of(const TaskRun& task) {
  std::string_view result;
  std::string_view life = "TERMINATED";
  switch (task.state) {
    case TaskState::success:
      result = "SUCCESS";
      break;
    case TaskState::failed:
      result = task.note == "cancelled" ? "CANCELED" : "FAILED";
      break;
    case TaskState::upstream_failed:
      result = "UPSTREAM_FAILED";
      break;
    case TaskState::skipped:
    case TaskState::removed:
      life = "SKIPPED";
      break;
    case TaskState::running:
    case TaskState::restarting:
      life = "RUNNING";
      break;
    case TaskState::up_for_retry:
      life = "WAITING_FOR_RETRY";
      break;
    case TaskState::none:
    case TaskState::scheduled:
    case TaskState::queued:
      life = "PENDING";
      break;
  }
  Json state = Json::object({{"life_cycle_state", life}, {"state_message", task.note}});
  if (!result.empty()) state.set("result_state", result);
  return state;
}

Json run_json(const DagRun& run, const http::Request& request) {
  Json tasks = Json::array();
  for (size_t i = 0; i < run.tasks.size(); ++i) {
    const TaskRun& task = run.tasks[i];
    tasks.push(Json::object({{"task_key", task.task_id},
                             {"run_id", run.number + static_cast<int64_t>(i + 1) * task_factor},
                             {"attempt_number", std::max(0, task.try_number - 1)},
                             {"start_time", task.start_ms},
                             {"end_time", task.end_ms},
                             {"state", state_of(task)}}));
  }
  auto conf = codec::parse_json(run.conf);
  auto name = conf ? (*conf)["run_name"].as_string() : std::nullopt;
  auto host = request.headers.find("host");
  return Json::object(
      {{"run_id", run.number},
       {"number_in_job", run.number},
       {"job_id", job_id_of(run.dag_id)},
       {"run_name", name ? std::string(*name) : run.run_id},
       {"run_type", run.dag_id == dag_id ? "SUBMIT_RUN" : "JOB_RUN"},
       {"run_page_url",
        fmt::format("http://{}/#/dags/{}/{}", host.value_or("localhost"), run.dag_id, run.run_id)},
       {"start_time", run.start_ms == 0 ? run.queued_ms : run.start_ms},
       {"end_time", run.end_ms},
       {"state", state_of(run)},
       {"tasks", std::move(tasks)}});
}

// The one thing to run, from the body itself or from the only element of `tasks`.
Result<const Json*> only_task(const Json& body) {
  const Json* tasks = body.find("tasks");
  if (tasks == nullptr) return &body;
  if (!tasks->is_array() || tasks->size() != 1) {
    return Error(Code::invalid,
                 "a submitted run has one task here; submit several runs, or define a "
                 "DAG with their order");
  }
  return &tasks->elements().front();
}

struct Wanted {
  std::string path;
  Json parameters = Json::object();
};

Result<Wanted> wanted_of(const Json& task) {
  Wanted wanted;
  const Json& notebook = task["notebook_task"];
  const Json& python = task["spark_python_task"];
  auto path = notebook.is_object() ? notebook["notebook_path"].as_string()
                                   : python["python_file"].as_string();
  if (!path) {
    return Error(Code::invalid,
                 "the run has neither notebook_task.notebook_path nor "
                 "spark_python_task.python_file; other kinds of tasks have nothing to run here");
  }
  wanted.path = *path;
  if (const Json* given = notebook.find("base_parameters")) wanted.parameters = *given;
  return wanted;
}

// As Databricks: the same token is the same run, for ever.
std::string run_id_of_token(std::string_view token) {
  return "submit__" + to_hex(sha256(token)).substr(0, 32);
}

}  // namespace

io::Task<Answer> Door::submit(const Call& call) const {
  auto task = only_task(call.given);
  if (!task) co_return answer_error(task.error());
  auto wanted = wanted_of(**task);
  if (!wanted) co_return answer_error(wanted.error());
  scheduler::TriggerRequest request;
  request.dag_id = std::string(dag_id);
  request.triggered_by = "operator";
  request.note = scheduler::job_of_notebook(options_.notebooks, wanted->path).sentence;
  auto timeout = call.given["timeout_seconds"].as_int().value_or(0);
  if (timeout > 0 && timeout < INT32_MAX) request.timeout_ms = timeout * 1000;
  request.conf = codec::to_json(
      Json::object({{std::string(path_key), wanted->path},
                    {"base_parameters", std::move(wanted->parameters)},
                    {"run_name", call.given["run_name"].as_string().value_or("Untitled")}}));
  auto token = call.given["idempotency_token"].as_string();
  if (token && !token->empty()) request.run_id = run_id_of_token(*token);
  std::string run_id = request.run_id;
  auto run = co_await options_.scheduler->trigger(std::move(request));
  bool known = !run && run.error().code() == Code::conflict && !run_id.empty();
  if (!run && !known) co_return answer_error(run.error());
  // Stored by now, so it has its number.
  run = co_await options_.scheduler->find_run(std::string(dag_id), known ? run_id : run->run_id);
  if (!run) co_return answer_error(run.error());
  Answer submitted{200, Json::object({{"run_id", run->number}})};
  co_return submitted;
}

io::Task<Answer> Door::run_now(const Call& call) const {
  auto dags = co_await options_.scheduler->list_dags();
  if (!dags) co_return answer_error(dags.error());
  auto id = call.given["job_id"].as_int();
  auto text_id = call.given["job_id"].as_string();  // Airflow's templates make texts of numbers
  auto name = call.given["job_name"].as_string();
  std::string dag;
  for (const scheduler::DagView& one : *dags) {
    int64_t number = job_id_of(one.spec.id);
    if (one.spec.id == dag_id) continue;
    if (id == number || text_id == std::to_string(number) || name == one.spec.id) dag = one.spec.id;
  }
  if (dag.empty()) {
    co_return answer_error(
        Error(Code::not_found,
              "Job does not exist: a job is a DAG here; GET /api/2.2/jobs/list names them"));
  }
  scheduler::TriggerRequest request;
  request.dag_id = dag;
  request.triggered_by = "operator";
  for (std::string_view params : {"notebook_params", "job_parameters"}) {
    const Json* given = call.given.find(params);
    if (given != nullptr && given->is_object()) request.conf = codec::to_json(*given);
  }
  auto token = call.given["idempotency_token"].as_string();
  if (token && !token->empty()) request.run_id = run_id_of_token(*token);
  std::string run_id = request.run_id;
  auto run = co_await options_.scheduler->trigger(std::move(request));
  bool known = !run && run.error().code() == Code::conflict && !run_id.empty();
  if (!run && !known) co_return answer_error(run.error());
  run = co_await options_.scheduler->find_run(dag, known ? run_id : run->run_id);
  if (!run) co_return answer_error(run.error());
  Answer started{200, Json::object({{"run_id", run->number}, {"number_in_job", run->number}})};
  co_return started;
}

io::Task<Result<Door::Found>> Door::find(const Call& call) const {
  auto id = call.given["run_id"].as_int();
  if (!id || *id < 1) co_return Error(Code::invalid, "Missing required field: run_id");
  auto run = co_await options_.scheduler->find_run_numbered(*id % task_factor);
  if (!run && run.error().code() == Code::not_found) {
    co_return Error(Code::not_found, fmt::format("Run {} does not exist.", *id));
  }
  if (!run) co_return run.error();
  Found found;
  auto task = static_cast<size_t>(*id / task_factor);
  if (task > run->tasks.size()) {
    co_return Error(Code::not_found, fmt::format("Run {} does not exist.", *id));
  }
  if (task > 0) found.task = task - 1;
  found.run = std::move(*run);
  co_return found;
}

io::Task<Answer> Door::get_run(const Call& call) const {
  auto found = co_await find(call);
  if (!found) co_return answer_error(found.error());
  Json json = run_json(found->run, call.request);
  if (found->task) {
    json.set("state", state_of(found->run.tasks[*found->task]));
    json.set("run_id", call.given["run_id"]);
  }
  Answer shown{200, std::move(json)};
  co_return shown;
}

// What a notebook would have returned: nothing, for none ran. The job's log stands in `logs`.
io::Task<Answer> Door::get_output(const Call& call) const {
  auto found = co_await find(call);
  if (!found) co_return answer_error(found.error());
  const DagRun& run = found->run;
  if (!found->task && run.tasks.size() > 1) {
    co_return answer_error(
        Error(Code::invalid,
              "Retrieving the output of runs with multiple tasks is not supported. Please "
              "retrieve the output of each individual task run instead."));
  }
  const TaskRun* task = run.tasks.empty() ? nullptr : &run.tasks[found->task.value_or(0)];
  Json output = Json::object({{"metadata", run_json(run, call.request)},
                              {"notebook_output", Json::object({{"truncated", false}})}});
  if (task != nullptr && task->try_number > 0) {
    auto log = co_await options_.scheduler->task_log(run.dag_id, run.run_id, task->task_id,
                                                     task->try_number);
    if (!log) co_return answer_error(log.error());
    output.set("logs", *log);
    output.set("logs_truncated", false);
    if (task->state == TaskState::failed) output.set("error", task->note);
  }
  Answer shown{200, std::move(output)};
  co_return shown;
}

io::Task<Answer> Door::cancel(const Call& call) const {
  auto found = co_await find(call);
  if (!found) co_return answer_error(found.error());
  Status done = co_await options_.scheduler->cancel(found->run.dag_id, found->run.run_id);
  // One that has ended is left as it is, as there.
  if (!done && done.error().code() != Code::conflict) co_return answer_error(done.error());
  co_return Answer();
}

io::Task<Answer> Door::cancel_all(const Call& call) const {
  auto id = call.given["job_id"].as_int();
  auto dags = co_await options_.scheduler->list_dags();
  if (!dags) co_return answer_error(dags.error());
  for (const scheduler::DagView& dag : *dags) {
    if (id != job_id_of(dag.spec.id)) continue;
    for (RunState state : {RunState::queued, RunState::running}) {
      scheduler::RunFilter filter;
      filter.dag_id = dag.spec.id;
      filter.state = state;
      filter.limit = scheduler::Scheduler::open_runs_max;
      auto page = co_await options_.scheduler->list_runs(filter);
      if (!page) co_return answer_error(page.error());
      for (const DagRun& run : page->runs) {
        Status done = co_await options_.scheduler->cancel(run.dag_id, run.run_id);
        if (!done && done.error().code() != Code::conflict) co_return answer_error(done.error());
      }
    }
    co_return Answer();
  }
  co_return answer_error(Error(Code::not_found, "Job does not exist."));
}

io::Task<Answer> Door::delete_run(const Call& call) const {
  auto found = co_await find(call);
  if (!found) co_return answer_error(found.error());
  Status done = co_await options_.scheduler->delete_run(found->run.dag_id, found->run.run_id);
  if (!done) co_return answer_error(done.error());
  co_return Answer();
}

// What failed runs again, in the same run.
io::Task<Answer> Door::repair(const Call& call) const {
  auto found = co_await find(call);
  if (!found) co_return answer_error(found.error());
  scheduler::Scheduler::ClearRequest again;
  again.dag_id = found->run.dag_id;
  again.run_id = found->run.run_id;
  again.only_failed = true;
  auto cleared = co_await options_.scheduler->clear(std::move(again));
  if (!cleared) co_return answer_error(cleared.error());
  if (cleared->empty()) {
    co_return answer_error(Error(Code::invalid, "nothing of this run has failed"));
  }
  Answer repaired{200, Json::object({{"repair_id", found->run.number}})};
  co_return repaired;
}

// Our DAGs as jobs, by name.
io::Task<Answer> Door::list_jobs(const Call& call) const {
  auto dags = co_await options_.scheduler->list_dags();
  if (!dags) co_return answer_error(dags.error());
  auto name = call.given["name"].as_string();
  Json jobs = Json::array();
  for (const scheduler::DagView& dag : *dags) {
    if (dag.spec.id == dag_id || (name && *name != dag.spec.id)) continue;
    Json settings =
        Json::object({{"name", dag.spec.id}, {"max_concurrent_runs", dag.spec.max_active_runs}});
    jobs.push(Json::object({{"job_id", job_id_of(dag.spec.id)},
                            {"creator_user_name", "pinpipe"},
                            {"settings", std::move(settings)}}));
  }
  Answer list{200, Json::object({{"jobs", std::move(jobs)}, {"has_more", false}})};
  co_return list;
}

}  // namespace pinpipe::databricks
