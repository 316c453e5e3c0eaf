// Topics as doors, the sink and jobs see them: create, produce, follow, commit positions.
// Implemented by the embedded broker and by a real Kafka cluster. Every operation checks the policy
// of the principal that the object was made for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "io/task.h"
#include "io/timer.h"
#include "log/batch.h"

namespace pinpipe::broker {

using Offset = int64_t;
using PartitionId = int32_t;

struct TopicSpec {
  std::string name;
  int32_t partitions = 1;
  std::map<std::string, std::string> configs;  // Kafka's names: "retention.ms", "fsync" is ours
};

struct TopicFacts {
  std::string name;
  Uuid id;  // the incarnation: a topic created again has another one
  int32_t partitions = 1;
  std::map<std::string, std::string> configs;  // those set, not the defaults
  bool internal = false;
};

using RecordHeader = log::HeaderView;  // key, and value or nothing

// One record on its way in. The views must live until produce() completes.
struct RecordIn {
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;  // nothing: a tombstone
  std::optional<PartitionId>
      partition;  // nothing: by key hash (murmur2, as Kafka), else round robin
  std::optional<int64_t> timestamp_ms;  // nothing: arrival
  std::vector<RecordHeader> headers;
};

// What became of one record: where it lies, or why not.
struct Placed {
  PartitionId partition = 0;
  Offset offset = -1;
  int64_t timestamp_ms = -1;
  std::optional<Error> error;
};

enum class Acks { none, committed };

struct OffsetRange {
  Offset start = 0;           // the first offset still there
  Offset high_watermark = 0;  // the next one to be written; nothing at or beyond is readable
};

// One record on its way out; the views point into Fetched::bytes.
struct RecordOut {
  Offset offset = 0;
  int64_t timestamp_ms = 0;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::vector<RecordHeader> headers;
};

struct Fetched {
  std::vector<std::string> bytes;  // what the records' views point into
  std::vector<RecordOut> records;  // from the asked offset on, in order
  OffsetRange range;
  Offset next = 0;  // where to go on
};

struct Position {
  Offset offset = -1;
  std::string metadata;
  int32_t leader_epoch = -1;  // of the last record read, when the client said
  int64_t committed_ms = -1;
  bool lasts = false;  // never expires: whoever committed it is not a member of the group
};

struct TopicPartition {
  std::string topic;
  PartitionId partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};

class Topics {
 public:
  virtual ~Topics() = default;

  // `conflict` when it exists, `invalid` for a name or config Kafka would refuse.
  virtual io::Task<Result<TopicFacts>> create(TopicSpec spec) = 0;
  // Found by name; created with defaults when absent and the broker is configured to.
  virtual io::Task<Result<TopicFacts>> find_or_create(std::string name) = 0;
  virtual Result<TopicFacts> find(std::string_view name) = 0;  // not_found names the nearest
  virtual std::vector<TopicFacts> list() = 0;                  // in name order, internal ones too
  virtual io::Task<Status> remove(std::string name) = 0;

  // One Placed per record, in order. With Acks::committed it completes when all are durable as the
  // topic's fsync policy says. The call fails as a whole only when the topic does not exist or the
  // principal may not; a full queue is `busy` in each record.
  virtual io::Task<Result<std::vector<Placed>>> produce(std::string_view topic,
                                                        std::span<const RecordIn> records,
                                                        Acks acks) = 0;

  // Records from `from` on, at least one whole batch when there is any, about bytes_max at most.
  // Waits until there is something or the deadline: then an empty result, not an error. `invalid`
  // when `from` is outside the range (its text names the range).
  virtual io::Task<Result<Fetched>> fetch(std::string_view topic, PartitionId partition,
                                          Offset from, size_t bytes_max, io::Instant deadline) = 0;
  virtual io::Task<Result<OffsetRange>> range(std::string_view topic, PartitionId partition) = 0;
  // The first offset whose record's timestamp is at or after the given one; nothing when none is.
  virtual io::Task<Result<std::optional<Offset>>> offset_at(std::string_view topic,
                                                            PartitionId partition,
                                                            int64_t timestamp_ms) = 0;

  // Completes when topics were created or removed since `seen`; gives the new version to pass next.
  virtual io::Task<Result<uint64_t>> wait_for_topic_change(uint64_t seen, io::Instant deadline) = 0;

  // Positions of a group whose members are not coordinated by it (the sink, assigned consumers).
  // They do not expire.
  virtual io::Task<Status> commit(std::string_view group,
                                  std::map<TopicPartition, Position> positions) = 0;
  virtual io::Task<Result<std::map<TopicPartition, Position>>> committed(
      std::string_view group, std::vector<TopicPartition> which) = 0;
};

}  // namespace pinpipe::broker
