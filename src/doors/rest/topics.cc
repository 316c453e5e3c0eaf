// What topics, partitions and brokers there are.
#include <charconv>

#include "codec/json.h"
#include "doors/rest/door.h"
#include "doors/rest/errors.h"
#include "doors/rest/paths.h"

namespace pinpipe::rest {
namespace {

using broker::PartitionId;
using broker::TopicFacts;
using broker::Topics;
using codec::JsonWriter;

void write_partition(JsonWriter& writer, PartitionId partition, int32_t broker_id) {
  writer.begin_object();
  writer.field("partition", partition).field("leader", broker_id);
  writer.key("replicas").begin_array();
  writer.begin_object();
  writer.field("broker", broker_id).field("leader", true).field("in_sync", true);
  writer.end_object();
  writer.end_array();
  writer.end_object();
}

void write_partitions(JsonWriter& writer, const TopicFacts& topic, int32_t broker_id) {
  writer.begin_array();
  for (PartitionId i = 0; i < topic.partitions; ++i) write_partition(writer, i, broker_id);
  writer.end_array();
}

// The path's topic, or the refusal is in `response`.
std::optional<TopicFacts> find_topic(Topics& topics, http::Request& request,
                                     http::Response& response) {
  auto found = topics.find(request.param("topic"));
  if (found) return std::move(*found);
  answer_refusal(response, refusal_of(found.error()));
  return std::nullopt;
}

}  // namespace

std::optional<PartitionId> partition_of_path(const http::Request& request) {
  const std::string& text = request.param("partition");
  PartitionId partition = 0;
  auto end = std::from_chars(text.data(), text.data() + text.size(), partition);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || partition < 0)
    return std::nullopt;
  return partition;
}

Refusal no_such_partition(const TopicFacts& topic) {
  return {404, 40402, "Partition not found.",
          topic.name + " has the partitions 0 to " + std::to_string(topic.partitions - 1) + "."};
}

io::Task<> Door::say_nothing(Topics&, http::Request&, http::Response& response) {
  response.body = "{}";
  co_return;
}

io::Task<> Door::list_brokers(Topics&, http::Request&, http::Response& response) {
  JsonWriter writer(response.body);
  writer.begin_object().key("brokers").begin_array();
  writer.value(options_.broker_id);
  writer.end_array().end_object();
  co_return;
}

io::Task<> Door::list_topics(Topics& topics, http::Request&, http::Response& response) {
  JsonWriter writer(response.body);
  writer.begin_array();
  for (const TopicFacts& topic : topics.list()) {
    if (!topic.internal) writer.value(topic.name);
  }
  writer.end_array();
  co_return;
}

io::Task<> Door::tell_topic(Topics& topics, http::Request& request, http::Response& response) {
  auto topic = find_topic(topics, request, response);
  if (!topic) co_return;
  JsonWriter writer(response.body);
  writer.begin_object();
  writer.field("name", topic->name);
  writer.key("configs").begin_object();
  for (const auto& [key, value] : topic->configs) writer.field(key, value);
  writer.end_object();
  writer.key("partitions");
  write_partitions(writer, *topic, options_.broker_id);
  writer.end_object();
}

io::Task<> Door::list_partitions(Topics& topics, http::Request& request, http::Response& response) {
  auto topic = find_topic(topics, request, response);
  if (!topic) co_return;
  JsonWriter writer(response.body);
  write_partitions(writer, *topic, options_.broker_id);
}

io::Task<> Door::tell_partition(Topics& topics, http::Request& request, http::Response& response) {
  auto topic = find_topic(topics, request, response);
  if (!topic) co_return;
  auto partition = partition_of_path(request);
  if (!partition || *partition >= topic->partitions)
    co_return answer_refusal(response, no_such_partition(*topic));
  JsonWriter writer(response.body);
  write_partition(writer, *partition, options_.broker_id);
}

io::Task<> Door::tell_offsets(Topics& topics, http::Request& request, http::Response& response) {
  auto topic = find_topic(topics, request, response);
  if (!topic) co_return;
  auto partition = partition_of_path(request);
  if (!partition || *partition >= topic->partitions)
    co_return answer_refusal(response, no_such_partition(*topic));
  auto range = co_await topics.range(topic->name, *partition);
  if (!range) co_return answer_refusal(response, refusal_of(range.error()));
  JsonWriter writer(response.body);
  writer.begin_object();
  writer.field("beginning_offset", range->start).field("end_offset", range->high_watermark);
  writer.end_object();
}

}  // namespace pinpipe::rest
