#include "scheduler/dag_export.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "codec/json.h"

namespace pinpipe::scheduler {
namespace {

using Via = DagExport::Via;

// JSON's strings are Python's.
std::string quoted(std::string_view text) {
  std::string out;
  codec::append_json_string(out, text);
  return out;
}

// What may become part of a name in Python.
std::string variable_of(std::string_view task) {
  std::string name = "task_";
  for (char c : task) name += c == '-' || c == '.' ? '_' : c;
  return name;
}

std::string schedule_of(const project::DagSpec& dag) {
  if (dag.schedule.empty() || dag.schedule == "none") return "None";
  if (!dag.schedule.starts_with("@every ")) return quoted(dag.schedule);
  std::string_view every = std::string_view(dag.schedule).substr(7);
  int64_t count = 0;
  std::from_chars(every.data(), every.data() + every.size(), count);
  std::string_view unit = every.ends_with('d')   ? "days"
                          : every.ends_with('h') ? "hours"
                          : every.ends_with('m') ? "minutes"
                                                 : "seconds";
  return fmt::format("timedelta({}={})", unit, count);
}

// "2026-01-02T06:00:00" as datetime(2026, 1, 2, 6), in the DAG's zone.
std::string start_of(const project::DagSpec& dag) {
  std::string text = dag.start_date.empty() ? "2024-01-01" : dag.start_date;
  std::string numbers;
  for (size_t at = 0; at < std::min<size_t>(text.size(), 19);) {
    int part = 0;
    auto read = std::from_chars(text.data() + at, text.data() + text.size(), part);
    numbers += fmt::format("{}{}", numbers.empty() ? "" : ", ", part);
    at = static_cast<size_t>(read.ptr - text.data()) + 1;
  }
  if (dag.timezone == "UTC") return fmt::format("datetime({})", numbers);
  return fmt::format("pendulum.datetime({}, tz={})", numbers, quoted(dag.timezone));
}

std::string imports_of(const project::DagSpec& dag, const DagExport& how) {
  bool three = how.flavor == 3;
  std::string text = how.via == Via::http ? "import json\n" : "";
  text += "from datetime import datetime, timedelta\n\n";
  if (dag.timezone != "UTC") text += "import pendulum\n";
  text += three ? "from airflow.sdk import DAG\n" : "from airflow import DAG\n";
  switch (how.via) {
    case Via::bash:
      text += three ? "from airflow.providers.standard.operators.bash import BashOperator\n"
                    : "from airflow.operators.bash import BashOperator\n";
      break;
    case Via::http:
      text +=
          "from airflow.exceptions import AirflowFailException\n"
          "from airflow.providers.http.operators.http import HttpOperator\n"
          "from airflow.providers.http.sensors.http import HttpSensor\n";
      break;
    case Via::databricks:
      text +=
          "from airflow.providers.databricks.operators.databricks import "
          "DatabricksSubmitRunOperator\n";
      break;
  }
  return text;
}

std::string head_of(const project::DagSpec& dag) {
  int retries = 0;
  int64_t delay_ms = 120'000;
  for (const project::TaskSpec& task : dag.tasks) {
    if (task.retries < retries) continue;
    retries = task.retries;
    delay_ms = task.retry_delay_ms;
  }
  std::vector<std::string> tags{quoted("pinpipe")};
  for (const std::string& tag : dag.tags) tags.push_back(quoted(tag));
  return fmt::format(
      "\nwith DAG(\n"
      "    dag_id={},\n"
      "    description={},\n"
      "    start_date={},\n"
      "    schedule={},\n"
      "    catchup={},\n"
      "    max_active_runs={},\n"
      "    tags=[{}],\n"
      "    default_args={{\"owner\": \"pinpipe\", \"retries\": {}, \"retry_delay\": "
      "timedelta(seconds={})}},\n"
      ") as dag:\n",
      quoted(dag.id), quoted(dag.description), start_of(dag), schedule_of(dag),
      dag.catchup ? "True" : "False", dag.max_active_runs, fmt::join(tags, ", "), retries,
      delay_ms / 1000);
}

std::string by_bash(const project::DagSpec& dag) {
  return fmt::format(
      "    # The worker needs `pinpipe` in its PATH, and PINPIPE_DATA with the data directory's "
      "path.\n"
      "    # Exit codes decide: 0 success, 1 a task failed, 6 not in time.\n"
      "    BashOperator(\n"
      "        task_id=\"run\",\n"
      "        bash_command='pinpipe --data \"$PINPIPE_DATA\" dag run --dag {} --wait '\n"
      "        '--timeout 3600 -o json',\n"
      "        append_env=True,\n"
      "    )\n",
      dag.id);
}

std::string by_http(const project::DagSpec& dag) {
  return fmt::format(
      "    # The connection pinpipe_default: type HTTP, host http://HOST, port 4580, password the "
      "token\n"
      "    # that `pinpipe env` prints.\n"
      "    headers = {{\n"
      "        \"Content-Type\": \"application/json\",\n"
      "        \"Authorization\": \"Bearer {{{{ conn.pinpipe_default.password }}}}\",\n"
      "    }}\n"
      "    # Each try makes a run of its own, whose name says which of Airflow's it stands for.\n"
      "    trigger = HttpOperator(\n"
      "        task_id=\"trigger\",\n"
      "        http_conn_id=\"pinpipe_default\",\n"
      "        method=\"POST\",\n"
      "        endpoint=\"api/v2/dags/{0}/dagRuns\",\n"
      "        headers=headers,\n"
      "        data=json.dumps({{\n"
      "            \"logical_date\": None,\n"
      "            \"dag_run_id\": \"airflow__{{{{ run_id }}}}__{{{{ ti.try_number }}}}\",\n"
      "        }}),\n"
      "        response_filter=lambda response: response.json()[\"dag_run_id\"],\n"
      "    )\n\n"
      "    def has_ended(response):\n"
      "        state = response.json()[\"state\"]\n"
      "        if state == \"failed\":\n"
      "            raise AirflowFailException(\"the run failed: \" + response.text)\n"
      "        return state == \"success\"\n\n"
      "    wait = HttpSensor(\n"
      "        task_id=\"wait\",\n"
      "        http_conn_id=\"pinpipe_default\",\n"
      "        endpoint=\"api/v2/dags/{0}/dagRuns/{{{{ ti.xcom_pull(task_ids='trigger') | "
      "urlencode "
      "}}}}\",\n"
      "        headers=headers,\n"
      "        response_check=has_ended,\n"
      "        poke_interval=5,\n"
      "        timeout=3600,\n"
      "    )\n"
      "    trigger >> wait\n",
      dag.id);
}

// A path that our notebooks map to the job.
Result<std::string> path_for(const std::string& job, const NotebookJobs& notebooks) {
  for (const project::Notebook& one : notebooks.notebooks) {
    if (one.job != job) continue;
    std::string path;
    for (char c : one.pattern) path += c == '*' ? std::string("pinpipe") : std::string(1, c);
    if (job_of_notebook(notebooks, path).job == job) return path;
  }
  if (job == notebooks.fallback) return "/pinpipe/" + job;
  return Error(Code::invalid,
               fmt::format("no notebook is mapped to job {}: name one under notebooks: "
                           "in pinpipe.yaml",
                           job));
}

Result<std::string> by_databricks(const project::DagSpec& dag, const NotebookJobs& notebooks) {
  std::string text =
      "    # The connection databricks_default: type Databricks, schema http, host HOST, port "
      "4580,\n"
      "    # password the token that `pinpipe env` prints. The paths are mapped to jobs there.\n";
  for (const project::TaskSpec& task : dag.tasks) {
    auto path = path_for(task.job, notebooks);
    if (!path) return path.error();
    std::string rule;
    if (task.trigger_rule != project::TriggerRule::all_success) {
      rule = fmt::format("        trigger_rule={},\n", quoted(name_of(task.trigger_rule)));
    }
    text += fmt::format(
        "    {} = DatabricksSubmitRunOperator(\n"
        "        task_id={},\n"
        "        databricks_conn_id=\"databricks_default\",\n"
        "        existing_cluster_id=\"pinpipe\",\n"
        "        notebook_task={{\"notebook_path\": {}}},\n"
        "        polling_period_seconds=5,\n{}"
        "    )\n",
        variable_of(task.id), quoted(task.id), quoted(*path), rule);
  }
  for (const project::TaskSpec& task : dag.tasks) {
    std::vector<std::string> before;
    for (const std::string& name : task.after) before.push_back(variable_of(name));
    if (before.empty()) continue;
    text += fmt::format("    [{}] >> {}\n", fmt::join(before, ", "), variable_of(task.id));
  }
  return text;
}

}  // namespace

Result<std::string> airflow_dag(const project::DagSpec& dag, const DagExport& how,
                                const NotebookJobs& notebooks) {
  std::string body;
  switch (how.via) {
    case Via::bash:
      body = by_bash(dag);
      break;
    case Via::http:
      body = by_http(dag);
      break;
    case Via::databricks: {
      auto text = by_databricks(dag, notebooks);
      if (!text) return text.error();
      body = std::move(*text);
      break;
    }
  }
  return fmt::format(
             "{} for Airflow {}: edit the project's files, not this one.\n"
             "# Airflow keeps the schedule: pause the DAG in pinpipe (pinpipe dag pause).\n",
             export_begin, how.flavor) +
         imports_of(dag, how) + head_of(dag) + body;
}

}  // namespace pinpipe::scheduler
