// The parts of one broker, shared by the access objects made from it. Only this room includes it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "auth/policy.h"
#include "broker/broker.h"
#include "broker/catalogue.h"
#include "broker/committed_offsets.h"
#include "broker/groups.h"
#include "log/open_files.h"
#include "state/database.h"

namespace pinpipe::broker {

struct House {
  House(Broker::Options given, io::Files& files_given, io::Pool& disk_given,
        const Clock& clock_given, auth::Policy policy_given,
        std::unique_ptr<state::Database> database_given)
      : options(std::move(given)),
        files(files_given),
        disk(disk_given),
        clock(clock_given),
        policy(std::move(policy_given)),
        database(std::move(database_given)),
        open_files(std::make_shared<log::OpenFiles>(files, options.open_files_max)),
        catalogue({options.log_directory, options.partitions_max}, *database,
                  {files, open_files, disk, clock}),
        offsets(catalogue, disk, clock),
        groups(clock, options.group_rebalance_delay) {}

  Status check(const auth::Principal& who, auth::Action action, std::string_view topic) const {
    return policy.check(who, action, {auth::ResourceKind::topic, topic});
  }

  // What Topics and Cluster both do, after they have asked the policy.
  io::Task<Result<TopicPointer>> find_or_create(auth::Principal who, std::string name);
  io::Task<Result<TopicPointer>> create(TopicSpec spec);
  io::Task<Status> remove(std::string name);

  // Blocks once in producer_ids_block calls.
  Result<int64_t> next_producer_id();
  static constexpr int64_t producer_ids_block = 1000;

  Broker::Options options;
  io::Files& files;
  io::Pool& disk;
  const Clock& clock;
  const auth::Policy policy;
  std::unique_ptr<state::Database> database;
  std::shared_ptr<log::OpenFiles> open_files;
  Catalogue catalogue;
  CommittedOffsets offsets;
  Groups groups;
  std::string cluster_id;
  std::mutex producer_ids_mutex;
  int64_t next_id = 0;
  int64_t ids_end = 0;  // ids below are ours to give: the database knows
};

}  // namespace pinpipe::broker
