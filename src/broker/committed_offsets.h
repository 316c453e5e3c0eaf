// How far each group has read: a map in memory whose every change is first a record in the topic
// __consumer_offsets (Kafka's key and value layout), and which is read back from it at start.
// The topic is compacted, so that it stays about as large as what is valid. Thread-safe.
// Bounds: metadata_bytes_max per position; what is valid is in memory.
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/catalogue.h"
#include "broker/topics.h"
#include "io/task.h"

namespace pinpipe::broker {

using Positions = std::map<TopicPartition, Position>;

class CommittedOffsets {
 public:
  static constexpr std::string_view topic_name = "__consumer_offsets";
  static constexpr int32_t partitions = 8;
  static constexpr size_t metadata_bytes_max = 4096;
  static constexpr std::string_view segment_bytes = "4194304";

  CommittedOffsets(Catalogue& catalogue, io::Pool& disk, const Clock& clock);

  Status open();  // blocks

  // Ok when all are durable. An offset of −1 forgets the position. The protocol type is that of the
  // group's members, if it has any: it is remembered for as long as the group has positions.
  io::Task<Status> commit(std::string group, Positions positions, std::string protocol_type = "");
  Positions find(std::string_view group) const;
  std::vector<std::string> groups() const;
  bool has(std::string_view group) const;
  // Empty: its positions are of consumers that were never members.
  std::string protocol_type(std::string_view group) const;
  // Forgets all positions in the topic, which was deleted.
  io::Task<Status> forget_topic(std::string topic);
  // Forgets positions that were committed `retention_ms` ago in groups without members. A group
  // with members is remembered by committing its positions again once in a seventh of that time,
  // so that its own retention begins when it becomes empty, whenever we are started.
  io::Task<Status> expire(int64_t retention_ms, std::set<std::string, std::less<>> with_members);

 private:
  struct Kept {
    Position position;
    Offset written_at = -1;  // in the offsets topic: a later record wins
  };
  // A commit on its way to the topic.
  struct Sent {
    std::string group;
    Positions positions;
    std::string protocol_type;
    int32_t partition = 0;
    io::OneShot<log::PartitionLog::Answer> answer;
  };
  using Group = std::map<TopicPartition, Kept>;

  Status read_back(log::PartitionLog& log);
  void apply(std::string_view key, std::optional<std::string_view> value, Offset offset);
  void apply_type(std::string group, std::optional<std::string_view> value);
  void apply_locked(const std::string& group, const TopicPartition& which,
                    const std::optional<Position>& position, Offset offset);
  io::Task<Result<TopicPointer>> topic();
  Status make_compacted(const Topic& topic);
  Sent send_locked(const Topic& topic, std::string group, Positions positions,
                   std::string protocol_type);
  bool forgets_all_locked(std::string_view group, const Positions& positions) const;
  io::Task<Status> finish(Sent sent);
  Positions due_locked(const Group& group, int64_t retention_ms, bool has_members) const;

  Catalogue& catalogue_;
  io::Pool& disk_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Group, std::less<>> groups_;
  std::map<std::string, std::string, std::less<>> protocol_types_;  // of groups in `groups_`
  std::array<size_t, partitions> under_way_{};                      // commits
};

}  // namespace pinpipe::broker
