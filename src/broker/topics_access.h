// The embedded broker behind the Topics interface, for one principal.
#pragma once

#include "auth/policy.h"
#include "auth/principal.h"
#include "broker/catalogue.h"
#include "broker/topics.h"

namespace pinpipe::broker {

struct House;

class TopicsAccess final : public Topics {
 public:
  TopicsAccess(House& house, auth::Principal principal)
      : house_(house), principal_(std::move(principal)) {}

  io::Task<Result<TopicFacts>> create(TopicSpec spec) override;
  io::Task<Result<TopicFacts>> find_or_create(std::string name) override;
  Result<TopicFacts> find(std::string_view name) override;
  std::vector<TopicFacts> list() override;
  io::Task<Status> remove(std::string name) override;
  io::Task<Result<std::vector<Placed>>> produce(std::string_view topic,
                                                std::span<const RecordIn> records,
                                                Acks acks) override;
  io::Task<Result<Fetched>> fetch(std::string_view topic, PartitionId partition, Offset from,
                                  size_t bytes_max, io::Instant deadline) override;
  io::Task<Result<OffsetRange>> range(std::string_view topic, PartitionId partition) override;
  io::Task<Result<std::optional<Offset>>> offset_at(std::string_view topic, PartitionId partition,
                                                    int64_t timestamp_ms) override;
  io::Task<Result<uint64_t>> wait_for_topic_change(uint64_t seen, io::Instant deadline) override;
  io::Task<Status> commit(std::string_view group,
                          std::map<TopicPartition, Position> positions) override;
  io::Task<Result<std::map<TopicPartition, Position>>> committed(
      std::string_view group, std::vector<TopicPartition> which) override;

 private:
  Result<TopicPointer> allowed(std::string_view topic, auth::Action action) const;
  Result<std::shared_ptr<log::PartitionLog>> partition_of(std::string_view topic,
                                                          PartitionId partition) const;

  House& house_;
  auth::Principal principal_;
};

// The log of one partition, or not_found with what there is.
Result<std::shared_ptr<log::PartitionLog>> log_of(const Topic& topic, PartitionId partition);

}  // namespace pinpipe::broker
