#include "doors/airflow/door.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "base/check.h"
#include "base/hash.h"
#include "doors/airflow/input.h"
#include "doors/airflow/shapes.h"
#include "io/peer.h"

namespace pinpipe::airflow {

using codec::Json;

Door::Door(Options options) : options_(std::move(options)) {
  CHECK(options_.scheduler != nullptr && options_.clock != nullptr,
        "the Airflow door has a scheduler and a clock");
}

const std::vector<Door::Route>& Door::routes() {
  using enum Access;
  static const std::vector<Route> all{
      {"POST", "/auth/token", open, &Door::create_token},
      {"GET", "/auth/token", open, &Door::show_token},
      {"GET", "/api/v2/version", open, &Door::version},
      {"GET", "/api/v2/monitor/health", open, &Door::health},
      {"GET", "/api/v2/importErrors", read, &Door::list_import_errors},
      {"GET", "/api/v2/dagWarnings", read, &Door::nothing_known},
      {"GET", "/api/v2/pools", read, &Door::list_pools},
      {"GET", "/api/v2/variables", read, &Door::nothing_known},
      {"GET", "/api/v2/connections", read, &Door::nothing_known},
      {"GET", "/api/v2/dags", read, &Door::list_dags},
      {"GET", "/api/v2/dags/{dag_id}", read, &Door::show_dag},
      {"PATCH", "/api/v2/dags/{dag_id}", write, &Door::change_dag},
      {"GET", "/api/v2/dags/{dag_id}/details", read, &Door::show_dag_details},
      {"GET", "/api/v2/dags/{dag_id}/tasks", read, &Door::list_tasks},
      {"GET", "/api/v2/dags/{dag_id}/tasks/{task_id}", read, &Door::show_task},
      {"POST", "/api/v2/dags/{dag_id}/clearTaskInstances", write, &Door::clear_task_instances},
      {"GET", "/api/v2/dags/{dag_id}/dagRuns", read, &Door::list_runs},
      {"POST", "/api/v2/dags/{dag_id}/dagRuns", write, &Door::trigger},
      {"POST", "/api/v2/dags/{dag_id}/dagRuns/list", read, &Door::list_runs_by_body},
      {"GET", "/api/v2/dags/{dag_id}/dagRuns/{run_id}", read, &Door::show_run},
      {"PATCH", "/api/v2/dags/{dag_id}/dagRuns/{run_id}", write, &Door::change_run},
      {"DELETE", "/api/v2/dags/{dag_id}/dagRuns/{run_id}", write, &Door::delete_run},
      {"POST", "/api/v2/dags/{dag_id}/dagRuns/{run_id}/clear", write, &Door::clear_run},
      {"GET", "/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances", read,
       &Door::list_task_instances},
      {"GET", "/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}", read,
       &Door::show_task_instance},
      {"PATCH", "/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}", write,
       &Door::change_task_instance},
      {"PATCH", "/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/dry_run", write,
       &Door::would_change_task_instance},
      {"GET", "/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try}", read,
       &Door::show_log},
      {"GET", "/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries", read,
       &Door::list_xcoms},
  };
  return all;
}

// One route of the router per path, for all methods: so a wrong method is answered in our shape.
void Door::add_routes(http::Router& router) {
  std::map<std::string_view, std::vector<Route>> by_path;
  for (const Route& route : routes()) by_path[route.path].push_back(route);
  by_path["/api/v2/{rest...}"] = {};
  for (auto& [path, by_method] : by_path) {
    router.add("*", path, [this, by_method](http::Request& request, http::Response& response) {
      return serve(by_method, request, response);
    });
  }
}

io::Task<> Door::serve(const std::vector<Route>& by_method, http::Request& request,
                       http::Response& response) const {
  Answer given = co_await answer(by_method, request);
  response.set_body(given.status, given.content_type, std::move(given.body));
  if (!given.allow.empty()) response.headers.set("Allow", given.allow);
  if (given.status == 401) response.headers.set("WWW-Authenticate", "Bearer");
}

io::Task<Answer> Door::answer(const std::vector<Route>& by_method,
                              const http::Request& request) const {
  std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  auto found = std::ranges::find(by_method, method, &Route::method);
  if (by_method.empty()) co_return answer_detail(404, "Not Found");
  if (found == by_method.end()) {
    std::string allow;
    for (const Route& route : by_method) {
      allow += fmt::format("{}{}", allow.empty() ? "" : ", ", route.method);
    }
    Answer refusal = answer_detail(
        405, fmt::format("Method Not Allowed: pinpipe serves {} here, not {}", allow, method));
    refusal.allow = std::move(allow);
    co_return refusal;
  }
  if (!may(found->access, request)) {
    co_return answer_detail(
        401,
        "Not authenticated: this needs the token that `pinpipe env` prints (Authorization: Bearer "
        "…; POST /auth/token takes it as the password), or the local socket");
  }
  co_return co_await (this->*found->handler)(request);
}

bool Door::has_token(const http::Request& request) const {
  auto given = request.headers.find("authorization");
  return given && given->starts_with("Bearer ") &&
         equal_constant_time(given->substr(7), options_.token);
}

bool Door::may(Access access, const http::Request& request) const {
  if (access == Access::open || request.by_local_socket) return true;
  if (access == Access::read && io::is_loopback(request.peer)) return true;
  return has_token(request);
}

io::Task<Answer> Door::create_token(const http::Request& request) const {
  Issues issues;
  Body body(request, issues);
  body.require("username", "any name");
  body.require("password", "the token that `pinpipe env` prints");
  (void)body.text("username");
  std::string password = body.text("password").value_or("");
  body.finish();
  if (!issues.empty()) co_return issues.answer();
  if (!equal_constant_time(password, options_.token)) {
    co_return answer_detail(
        401, "Invalid credentials: the password is the token that `pinpipe env` prints");
  }
  co_return answer_json(201, Json::object({{"access_token", options_.token}}));
}

// Only who has shown authority already gets it: any web page can reach loopback.
io::Task<Answer> Door::show_token(const http::Request& request) const {
  if (!may(Access::write, request)) {
    co_return answer_detail(403,
                            "Tokens are not given away here: POST a username and, as the password, "
                            "the token that `pinpipe env` prints");
  }
  co_return answer_json(201, Json::object({{"access_token", options_.token}}));
}

io::Task<Answer> Door::version(const http::Request&) const {
  Json git = options_.git_version.empty() ? Json() : Json(options_.git_version);
  co_return answer_json(
      200, Json::object({{"version", options_.version}, {"git_version", std::move(git)}}));
}

// Healthy is what answers: the scheduler's loop with a round, the store with a page. There is no
// triggerer and no processor of DAG files, for which Airflow says null.
io::Task<Answer> Door::health(const http::Request&) const {
  auto round = co_await options_.scheduler->dag("");
  bool alive = round || round.error().code() == Code::not_found;
  scheduler::RunFilter first;
  first.limit = 1;
  auto stored = co_await options_.scheduler->list_runs(std::move(first));
  Json heartbeat = alive ? time_json(options_.clock->wall_ms()) : Json();
  auto word = [](bool good) { return good ? "healthy" : "unhealthy"; };
  co_return answer_json(
      200, Json::object(
               {{"metadatabase", Json::object({{"status", word(stored.has_value())}})},
                {"scheduler", Json::object({{"status", word(alive)},
                                            {"latest_scheduler_heartbeat", std::move(heartbeat)}})},
                {"triggerer",
                 Json::object({{"status", nullptr}, {"latest_triggerer_heartbeat", nullptr}})},
                {"dag_processor", Json::object({{"status", nullptr},
                                                {"latest_dag_processor_heartbeat", nullptr}})}}));
}

// Lists of what Airflow keeps and we do not: connections and variables are the project's files.
io::Task<Answer> Door::nothing_known(const http::Request& request) const {
  std::string_view path = request.path();
  std::string_view noun = path.substr(path.rfind('/') + 1);
  Json body = Json::object();
  body.set(noun == "dagWarnings" ? "dag_warnings" : noun, Json::array());
  body.set("total_entries", 0);
  co_return answer_json(200, body);
}

}  // namespace pinpipe::airflow
