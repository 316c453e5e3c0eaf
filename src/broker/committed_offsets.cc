#include "broker/committed_offsets.h"

#include "base/bytes.h"
#include "base/log_line.h"
#include "broker/names.h"

namespace pinpipe::broker {
namespace {

constexpr int16_t key_version = 1;
constexpr int16_t value_version = 3;
constexpr size_t read_bytes = 1 << 20;

void append_text(std::string& to, std::string_view text) {
  append_be(to, static_cast<int16_t>(text.size()));
  to.append(text);
}
std::string take_text(Reader& reader) {
  return std::string(reader.take(reader.be<int16_t>()));
}

std::string key_of(std::string_view group, const TopicPartition& which) {
  std::string key;
  append_be(key, key_version);
  append_text(key, group);
  append_text(key, which.topic);
  append_be(key, which.partition);
  return key;
}

std::string value_of(const Position& position) {
  std::string value;
  append_be(value, value_version);
  append_be(value, position.offset);
  append_be(value, position.leader_epoch);
  append_text(value, position.metadata);
  append_be(value, position.committed_ms);
  return value;
}

int32_t partition_of(std::string_view group) {
  return (java_hash(group) & 0x7fff'ffff) % CommittedOffsets::partitions;
}

// Keys and values with the records that point to them.
struct Encoded {
  std::vector<std::string> texts;
  std::vector<log::LooseRecord> records;
  uint64_t size_bytes = 0;

  void reserve(size_t count) {
    texts.reserve(2 * count);  // the records point into it: it must not move
    records.reserve(count);
  }
  void add(std::string_view group, const TopicPartition& which, const Position& position) {
    log::LooseRecord record;
    record.key = texts.emplace_back(key_of(group, which));
    if (position.offset >= 0) record.value = texts.emplace_back(value_of(position));
    size_bytes += size_bound(record);
    records.push_back(record);
  }
};

}  // namespace

CommittedOffsets::CommittedOffsets(Catalogue& catalogue, io::Pool& disk, const Clock& clock)
    : catalogue_(catalogue), disk_(disk), clock_(clock) {}

Status CommittedOffsets::open() {
  TopicPointer topic = catalogue_.find(topic_name);
  if (!topic) return {};
  for (int32_t i = 0; i < partitions; ++i) {
    Status read = read_back(i, *topic->logs.at(static_cast<size_t>(i)));
    if (!read) return read.error().with("committed offsets");
  }
  return {};
}

Status CommittedOffsets::read_back(int32_t partition, log::PartitionLog& log) {
  log::Range range = log.range();
  for (Offset next = range.start; next < range.high_watermark;) {
    auto slice = log.read(next, read_bytes);
    if (!slice) return slice.error();
    log::BatchCursor batches(slice->bytes());
    std::string_view batch;
    for (log::BatchHeader header; batches.next(header, batch);) {
      std::string scratch;
      auto records = log::records_of(batch, 64 << 20, scratch);
      if (!records) return records.error();
      log::RecordCursor cursor(header, *records);
      for (log::RecordView record; cursor.next(record);) {
        if (record.offset >= next && record.key) apply(*record.key, record.value, record.offset);
      }
      next = header.last_offset() + 1;
    }
  }
  parts_[static_cast<size_t>(partition)].outdated_bytes = log.size_bytes();
  return {};
}

void CommittedOffsets::apply(std::string_view key, std::optional<std::string_view> value,
                             Offset offset) {
  Reader reader(key);
  if (reader.be<int16_t>() != key_version) return;
  std::string group = take_text(reader);
  TopicPartition which;
  which.topic = take_text(reader);
  which.partition = reader.be<int32_t>();
  if (reader.failed()) return;
  std::optional<Position> position;
  if (value) {
    Reader body(*value);
    if (body.be<int16_t>() != value_version) return;
    position.emplace();
    position->offset = body.be<int64_t>();
    position->leader_epoch = body.be<int32_t>();
    position->metadata = take_text(body);
    position->committed_ms = body.be<int64_t>();
    if (body.failed()) return;
  }
  std::lock_guard lock(mutex_);
  apply_locked(group, which, position, offset);
}

void CommittedOffsets::apply_locked(const std::string& group, const TopicPartition& which,
                                    const std::optional<Position>& position, Offset offset) {
  auto& kept = groups_[group][which];
  if (kept.written_at > offset) return;
  if (position) {
    kept = {*position, offset};
    return;
  }
  groups_[group].erase(which);
  if (groups_[group].empty()) groups_.erase(group);
}

io::Task<Result<TopicPointer>> CommittedOffsets::topic() {
  TopicPointer found = catalogue_.find(topic_name);
  if (found) co_return found;
  auto created = co_await disk_.run([this] {
    TopicSpec spec{.name = std::string(topic_name), .partitions = partitions, .configs = {}};
    return catalogue_.create(std::move(spec), true);
  });
  if (created) co_return *created;
  // Somebody else creates it at this moment: it appears, or the creation has failed for both.
  const io::Instant deadline = io::after(Millis(5000));
  while (created.error().code() == Code::conflict) {
    uint64_t seen = catalogue_.version();
    if (TopicPointer there = catalogue_.find(topic_name)) co_return there;
    if (Status changed = co_await catalogue_.changed().wait_beyond(seen, deadline); !changed)
      co_return changed.error();
  }
  co_return created.error();
}

io::Task<Status> CommittedOffsets::commit(std::string group, Positions positions) {
  if (positions.empty()) co_return Status{};
  auto topic = co_await this->topic();
  if (!topic) co_return topic.error();
  Encoded encoded;
  encoded.reserve(positions.size());
  for (auto& [which, position] : positions) {
    if (position.metadata.size() > metadata_bytes_max)
      co_return Error(Code::invalid, "the metadata of a position is larger than 4096 bytes");
    position.committed_ms = clock_.wall_ms();
    encoded.add(group, which, position);
  }
  int32_t partition = partition_of(group);
  Part& part = parts_[static_cast<size_t>(partition)];
  std::optional<io::OneShot<log::PartitionLog::Answer>> answer;
  {
    std::lock_guard lock(mutex_);
    ++part.under_way;
    part.outdated_bytes += encoded.size_bytes;
    answer = (*topic)->logs[static_cast<size_t>(partition)]->append(encoded.records);
  }
  auto appended = co_await answer->wait();
  {
    std::lock_guard lock(mutex_);
    --part.under_way;
    if (appended && *appended) {
      Offset offset = (*appended)->base;
      for (const auto& [which, position] : positions) {
        bool forgets = position.offset < 0;
        apply_locked(group, which, forgets ? std::nullopt : std::optional(position), offset++);
      }
    }
  }
  if (!appended) co_return appended.error();
  if (!*appended) co_return appended->error().error();
  co_await tidy(*topic, partition);
  co_return Status{};
}

io::Task<> CommittedOffsets::tidy(TopicPointer topic, int32_t partition) {
  Part& part = parts_[static_cast<size_t>(partition)];
  log::PartitionLog& log = *topic->logs[static_cast<size_t>(partition)];
  Encoded encoded;
  std::optional<io::OneShot<log::PartitionLog::Answer>> answer;
  {
    // Only when no commit is under way: all that is valid is then in the map, and whatever is
    // committed from now on lies behind this copy.
    std::lock_guard lock(mutex_);
    if (part.outdated_bytes < outdated_bytes_max || part.under_way > 0) co_return;
    size_t count = 0;
    for (const auto& [group, positions] : groups_) count += positions.size();
    encoded.reserve(count);
    for (const auto& [group, positions] : groups_) {
      if (partition_of(group) != partition) continue;
      for (const auto& [which, kept] : positions) encoded.add(group, which, kept.position);
    }
    part.outdated_bytes = 0;
    if (!encoded.records.empty()) answer = log.append(encoded.records);
  }
  Offset start = log.range().high_watermark;
  if (answer) {
    auto appended = co_await answer->wait();
    if (!appended || !*appended) co_return;
    start = (*appended)->base;
  }
  auto trimmed = log.trim(start);
  auto done = co_await trimmed.wait();
  if (done && !*done)
    log_warn("broker", "committed offsets could not be trimmed",
             {{"reason", done->error().text()}});
}

Positions CommittedOffsets::find(std::string_view group) const {
  Positions positions;
  std::lock_guard lock(mutex_);
  auto found = groups_.find(group);
  if (found == groups_.end()) return positions;
  for (const auto& [which, kept] : found->second) positions.emplace(which, kept.position);
  return positions;
}

std::vector<std::string> CommittedOffsets::groups() const {
  std::vector<std::string> names;
  std::lock_guard lock(mutex_);
  for (const auto& [name, group] : groups_) names.push_back(name);
  return names;
}

bool CommittedOffsets::has(std::string_view group) const {
  std::lock_guard lock(mutex_);
  return groups_.contains(group);
}

io::Task<Status> CommittedOffsets::forget_topic(std::string topic) {
  std::map<std::string, Positions> forgotten;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [group, positions] : groups_) {
      for (const auto& [which, kept] : positions) {
        if (which.topic == topic) forgotten[group][which] = Position{};
      }
    }
  }
  for (auto& [group, positions] : forgotten) {
    if (Status done = co_await commit(group, std::move(positions)); !done) co_return done;
  }
  co_return Status{};
}

}  // namespace pinpipe::broker
