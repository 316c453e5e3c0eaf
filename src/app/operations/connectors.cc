// connector create|list|status|pause|resume|restart|delete|flush.
#include <fmt/format.h>

#include "app/operations/list.h"

namespace pinpipe::app {

using codec::Json;

namespace {

// The project's connector when none is named.
std::string name_of(House& house, const Json& arguments) {
  std::string name = text_argument(arguments, "connector");
  return name.empty() ? house.connector_name() : name;
}

// What Kafka Connect takes: {"name","config"}, a configuration alone, or a properties file.
Result<sink::Properties> read_config(const std::string& text) {
  if (size_t start = text.find_first_not_of(" \t\r\n");
      start == std::string::npos || (text[start] != '{' && text[start] != '['))
    return sink::parse_properties(text);
  auto json = codec::parse_json(text);
  if (!json) return json.error();
  const Json* config = json->find("config");
  auto properties = sink::properties_of(config != nullptr ? *config : *json);
  if (!properties)
    return properties.error().with(R"(--file: {"name": "…", "config": {"key": "value", …}})");
  if (auto name = (*json)["name"].as_string()) (*properties)["name"] = std::string(*name);
  return properties;
}

Answer outcome(const std::string& name, std::string_view what) {
  Answer answer;
  answer.columns = {"connector", "status"};
  answer.add_row({name, what});
  return answer;
}

// A connector finds out when it puts its first object; who makes one at a terminal is here now.
io::Task<Answer> outcome_with_bucket(House& house, std::string name, std::string_view what,
                                     std::string bucket) {
  Answer answer = outcome(name, what);
  auto there = co_await house.buckets().find_bucket(bucket);
  if (!there && there.error().code() == Code::not_found)
    answer.notes.push_back(fmt::format(
        "its bucket is not there: `pinpipe bucket create {0}` before the first record", bucket));
  co_return answer;
}

io::Task<Result<Answer>> create_connector(House& house, Json arguments) {
  auto properties = read_config(text_argument(arguments, "file"));
  if (!properties) co_return properties.error();
  std::string name = text_argument(arguments, "name");
  if (name.empty() && properties->contains("name")) name = properties->at("name");
  if (name.empty()) co_return Error(Code::invalid, "the file has no name=…; give one with --name");
  auto found = properties->find("s3.bucket.name");
  std::string bucket = found == properties->end() ? std::string() : found->second;
  if (flag_argument(arguments, "replace")) {
    auto put = co_await house.connectors().put(name, std::move(*properties));
    if (!put) co_return put.error();
    std::string_view what = put->created ? "created" : "replaced";
    co_return co_await outcome_with_bucket(house, name, what, std::move(bucket));
  }
  auto made = co_await house.connectors().create(name, std::move(*properties));
  if (!made && made.error().code() == Code::conflict)
    co_return made.error().with("use --replace to give it this configuration");
  if (!made) co_return made.error();
  co_return co_await outcome_with_bucket(house, name, "created", std::move(bucket));
}

io::Task<Result<Answer>> list_connectors(House& house, Json) {
  auto all = co_await house.connectors().list();
  if (!all) co_return all.error();
  Answer answer;
  answer.columns = {"connector", "state", "tasks", "topics", "bucket"};
  for (const sink::ConnectorFacts& one : *all) {
    auto value = [&](const char* key) {
      auto found = one.config.find(key);
      return found == one.config.end() ? std::string() : found->second;
    };
    std::string topics = value("topics");
    answer.add_row({one.name, one.wanted, one.tasks,
                    topics.empty() ? value("topics.regex") : topics, value("s3.bucket.name")});
  }
  co_return answer;
}

io::Task<Result<Answer>> tell_connector(House& house, Json arguments) {
  auto status = co_await house.connectors().status(name_of(house, arguments));
  if (!status) co_return status.error();
  Answer answer;
  answer.title = status->name + " " + status->state;
  answer.columns = {"task",     "state",   "topic",   "partition", "stored",
                    "to_store", "objects", "skipped", "waits_for"};
  for (const sink::TaskStatus& task : status->tasks) {
    for (const sink::PartitionStatus& partition : task.partitions)
      answer.add_row({task.id, task.state, partition.topic, partition.partition,
                      partition.committed,
                      std::max<int64_t>(0, partition.high_watermark - partition.committed),
                      partition.objects, partition.skipped, partition.waiting_for});
    if (!task.trace.empty())
      answer.notes.push_back(fmt::format("task {}: {}", task.id, task.trace));
  }
  if (!status->waiting_for.empty()) answer.notes.push_back("waits for " + status->waiting_for);
  co_return answer;
}

io::Task<Result<Answer>> want(House& house, std::string name, std::string state,
                              std::string_view what) {
  Status done = co_await house.connectors().want(name, std::move(state));
  if (!done) co_return done.error();
  co_return outcome(name, what);
}

io::Task<Result<Answer>> pause_connector(House& house, Json arguments) {
  return want(house, name_of(house, arguments), "PAUSED", "paused");
}

io::Task<Result<Answer>> resume_connector(House& house, Json arguments) {
  return want(house, name_of(house, arguments), "RUNNING", "running");
}

io::Task<Result<Answer>> stop_connector(House& house, Json arguments) {
  return want(house, name_of(house, arguments), "STOPPED", "stopped");
}

io::Task<Result<Answer>> restart_connector(House& house, Json arguments) {
  std::string name = name_of(house, arguments);
  sink::Connectors::Restart what{.task = std::nullopt,
                                 .include_tasks = true,
                                 .only_failed = flag_argument(arguments, "only-failed")};
  Status done = co_await house.connectors().restart(name, what);
  if (!done) co_return done.error();
  co_return outcome(name, "restarted");
}

io::Task<Result<Answer>> delete_connector(House& house, Json arguments) {
  std::string name = text_argument(arguments, "connector");
  Status done = co_await house.connectors().remove(name);
  if (!done) co_return done.error();
  co_return outcome(name, "deleted");
}

io::Task<Result<Answer>> flush_connector(House& house, Json arguments) {
  std::string name = name_of(house, arguments);
  // Without a server the connectors run for as long as this takes.
  if (house.endpoints().connect.empty()) co_await house.connectors().start();
  auto wait = Millis(1'000 * std::max<int64_t>(1, integer_argument(arguments, "timeout")));
  Status done = co_await house.connectors().flush(name, io::after(wait));
  if (!done) co_return done.error();
  co_return outcome(name, "all is stored");
}

const Parameter which{.name = "connector",
                      .positional = true,
                      .summary = "its name; the project's first one unless given"};

}  // namespace

// tidy: long because it is one table.
std::vector<Operation> connector_operations() {
  using Kind = Parameter::Kind;
  return {
      {.noun = "connector",
       .verb = "create",
       .summary = "make a connector of a file for Kafka Connect",
       .example = "pinpipe connector create --file connector.properties",
       .writes = true,
       .parameters = {{.name = "file",
                       .kind = Kind::file,
                       .required = true,
                       .summary = ".properties, or .json as Connect's REST API takes it"},
                      {.name = "name", .summary = "its name, where the file has none"},
                      {.name = "replace",
                       .kind = Kind::flag,
                       .summary = "of one that is there, change the configuration"}},
       .run = create_connector},
      {.noun = "connector",
       .verb = "list",
       .summary = "the connectors and what they follow",
       .example = "pinpipe connector list",
       .parameters = {},
       .run = list_connectors},
      {.noun = "connector",
       .verb = "status",
       .summary = "how far each partition is stored and what it waits for",
       .example = "pinpipe connector status 0e90e0175553-connector",
       .parameters = {which},
       .run = tell_connector},
      {.noun = "connector",
       .verb = "pause",
       .summary = "store nothing until it is resumed; survives a restart",
       .example = "pinpipe connector pause",
       .writes = true,
       .parameters = {which},
       .run = pause_connector},
      {.noun = "connector",
       .verb = "resume",
       .summary = "go on after pause or stop",
       .example = "pinpipe connector resume",
       .writes = true,
       .parameters = {which},
       .run = resume_connector},
      {.noun = "connector",
       .verb = "stop",
       .summary = "end its tasks and keep its configuration",
       .example = "pinpipe connector stop",
       .writes = true,
       .parameters = {which},
       .run = stop_connector},
      {.noun = "connector",
       .verb = "restart",
       .summary = "begin again from what is stored",
       .example = "pinpipe connector restart --only-failed",
       .writes = true,
       .parameters = {which,
                      {.name = "only-failed",
                       .kind = Kind::flag,
                       .summary = "leave tasks alone that have not failed"}},
       .run = restart_connector},
      {.noun = "connector",
       .verb = "delete",
       .summary = "forget a connector; its objects and positions stay",
       .example = "pinpipe connector delete my-connector",
       .writes = true,
       .parameters =
           {{.name = "connector", .positional = true, .required = true, .summary = "its name"}},
       .run = delete_connector},
      {.noun = "connector",
       .verb = "flush",
       .summary = "close open objects now and wait until all that is in its topics is stored",
       .example = "pinpipe connector flush",
       .writes = true,
       .parameters = {which,
                      {.name = "timeout",
                       .kind = Kind::integer,
                       .summary = "seconds to wait",
                       .fallback = "60"}},
       .run = flush_connector},
  };
}

}  // namespace pinpipe::app
