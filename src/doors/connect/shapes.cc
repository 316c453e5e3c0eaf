#include "doors/connect/shapes.h"

#include <algorithm>

#include "sink/keys.h"

namespace pinpipe::connect {
namespace {

using codec::Json;

constexpr std::string_view hidden = "[hidden]";

int status_of(Code code) {
  switch (code) {
    case Code::not_found:
      return 404;
    case Code::invalid:
      return 400;
    case Code::denied:
      return 403;
    case Code::conflict:
      return 409;
    case Code::busy:
      return 429;
    case Code::timeout:
    case Code::unavailable:
    case Code::cancelled:
      return 503;
    case Code::corrupt:
    case Code::internal:
      return 500;
  }
  return 500;
}

Json key_definition(const sink::Key& key, int order) {
  bool has_default = !key.required;
  Json no_dependents = Json::array();
  return Json::object({{"name", key.name},
                       {"type", key.type},
                       {"required", key.required},
                       {"default_value", has_default ? Json(key.default_value) : Json()},
                       {"importance", key.required ? "HIGH" : "MEDIUM"},
                       {"documentation", key.about},
                       {"group", key.name.starts_with("s3.") ? "S3" : "Connector"},
                       {"width", "MEDIUM"},
                       {"display_name", key.name},
                       {"dependents", std::move(no_dependents)},
                       {"order", order}});
}

// A family of keys is no key, and what is refused is not offered.
bool is_offered(const sink::Key& key) {
  return !key.name.ends_with('.') && key.use != sink::Use::refused;
}

}  // namespace

Json config_json(const sink::Properties& properties) {
  Json json = Json::object();
  for (const auto& [key, value] : properties) json.set(key, value);
  return json;
}

Json connector_json(const sink::ConnectorFacts& facts) {
  Json tasks = Json::array();
  for (int task = 0; task < facts.tasks; ++task)
    tasks.push(Json::object({{"connector", facts.name}, {"task", task}}));
  return Json::object({{"name", facts.name},
                       {"config", config_json(facts.config)},
                       {"tasks", std::move(tasks)},
                       {"type", "sink"}});
}

Json task_json(const sink::TaskStatus& task, const std::string& worker) {
  Json json = Json::object({{"id", task.id}, {"state", task.state}, {"worker_id", worker}});
  if (!task.trace.empty()) json.set("trace", task.trace);
  return json;
}

Json status_json(const sink::SinkStatus& status, const std::string& worker) {
  Json tasks = Json::array();
  for (const sink::TaskStatus& task : status.tasks) tasks.push(task_json(task, worker));
  return Json::object(
      {{"name", status.name},
       {"connector", Json::object({{"state", status.state}, {"worker_id", worker}})},
       {"tasks", std::move(tasks)},
       {"type", "sink"}});
}

Json offsets_json(const sink::SinkStatus& status) {
  Json offsets = Json::array();
  for (const sink::TaskStatus& task : status.tasks) {
    for (const sink::PartitionStatus& partition : task.partitions) {
      Json of = Json::object(
          {{"kafka_partition", partition.partition}, {"kafka_topic", partition.topic}});
      offsets.push(
          Json::object({{"partition", std::move(of)},
                        {"offset", Json::object({{"kafka_offset", partition.committed}})}}));
    }
  }
  return Json::object({{"offsets", std::move(offsets)}});
}

Json definition_json() {
  Json all = Json::array();
  int order = 0;
  for (const sink::Key& key : sink::keys()) {
    if (is_offered(key)) all.push(key_definition(key, ++order));
  }
  return all;
}

Json validation_json(const std::string& plugin, const sink::Properties& given,
                     const std::vector<sink::KeyProblem>& problems) {
  Json configs = Json::array();
  int order = 0;
  auto add = [&](const sink::Key& key, const std::string& name) {
    Json errors = Json::array();
    for (const sink::KeyProblem& problem : problems) {
      if (problem.key == name) errors.push(problem.text);
    }
    auto value = given.find(name);
    Json held = value == given.end() ? (key.required ? Json() : Json(key.default_value))
                                     : Json(value->second);
    if (key.type == "PASSWORD" && value != given.end()) held = Json(hidden);
    Json recommended = Json::array();
    if (key.use == sink::Use::one_of) {
      for (std::string& one : sink::split_list(key.values, '|')) recommended.push(std::move(one));
    }
    configs.push(Json::object({{"definition", key_definition(key, ++order)},
                               {"value", Json::object({{"name", name},
                                                       {"value", std::move(held)},
                                                       {"recommended_values", recommended},
                                                       {"errors", std::move(errors)},
                                                       {"visible", true}})}}));
  };
  for (const sink::Key& key : sink::keys()) {
    if (is_offered(key)) add(key, std::string(key.name));
  }
  // Keys that were given, or are wrong, and are not offered.
  for (const auto& [name, value] : given) {
    const sink::Key* key = sink::find_key(name);
    if (key != nullptr && key->name == name && is_offered(*key)) continue;
    sink::Key unknown{name, sink::Use::refused, "", "", key != nullptr ? key->about : ""};
    add(unknown, name);
  }
  Json groups = Json::array();
  for (const char* group : {"Connector", "S3"}) groups.push(group);
  return Json::object({{"name", plugin},
                       {"error_count", problems.size()},
                       {"groups", std::move(groups)},
                       {"configs", std::move(configs)}});
}

void answer_error(http::Response& response, int status, std::string_view message) {
  response.set_json(status,
                    codec::to_json(Json::object({{"error_code", status}, {"message", message}})));
}

void answer_error(http::Response& response, const Error& error) {
  std::string text = error.text();
  constexpr std::string_view ours = "connector configuration\n";
  if (error.code() == Code::invalid && text.starts_with(ours)) {
    auto count = std::ranges::count(text, '\n');
    text = "Connector configuration is invalid and contains the following " +
           std::to_string(count) + " error(s):\n" + text.substr(ours.size()) +
           "\nYou can also find the above list of errors at the endpoint "
           "`/connector-plugins/S3SinkConnector/config/validate`";
  }
  answer_error(response, status_of(error.code()), text);
}

}  // namespace pinpipe::connect
