// A consumer whose client has no connection to keep it alive: what the REST proxy calls an
// instance. It is a member of a group as every Kafka client is, or reads partitions that it was
// given by hand.
//
//   subscribe ─► keep_membership: join, sync, heartbeat ─► positions ─► read ─► accept
//
// Promise: read() moves nothing. What it gave counts as read when Reading::accept() is called; a
// Reading that is dropped leaves the positions where they were, so an answer that never reached its
// client is read again. Thread-safe: one mutex, held for a few steps over one consumer's
// partitions. Bounds: one Reading at a time, the next waits; bytes_max of a read.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "auth/principal.h"
#include "base/clock.h"
#include "base/result.h"
#include "broker/cluster.h"
#include "broker/topics.h"
#include "io/task.h"
#include "io/timer.h"
#include "io/wake.h"

namespace pinpipe::broker {

class Broker;

enum class OffsetReset { latest, earliest, none };

struct ConsumerSpec {
  std::string group;
  std::string name;
  std::string format;  // the door's word for how it writes records; kept, not read
  OffsetReset reset = OffsetReset::latest;
  bool auto_commit = true;
  int64_t bytes_min = -1;  // a read waits for so many; −1: for anything
  int64_t wait_ms = 1'000;
};

// What a restart brings back.
struct ConsumerPlan {
  std::vector<std::string> topics;  // subscribed by name
  std::string pattern;              // or by regular expression
  std::vector<TopicPartition> by_hand;
  bool is_by_hand = false;
  bool operator==(const ConsumerPlan&) const = default;
  bool subscribes() const { return !topics.empty() || !pattern.empty(); }
};

struct SavedPosition {
  Offset offset = 0;
  int64_t saved_ms = 0;
};
using SavedPositions = std::map<TopicPartition, SavedPosition>;

class Consumer : public std::enable_shared_from_this<Consumer> {
 public:
  static constexpr size_t read_bytes_max = 64 << 20;
  static constexpr Millis auto_commit_every{5'000};
  static constexpr Millis join_wait{1'000};  // how long a seek waits for the first assignment
  static constexpr size_t pattern_bytes_max = 1'024;

  class Reading;

  // `unsaved` is told of positions that a restart could not find out by itself.
  Consumer(ConsumerSpec spec, auth::Principal owner, Broker& broker, const Clock& clock,
           std::shared_ptr<io::Signal> unsaved);
  ~Consumer();

  const ConsumerSpec& spec() const { return spec_; }
  const auth::Principal& owner() const { return owner_; }

  // `conflict` when partitions were assigned by hand; `invalid` for a pattern that is none;
  // `denied` when a topic may not be read. A second subscription takes the place of the first.
  Status subscribe(std::vector<std::string> topics);
  Status subscribe_to_pattern(std::string pattern);
  // Also forgets what was assigned by hand, as Kafka's consumers do.
  io::Task<Status> unsubscribe();
  std::vector<std::string> subscription() const;

  // `conflict` when subscribed; `not_found` names the partition that is not there.
  io::Task<Status> assign(std::vector<TopicPartition> partitions);
  std::vector<TopicPartition> assignment() const;

  // `conflict` for a partition that is not assigned to this consumer.
  enum class End { beginning, end };
  io::Task<Status> seek(std::map<TopicPartition, Offset> to);
  io::Task<Status> seek_to(End end, std::vector<TopicPartition> which);
  io::Task<Result<std::optional<Offset>>> offset_at(TopicPartition where, int64_t timestamp_ms);

  // Everything accepted so far. `conflict` when the group has given the partitions to others.
  io::Task<Status> commit();
  // These offsets, as they are.
  io::Task<Status> commit(std::map<TopicPartition, Position> positions);
  io::Task<Result<std::map<TopicPartition, Position>>> committed(std::vector<TopicPartition> which);

  // Records of the assigned partitions from their positions on. Waits for the first of: bytes_min,
  // bytes_max, the deadline. An empty Reading when there is nothing. A record that would reach
  // bytes_max stays for the next read, and the first one is always given.
  struct Bounds {
    size_t bytes_max = read_bytes_max;
    Millis wait{0};
  };
  io::Task<Result<std::unique_ptr<Reading>>> read(Bounds bounds);

  // For Consumers.
  ConsumerPlan plan() const;
  void restore(ConsumerPlan plan, SavedPositions positions);
  SavedPositions positions_now() const;
  bool take_dirty();  // whether positions moved since the last call
  bool wants_membership() const;
  io::Task<> keep_membership();  // until unsubscribed, closed or cancelled
  io::Task<Status> close();      // commits when auto_commit; leaves the group
  int64_t touched_ms() const;
  void touch();

 private:
  struct Place {
    Offset next = -1;    // −1: not known yet
    uint64_t moves = 0;  // a seek in between makes a Reading's end void
  };
  using Places = std::map<TopicPartition, Place>;
  struct Membership {
    std::string member_id;
    int32_t generation = -1;
  };
  struct Look;
  struct Member;

  Status check_readable(const std::vector<std::string>& topics) const;
  std::vector<std::string> wanted_topics() const;
  io::Task<> take_partitions(std::vector<TopicPartition> partitions, Membership membership);
  io::Task<Result<Offset>> first_position(const TopicPartition& where);
  io::Task<Result<Offset>> reset_position(const TopicPartition& where);
  void place(const TopicPartition& where, Offset next);
  bool is_known_by_all(const std::set<TopicPartition>& which) const;
  io::Task<Status> wait_for_assignment(std::set<TopicPartition> which);
  io::Task<bool> take_turn(io::Instant deadline);
  io::Task<Status> commit_when_due();
  io::Task<Status> look(Reading& reading, Bounds bounds, Look& look);
  io::Task<Status> fetch_from(Reading& reading, const TopicPartition& where, Place place,
                              size_t bytes_max);

  const ConsumerSpec spec_;
  const auth::Principal owner_;
  const Clock& clock_;
  std::shared_ptr<io::Signal> unsaved_;
  std::unique_ptr<Topics> topics_;
  std::unique_ptr<Cluster> cluster_;
  io::Signal changed_;  // subscription, assignment, positions, end
  io::Signal turn_;     // the Reading was given back

  mutable std::mutex mutex_;
  ConsumerPlan plan_;
  Places places_;  // the partitions that are assigned
  SavedPositions saved_;
  Membership membership_;
  bool is_closed_ = false;
  bool is_read_ = false;  // somebody holds a Reading
  bool is_dirty_ = false;
  size_t first_ = 0;  // the partition that the next read begins with
  int64_t touched_ms_;
  int64_t committed_ms_;
};

// What one read gave, and the consumer's turn.
class Consumer::Reading {
 public:
  struct Record {
    const std::string* topic;
    PartitionId partition;
    const RecordOut* record;
  };

  ~Reading();
  Reading(const Reading&) = delete;

  const std::vector<Record>& records() const { return records_; }
  // Only the first `count` records count as read by accept().
  void cut(size_t count);
  // The records count as read now. At most once.
  void accept();

 private:
  friend class Consumer;
  explicit Reading(std::shared_ptr<Consumer> consumer) : consumer_(std::move(consumer)) {}

  struct Part {
    TopicPartition where;
    uint64_t moves = 0;
    Offset next = 0;
    Fetched fetched;
  };
  std::shared_ptr<Consumer> consumer_;
  std::vector<std::unique_ptr<Part>> parts_;  // records point into them
  std::vector<Record> records_;
  size_t bytes_ = 0;
  bool is_full_ = false;
};

}  // namespace pinpipe::broker
