// A topic's settings as Kafka's admin protocol shows them: every setting there is, with its value
// and where the value comes from.
#pragma once

#include <string>
#include <vector>

#include "broker/topic_configs.h"

namespace pinpipe::kafka {

struct ConfigEntry {
  const broker::ConfigFact* fact;
  std::string value;
  bool is_set = false;

  int8_t source() const { return is_set ? int8_t{1} : int8_t{5}; }  // of the topic, standard
};

std::vector<ConfigEntry> describe_configs(const broker::ConfigMap& set);

}  // namespace pinpipe::kafka
