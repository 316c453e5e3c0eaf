// Names of topics and groups, which partition a key belongs to, and what was probably meant.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinpipe::broker {

inline constexpr size_t topic_name_bytes_max = 249;

// Kafka's rule: letters, digits, '.', '_' and '-', at most 249, not "." or "..".
Status check_topic_name(std::string_view name);

// ": did you mean 'orders'?" when a known name is near, otherwise empty.
std::string nearest_hint(std::string_view name, const std::vector<std::string>& known);

// Kafka's default partitioner.
uint32_t murmur2(std::string_view bytes);
inline int32_t partition_of_key(std::string_view key, int32_t partitions) {
  return static_cast<int32_t>((murmur2(key) & 0x7fff'ffffU) % static_cast<uint32_t>(partitions));
}

// Java's String.hashCode over bytes, for placing groups as Kafka does.
int32_t java_hash(std::string_view text);

}  // namespace pinpipe::broker
