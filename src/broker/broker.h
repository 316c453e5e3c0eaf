// The embedded broker: topics on disk, what is in them, and who has read how far.
//
//   doors, sink, jobs ─► as(principal): Topics ─┐
//   kafka, kinesis doors ─► cluster_as(principal): Cluster ─┴─► catalogue ─► log::PartitionLog
//
// Promise: a topic is a row in the state database first and a directory second; what is
// acknowledged is as durable as the topic's fsync setting says. Every operation of Topics and
// Cluster checks the policy. Thread-safe. Bounds: partitions_max in all; open_files_max
// descriptors.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "auth/policy.h"
#include "auth/principal.h"
#include "base/clock.h"
#include "base/result.h"
#include "broker/cluster.h"
#include "broker/topic_configs.h"
#include "broker/topics.h"
#include "io/files.h"
#include "io/pool.h"
#include "io/task.h"

namespace pinpipe::broker {

struct House;

class Broker {
 public:
  struct Options {
    std::string log_directory;  // <data>/log
    std::string state_path;     // <data>/state/broker.db
    bool auto_create = true;
    int32_t partitions_standard = 1;
    ConfigMap configs_standard = {};  // what a new topic gets where its maker set nothing
    size_t partitions_max = 100'000;
    size_t open_files_max = 2'000;
    Millis retention_check_every{300'000};
    Millis compaction_check_every{15'000};
    Millis offsets_check_every{600'000};
    Millis offsets_retention{7LL * 24 * 3600 * 1000};
    Millis group_rebalance_delay{50};
  };

  // Opens all topics, recovers what a crash left and removes directories that no row names. Blocks.
  static Result<std::unique_ptr<Broker>> open(Options options, io::Files& files, io::Pool& disk,
                                              const Clock& clock, auth::Policy policy);
  ~Broker();

  std::unique_ptr<Topics> as(auth::Principal principal);
  std::unique_ptr<Cluster> cluster_as(auth::Principal principal);

  // Flushes, applies retention, compacts, and expires members and positions until it is cancelled.
  io::Task<> run();
  // What run() does from time to time: one round over everything that is due, one partition at a
  // time.
  io::Task<> compact();
  io::Task<> expire_positions();
  // Commits and syncs everything and marks it clean. After it, appends are refused.
  io::Task<Status> close();

 private:
  explicit Broker(std::unique_ptr<House> house);
  io::Task<> keep_flushing();
  io::Task<> keep_compacting();
  io::Task<> keep_expiring();
  std::unique_ptr<House> house_;
};

}  // namespace pinpipe::broker
