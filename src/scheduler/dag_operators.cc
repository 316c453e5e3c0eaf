// The operators a DAG file may use: those that start notebooks on Databricks, that start another
// DAG, and that do nothing. All others would run code that is not run here.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "scheduler/dag_reader.h"

namespace pinpipe::scheduler {
namespace {

using Kind = Value::Kind;

// Arguments of every operator that say nothing about when and whether it runs.
constexpr std::array<std::string_view, 24> harmless_of_all = {"owner",
                                                              "email",
                                                              "doc",
                                                              "doc_md",
                                                              "doc_json",
                                                              "doc_yaml",
                                                              "doc_rst",
                                                              "queue",
                                                              "weight_rule",
                                                              "priority_weight",
                                                              "do_xcom_push",
                                                              "task_display_name",
                                                              "start_date",
                                                              "executor",
                                                              "executor_config",
                                                              "run_as_user",
                                                              "multiple_outputs",
                                                              "inlets",
                                                              "outlets",
                                                              "resources",
                                                              "allow_nested_operators",
                                                              "max_active_tis_per_dag",
                                                              "map_index_template",
                                                              "logger_name"};

// Where a Databricks cluster comes from and how it is watched: there is none here.
constexpr std::array<std::string_view, 18> harmless_of_databricks = {"databricks_conn_id",
                                                                     "existing_cluster_id",
                                                                     "new_cluster",
                                                                     "libraries",
                                                                     "run_name",
                                                                     "polling_period_seconds",
                                                                     "databricks_retry_limit",
                                                                     "databricks_retry_delay",
                                                                     "databricks_retry_args",
                                                                     "wait_for_termination",
                                                                     "access_control_list",
                                                                     "git_source",
                                                                     "deferrable",
                                                                     "idempotency_token",
                                                                     "databricks_metadata_task_key",
                                                                     "job_cluster_key",
                                                                     "notebook_packages",
                                                                     "source"};

std::string reason_of(const std::string& callee) {
  if (callee.starts_with("Python") || callee.find("Python") != std::string::npos) {
    return "runs Python, which is not done here";
  }
  if (callee == "BashOperator" || callee == "SSHOperator") {
    return "runs a shell command, which is not done for a file that anybody may upload";
  }
  return "has nothing here that it could run";
}

}  // namespace

bool DagReader::is_operator(const std::string& callee) {
  return callee.ends_with("Operator") || callee.ends_with("Sensor");
}

void DagReader::fill_defaults(Arguments& arguments, const Value& default_args) {
  for (size_t i = 0; i + 1 < default_args.items.size(); i += 2) {
    const std::string& name = default_args.items[i].text;
    bool given =
        std::ranges::any_of(arguments.by_name, [&](const auto& one) { return one.first == name; });
    if (!given) arguments.by_name.emplace_back(name, default_args.items[i + 1]);
  }
}

std::optional<Value> DagReader::make_task(const std::string& callee, Arguments& arguments,
                                          int line) {
  TaskDraft draft;
  draft.line = line;
  if (!inside_.empty()) draft.dag = inside_.back();
  if (auto dag = arguments.take("dag"); dag && dag->kind == Kind::dag) {
    draft.dag = static_cast<size_t>(dag->number);
  }
  if (draft.dag) fill_defaults(arguments, dags_[*draft.dag].default_args);
  Asked asked{arguments, draft.dag, line, "task"};
  draft.spec.id = text(asked, "task_id", true).value_or("");
  asked.what = "task " + draft.spec.id;
  read_task_base(asked, draft.spec);
  if (callee == "DatabricksSubmitRunOperator" ||
      callee == "DatabricksSubmitRunDeferrableOperator") {
    read_submit(asked, draft.spec);
  } else if (callee == "DatabricksRunNowOperator" ||
             callee == "DatabricksRunNowDeferrableOperator") {
    read_run_now(asked, draft.spec);
  } else if (callee == "DatabricksNotebookOperator") {
    read_notebook(asked, draft.spec);
  } else if (callee == "EmptyOperator" || callee == "DummyOperator") {
    draft.spec.job = nothing_job;
  } else if (callee == "TriggerDagRunOperator") {
    read_trigger(asked, draft.spec);
  } else {
    refuse(draft.dag, line, fmt::format("{} {}", callee, reason_of(callee)));
    asked.arguments.by_name.clear();
  }
  std::set<std::string_view> harmless(harmless_of_all.begin(), harmless_of_all.end());
  if (callee.starts_with("Databricks")) {
    harmless.insert(harmless_of_databricks.begin(), harmless_of_databricks.end());
  }
  note_leftovers(asked, harmless);
  size_t index = tasks_.size();
  tasks_.push_back(std::move(draft));
  return Value{.kind = Kind::task, .number = static_cast<int64_t>(index), .line = line};
}

void DagReader::read_task_base(Asked& asked, project::TaskSpec& task) {
  constexpr int64_t retries_max = 1000;
  constexpr int64_t year_ms = 366LL * 86'400'000;
  if (auto retries = integer(asked, "retries")) {
    task.retries = static_cast<int>(std::min(*retries, retries_max));
  }
  if (auto delay = span_ms(asked, "retry_delay")) task.retry_delay_ms = std::min(*delay, year_ms);
  if (auto delay = span_ms(asked, "max_retry_delay")) {
    task.retry_delay_max_ms = std::min(*delay, year_ms);
  }
  task.exponential_backoff = boolean(asked, "retry_exponential_backoff").value_or(false);
  task.execution_timeout_ms = span_ms(asked, "execution_timeout").value_or(0);
  if (auto name = text(asked, "trigger_rule", true)) {
    auto rule = project::trigger_rule_named(*name);
    if (rule) {
      task.trigger_rule = *rule;
    } else {
      refuse(asked.dag, asked.line, fmt::format("\"{}\" is no trigger rule", *name));
    }
  }
  if (auto pool = text(asked, "pool", false); pool && *pool != "default_pool") task.pool = *pool;
  if (auto slots = integer(asked, "pool_slots")) {
    task.pool_slots = static_cast<int>(std::clamp<int64_t>(*slots, 1, 10'000));
  }
  for (std::string_view name : {"depends_on_past", "wait_for_downstream"}) {
    if (boolean(asked, name).value_or(false)) {
      warn(asked.line, fmt::format("{} is not followed: runs do not wait for earlier ones", name));
    }
  }
  if (auto params = take(asked, "params")) add_params(asked, task, *params);
}

void DagReader::use_notebook(Asked& asked, project::TaskSpec& task, const Value& path) {
  std::string written = path.text;
  if (path.kind != Kind::text) {
    wrong(asked, "notebook_path", path, "a text", false);
    written = "(not evaluated)";
  }
  NotebookJob job = job_of_notebook(jobs_, written);
  task.job = std::move(job.job);
  task.note = std::move(job.sentence);
  task.params["notebook_path"] = std::move(written);
}

void DagReader::add_params(Asked& asked, project::TaskSpec& task, const Value& params) {
  if (params.kind != Kind::dict) return wrong(asked, "parameters", params, "a dict", false);
  for (size_t i = 0; i + 1 < params.items.size(); i += 2) {
    auto json = params.items[i + 1].json();
    if (!json || params.items[i].kind != Kind::text) {
      wrong(asked, "parameters", params.items[i + 1], "plain values", false);
      continue;
    }
    auto plain = json->as_string();
    task.params[params.items[i].text] = plain ? std::string(*plain) : codec::to_json(*json);
  }
}

// The request's fields stand in `json` or are arguments of their own.
void DagReader::read_submit(Asked& asked, project::TaskSpec& task) {
  if (auto json = take(asked, "json")) {
    if (json->kind != Kind::dict) return wrong(asked, "json", *json, "a dict", true);
    for (size_t i = 0; i + 1 < json->items.size(); i += 2) {
      asked.arguments.by_name.emplace_back(json->items[i].text, json->items[i + 1]);
    }
  }
  if (auto timeout = integer(asked, "timeout_seconds"); timeout && *timeout > 0) {
    task.execution_timeout_ms = std::min<int64_t>(*timeout, 366LL * 86'400) * 1000;
  }
  if (auto tasks = take(asked, "tasks")) {
    bool one = tasks->kind == Kind::list && tasks->items.size() == 1 &&
               tasks->items.front().kind == Kind::dict;
    if (!one)
      return refuse(asked.dag, asked.line, "`tasks` of a submitted run: only one is read here");
    const Value& only = tasks->items.front();
    for (size_t i = 0; i + 1 < only.items.size(); i += 2) {
      if (only.items[i].text == "task_key") continue;
      asked.arguments.by_name.emplace_back(only.items[i].text, only.items[i + 1]);
    }
  }
  auto notebook = take(asked, "notebook_task");
  auto python = take(asked, "spark_python_task");
  const Value& what = notebook ? *notebook : python ? *python : Value();
  if (what.kind == Kind::unknown && (notebook || python)) {
    return wrong(asked, notebook ? "notebook_task" : "spark_python_task", what, "a dict", true);
  }
  const Value* path = what.find(notebook ? "notebook_path" : "python_file");
  if (path == nullptr) {
    return refuse(asked.dag, asked.line, "the submitted run has no notebook_path");
  }
  if (const Value* params = what.find("base_parameters")) add_params(asked, task, *params);
  use_notebook(asked, task, *path);
}

void DagReader::read_run_now(Asked& asked, project::TaskSpec& task) {
  if (auto json = take(asked, "json"); json && json->kind == Kind::dict) {
    for (size_t i = 0; i + 1 < json->items.size(); i += 2) {
      asked.arguments.by_name.emplace_back(json->items[i].text, json->items[i + 1]);
    }
  }
  auto id = take(asked, "job_id");
  auto name = take(asked, "job_name");
  const Value& which = name ? *name : id ? *id : Value();
  auto json = which.json();
  auto plain = json ? json->as_string() : std::nullopt;
  for (std::string_view params : {"notebook_params", "job_parameters"}) {
    if (auto given = take(asked, params)) add_params(asked, task, *given);
  }
  for (std::string_view unused : {"python_params", "jar_params", "spark_submit_params"}) {
    (void)take(asked, unused);
  }
  use_notebook(asked, task,
               {.kind = Kind::text,
                .text = "job:" + (plain  ? std::string(*plain)
                                  : json ? codec::to_json(*json)
                                         : "?"),
                .line = asked.line});
}

void DagReader::read_notebook(Asked& asked, project::TaskSpec& task) {
  if (auto params = take(asked, "notebook_params")) add_params(asked, task, *params);
  auto path = take(asked, "notebook_path");
  if (!path) return refuse(asked.dag, asked.line, "the task has no notebook_path");
  use_notebook(asked, task, *path);
}

void DagReader::read_trigger(Asked& asked, project::TaskSpec& task) {
  task.job = trigger_job;
  auto target = text(asked, "trigger_dag_id", true);
  if (!target) {
    if (asked.dag && !dags_[*asked.dag].refused) {
      refuse(asked.dag, asked.line, "the task has no trigger_dag_id");
    }
    return;
  }
  task.params[std::string(triggered_dag_param)] = *target;
  if (auto conf = take(asked, "conf")) {
    if (auto json = conf->json()) {
      task.params["conf"] = codec::to_json(*json);
    } else {
      wrong(asked, "conf", *conf, "plain values", false);
    }
  }
  if (boolean(asked, "wait_for_completion").value_or(false)) task.params["wait"] = "true";
  for (std::string_view unused :
       {"poke_interval", "reset_dag_run", "allowed_states", "failed_states", "deferrable"}) {
    (void)take(asked, unused);
  }
}

// What nobody asked for: said where it would have done something.
void DagReader::note_leftovers(const Asked& asked, const std::set<std::string_view>& harmless) {
  for (const auto& [name, value] : asked.arguments.by_name) {
    bool empty = value.kind == Kind::none || (value.kind == Kind::boolean && value.number == 0);
    if (harmless.contains(name) || empty) continue;
    bool callback = name.ends_with("_callback");
    warn(value.line != 0 ? value.line : asked.line,
         callback
             ? fmt::format("{} is Python and is not called; see `notify` in docs/dags.md", name)
             : fmt::format("{} of the {} is not followed", name, asked.what));
  }
}

}  // namespace pinpipe::scheduler
