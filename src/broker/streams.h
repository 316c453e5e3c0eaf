// Streams on the log: a stream is a topic of the same name whose partitions are shards, and rows
// that say which hash keys each shard has and what became of it.
//
//   record ─► MD5 of its key ─► open shard ─► partition of that number ─► sequence number
//
// Promise: put() answers when its records are as durable as the topic's fsync setting says;
// sequence numbers rise strictly within a shard; tickets stay valid across restarts and name the
// incarnation, so a stream created again refuses them. Every operation checks the policy. A stream
// whose topic was deleted is gone. Thread-safe: one mutex around a map of immutable streams.
// Bounds: shards_max open shards in all; get_bytes_max bytes and the given number of records per
// read.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/principal.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "broker/broker.h"
#include "broker/streams_hash.h"
#include "broker/streams_limits.h"
#include "broker/streams_subscriptions.h"
#include "broker/streams_ticket.h"
#include "io/pool.h"
#include "io/task.h"
#include "state/database.h"

namespace pinpipe::broker {

inline constexpr std::string_view hash_key_header = "pinpipe-hash-key";
inline constexpr int32_t record_kib_standard = 1024;
inline constexpr int32_t record_kib_max = 10'240;
inline constexpr int64_t ticket_life_ms = 300'000;

struct Shard {
  struct Closed {
    int64_t at_ms = 0;
    Offset end = 0;  // records from here on are not the shard's
  };

  int32_t number = 0;  // the partition; never reused
  int64_t created_s = 0;
  HashRange range;
  std::optional<int32_t> parent;
  std::optional<int32_t> adjacent_parent;  // the other one of a merge
  std::optional<Closed> closed;

  std::string id() const;  // "shardId-000000000007"
  bool is_open() const { return !closed; }
  bool has_parent(int32_t shard) const { return parent == shard || adjacent_parent == shard; }
  std::string starting_sequence() const;
  std::optional<std::string> ending_sequence() const;
  std::string sequence_of(Offset offset, int64_t timestamp_ms) const;
  // The number after which the record at `offset` is the next.
  std::string sequence_before(Offset offset, int64_t now_ms) const;
};

std::string shard_id(int32_t number);

class StreamGate;
class ShardPlan;

// Somebody who is sent a stream's records instead of asking for them.
struct StreamConsumer {
  std::string name;
  int64_t created_ms = 0;
  std::map<std::string, std::string> tags;
};

// One state of a stream; a change makes another.
struct Stream {
  std::string name;
  Uuid id;  // the topic's
  int64_t created_ms = 0;
  bool on_demand = false;
  int32_t record_kib = record_kib_standard;
  std::vector<Shard> shards;  // by number
  std::vector<int32_t> open;  // the open ones' numbers, by hash key
  std::map<std::string, std::string> tags;
  std::map<std::string, StreamConsumer, std::less<>> consumers;  // by name
  std::shared_ptr<StreamGate> gate;                              // shut while shards change

  void set_shards(std::vector<Shard> all);
  const Shard* find_shard(int32_t number) const;
  const Shard& open_shard_of(HashKey key) const;
  int32_t open_shards() const { return static_cast<int32_t>(open.size()); }
  bool is_changing() const;
  std::vector<const Shard*> children_of(int32_t number) const;
};
using StreamPointer = std::shared_ptr<const Stream>;

struct StreamSpec {
  std::string name;
  int32_t shards = 1;
  bool on_demand = false;
  int32_t record_kib = record_kib_standard;
  std::map<std::string, std::string> tags;
};

// One record on its way in; the views must live until put() completes.
struct StreamRecord {
  std::string_view partition_key;
  std::string_view data;
  std::optional<HashKey> explicit_hash;
};

struct StreamPlaced {
  int32_t shard = 0;
  std::string sequence;
  std::optional<Error> error;
};

struct ReadBounds {
  size_t records_max = 10'000;
  size_t bytes_max = size_t{10} << 20;  // one record may be larger
};

struct StreamRead {
  std::vector<Fetched> fetched;    // what the records' views point into
  std::vector<RecordOut> records;  // in order
  const Shard* shard = nullptr;    // lives as long as `stream`
  StreamPointer stream;
  Offset position = 0;                 // where to go on
  std::optional<std::string> next;     // nothing at the end of a closed shard
  std::vector<const Shard*> children;  // at the end of a closed shard
  int64_t behind_ms = 0;               // 0 at the tip
};

// The open shards' logs as they were seen: wait() ends when one of them has grown since, or when
// the stream's shards have changed.
class StreamWatch {
 public:
  StreamWatch(std::vector<std::shared_ptr<log::PartitionLog>> logs,
              std::shared_ptr<StreamGate> gate);
  io::Task<Status> wait(io::Instant deadline);

 private:
  std::vector<std::shared_ptr<log::PartitionLog>> logs_;
  std::shared_ptr<StreamGate> gate_;
  std::vector<io::Signal::Watch> watches_;
};

// Where a new iterator begins.
struct StreamStart {
  enum class Kind { horizon, latest, offset, time } kind = Kind::horizon;
  int64_t value = 0;  // the offset, or the time in ms
};

class StreamAccess;

class Streams {
 public:
  struct Options {
    std::string state_path;  // <data>/state/streams.db
    int32_t shards_max = 10'000;
    bool aws_limits = false;  // refuse what goes beyond AWS's rates
  };

  // Completes or removes what a crash left half created. Blocks. The broker outlives it.
  static Result<std::unique_ptr<Streams>> open(Options options, Broker& broker, io::Pool& disk,
                                               const Clock& clock);
  ~Streams();

  StreamAccess as(auth::Principal principal);
  const Options& options() const { return options_; }

 private:
  friend class StreamAccess;
  Streams(Options options, Broker& broker, io::Pool& disk, const Clock& clock,
          std::unique_ptr<state::Database> database);

  Status load();
  StreamPointer find(std::string_view name) const;
  void put(StreamPointer stream);
  void drop(const Stream& stream);
  int32_t open_shards() const;  // of all streams
  // Replaces the stream by a changed copy, unless it is gone or another incarnation.
  template <class F>
  void change(const Stream& stream, F changes) {
    std::lock_guard lock(mutex_);
    auto found = by_name_.find(stream.name);
    if (found == by_name_.end() || found->second->id != stream.id) return;
    auto next = std::make_shared<Stream>(*found->second);
    changes(*next);
    found->second = std::move(next);
  }

  const Options options_;
  Broker& broker_;
  io::Pool& disk_;
  const Clock& clock_;
  std::unique_ptr<state::Database> database_;
  std::string ticket_key_;
  StreamLimits limits_;
  Subscriptions subscriptions_;
  mutable std::mutex mutex_;
  std::map<std::string, StreamPointer, std::less<>> by_name_;
};

// The streams for one principal. Errors: not_found, conflict (exists, or its shards are changing),
// busy (a bound), denied, invalid, and what the log has to say.
class StreamAccess {
 public:
  StreamAccess(Streams& streams, auth::Principal principal);

  Result<StreamPointer> find(std::string_view name) const;
  std::vector<StreamPointer> list() const;  // in name order, those that may be described
  int32_t open_shards() const { return streams_.open_shards(); }

  io::Task<Result<StreamPointer>> create(StreamSpec spec);
  io::Task<Status> remove(StreamPointer stream);

  // How long records stay readable.
  int64_t retention_ms(const Stream& stream) const;
  io::Task<Status> set_retention(StreamPointer stream, int64_t retention_ms);
  io::Task<Status> add_tags(StreamPointer stream, std::map<std::string, std::string> tags);
  io::Task<Status> remove_tags(StreamPointer stream, std::vector<std::string> keys);
  io::Task<Status> set_mode(StreamPointer stream, bool on_demand);
  io::Task<Status> set_record_kib(StreamPointer stream, int32_t record_kib);

  // Consumers; `conflict` when there is one of that name.
  io::Task<Status> add_consumer(StreamPointer stream, StreamConsumer consumer);
  io::Task<Status> remove_consumer(StreamPointer stream, std::string name);
  io::Task<Status> tag_consumer(StreamPointer stream, std::string name,
                                std::map<std::string, std::string> tags);
  io::Task<Status> untag_consumer(StreamPointer stream, std::string name,
                                  std::vector<std::string> keys);
  // `conflict` when the same consumer has just subscribed to the shard.
  Result<std::shared_ptr<Subscription>> subscribe(const Stream& stream, std::string_view consumer,
                                                  int32_t shard);

  // Whether AWS would let another such request through, where its limits are asked for.
  bool admit_action(std::string_view action, std::string_view subject, double per_second) const;
  bool has_aws_limits() const { return streams_.options_.aws_limits; }

  // One answer per record, in order. Waits while the stream's shards change. `busy` in a record:
  // its shard takes no more for now.
  io::Task<Result<std::vector<StreamPlaced>>> put(StreamPointer stream,
                                                  std::span<const StreamRecord> records);

  io::Task<Result<std::string>> iterator(StreamPointer stream, int32_t shard, StreamStart start);
  // Reads without an iterator, for those who keep their places themselves.
  io::Task<Result<StreamRead>> look(StreamPointer stream, int32_t shard, StreamStart start,
                                    ReadBounds bounds);
  // From now on; without the shards that may not be read.
  StreamWatch watch(const Stream& stream) const;
  // not_found when the stream or shard of the ticket is gone.
  io::Task<Result<StreamRead>> get(Ticket iterator, ReadBounds bounds);
  // The same for a position, without the rates of get(); waits until there is a record, the shard's
  // end or the deadline. Gives `cancelled` when the subscription is over.
  io::Task<Result<StreamRead>> follow(Ticket position, ReadBounds bounds,
                                      Subscription& subscription, io::Instant deadline);

  std::string seal(Ticket ticket) const;  // with the time of now
  // `invalid` when we did not write it; its age is the caller's to judge.
  Result<Ticket> read(std::string_view text, Ticket::Kind kind) const;

  // Closes the parent and creates two children; `at` becomes the second one's first key.
  io::Task<Status> split(StreamPointer stream, int32_t shard, HashKey at);
  // Closes both parents, `lower` being the lower neighbour, and creates one child.
  io::Task<Status> merge(StreamPointer stream, int32_t lower, int32_t upper);
  // Splits and merges until there are `count` open shards of equal size.
  io::Task<Status> set_shard_count(StreamPointer stream, int32_t count);

 private:
  Status check(const Stream& stream, auth::Action action) const;
  io::Task<Status> forget(const Stream& stream);
  io::Task<Result<Offset>> start_of(const Stream& stream, const Shard& shard, StreamStart start);
  io::Task<Result<Offset>> end_of(const Stream& stream, const Shard& shard);
  io::Task<Result<StreamRead>> read_at(Ticket position, ReadBounds bounds);
  io::Task<Status> read_until(StreamRead& read, Offset& from, Offset end, ReadBounds bounds);
  io::Task<Status> reshard(StreamPointer stream, std::function<Status(ShardPlan&)> change);
  io::Task<Result<Offset>> seal(const Stream& stream, int32_t shard);
  io::Task<Status> carry_out(const Stream& stream, const ShardPlan& plan);

  Streams& streams_;
  std::unique_ptr<Topics> topics_;
  std::unique_ptr<Cluster> cluster_;
};

}  // namespace pinpipe::broker
