#include "broker/consumer_protocol.h"

#include <algorithm>

#include "base/bytes.h"

namespace pinpipe::broker {
namespace {

constexpr int16_t version = 0;
constexpr int32_t no_user_data = -1;

void append_text(std::string& to, std::string_view text) {
  append_be(to, static_cast<int16_t>(text.size()));
  to.append(text);
}

// A count cannot be larger than the bytes that are left.
int32_t take_count(Reader& reader) {
  auto count = reader.be<int32_t>();
  if (count < 0 || static_cast<size_t>(count) > reader.remaining()) reader.mark_failed();
  return reader.failed() ? 0 : count;
}

}  // namespace

std::string encode_subscription(const std::vector<std::string>& topics) {
  std::string bytes;
  append_be(bytes, version);
  append_be(bytes, static_cast<int32_t>(topics.size()));
  for (const std::string& topic : topics) append_text(bytes, topic);
  append_be(bytes, no_user_data);
  return bytes;
}

std::optional<std::vector<std::string>> decode_subscription(std::string_view bytes) {
  Reader reader(bytes);
  reader.be<int16_t>();
  std::vector<std::string> topics;
  for (int32_t left = take_count(reader); left > 0 && !reader.failed(); --left)
    topics.emplace_back(reader.take(reader.be<int16_t>()));
  if (reader.failed()) return std::nullopt;
  return topics;
}

std::string encode_assignment(const std::vector<TopicPartition>& partitions) {
  std::map<std::string_view, std::vector<PartitionId>> by_topic;
  for (const TopicPartition& one : partitions) by_topic[one.topic].push_back(one.partition);
  std::string bytes;
  append_be(bytes, version);
  append_be(bytes, static_cast<int32_t>(by_topic.size()));
  for (const auto& [topic, ids] : by_topic) {
    append_text(bytes, topic);
    append_be(bytes, static_cast<int32_t>(ids.size()));
    for (PartitionId id : ids) append_be(bytes, id);
  }
  append_be(bytes, no_user_data);
  return bytes;
}

std::optional<std::vector<TopicPartition>> decode_assignment(std::string_view bytes) {
  std::vector<TopicPartition> partitions;
  if (bytes.empty()) return partitions;  // what a member without a part of its own gets
  Reader reader(bytes);
  reader.be<int16_t>();
  for (int32_t left = take_count(reader); left > 0 && !reader.failed(); --left) {
    std::string topic(reader.take(reader.be<int16_t>()));
    for (int32_t ids = take_count(reader); ids > 0 && !reader.failed(); --ids)
      partitions.push_back({topic, reader.be<int32_t>()});
  }
  if (reader.failed()) return std::nullopt;
  return partitions;
}

std::map<std::string, std::string> assign_by_range(const std::vector<GroupMember>& members,
                                                   const std::map<std::string, int32_t>& counts) {
  std::map<std::string, std::vector<std::string>> subscribers;  // by topic, in the ids' order
  std::map<std::string, std::vector<TopicPartition>> assigned;
  for (const GroupMember& member : members) {
    assigned[member.id];
    auto topics = decode_subscription(member.metadata);
    if (!topics) continue;
    for (const std::string& topic : *topics) subscribers[topic].push_back(member.id);
  }
  for (auto& [topic, ids] : subscribers) {
    auto count = counts.find(topic);
    if (count == counts.end()) continue;
    std::ranges::sort(ids);
    ids.erase(std::ranges::unique(ids).begin(), ids.end());
    const auto size = static_cast<int32_t>(ids.size());
    PartitionId next = 0;
    for (int32_t i = 0; i < size; ++i) {
      int32_t share = count->second / size + (i < count->second % size ? 1 : 0);
      for (; share > 0; --share) assigned[ids[static_cast<size_t>(i)]].push_back({topic, next++});
    }
  }
  std::map<std::string, std::string> encoded;
  for (const auto& [id, partitions] : assigned) encoded[id] = encode_assignment(partitions);
  return encoded;
}

}  // namespace pinpipe::broker
