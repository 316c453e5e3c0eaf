// How far each group has read: a map in memory whose every change is first a record in the topic
// __consumer_offsets (Kafka's key and value layout), and which is read back from it at start.
// The topic keeps itself small: when most of it is outdated, all that is valid is written again at
// its end and what lies before is trimmed. Thread-safe. Bounds: metadata_bytes_max per position;
// what is valid is in memory.
#pragma once

#include <array>
#include <map>
#include <mutex>
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
  static constexpr uint64_t outdated_bytes_max = 4 << 20;

  CommittedOffsets(Catalogue& catalogue, io::Pool& disk, const Clock& clock);

  Status open();  // blocks

  // Ok when all are durable. An offset of −1 forgets the position.
  io::Task<Status> commit(std::string group, Positions positions);
  Positions find(std::string_view group) const;
  std::vector<std::string> groups() const;
  bool has(std::string_view group) const;
  // Forgets all positions in the topic, which was deleted.
  io::Task<Status> forget_topic(std::string topic);

 private:
  struct Kept {
    Position position;
    Offset written_at = -1;  // in the offsets topic: a later record wins
  };
  struct Part {
    size_t under_way = 0;
    uint64_t outdated_bytes = 0;
  };
  using Group = std::map<TopicPartition, Kept>;

  Status read_back(int32_t partition, log::PartitionLog& log);
  void apply(std::string_view key, std::optional<std::string_view> value, Offset offset);
  void apply_locked(const std::string& group, const TopicPartition& which,
                    const std::optional<Position>& position, Offset offset);
  io::Task<Result<TopicPointer>> topic();
  // All that is valid in the partition, written again and what lies before trimmed, if it is time.
  io::Task<> tidy(TopicPointer topic, int32_t partition);

  Catalogue& catalogue_;
  io::Pool& disk_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Group, std::less<>> groups_;
  std::array<Part, partitions> parts_;
};

}  // namespace pinpipe::broker
