#include "doors/kafka/configs.h"

namespace pinpipe::kafka {

std::vector<ConfigEntry> describe_configs(const broker::ConfigMap& set) {
  std::vector<ConfigEntry> entries;
  for (const broker::ConfigFact& fact : broker::topic_config_facts()) {
    auto found = set.find(std::string(fact.name));
    bool is_set = found != set.end();
    entries.push_back({&fact, is_set ? found->second : std::string(fact.standard), is_set});
  }
  return entries;
}

}  // namespace pinpipe::kafka
