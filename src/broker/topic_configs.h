// The settings of a topic: Kafka's names where Kafka has one, `fsync` is ours. One list says what
// may be set, what it is when not set, and what it means; describing and validating come from it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "log/partition_log.h"

namespace pinpipe::broker {

using ConfigMap = std::map<std::string, std::string>;

enum class ConfigType {
  boolean = 1,
  text = 2,
  integer = 3,
  long_integer = 5,
  real = 6,
  list = 7,
};

struct ConfigFact {
  std::string_view name;
  std::string_view standard;  // what it is when not set
  ConfigType type;
  std::string_view meaning;
};

// In name order.
std::span<const ConfigFact> topic_config_facts();

// The settings, understood.
struct TopicSettings {
  log::LogOptions log;
  int64_t flush_ms = 1000;  // with fsync=interval
  int64_t retention_ms = 7LL * 24 * 3600 * 1000;
  int64_t retention_bytes = -1;
  bool deletes = true;    // cleanup.policy
  bool compacts = false;  // then every record has a key
  size_t message_bytes_max = 1'048'588;
  int64_t timestamp_before_max_ms = INT64_MAX;
  int64_t timestamp_after_max_ms = INT64_MAX;
};

// `invalid` names the setting, the value and what is allowed.
Result<TopicSettings> understand(const ConfigMap& set);

}  // namespace pinpipe::broker
