// The bytes that members of a consumer group tell each other through the coordinator: what they
// subscribe to, what they were assigned; and the assignment itself, by range, as Kafka's clients
// make it. So a consumer kept here can be in one group with Java's, librdkafka's and others.
//   subscription  version:2  topics:[2+text]  user data:4+bytes
//   assignment    version:2  [topic:2+text [partition:4]]  user data:4+bytes
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/groups.h"
#include "broker/topics.h"

namespace pinpipe::broker {

inline constexpr std::string_view consumer_protocol_type = "consumer";
inline constexpr std::string_view range_protocol = "range";

std::string encode_subscription(const std::vector<std::string>& topics);
// Nothing when the bytes are none; later versions' further fields are not looked at.
std::optional<std::vector<std::string>> decode_subscription(std::string_view bytes);

std::string encode_assignment(const std::vector<TopicPartition>& partitions);
std::optional<std::vector<TopicPartition>> decode_assignment(std::string_view bytes);

// Each topic's partitions in runs, over the members that subscribe to it, in the order of their
// ids: the encoded assignment of every member, empty ones too. Topics without a count get nobody.
std::map<std::string, std::string> assign_by_range(const std::vector<GroupMember>& members,
                                                   const std::map<std::string, int32_t>& counts);

}  // namespace pinpipe::broker
