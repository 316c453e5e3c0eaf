#include "doors/rest/v3.h"

#include <algorithm>
#include <array>

#include "codec/json.h"
#include "codec/percent.h"
#include "doors/rest/errors.h"

namespace pinpipe::rest {
namespace {

using broker::TopicPointer;
using codec::Json;
using codec::JsonWriter;
using Asked = V3Calls::Asked;

constexpr int64_t partitions_most = 100'000;

// Where things are, as the client reaches them.
class Links {
 public:
  explicit Links(const Asked& asked) {
    const http::Headers& headers = asked.request.headers;
    std::string_view host =
        headers.find("X-Forwarded-Host").value_or(headers.find("Host").value_or("localhost"));
    std::string_view scheme =
        headers.find("X-Forwarded-Proto").value_or(asked.request.secure ? "https" : "http");
    base_ = std::string(scheme) + "://" + std::string(host) +
            std::string(headers.find("X-Forwarded-Prefix").value_or("")) + "/v3/clusters";
    id_ = asked.cluster.cluster_id();
    path_ = base_ + "/" + codec::percent_encode(id_);
  }
  std::string clusters() const { return base_; }
  const std::string& cluster() const { return path_; }
  std::string topics() const { return cluster() + "/topics"; }
  std::string topic(std::string_view name) const {
    return topics() + "/" + codec::percent_encode(name);
  }
  std::string crn(std::string_view below = {}) const {
    return "crn:///kafka=" + id_ + std::string(below);
  }

 private:
  std::string base_, id_, path_;
};

void write_metadata(JsonWriter& writer, std::string_view self, std::string_view crn) {
  writer.key("metadata").begin_object();
  writer.field("self", self).field("resource_name", crn);
  writer.end_object();
}

void write_related(JsonWriter& writer, std::string_view name, std::string_view link) {
  writer.key(name).begin_object().field("related", link).end_object();
}

// Opens {"kind":…,"metadata":{…},"data":[ ; the caller writes the elements and calls end_list().
void begin_list(JsonWriter& writer, std::string_view kind, std::string_view self) {
  writer.begin_object().field("kind", kind);
  writer.key("metadata").begin_object();
  writer.field("self", self).key("next").null();
  writer.end_object();
  writer.key("data").begin_array();
}
void end_list(JsonWriter& writer) {
  writer.end_array().end_object();
}

void write_cluster(JsonWriter& writer, const Asked& asked) {
  Links links(asked);
  writer.begin_object().field("kind", "KafkaCluster");
  write_metadata(writer, links.cluster(), links.crn());
  writer.field("cluster_id", asked.cluster.cluster_id());
  write_related(writer, "topics", links.topics());
  writer.end_object();
}

void write_topic(JsonWriter& writer, const Asked& asked, const broker::TopicFacts& topic) {
  Links links(asked);
  std::string self = links.topic(topic.name);
  writer.begin_object().field("kind", "KafkaTopic");
  write_metadata(writer, self, links.crn("/topic=" + topic.name));
  writer.field("cluster_id", asked.cluster.cluster_id()).field("topic_name", topic.name);
  writer.field("is_internal", topic.internal).field("replication_factor", 1);
  writer.field("partitions_count", topic.partitions);
  write_related(writer, "partitions", self + "/partitions");
  write_related(writer, "configs", self + "/configs");
  writer.end_object();
}

void write_partition(JsonWriter& writer, const Asked& asked, const broker::TopicFacts& topic,
                     broker::PartitionId partition) {
  Links links(asked);
  std::string id = std::to_string(partition);
  writer.begin_object().field("kind", "KafkaPartition");
  write_metadata(writer, links.topic(topic.name) + "/partitions/" + id,
                 links.crn("/topic=" + topic.name + "/partition=" + id));
  writer.field("cluster_id", asked.cluster.cluster_id()).field("topic_name", topic.name);
  writer.field("partition_id", partition);
  writer.end_object();
}

void write_config(JsonWriter& writer, const Asked& asked, const broker::TopicFacts& topic,
                  const broker::ConfigFact& fact) {
  Links links(asked);
  auto set = topic.configs.find(std::string(fact.name));
  bool is_set = set != topic.configs.end();
  std::string name(fact.name);
  writer.begin_object().field("kind", "KafkaTopicConfig");
  write_metadata(writer, links.topic(topic.name) + "/configs/" + name,
                 links.crn("/topic=" + topic.name + "/config=" + name));
  writer.field("cluster_id", asked.cluster.cluster_id()).field("topic_name", topic.name);
  writer.field("name", name).field("value", is_set ? std::string_view(set->second) : fact.standard);
  writer.field("is_default", !is_set).field("is_read_only", false).field("is_sensitive", false);
  writer.field("source", is_set ? "DYNAMIC_TOPIC_CONFIG" : "DEFAULT_CONFIG");
  writer.key("synonyms").begin_array().end_array();
  writer.end_object();
}

// In the terms of Kafka's admin client, which the original passes on.
Refusal refusal_of_admin(const Error& error) {
  switch (error.code()) {
    case Code::not_found:
      return {404, 40403, "This server does not host this topic-partition.", error.text() + "."};
    case Code::conflict:
    case Code::invalid:
      return {400, 40002, error.text(), ""};
    default:
      return refusal_of(error);
  }
}

void answer_done(const Asked& asked, const Status& done) {
  if (!done) return answer_refusal(asked.response, refusal_of_admin(done.error()));
  asked.response.status = 204;
  asked.response.body.clear();
}

bool is_this_cluster(const Asked& asked) {
  if (asked.request.param("cluster") == asked.cluster.cluster_id()) return true;
  answer_refusal(asked.response,
                 generic_refusal(404, "The cluster here is " + asked.cluster.cluster_id() +
                                          "; GET /v3/clusters tells it."));
  return false;
}

// The path's topic of this cluster, or the refusal is in the answer.
TopicPointer find_topic(const Asked& asked) {
  if (!is_this_cluster(asked)) return nullptr;
  auto found = asked.cluster.find(asked.request.param("topic"));
  if (found) return *found;
  answer_refusal(asked.response, refusal_of_admin(found.error()));
  return nullptr;
}

const broker::ConfigFact* find_config(const Asked& asked) {
  for (const broker::ConfigFact& fact : broker::topic_config_facts()) {
    if (fact.name == asked.request.param("config")) return &fact;
  }
  answer_refusal(asked.response,
                 generic_refusal(404, asked.request.param("config") + " is no topic setting."));
  return nullptr;
}

// The request's body, or the refusal is in the answer.
std::optional<Json> read_body(const Asked& asked) {
  auto json = codec::parse_json(asked.request.body);
  if (json && json->is_object()) return std::move(*json);
  std::string why = json ? "it is no object" : json.error().text();
  answer_refusal(asked.response,
                 {400, 400, "Bad Request: the body is not a JSON object: " + why + ".", ""});
  return std::nullopt;
}

std::string text_of(const Json& value) {
  if (auto text = value.as_string()) return std::string(*text);
  return codec::to_json(value);
}

io::Task<> list_clusters(Asked asked) {
  JsonWriter writer(asked.response.body);
  begin_list(writer, "KafkaClusterList", Links(asked).clusters());
  write_cluster(writer, asked);
  end_list(writer);
  co_return;
}

io::Task<> tell_cluster(Asked asked) {
  if (!is_this_cluster(asked)) co_return;
  JsonWriter writer(asked.response.body);
  write_cluster(writer, asked);
}

io::Task<> list_topics(Asked asked) {
  if (!is_this_cluster(asked)) co_return;
  JsonWriter writer(asked.response.body);
  begin_list(writer, "KafkaTopicList", Links(asked).topics());
  for (const TopicPointer& topic : asked.cluster.list()) write_topic(writer, asked, topic->facts);
  end_list(writer);
}

io::Task<> create_topic(Asked asked) {
  if (!is_this_cluster(asked)) co_return;
  auto body = read_body(asked);
  if (!body) co_return;
  broker::TopicSpec spec;
  spec.name = (*body)["topic_name"].as_string().value_or("");
  int64_t partitions = (*body)["partitions_count"].as_int().value_or(-1);
  if (spec.name.empty())
    co_return answer_refusal(asked.response, {422, 422, "topic_name must not be null", ""});
  if (partitions < -1 || partitions == 0 || partitions > partitions_most) {
    co_return answer_refusal(asked.response,
                             {400, 40002, "Number of partitions must be larger than 0.", ""});
  }
  spec.partitions = static_cast<int32_t>(partitions);
  for (const Json& config : (*body)["configs"].elements())
    spec.configs[text_of(config["name"])] = text_of(config["value"]);
  bool validates = (*body)["validate_only"].as_bool().value_or(false);
  auto made = co_await asked.cluster.create(std::move(spec), validates);
  if (!made) co_return answer_refusal(asked.response, refusal_of_admin(made.error()));
  asked.response.status = validates ? 200 : 201;
  if (!validates) asked.response.headers.set("Location", Links(asked).topic((*made)->facts.name));
  JsonWriter writer(asked.response.body);
  write_topic(writer, asked, (*made)->facts);
}

io::Task<> tell_topic(Asked asked) {
  TopicPointer topic = find_topic(asked);
  if (!topic) co_return;
  JsonWriter writer(asked.response.body);
  write_topic(writer, asked, topic->facts);
}

io::Task<> remove_topic(Asked asked) {
  TopicPointer topic = find_topic(asked);
  if (!topic) co_return;
  Status removed = co_await asked.cluster.remove(topic->facts.name);
  answer_done(asked, removed);
}

// PATCH {"partitions_count": n}
io::Task<> change_topic(Asked asked) {
  TopicPointer topic = find_topic(asked);
  if (!topic) co_return;
  auto body = read_body(asked);
  if (!body) co_return;
  auto count = (*body)["partitions_count"].as_int();
  if (!count || *count < 1 || *count > partitions_most)
    co_return answer_refusal(asked.response, {422, 422, "partitions_count must not be null", ""});
  Status done =
      co_await asked.cluster.add_partitions(topic->facts.name, static_cast<int32_t>(*count), false);
  if (!done) co_return answer_refusal(asked.response, refusal_of_admin(done.error()));
  co_await tell_topic(asked);
}

io::Task<> list_partitions(Asked asked) {
  TopicPointer topic = find_topic(asked);
  if (!topic) co_return;
  JsonWriter writer(asked.response.body);
  begin_list(writer, "KafkaPartitionList", Links(asked).topic(topic->facts.name) + "/partitions");
  for (broker::PartitionId i = 0; i < topic->facts.partitions; ++i)
    write_partition(writer, asked, topic->facts, i);
  end_list(writer);
}

io::Task<> tell_partition(Asked asked) {
  TopicPointer topic = find_topic(asked);
  if (!topic) co_return;
  for (broker::PartitionId i = 0; i < topic->facts.partitions; ++i) {
    if (std::to_string(i) != asked.request.param("partition")) continue;
    JsonWriter writer(asked.response.body);
    co_return write_partition(writer, asked, topic->facts, i);
  }
  answer_refusal(asked.response, {404, 40402, "Partition not found.", ""});
}

io::Task<> list_configs(Asked asked) {
  TopicPointer topic = find_topic(asked);
  if (!topic) co_return;
  JsonWriter writer(asked.response.body);
  begin_list(writer, "KafkaTopicConfigList", Links(asked).topic(topic->facts.name) + "/configs");
  for (const broker::ConfigFact& fact : broker::topic_config_facts())
    write_config(writer, asked, topic->facts, fact);
  end_list(writer);
}

io::Task<> tell_config(Asked asked) {
  TopicPointer topic = find_topic(asked);
  const broker::ConfigFact* fact = topic ? find_config(asked) : nullptr;
  if (fact == nullptr) co_return;
  JsonWriter writer(asked.response.body);
  write_config(writer, asked, topic->facts, *fact);
}

io::Task<> set_config(Asked asked) {
  TopicPointer topic = find_topic(asked);
  const broker::ConfigFact* fact = topic ? find_config(asked) : nullptr;
  if (fact == nullptr) co_return;
  auto body = read_body(asked);
  if (!body) co_return;
  broker::ConfigMap configs = topic->facts.configs;
  configs[std::string(fact->name)] = text_of((*body)["value"]);
  Status done = co_await asked.cluster.set_configs(topic->facts.name, std::move(configs), false);
  answer_done(asked, done);
}

io::Task<> reset_config(Asked asked) {
  TopicPointer topic = find_topic(asked);
  const broker::ConfigFact* fact = topic ? find_config(asked) : nullptr;
  if (fact == nullptr) co_return;
  broker::ConfigMap configs = topic->facts.configs;
  configs.erase(std::string(fact->name));
  Status done = co_await asked.cluster.set_configs(topic->facts.name, std::move(configs), false);
  answer_done(asked, done);
}

// POST configs:alter {"data":[{"name","value"?,"operation"?:"SET"|"DELETE"}],"validate_only"?}
io::Task<> alter_configs(Asked asked) {
  TopicPointer topic = find_topic(asked);
  if (!topic) co_return;
  auto body = read_body(asked);
  if (!body) co_return;
  broker::ConfigMap configs = topic->facts.configs;
  for (const Json& one : (*body)["data"].elements()) {
    std::string operation(one["operation"].as_string().value_or("SET"));
    if (operation == "DELETE") {
      configs.erase(text_of(one["name"]));
    } else if (operation == "SET") {
      configs[text_of(one["name"])] = text_of(one["value"]);
    } else {
      co_return answer_refusal(asked.response,
                               {400, 40002, operation + " is none of SET and DELETE.", ""});
    }
  }
  bool validates = (*body)["validate_only"].as_bool().value_or(false);
  Status done =
      co_await asked.cluster.set_configs(topic->facts.name, std::move(configs), validates);
  answer_done(asked, done);
}

io::Task<> produce(Asked asked) {
  if (is_this_cluster(asked)) co_await V3Calls::produce(asked);
}
io::Task<> produce_batch(Asked asked) {
  if (is_this_cluster(asked)) co_await V3Calls::produce_batch(asked);
}

}  // namespace

std::span<const V3Calls::Route> V3Calls::routes() {
  static constexpr std::array table = {
      Route{"GET", "/v3/clusters", list_clusters},
      Route{"GET", "/v3/clusters/{cluster}", tell_cluster},
      Route{"GET", "/v3/clusters/{cluster}/topics", list_topics},
      Route{"POST", "/v3/clusters/{cluster}/topics", create_topic},
      Route{"GET", "/v3/clusters/{cluster}/topics/{topic}", tell_topic},
      Route{"PATCH", "/v3/clusters/{cluster}/topics/{topic}", change_topic},
      Route{"DELETE", "/v3/clusters/{cluster}/topics/{topic}", remove_topic},
      Route{"GET", "/v3/clusters/{cluster}/topics/{topic}/partitions", list_partitions},
      Route{"GET", "/v3/clusters/{cluster}/topics/{topic}/partitions/{partition}", tell_partition},
      Route{"GET", "/v3/clusters/{cluster}/topics/{topic}/configs", list_configs},
      Route{"POST", "/v3/clusters/{cluster}/topics/{topic}/configs:alter", alter_configs},
      Route{"GET", "/v3/clusters/{cluster}/topics/{topic}/configs/{config}", tell_config},
      Route{"PUT", "/v3/clusters/{cluster}/topics/{topic}/configs/{config}", set_config},
      Route{"DELETE", "/v3/clusters/{cluster}/topics/{topic}/configs/{config}", reset_config},
      Route{"POST", "/v3/clusters/{cluster}/topics/{topic}/records", rest::produce},
      Route{"POST", "/v3/clusters/{cluster}/topics/{topic}/records:batch", rest::produce_batch},
  };
  return table;
}

}  // namespace pinpipe::rest
