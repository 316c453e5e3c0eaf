// The embedded broker as the Kafka and Kinesis doors see it: raw batches, groups, configs. Every
// operation checks the policy of the principal that the object was made for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/policy.h"
#include "auth/principal.h"
#include "base/result.h"
#include "broker/catalogue.h"
#include "broker/committed_offsets.h"
#include "broker/groups.h"
#include "broker/topics.h"
#include "io/task.h"
#include "io/wake.h"
#include "log/partition_log.h"

namespace pinpipe::broker {

struct House;

struct FetchPart {
  std::string_view topic;  // lives until fetch() completes
  PartitionId partition = 0;
  Offset from = 0;
  size_t bytes_max = 1 << 20;
};

struct FetchedPart {
  log::Slice slice;
  OffsetRange range;
  std::optional<Error> error;  // `invalid`: outside the range
};

struct FetchBounds {
  size_t bytes_min = 1;
  size_t bytes_max = 50 << 20;
  io::Instant deadline;
  bool may_send_files = false;  // slices may be places in files, see log::Slice
};

class Cluster {
 public:
  Cluster(House& house, auth::Principal principal);

  const std::string& cluster_id() const;
  const auth::Principal& principal() const { return principal_; }
  int32_t partitions_standard() const;
  bool creates_topics() const;
  const std::string& log_directory() const;

  // Only topics that may be described; in name order.
  std::vector<std::shared_ptr<const Topic>> list() const;
  // `denied` when it may not be described; not_found names the nearest.
  Result<std::shared_ptr<const Topic>> find(std::string_view name) const;
  Result<std::shared_ptr<const Topic>> find(const Uuid& id) const;
  io::Task<Result<std::shared_ptr<const Topic>>> find_or_create(std::string name);

  // −1 partitions: the broker's standard. With `validate_only` nothing is made.
  io::Task<Result<std::shared_ptr<const Topic>>> create(TopicSpec spec, bool validate_only);
  io::Task<Status> remove(std::string name);
  io::Task<Status> add_partitions(std::string name, int32_t total, bool validate_only);
  // Replaces all settings of the topic.
  io::Task<Status> set_configs(std::string name, ConfigMap configs, bool validate_only);

  // Checks one client's batch and queues it. The answer's Refusal speaks of the batch; an Error
  // here, of the topic or the principal. `bytes` are owned by `owner` and written to in place.
  struct Produce {
    std::string_view topic;
    PartitionId partition = 0;
    std::shared_ptr<void> owner;
    std::span<char> bytes;
    bool zstd_allowed = true;
  };
  Result<io::OneShot<log::PartitionLog::Answer>> produce(Produce produce);

  // One answer per part. Waits until bytes_min are there, a part is in error, or the deadline.
  io::Task<std::vector<FetchedPart>> fetch(std::vector<FetchPart> parts, FetchBounds bounds);

  io::Task<Result<std::optional<log::TimedOffset>>> offset_at(std::string_view topic,
                                                              PartitionId partition,
                                                              int64_t timestamp_ms);
  io::Task<Result<std::optional<log::TimedOffset>>> newest(std::string_view topic,
                                                           PartitionId partition);
  // Everything before `offset` goes; −1: up to the high watermark. Gives the new start. `conflict`
  // when the topic's cleanup.policy does not delete.
  io::Task<Result<Offset>> trim(std::string_view topic, PartitionId partition, Offset offset);
  Result<std::shared_ptr<log::PartitionLog>> partition(std::string_view topic,
                                                       PartitionId partition,
                                                       auth::Action action) const;

  // The coordinator, for one who may do this to the group.
  Result<Groups*> groups(std::string_view group, auth::Action action);
  // Those that may be described, with members or with positions only.
  std::vector<GroupDescription> list_groups() const;
  Result<GroupDescription> describe_group(std::string_view group) const;
  // Also forgets its positions. `conflict` when it has members.
  io::Task<Status> remove_group(std::string group);
  Result<Positions> positions(std::string_view group) const;
  // The caller has asked Groups::check_commit. An offset of −1 forgets.
  io::Task<Status> commit(std::string group, Positions positions);

  // A number that no producer ever had before.
  io::Task<Result<int64_t>> new_producer_id();

 private:
  House& house_;
  auth::Principal principal_;
};

}  // namespace pinpipe::broker
