#include "doors/databricks/door.h"

#include <charconv>
#include <fmt/format.h>

#include "base/check.h"
#include "base/hash.h"
#include "codec/percent.h"

namespace pinpipe::databricks {

using codec::Json;

project::DagSpec dag_of_submitted_runs() {
  project::DagSpec dag;
  dag.id = dag_id;
  dag.description = "runs submitted through the Databricks Jobs API";
  dag.file = "(Databricks Jobs API)";
  dag.max_active_runs = 100;
  dag.tags = {"databricks"};
  project::TaskSpec task;
  task.id = "notebook";
  task.job = notebook_job;
  dag.tasks.push_back(std::move(task));
  return dag;
}

Answer answer_error(const Error& error) {
  auto shaped = [&](int status, std::string_view code) {
    return Answer{status, Json::object({{"error_code", code}, {"message", error.text()}})};
  };
  switch (error.code()) {
    case Code::not_found:
    case Code::invalid:
      return shaped(400, "INVALID_PARAMETER_VALUE");  // also for a run that there is not, as there
    case Code::denied:
      return shaped(403, "PERMISSION_DENIED");
    case Code::conflict:
      return shaped(409, "RESOURCE_CONFLICT");
    case Code::busy:
      return shaped(429, "RESOURCE_EXHAUSTED");
    case Code::timeout:
    case Code::unavailable:
    case Code::cancelled:
      return shaped(503, "TEMPORARILY_UNAVAILABLE");
    case Code::corrupt:
    case Code::internal:
      return shaped(500, "INTERNAL_ERROR");
  }
  return shaped(500, "INTERNAL_ERROR");
}

Door::Door(Options options) : options_(std::move(options)) {
  CHECK(options_.scheduler != nullptr, "the Databricks door has a scheduler");
}

void Door::add(http::Router& router, std::string_view method, std::string_view path,
               Handler handler) {
  for (std::string_view version : {"2.0", "2.1", "2.2"}) {
    router.add(method, fmt::format("/api/{}/{}", version, path),
               [this, handler](http::Request& request, http::Response& response) -> io::Task<> {
                 Answer given = co_await answer(request, handler);
                 response.set_json(given.status, codec::to_json(given.body));
               });
  }
}

void Door::add_routes(http::Router& router) {
  add(router, "POST", "jobs/runs/submit", &Door::submit);
  add(router, "POST", "jobs/run-now", &Door::run_now);
  add(router, "GET", "jobs/runs/get", &Door::get_run);
  add(router, "GET", "jobs/runs/get-output", &Door::get_output);
  add(router, "POST", "jobs/runs/cancel", &Door::cancel);
  add(router, "POST", "jobs/runs/cancel-all", &Door::cancel_all);
  add(router, "POST", "jobs/runs/delete", &Door::delete_run);
  add(router, "POST", "jobs/runs/repair", &Door::repair);
  add(router, "GET", "jobs/list", &Door::list_jobs);
  add(router, "GET", "clusters/spark-versions", &Door::spark_versions);
  add(router, "GET", "clusters/get", &Door::get_cluster);
  add(router, "*", "{rest...}", nullptr);
}

bool Door::may(const http::Request& request) const {
  if (request.by_local_socket) return true;
  auto given = request.headers.find("authorization");
  return given && given->starts_with("Bearer ") &&
         equal_constant_time(given->substr(7), options_.token);
}

io::Task<Answer> Door::answer(const http::Request& request, Handler handler) const {
  if (!may(request)) {
    co_return answer_error(
        Error(Code::denied,
              "Invalid access token: the connection's password is the token that "
              "`pinpipe env` prints"));
  }
  if (handler == nullptr) {
    Answer unknown{404, Json::object({{"error_code", "ENDPOINT_NOT_FOUND"},
                                      {"message", fmt::format("No API found for '{} {}': pinpipe "
                                                              "serves what runs jobs",
                                                              request.method, request.path())}})};
    co_return unknown;
  }
  Call call{request, Json::object()};
  if (!request.body.empty()) {
    auto body = codec::parse_json(request.body);
    if (!body || !body->is_object()) {
      Answer malformed{400, Json::object({{"error_code", "MALFORMED_REQUEST"},
                                          {"message", "the body is no JSON object"}})};
      co_return malformed;
    }
    call.given = std::move(*body);
  }
  auto parameters = codec::parse_query(request.query());
  if (!parameters) co_return answer_error(parameters.error());
  for (const codec::QueryParameter& one : *parameters) {
    int64_t number = 0;
    const char* end = one.value.data() + one.value.size();
    auto read = std::from_chars(one.value.data(), end, number);
    bool whole = !one.value.empty() && read.ec == std::errc() && read.ptr == end;
    call.given.set(one.name, whole ? Json(number) : Json(one.value));
  }
  co_return co_await (this->*handler)(call);
}

// Airflow's "Test connection" asks for these. There is no cluster: one name that says so.
io::Task<Answer> Door::spark_versions(const Call&) const {
  Json version =
      Json::object({{"key", "pinpipe"}, {"name", "pinpipe (no Spark: jobs run in C++)"}});
  Answer versions{200, Json::object({{"versions", Json::array({std::move(version)})}})};
  co_return versions;
}

io::Task<Answer> Door::get_cluster(const Call& call) const {
  auto id = call.given["cluster_id"].as_string();
  if (!id) co_return answer_error(Error(Code::invalid, "Missing required field: cluster_id"));
  Answer cluster{200, Json::object({{"cluster_id", *id},
                                    {"state", "RUNNING"},
                                    {"state_message", "jobs run in pinpipe itself"}})};
  co_return cluster;
}

}  // namespace pinpipe::databricks
