#include "broker/topics_access.h"

#include <algorithm>
#include <atomic>

#include "base/spare.h"
#include "broker/house.h"
#include "broker/names.h"

namespace pinpipe::broker {
namespace {

constexpr size_t unpacked_bytes_max = 256 << 20;
constexpr size_t scratch_max = 64;             // sets of buffers a loop keeps
constexpr size_t scratch_records_max = 4'096;  // what they are kept for

// One record's way into a partition.
struct Routed {
  PartitionId partition;
  uint32_t index;
  auto operator<=>(const Routed&) const = default;
};

// What went into one append, to find each record's offset again.
struct Sent {
  io::OneShot<log::PartitionLog::Answer> answer;
  std::span<const Routed> records;
};

// The buffers of one produce().
struct Scratch {
  std::vector<Routed> routed;
  std::vector<log::LooseRecord> loose;
  std::vector<Sent> sent;

  void clear() {
    if (routed.capacity() > scratch_records_max) *this = {};
    routed.clear();
    loose.clear();
    sent.clear();
  }
};

void route(const Topic& topic, std::span<const RecordIn> records, std::vector<Placed>& placed,
           std::vector<Routed>& routed) {
  routed.reserve(records.size());
  for (uint32_t i = 0; i < records.size(); ++i) {
    const RecordIn& record = records[i];
    int32_t count = topic.facts.partitions;
    PartitionId to =
        record.partition ? *record.partition
        : record.key
            ? partition_of_key(*record.key, count)
            : static_cast<int32_t>(topic.turn->fetch_add(1) % static_cast<uint32_t>(count));
    placed[i].partition = to;
    if (to < 0 || to >= count) {
      placed[i].error.emplace(
          Code::not_found,
          "topic " + topic.facts.name + " has partitions 0 to " + std::to_string(count - 1));
      continue;
    }
    routed.push_back({to, i});
  }
  // Records of one partition keep their order.
  std::ranges::sort(routed);
}

// Appends the routed records piece by piece, so that batches have a good size, and window by
// window, so that one large request never fills a partition's queue and is refused by itself.
class Sending {
 public:
  Sending(const Topic& topic, std::span<const RecordIn> records, Scratch& scratch,
          std::vector<Placed>& placed)
      : topic_(topic),
        records_(records),
        routed_(scratch.routed),
        placed_(placed),
        loose_(scratch.loose),
        sent_(scratch.sent) {}

  bool is_done() const { return at_ == routed_.size(); }

  // The appends of the next window; their answers are waited for before there is another.
  std::span<Sent> next_window() {
    sent_.clear();
    size_t window_bytes = 0;
    for (; at_ < routed_.size() && window_bytes < window_bytes_max; ++at_) {
      const RecordIn& record = records_[routed_[at_].index];
      log::LooseRecord next{record.key, record.value, record.timestamp_ms, record.headers};
      size_t bound = size_bound(next);
      if (auto error = refusal_of(record, bound)) {
        send_piece();
        placed_[routed_[at_].index].error = std::move(error);
        continue;
      }
      bool other = !loose_.empty() && routed_[at_].partition != routed_[first_].partition;
      if (other || piece_bytes_ + bound > append_bytes_target) send_piece();
      if (loose_.empty()) first_ = at_;
      loose_.push_back(next);
      piece_bytes_ += bound;
      window_bytes += bound;
    }
    send_piece();
    return sent_;
  }

 private:
  static constexpr size_t append_bytes_target = 256 << 10;
  static constexpr size_t window_bytes_max = 16 << 20;

  std::optional<Error> refusal_of(const RecordIn& record, size_t bound) const {
    const std::string& name = topic_.facts.name;
    if (topic_.settings.compacts && !record.key)
      return Error(Code::invalid, "topic " + name + " is compacted: its records have keys");
    if (size_t bytes_max = topic_.settings.message_bytes_max; bound + log::header_bytes > bytes_max)
      return Error(Code::invalid, "a record of " + std::to_string(bound) + " bytes; topic " + name +
                                      " takes at most " + std::to_string(bytes_max));
    return std::nullopt;
  }

  void send_piece() {
    if (loose_.empty()) return;
    auto partition = static_cast<size_t>(routed_[first_].partition);
    sent_.push_back(
        {topic_.logs[partition]->append(loose_), routed_.subspan(first_, loose_.size())});
    loose_.clear();
    piece_bytes_ = 0;
  }

  const Topic& topic_;
  std::span<const RecordIn> records_;
  std::span<const Routed> routed_;
  std::vector<Placed>& placed_;
  size_t at_ = 0;
  size_t first_ = 0;  // of the piece: its records lie side by side in routed_
  std::vector<log::LooseRecord>& loose_;
  std::vector<Sent>& sent_;
  size_t piece_bytes_ = 0;
};

void note(const Sent& sent, const log::PartitionLog::Answer& answer,
          std::span<const RecordIn> records, std::vector<Placed>& placed) {
  Offset offset = answer ? answer->base : -1;
  for (const Routed& routed : sent.records) {
    Placed& place = placed[routed.index];
    if (!answer) {
      place.error = answer.error().error();
      continue;
    }
    place.offset = offset++;
    place.timestamp_ms = records[routed.index].timestamp_ms.value_or(answer->append_time_ms);
  }
}

struct Decoded {
  Status status;
  Fetched fetched;
};

// Reads and unpacks; on the pool.
Decoded read_records(log::PartitionLog& log, Offset from, size_t bytes_max) {
  Decoded decoded;
  Fetched& fetched = decoded.fetched;
  fetched.next = from;
  auto slice = log.read(from, bytes_max);
  if (!slice) {
    decoded.status = slice.error();
    return decoded;
  }
  size_t skip = slice->from;
  fetched.bytes.push_back(std::move(slice->buffer));
  // Views point into strings that are moved along with the vector's buffer: it must hold them all.
  size_t batch_count = 0;
  std::string_view stored = std::string_view(fetched.bytes.front()).substr(skip);
  std::string_view batch;
  log::BatchHeader header;
  for (log::BatchCursor count(stored); count.next(header, batch);) ++batch_count;
  fetched.bytes.reserve(batch_count + 1);
  stored = std::string_view(fetched.bytes.front()).substr(skip);
  for (log::BatchCursor batches(stored); batches.next(header, batch);) {
    std::string unpacked;
    auto records = log::records_of(batch, unpacked_bytes_max, unpacked);
    if (!records) {
      decoded.status = records.error();
      return decoded;
    }
    std::string_view bytes = *records;
    if (header.codec() != 0) bytes = fetched.bytes.emplace_back(std::move(unpacked));
    fetched.next = header.last_offset() + 1;
    if (header.is_control()) continue;
    log::RecordCursor cursor(header, bytes);
    for (log::RecordView record; cursor.next(record);) {
      if (record.offset < from) continue;
      fetched.records.push_back({.offset = record.offset,
                                 .timestamp_ms = record.timestamp_ms,
                                 .key = record.key,
                                 .value = record.value,
                                 .headers = record.headers()});
    }
  }
  return decoded;
}

}  // namespace

Result<std::shared_ptr<log::PartitionLog>> log_of(const Topic& topic, PartitionId partition) {
  if (partition < 0 || static_cast<size_t>(partition) >= topic.logs.size())
    return Error(Code::not_found, "topic " + topic.facts.name + " has partitions 0 to " +
                                      std::to_string(topic.logs.size() - 1) + ", not " +
                                      std::to_string(partition));
  return topic.logs[static_cast<size_t>(partition)];
}

Result<TopicPointer> TopicsAccess::allowed(std::string_view topic, auth::Action action) const {
  if (Status may = house_.check(principal_, action, topic); !may) return may.error();
  TopicPointer found = house_.catalogue.find(topic);
  if (!found) return house_.catalogue.not_found(topic);
  return found;
}

Result<std::shared_ptr<log::PartitionLog>> TopicsAccess::partition_of(std::string_view topic,
                                                                      PartitionId partition) const {
  auto found = allowed(topic, auth::Action::read);
  if (!found) return found.error();
  return log_of(**found, partition);
}

io::Task<Result<TopicFacts>> TopicsAccess::create(TopicSpec spec) {
  if (Status may = house_.check(principal_, auth::Action::create, spec.name); !may)
    co_return may.error();
  auto created = co_await house_.create(std::move(spec));
  if (!created) co_return created.error();
  co_return (*created)->facts;
}

io::Task<Result<TopicFacts>> TopicsAccess::find_or_create(std::string name) {
  if (Status may = house_.check(principal_, auth::Action::describe, name); !may)
    co_return may.error();
  auto found = co_await house_.find_or_create(principal_, std::move(name));
  if (!found) co_return found.error();
  co_return (*found)->facts;
}

Result<TopicFacts> TopicsAccess::find(std::string_view name) {
  auto found = allowed(name, auth::Action::describe);
  if (!found) return found.error();
  return (*found)->facts;
}

std::vector<TopicFacts> TopicsAccess::list() {
  std::vector<TopicFacts> topics;
  for (const TopicPointer& topic : house_.catalogue.list()) {
    if (house_.check(principal_, auth::Action::describe, topic->facts.name))
      topics.push_back(topic->facts);
  }
  return topics;
}

io::Task<Status> TopicsAccess::remove(std::string name) {
  auto found = allowed(name, auth::Action::remove);
  if (!found) co_return found.error();
  if ((*found)->facts.internal) co_return Error(Code::denied, name + " belongs to the broker");
  co_return co_await house_.remove(std::move(name));
}

io::Task<Result<std::vector<Placed>>> TopicsAccess::produce(std::string_view topic,
                                                            std::span<const RecordIn> records,
                                                            Acks acks) {
  auto found = allowed(topic, auth::Action::write);
  if (!found) co_return found.error();
  if ((*found)->facts.internal)
    co_return Error(Code::denied, std::string(topic) + " belongs to the broker");
  std::vector<Placed> placed(records.size());
  Spare<Scratch, scratch_max> scratch;
  route(**found, records, placed, scratch->routed);
  for (Sending sending(**found, records, *scratch, placed); !sending.is_done();) {
    std::span<Sent> sent = sending.next_window();
    if (acks == Acks::none) continue;
    for (Sent& part : sent) {
      auto answer = co_await part.answer.wait();
      if (!answer) co_return answer.error();
      note(part, *answer, records, placed);
    }
  }
  co_return placed;
}

io::Task<Result<Fetched>> TopicsAccess::fetch(std::string_view topic, PartitionId partition,
                                              Offset from, size_t bytes_max, io::Instant deadline) {
  auto log = partition_of(topic, partition);
  if (!log) co_return log.error();
  while (true) {
    uint64_t version = (*log)->grown().version();
    log::Range range = (*log)->range();
    if (from != range.high_watermark) {
      auto decoded = co_await house_.disk.run(
          [&log, from, bytes_max] { return read_records(**log, from, bytes_max); });
      if (!decoded.status) co_return decoded.status.error();
      range = (*log)->range();
      decoded.fetched.range = {range.start, range.high_watermark};
      // Compaction may have left nothing of what was read: more follows, or is waited for.
      bool only_gaps = decoded.fetched.records.empty() && decoded.fetched.next > from;
      from = only_gaps ? decoded.fetched.next : from;
      if (!only_gaps) co_return std::move(decoded.fetched);
      continue;
    }
    Status grown = co_await (*log)->grown().wait_beyond(version, deadline);
    if (!grown && grown.error().code() == Code::timeout) {
      Fetched nothing;
      nothing.range = {range.start, range.high_watermark};
      nothing.next = from;
      co_return nothing;
    }
    if (!grown) co_return grown.error();
    // Woken without records: the topic is gone, or the broker closes.
    if ((*log)->range().high_watermark == from) {
      auto again = partition_of(topic, partition);
      if (!again) co_return again.error();
      if (*again != *log || (*log)->is_closed())
        co_return Error(Code::cancelled, "topic " + std::string(topic) + " is being closed");
    }
  }
}

io::Task<Result<OffsetRange>> TopicsAccess::range(std::string_view topic, PartitionId partition) {
  auto log = partition_of(topic, partition);
  if (!log) co_return log.error();
  log::Range range = (*log)->range();
  co_return OffsetRange{range.start, range.high_watermark};
}

io::Task<Result<std::optional<Offset>>> TopicsAccess::offset_at(std::string_view topic,
                                                                PartitionId partition,
                                                                int64_t timestamp_ms) {
  auto log = partition_of(topic, partition);
  if (!log) co_return log.error();
  auto found =
      co_await house_.disk.run([&log, timestamp_ms] { return (*log)->offset_at(timestamp_ms); });
  if (!found) co_return found.error();
  if (!*found) co_return std::optional<Offset>{};
  co_return std::optional<Offset>((*found)->offset);
}

io::Task<Result<uint64_t>> TopicsAccess::wait_for_topic_change(uint64_t seen,
                                                               io::Instant deadline) {
  Status changed = co_await house_.catalogue.changed().wait_beyond(seen, deadline);
  if (!changed) co_return changed.error();
  co_return house_.catalogue.version();
}

io::Task<Status> TopicsAccess::commit(std::string_view group,
                                      std::map<TopicPartition, Position> positions) {
  std::string name(group);
  const auth::Resource resource{auth::ResourceKind::group, name};
  if (Status may = house_.policy.check(principal_, auth::Action::read, resource); !may)
    co_return may;
  for (auto& [which, position] : positions) {
    position.lasts = true;
    auto log = partition_of(which.topic, which.partition);
    if (!log) co_return log.error();
    if (position.offset < 0) co_return Error(Code::invalid, "a committed offset is not negative");
  }
  if (house_.groups.check_commit({.group = name, .member_id = {}, .instance_id = {}}) !=
      GroupFault::none)
    co_return Error(Code::conflict, "group " + name + " has members: only they may commit");
  co_return co_await house_.offsets.commit(std::move(name), std::move(positions));
}

io::Task<Result<std::map<TopicPartition, Position>>> TopicsAccess::committed(
    std::string_view group, std::vector<TopicPartition> which) {
  const auth::Resource resource{auth::ResourceKind::group, group};
  Status may = house_.policy.check(principal_, auth::Action::describe, resource);
  if (!may) co_return may.error();
  Positions positions = house_.offsets.find(group);
  std::erase_if(positions, [&](const auto& entry) {
    return std::ranges::find(which, entry.first) == which.end();
  });
  co_return positions;
}

}  // namespace pinpipe::broker
