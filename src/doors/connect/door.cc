#include "doors/connect/door.h"

#include <charconv>
#include <fmt/format.h>

#include "codec/percent.h"
#include "doors/connect/shapes.h"

namespace pinpipe::connect {
namespace {

using codec::Json;

void answer(http::Response& response, int status, const Json& json) {
  response.set_json(status, codec::to_json(json));
}

bool flag(const http::Request& request, std::string_view name) {
  auto given = request.query_param(name);
  return given && (*given == "true" || given->empty());
}

Result<Json> body_of(const http::Request& request) {
  auto json = codec::parse_json(request.body);
  if (!json) return Error(Code::invalid, "the request's body is not JSON: " + json.error().text());
  return json;
}

Result<int> task_of(const http::Request& request) {
  const std::string& text = request.param("task");
  int task = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), task);
  if (error != std::errc() || end != text.data() + text.size() || task < 0)
    return Error(Code::not_found, "HTTP 404 Not Found");
  return task;
}

Result<std::string> initial_state(const Json& body) {
  const Json* given = body.find("initial_state");
  if (given == nullptr || given->is_null()) return std::string("RUNNING");
  std::string state(given->as_string().value_or(""));
  for (char& c : state) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (state == "RUNNING" || state == "PAUSED" || state == "STOPPED") return state;
  return Error(Code::invalid, "initial_state is RUNNING, PAUSED or STOPPED");
}

}  // namespace

Door::Door(Options options, sink::Connectors& connectors)
    : options_(std::move(options)), connectors_(connectors) {
  router_.set_lenient_slashes(true);
  add_routes();
  router_.set_fallback([](http::Request&, http::Response& response) -> io::Task<> {
    answer_error(response, 404, "HTTP 404 Not Found");
    co_return;
  });
  router_.set_wrong_method([](http::Request&, http::Response& response) -> io::Task<> {
    answer_error(response, 405, "HTTP 405 Method Not Allowed");
    co_return;
  });
}

void Door::add_routes() {
  add("GET", "/", &Door::tell_worker);
  add("GET", "/health", &Door::tell_health);
  add("GET", "/connectors", &Door::list);
  add("POST", "/connectors", &Door::create);
  add("GET", "/connectors/{name}", &Door::tell);
  add("DELETE", "/connectors/{name}", &Door::remove);
  add("GET", "/connectors/{name}/config", &Door::tell_config);
  add("PUT", "/connectors/{name}/config", &Door::put_config);
  add("PATCH", "/connectors/{name}/config", &Door::patch_config);
  add("GET", "/connectors/{name}/status", &Door::tell_status);
  add("PUT", "/connectors/{name}/pause", &Door::pause);
  add("PUT", "/connectors/{name}/resume", &Door::resume);
  add("PUT", "/connectors/{name}/stop", &Door::stop);
  add("POST", "/connectors/{name}/restart", &Door::restart);
  add("GET", "/connectors/{name}/tasks", &Door::list_tasks);
  add("GET", "/connectors/{name}/tasks-config", &Door::tell_tasks_config);
  add("GET", "/connectors/{name}/tasks/{task}/status", &Door::tell_task);
  add("POST", "/connectors/{name}/tasks/{task}/restart", &Door::restart_task);
  add("GET", "/connectors/{name}/topics", &Door::tell_topics);
  add("GET", "/connectors/{name}/offsets", &Door::tell_offsets);
  add("GET", "/connector-plugins", &Door::list_plugins);
  add("GET", "/connector-plugins/{plugin}/config", &Door::tell_plugin);
  add("PUT", "/connector-plugins/{plugin}/config/validate", &Door::validate);
}

void Door::add(std::string_view method, std::string_view pattern, Method function) {
  router_.add(method, pattern,
              [this, function](http::Request& request, http::Response& response) -> io::Task<> {
                Status done = co_await (this->*function)(request, response);
                if (!done) answer_error(response, done.error());
              });
}

void Door::shape_refusal(const http::Request&, http::Response& refusal) {
  std::string why = std::move(refusal.body);
  while (!why.empty() && why.back() == '\n') why.pop_back();
  answer_error(refusal, refusal.status, why);
}

io::Task<Status> Door::tell_worker(http::Request&, http::Response& response) {
  answer(response, 200,
         Json::object({{"version", options_.version},
                       {"commit", "unknown"},
                       {"kafka_cluster_id", options_.cluster_id}}));
  co_return Status{};
}

io::Task<Status> Door::tell_health(http::Request&, http::Response& response) {
  answer(
      response, 200,
      Json::object({{"status", "healthy"},
                    {"message", "Worker has completed startup and is ready to handle requests."}}));
  co_return Status{};
}

io::Task<Status> Door::list(http::Request& request, http::Response& response) {
  auto all = co_await connectors_.list();
  if (!all) co_return all.error();
  bool with_status = false;
  bool with_info = false;
  auto query = codec::parse_query(request.query());
  if (!query) co_return query.error();
  for (const codec::QueryParameter& parameter : *query) {
    with_status |= parameter.name == "expand" && parameter.value == "status";
    with_info |= parameter.name == "expand" && parameter.value == "info";
  }
  if (!with_status && !with_info) {
    Json names = Json::array();
    for (const sink::ConnectorFacts& one : *all) names.push(one.name);
    answer(response, 200, names);
    co_return Status{};
  }
  Json expanded = Json::object();
  for (const sink::ConnectorFacts& one : *all) {
    Json entry = Json::object();
    if (with_info) entry.set("info", connector_json(one));
    auto status = co_await connectors_.status(one.name);
    if (with_status && status) entry.set("status", status_json(*status, options_.worker));
    expanded.set(one.name, std::move(entry));
  }
  answer(response, 200, expanded);
  co_return Status{};
}

io::Task<Status> Door::create(http::Request& request, http::Response& response) {
  auto body = body_of(request);
  if (!body) co_return body.error();
  for (const codec::JsonMember& member : body->members()) {
    if (member.key != "name" && member.key != "config" && member.key != "initial_state")
      co_return Error(Code::invalid, "Unrecognized field \"" + member.key + "\"");
  }
  auto properties = sink::properties_of((*body)["config"]);
  if (!properties) co_return properties.error();
  std::string name((*body)["name"].as_string().value_or(""));
  auto named = properties->find("name");
  if (name.empty() && named != properties->end()) name = named->second;
  if (name.empty()) co_return Error(Code::invalid, "a connector has a name");
  if (named != properties->end() && named->second != name)
    co_return Error(Code::invalid, "Connector name configuration (" + named->second +
                                       ") doesn't match connector name in the request (" + name +
                                       ")");
  auto state = initial_state(*body);
  if (!state) co_return state.error();
  auto made = co_await connectors_.create(name, std::move(*properties), std::move(*state));
  if (!made) co_return made.error();
  answer(response, 201, connector_json(*made));
  response.headers.set("Location", "/connectors/" + codec::percent_encode(name));
  co_return Status{};
}

io::Task<Status> Door::tell(http::Request& request, http::Response& response) {
  auto facts = co_await connectors_.find(request.param("name"));
  if (!facts) co_return facts.error();
  answer(response, 200, connector_json(*facts));
  co_return Status{};
}

io::Task<Status> Door::remove(http::Request& request, http::Response& response) {
  Status gone = co_await connectors_.remove(request.param("name"));
  if (!gone) co_return gone;
  response.status = 204;
  co_return Status{};
}

io::Task<Status> Door::tell_config(http::Request& request, http::Response& response) {
  auto facts = co_await connectors_.find(request.param("name"));
  if (!facts) co_return facts.error();
  answer(response, 200, config_json(facts->config));
  co_return Status{};
}

io::Task<Status> Door::put_config(http::Request& request, http::Response& response) {
  auto body = body_of(request);
  if (!body) co_return body.error();
  auto properties = sink::properties_of(*body);
  if (!properties) co_return properties.error();
  const std::string& name = request.param("name");
  auto named = properties->find("name");
  if (named != properties->end() && named->second != name)
    co_return Error(Code::invalid, "Connector name configuration (" + named->second +
                                       ") doesn't match connector name in the URL (" + name + ")");
  auto put = co_await connectors_.put(name, std::move(*properties));
  if (!put) co_return put.error();
  answer(response, put->created ? 201 : 200, connector_json(put->facts));
  if (put->created) response.headers.set("Location", "/connectors/" + codec::percent_encode(name));
  co_return Status{};
}

// The given keys replace those that are there; a null removes one.
io::Task<Status> Door::patch_config(http::Request& request, http::Response& response) {
  auto body = body_of(request);
  if (!body) co_return body.error();
  auto given = sink::properties_of(*body);
  if (!given) co_return given.error();
  auto facts = co_await connectors_.find(request.param("name"));
  if (!facts) co_return facts.error();
  for (const codec::JsonMember& member : body->members()) {
    if (member.value.is_null()) facts->config.erase(member.key);
  }
  for (auto& [key, value] : *given) facts->config[key] = std::move(value);
  auto put = co_await connectors_.put(request.param("name"), std::move(facts->config));
  if (!put) co_return put.error();
  answer(response, 200, connector_json(put->facts));
  co_return Status{};
}

io::Task<Status> Door::tell_status(http::Request& request, http::Response& response) {
  auto status = co_await connectors_.status(request.param("name"));
  if (!status) co_return status.error();
  answer(response, 200, status_json(*status, options_.worker));
  co_return Status{};
}

io::Task<Status> Door::want(http::Request& request, http::Response& response, std::string state,
                            int status) {
  Status done = co_await connectors_.want(request.param("name"), std::move(state));
  if (!done) co_return done;
  response.status = status;
  co_return Status{};
}

io::Task<Status> Door::pause(http::Request& request, http::Response& response) {
  return want(request, response, "PAUSED", 202);
}
io::Task<Status> Door::resume(http::Request& request, http::Response& response) {
  return want(request, response, "RUNNING", 202);
}
io::Task<Status> Door::stop(http::Request& request, http::Response& response) {
  return want(request, response, "STOPPED", 204);
}

io::Task<Status> Door::restart(http::Request& request, http::Response& response) {
  sink::Connectors::Restart what{.task = std::nullopt,
                                 .include_tasks = flag(request, "includeTasks"),
                                 .only_failed = flag(request, "onlyFailed")};
  const std::string& name = request.param("name");
  Status done = co_await connectors_.restart(name, what);
  if (!done) co_return done;
  response.status = 204;
  if (!what.include_tasks && !what.only_failed) co_return Status{};
  auto status = co_await connectors_.status(name);
  if (!status) co_return status.error();
  answer(response, 202, status_json(*status, options_.worker));
  co_return Status{};
}

io::Task<Status> Door::list_tasks(http::Request& request, http::Response& response) {
  auto facts = co_await connectors_.find(request.param("name"));
  if (!facts) co_return facts.error();
  Json tasks = Json::array();
  for (int task = 0; task < facts->tasks; ++task) {
    Json config = config_json(facts->config);
    config.set("task.class", "io.confluent.connect.s3.S3SinkTask");
    Json id = Json::object({{"connector", facts->name}, {"task", task}});
    tasks.push(Json::object({{"id", std::move(id)}, {"config", std::move(config)}}));
  }
  answer(response, 200, tasks);
  co_return Status{};
}

io::Task<Status> Door::tell_tasks_config(http::Request& request, http::Response& response) {
  auto facts = co_await connectors_.find(request.param("name"));
  if (!facts) co_return facts.error();
  Json tasks = Json::object();
  for (int task = 0; task < facts->tasks; ++task) {
    Json config = config_json(facts->config);
    config.set("task.class", "io.confluent.connect.s3.S3SinkTask");
    tasks.set(fmt::format("{}-{}", facts->name, task), std::move(config));
  }
  answer(response, 200, tasks);
  co_return Status{};
}

io::Task<Status> Door::tell_task(http::Request& request, http::Response& response) {
  auto task = task_of(request);
  if (!task) co_return task.error();
  auto status = co_await connectors_.status(request.param("name"));
  if (!status) co_return status.error();
  for (const sink::TaskStatus& one : status->tasks) {
    if (one.id != *task) continue;
    answer(response, 200, task_json(one, options_.worker));
    co_return Status{};
  }
  co_return Error(Code::not_found,
                  fmt::format("No status found for task {}-{}", status->name, *task));
}

io::Task<Status> Door::restart_task(http::Request& request, http::Response& response) {
  auto task = task_of(request);
  if (!task) co_return task.error();
  sink::Connectors::Restart what{.task = *task};
  Status done = co_await connectors_.restart(request.param("name"), what);
  if (!done) co_return done;
  response.status = 204;
  co_return Status{};
}

io::Task<Status> Door::tell_topics(http::Request& request, http::Response& response) {
  auto status = co_await connectors_.status(request.param("name"));
  if (!status) co_return status.error();
  Json topics = Json::array();
  std::string last;
  for (const sink::TaskStatus& task : status->tasks) {
    for (const sink::PartitionStatus& partition : task.partitions) {
      bool is_active = partition.committed > 0 || partition.open_records > 0;
      if (is_active && partition.topic != last) topics.push(partition.topic);
      if (is_active) last = partition.topic;
    }
  }
  Json of = Json::object({{"topics", std::move(topics)}});
  answer(response, 200, Json::object({{status->name, std::move(of)}}));
  co_return Status{};
}

io::Task<Status> Door::tell_offsets(http::Request& request, http::Response& response) {
  auto status = co_await connectors_.status(request.param("name"));
  if (!status) co_return status.error();
  answer(response, 200, offsets_json(*status));
  co_return Status{};
}

Status Door::check_plugin(const std::string& plugin) const {
  for (std::string_view known : {std::string_view(sink_class), std::string_view("S3SinkConnector"),
                                 std::string_view("S3Sink"), std::string_view(options_.plugin)}) {
    if (!known.empty() && plugin == known) return {};
  }
  return Error(Code::not_found, "Unknown plugin " + plugin + ".");
}

io::Task<Status> Door::list_plugins(http::Request&, http::Response& response) {
  Json all = Json::array();
  for (std::string_view name : {sink_class, std::string_view(options_.plugin)}) {
    if (name.empty()) continue;
    all.push(Json::object({{"class", name}, {"type", "sink"}, {"version", options_.version}}));
  }
  answer(response, 200, all);
  co_return Status{};
}

io::Task<Status> Door::tell_plugin(http::Request& request, http::Response& response) {
  if (Status known = check_plugin(request.param("plugin")); !known) co_return known;
  answer(response, 200, definition_json());
  co_return Status{};
}

io::Task<Status> Door::validate(http::Request& request, http::Response& response) {
  const std::string& plugin = request.param("plugin");
  if (Status known = check_plugin(plugin); !known) co_return known;
  auto body = body_of(request);
  if (!body) co_return body.error();
  auto properties = sink::properties_of(*body);
  if (!properties) co_return properties.error();
  answer(response, 200, validation_json(plugin, *properties, connectors_.problems(*properties)));
  co_return Status{};
}

}  // namespace pinpipe::connect
