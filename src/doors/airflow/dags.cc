// DAGs and their tasks.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "doors/airflow/door.h"
#include "doors/airflow/input.h"
#include "doors/airflow/order.h"
#include "doors/airflow/shapes.h"

namespace pinpipe::airflow {

using codec::Json;
using scheduler::DagView;

namespace {

struct DagQuery {
  Page page;
  std::string pattern;
  std::string prefix;
  std::vector<std::string> tags;
  bool all_tags = false;
  std::optional<bool> paused;
  std::optional<bool> broken;
  std::vector<std::string> order_by;
};

DagQuery read_query(Query& query) {
  DagQuery wanted;
  wanted.page = page_of(query);
  wanted.pattern = query.text("dag_id_pattern").value_or("~");
  wanted.prefix = query.text("dag_id_prefix_pattern").value_or("");
  wanted.tags = query.texts("tags");
  std::string mode = query.text("tags_match_mode").value_or("any");
  wanted.all_tags = mode == "all";
  if (mode != "any" && mode != "all") {
    query.refuse("literal_error", "tags_match_mode", "Input should be 'any' or 'all'");
  }
  wanted.paused = query.flag("paused");
  wanted.broken = query.flag("has_import_errors");
  (void)query.flag("exclude_stale");  // every DAG that is listed is defined
  wanted.order_by = query.texts("order_by");
  query.finish();
  return wanted;
}

bool matches(const DagView& dag, const DagQuery& wanted) {
  const std::string& id = dag.spec.id;
  if (!matches_pattern(id, wanted.pattern) || !id.starts_with(wanted.prefix)) return false;
  if (wanted.paused && *wanted.paused != dag.paused) return false;
  if (wanted.broken && *wanted.broken == dag.problem.empty()) return false;
  auto has_tag = [&](const std::string& tag) {
    return std::ranges::find(dag.spec.tags, tag) != dag.spec.tags.end();
  };
  if (wanted.tags.empty()) return true;
  return wanted.all_tags ? std::ranges::all_of(wanted.tags, has_tag)
                         : std::ranges::any_of(wanted.tags, has_tag);
}

bool id_before(const DagView& a, const DagView& b) {
  return a.spec.id < b.spec.id;
}

// What is never due comes last.
bool due_before(const DagView& a, const DagView& b) {
  return a.next_ms.value_or(INT64_MAX) < b.next_ms.value_or(INT64_MAX);
}

constexpr std::array<OrderKey<DagView>, 3> keys{
    {{"dag_id", id_before}, {"dag_display_name", id_before}, {"next_dagrun", due_before}}};

}  // namespace

io::Task<Answer> Door::list_dags(const http::Request& request) const {
  Issues issues;
  Query query(request, issues);
  DagQuery wanted = read_query(query);
  if (!issues.empty()) co_return issues.answer();
  auto dags = co_await options_.scheduler->list_dags();
  if (!dags) co_return answer_error(dags.error());
  std::erase_if(*dags, [&](const DagView& dag) { return !matches(dag, wanted); });
  Status sorted = sort_by<DagView>(*dags, wanted.order_by, keys);
  if (!sorted) co_return answer_error(sorted.error());
  Json page = Json::array();
  for (size_t i = static_cast<size_t>(wanted.page.offset);
       i < dags->size() && page.size() < static_cast<size_t>(wanted.page.limit); ++i) {
    page.push(dag_json((*dags)[i]));
  }
  co_return answer_json(200,
                        Json::object({{"dags", std::move(page)}, {"total_entries", dags->size()}}));
}

io::Task<Answer> Door::show_dag(const http::Request& request) const {
  auto dag = co_await options_.scheduler->dag(request.param("dag_id"));
  if (!dag) co_return answer_error(dag.error());
  co_return answer_json(200, dag_json(*dag));
}

io::Task<Answer> Door::show_dag_details(const http::Request& request) const {
  auto dag = co_await options_.scheduler->dag(request.param("dag_id"));
  if (!dag) co_return answer_error(dag.error());
  co_return answer_json(200, dag_details_json(*dag));
}

io::Task<Answer> Door::change_dag(const http::Request& request) const {
  Issues issues;
  Body body(request, issues);
  body.require("is_paused", "");
  bool paused = body.flag("is_paused", false);
  body.finish();
  Query query(request, issues);
  for (const std::string& field : query.texts("update_mask")) {
    if (field == "is_paused") continue;
    query.refuse("value_error", "update_mask", "Only `is_paused` field can be updated");
  }
  query.finish();
  if (!issues.empty()) co_return issues.answer();
  Status done = co_await options_.scheduler->set_paused(request.param("dag_id"), paused);
  if (!done) co_return answer_error(done.error());
  co_return co_await show_dag(request);
}

io::Task<Answer> Door::list_tasks(const http::Request& request) const {
  Issues issues;
  Query query(request, issues);
  std::string order_by = query.text("order_by").value_or("task_id");
  if (order_by != "task_id" && order_by != "-task_id") {
    query.refuse("value_error", "order_by", "Only task_id and -task_id order tasks here");
  }
  query.finish();
  if (!issues.empty()) co_return issues.answer();
  auto dag = co_await options_.scheduler->dag(request.param("dag_id"));
  if (!dag) co_return answer_error(dag.error());
  std::ranges::sort(dag->spec.tasks, {}, &project::TaskSpec::id);
  if (order_by.starts_with('-')) std::ranges::reverse(dag->spec.tasks);
  Json tasks = tasks_json(dag->spec);
  size_t total = tasks.size();
  co_return answer_json(200, Json::object({{"tasks", std::move(tasks)}, {"total_entries", total}}));
}

io::Task<Answer> Door::show_task(const http::Request& request) const {
  auto dag = co_await options_.scheduler->dag(request.param("dag_id"));
  if (!dag) co_return answer_error(dag.error());
  Json tasks = tasks_json(dag->spec);
  for (const Json& task : tasks.elements()) {
    if (task["task_id"] == Json(request.param("task_id"))) co_return answer_json(200, task);
  }
  co_return answer_detail(404,
                          fmt::format("Task with id {} was not found", request.param("task_id")));
}

// What of the DAG files was not taken, and the DAGs whose schedules cannot be followed.
io::Task<Answer> Door::list_import_errors(const http::Request& request) const {
  Issues issues;
  Query query(request, issues);
  Page page = page_of(query);
  std::string pattern = query.text("filename_pattern").value_or("~");
  query.finish();
  if (!issues.empty()) co_return issues.answer();
  auto dags = co_await options_.scheduler->list_dags();
  if (!dags) co_return answer_error(dags.error());
  auto files = co_await options_.scheduler->files();
  if (!files) co_return answer_error(files.error());
  std::vector<ImportError> all;
  for (const scheduler::DagFileView& file : *files) {
    for (const scheduler::DagFileProblem& one : file.problems) {
      if (!one.refused) continue;
      all.push_back({file.name, fmt::format("line {}: {}", one.line, one.sentence), file.read_ms});
    }
  }
  for (const DagView& dag : *dags) {
    if (dag.problem.empty()) continue;
    all.push_back({dag.spec.file, fmt::format("DAG {}: {}", dag.spec.id, dag.problem),
                   options_.clock->wall_ms()});
  }
  Json errors = Json::array();
  int64_t total = 0;
  for (const ImportError& one : all) {
    if (!matches_pattern(one.file, pattern)) continue;
    ++total;
    if (total <= page.offset || total > page.offset + page.limit) continue;
    errors.push(import_error_json(one, total));
  }
  co_return answer_json(
      200, Json::object({{"import_errors", std::move(errors)}, {"total_entries", total}}));
}

io::Task<Answer> Door::list_pools(const http::Request& request) const {
  Issues issues;
  Query query(request, issues);
  Page page = page_of(query);
  std::string pattern = query.text("pool_name_pattern").value_or("~");
  query.finish();
  if (!issues.empty()) co_return issues.answer();
  auto pools = co_await options_.scheduler->pools();
  if (!pools) co_return answer_error(pools.error());
  std::erase_if(*pools, [&](const scheduler::PoolView& pool) {
    return !matches_pattern(pool.name, pattern);
  });
  Json list = Json::array();
  for (size_t i = static_cast<size_t>(page.offset);
       i < pools->size() && list.size() < static_cast<size_t>(page.limit); ++i) {
    list.push(pool_json((*pools)[i]));
  }
  co_return answer_json(
      200, Json::object({{"pools", std::move(list)}, {"total_entries", pools->size()}}));
}

}  // namespace pinpipe::airflow
