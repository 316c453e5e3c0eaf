#include "doors/airflow/shapes.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"

namespace pinpipe::airflow {

using codec::Json;

namespace {

constexpr std::string_view owner = "pinpipe";

// A moment of ours: 0 is not yet.
Json moment(int64_t at_ms) {
  return at_ms == 0 ? Json() : time_json(at_ms);
}

Json text_or_null(std::string_view text) {
  return text.empty() ? Json() : Json(text);
}

Json seconds_between(int64_t start_ms, int64_t end_ms) {
  if (start_ms == 0 || end_ms == 0) return {};
  return static_cast<double>(end_ms - start_ms) / 1000;
}

Json time_delta(int64_t ms) {
  return Json::object({{"__type", "TimeDelta"},
                       {"days", ms / 86'400'000},
                       {"seconds", ms % 86'400'000 / 1000},
                       {"microseconds", ms % 1000 * 1000}});
}

Json params_json(const project::Params& params) {
  Json json = Json::object();
  for (const auto& [name, value] : params) {
    json.set(name, Json::object(
                       {{"value", value}, {"schema", Json::object()}, {"description", nullptr}}));
  }
  return json;
}

// The same task instance has the same id for ever.
std::string stable_id(const scheduler::DagRun& run, std::string_view task_id) {
  std::string digest = sha256(fmt::format("{}\n{}\n{}", run.dag_id, run.run_id, task_id));
  Uuid id;
  std::copy_n(digest.begin(), id.bytes.size(), id.bytes.begin());
  id.bytes[6] = static_cast<uint8_t>((id.bytes[6] & 0x0f) | 0x80);  // version 8: our own making
  id.bytes[8] = static_cast<uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id.text();
}

// With interval dates a scheduled run is due at the end of its interval; otherwise that is no
// longer than a moment.
std::optional<int64_t> interval_end(const scheduler::DagRun& run) {
  if (run.type == scheduler::RunType::scheduled) return run.run_after_ms;
  return run.logical_ms;
}

Json triggered_by(const scheduler::DagRun& run) {
  if (run.triggered_by == "api") return "rest_api";
  for (std::string_view known : {"cli", "operator", "rest_api", "ui", "test", "timetable"}) {
    if (run.triggered_by == known) return known;
  }
  return {};
}

void add_schedule(const project::DagSpec& spec, Json& json) {
  bool by_hand = spec.schedule.empty();
  bool once = spec.schedule == "@once";
  json.set("timetable_summary", by_hand ? "None" : spec.schedule);
  json.set("timetable_description", by_hand ? Json("Never, external triggers only")
                                    : once  ? Json("Once, as soon as possible")
                                            : Json());
  json.set("timetable_periodic", !by_hand && !once);
  json.set("timetable_partitioned", false);
}

Json task_json(const project::TaskSpec& task, Json downstream) {
  return Json::object({
      {"task_id", task.id},
      {"task_display_name", task.id},
      {"owner", owner},
      {"start_date", nullptr},
      {"end_date", nullptr},
      {"trigger_rule", name_of(task.trigger_rule)},
      {"depends_on_past", false},
      {"wait_for_downstream", false},
      {"retries", task.retries},
      {"queue", nullptr},
      {"pool", "default_pool"},
      {"pool_slots", 1},
      {"execution_timeout",
       task.execution_timeout_ms == 0 ? Json() : time_delta(task.execution_timeout_ms)},
      {"retry_delay", time_delta(task.retry_delay_ms)},
      {"retry_exponential_backoff", task.exponential_backoff ? 2 : 0},
      {"priority_weight", 1},
      {"weight_rule", nullptr},
      {"ui_color", nullptr},
      {"ui_fgcolor", nullptr},
      {"template_fields", Json::array()},
      {"downstream_task_ids", std::move(downstream)},
      {"doc_md", nullptr},
      {"operator_name", task.job},
      {"params", params_json(task.params)},
      {"class_ref", Json::object({{"module_path", nullptr}, {"class_name", task.job}})},
      {"is_mapped", false},
      {"extra_links", Json::array()},
  });
}

}  // namespace

Json time_json(std::optional<int64_t> at_ms) {
  return at_ms ? Json(to_rfc3339(*at_ms)) : Json();
}

TaskIndex index_of(const project::DagSpec& dag) {
  TaskIndex index;
  for (const project::TaskSpec& task : dag.tasks) index.emplace(task.id, &task);
  return index;
}

Json dag_json(const scheduler::DagView& dag) {
  const project::DagSpec& spec = dag.spec;
  Json tags = Json::array();
  for (const std::string& tag : spec.tags) {
    tags.push(Json::object({{"name", tag}, {"dag_id", spec.id}, {"dag_display_name", spec.id}}));
  }
  Json json = Json::object({
      {"dag_id", spec.id},
      {"dag_display_name", spec.id},
      {"is_paused", dag.paused},
      {"is_stale", false},
      {"last_parsed_time", nullptr},
      {"last_parse_duration", nullptr},
      {"last_expired", nullptr},
      {"bundle_name", nullptr},
      {"bundle_version", nullptr},
      {"relative_fileloc", spec.file},
      {"fileloc", spec.file},
      {"file_token", to_hex(sha256(spec.file))},
      {"description", text_or_null(spec.description)},
  });
  add_schedule(spec, json);
  json.set("tags", std::move(tags));
  json.set("owners", Json::array({owner}));
  json.set("allowed_run_types", nullptr);
  json.set("is_backfillable", false);
  json.set("max_active_tasks", spec.max_active_tasks);
  json.set("max_active_runs", spec.max_active_runs);
  json.set("max_consecutive_failed_dag_runs", 0);
  json.set("has_task_concurrency_limits", false);
  json.set("has_import_errors", !dag.problem.empty());
  // A run stands for the moment it is due: its data interval is that moment.
  for (std::string_view name : {"next_dagrun_logical_date", "next_dagrun_data_interval_start",
                                "next_dagrun_data_interval_end", "next_dagrun_run_after"}) {
    json.set(name, time_json(dag.next_ms));
  }
  return json;
}

Json dag_details_json(const scheduler::DagView& dag) {
  const project::DagSpec& spec = dag.spec;
  Json json = dag_json(dag);
  json.set("catchup", spec.catchup);
  json.set("dag_run_timeout",
           spec.run_timeout_ms == 0
               ? Json()
               : Json(fmt::format("PT{}S", static_cast<double>(spec.run_timeout_ms) / 1000)));
  json.set("asset_expression", nullptr);
  json.set("doc_md", nullptr);
  // The zone of a start date is the DAG's; only UTC needs no table of zones to say which moment.
  bool utc_start = !spec.start_date.empty() && spec.timezone == "UTC";
  std::string clock_part = spec.start_date.find('T') == std::string::npos ? "T00:00:00Z" : "Z";
  json.set("start_date",
           utc_start ? time_json(from_rfc3339(spec.start_date + clock_part)) : Json());
  json.set("end_date", nullptr);
  json.set("is_paused_upon_creation", nullptr);
  json.set("params", params_json(spec.params));
  json.set("render_template_as_native_obj", false);
  json.set("template_search_path", nullptr);
  json.set("timezone", spec.timezone);
  json.set("last_parsed", nullptr);
  json.set("default_args", Json::object());
  json.set("owner_links", Json::object());
  json.set("is_favorite", false);
  json.set("active_runs_count", dag.open_runs);
  json.set("latest_dag_version", nullptr);
  json.set("concurrency", spec.max_active_tasks);
  return json;
}

Json run_json(const scheduler::DagRun& run) {
  auto conf = codec::parse_json(run.conf);
  return Json::object({
      {"dag_run_id", run.run_id},
      {"dag_id", run.dag_id},
      {"dag_display_name", run.dag_id},
      {"logical_date", time_json(run.logical_ms)},
      {"queued_at", moment(run.queued_ms)},
      {"start_date", moment(run.start_ms)},
      {"end_date", moment(run.end_ms)},
      {"duration", seconds_between(run.start_ms, run.end_ms)},
      {"data_interval_start", time_json(run.logical_ms)},
      {"data_interval_end", time_json(interval_end(run))},
      {"run_after", time_json(run.run_after_ms)},
      {"last_scheduling_decision", nullptr},
      {"run_type", name_of(run.type)},
      {"state", name_of(run.state)},
      {"triggered_by", triggered_by(run)},
      {"triggering_user_name", nullptr},
      {"conf", conf ? std::move(*conf) : Json()},
      {"note", text_or_null(run.note)},
      {"dag_versions", Json::array()},
      {"bundle_version", nullptr},
      {"partition_key", nullptr},
      {"partition_date", nullptr},
  });
}

Json task_instance_json(const scheduler::DagRun& run, const scheduler::TaskRun& task,
                        const TaskIndex& specs) {
  auto found = specs.find(task.task_id);
  const project::TaskSpec* spec = found == specs.end() ? nullptr : found->second;
  bool stateless = task.state == scheduler::TaskState::none;
  Json job = spec == nullptr ? Json() : Json(spec->job);
  Json rendered = Json::object();
  if (spec != nullptr && !spec->params.empty()) {
    Json params = Json::object();
    for (const auto& [name, value] : spec->params) params.set(name, value);
    rendered.set("params", std::move(params));
  }
  return Json::object({
      {"id", stable_id(run, task.task_id)},
      {"task_id", task.task_id},
      {"task_display_name", task.task_id},
      {"dag_id", run.dag_id},
      {"dag_display_name", run.dag_id},
      {"dag_run_id", run.run_id},
      {"map_index", -1},
      {"logical_date", time_json(run.logical_ms)},
      {"run_after", time_json(run.run_after_ms)},
      {"start_date", moment(task.start_ms)},
      {"end_date", moment(task.end_ms)},
      {"duration", seconds_between(task.start_ms, task.end_ms)},
      {"state", stateless ? Json() : Json(name_of(task.state))},
      {"try_number", task.try_number},
      {"max_tries", task.tries_max - 1},
      {"hostname", nullptr},
      {"unixname", nullptr},
      {"pool", "default_pool"},
      {"pool_slots", 1},
      {"queue", nullptr},
      {"priority_weight", nullptr},
      {"operator", job},
      {"operator_name", job},
      {"queued_when", moment(task.queued_ms)},
      {"scheduled_when", moment(task.queued_ms)},
      {"pid", nullptr},
      {"executor", nullptr},
      {"executor_config", "{}"},
      {"note", text_or_null(task.note)},
      {"rendered_map_index", nullptr},
      {"rendered_fields", std::move(rendered)},
      {"trigger", nullptr},
      {"triggerer_job", nullptr},
      {"dag_version", nullptr},
  });
}

Json tasks_json(const project::DagSpec& dag) {
  std::map<std::string_view, Json> downstream;
  for (const project::TaskSpec& task : dag.tasks) {
    for (const std::string& earlier : task.after) downstream[earlier].push(task.id);
  }
  Json tasks = Json::array();
  for (const project::TaskSpec& task : dag.tasks) {
    Json after = std::move(downstream[task.id]);
    tasks.push(task_json(task, after.is_null() ? Json::array() : std::move(after)));
  }
  return tasks;
}

Json import_error_json(const ImportError& error, int64_t number) {
  return Json::object({{"import_error_id", number},
                       {"timestamp", time_json(error.at_ms)},
                       {"filename", error.file},
                       {"bundle_name", nullptr},
                       {"stack_trace", error.text}});
}

Json pool_json(const scheduler::PoolView& pool) {
  return Json::object({{"name", pool.name},
                       {"slots", pool.slots},
                       {"description", nullptr},
                       {"include_deferred", false},
                       {"occupied_slots", pool.used},
                       {"running_slots", pool.used},
                       {"queued_slots", 0},
                       {"scheduled_slots", 0},
                       {"open_slots", pool.slots - pool.used},
                       {"deferred_slots", 0}});
}

}  // namespace pinpipe::airflow
