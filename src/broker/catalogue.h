// The topics there are: rows in the state database, and their open partitions. Thread-safe: a short
// lock around a map of immutable topics; a change replaces the topic.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "broker/topic_configs.h"
#include "broker/topics.h"
#include "io/wake.h"
#include "log/open_files.h"
#include "log/partition_log.h"
#include "state/database.h"

namespace pinpipe::broker {

struct Topic {
  TopicFacts facts;
  TopicSettings settings;
  std::vector<std::shared_ptr<log::PartitionLog>> logs;  // by partition
  std::shared_ptr<std::atomic<uint32_t>> turn;           // round robin of records without a key
};
using TopicPointer = std::shared_ptr<const Topic>;

class Catalogue {
 public:
  struct Options {
    std::string log_directory;
    size_t partitions_max;
  };

  Catalogue(Options options, state::Database& database, log::LogHouse house);

  // Opens what the rows name, removes directories they do not. Blocks.
  Status open();

  TopicPointer find(std::string_view name) const;
  TopicPointer find(const Uuid& id) const;
  std::vector<TopicPointer> list() const;
  Error not_found(std::string_view name) const;  // with the nearest name

  // These block, and check nothing about who asks.
  Result<TopicPointer> create(TopicSpec spec, bool internal);
  Status check_creatable(const TopicSpec& spec) const;
  // The topic as it was; its logs are still to be abandoned, its directory to be removed.
  Result<TopicPointer> remove(std::string_view name);
  Status remove_directory(const Topic& topic);
  Status add_partitions(std::string_view name, int32_t total);
  Status set_configs(std::string_view name, const ConfigMap& configs);

  uint64_t version() const { return changed_.version(); }
  io::Signal& changed() { return changed_; }

 private:
  std::string directory_of(const TopicFacts& facts) const;
  Result<std::shared_ptr<Topic>> open_topic(TopicFacts facts);
  Status check_room(int32_t more) const;
  Status open_all(std::vector<TopicFacts> all);
  Status open_logs(std::vector<std::shared_ptr<Topic>>& topics);
  Status remove_strays();
  void put(TopicPointer topic);

  Options options_;
  state::Database& database_;
  log::LogHouse house_;
  io::Signal changed_;

  mutable std::mutex mutex_;
  std::map<std::string, TopicPointer, std::less<>> by_name_;
  std::map<Uuid, TopicPointer> by_id_;
  size_t partitions_ = 0;
};

}  // namespace pinpipe::broker
