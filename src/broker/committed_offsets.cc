#include "broker/committed_offsets.h"

#include <algorithm>

#include "base/bytes.h"
#include "broker/names.h"

namespace pinpipe::broker {
namespace {

constexpr int16_t key_version = 1;
constexpr int16_t group_key_version = 2;  // of the group itself
constexpr int16_t group_value_version = 3;
constexpr int16_t value_version = 3;
constexpr int16_t lasting_value_version = 1;  // it has a time of expiry: never
constexpr size_t read_bytes = 1 << 20;
constexpr Offset forgets = -1;  // others below zero are the client's own words

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

std::string key_of(std::string_view group) {
  std::string key;
  append_be(key, group_key_version);
  append_text(key, group);
  return key;
}

// The group as Kafka writes one without members: of its fields only the type means anything here.
std::string value_of(std::string_view protocol_type, int64_t now_ms) {
  constexpr int16_t null_text = -1;
  std::string value;
  append_be(value, group_value_version);
  append_text(value, protocol_type);
  append_be(value, int32_t{0});  // generation
  append_be(value, null_text);   // protocol
  append_be(value, null_text);   // leader
  append_be(value, now_ms);
  append_be(value, int32_t{0});  // members
  return value;
}

std::string value_of(const Position& position) {
  std::string value;
  if (position.lasts) {
    append_be(value, lasting_value_version);
    append_be(value, position.offset);
    append_text(value, position.metadata);
    append_be(value, position.committed_ms);
    append_be(value, int64_t{-1});
    return value;
  }
  append_be(value, value_version);
  append_be(value, position.offset);
  append_be(value, position.leader_epoch);
  append_text(value, position.metadata);
  append_be(value, position.committed_ms);
  return value;
}

std::optional<Position> position_of(std::string_view value) {
  Reader reader(value);
  Position position;
  auto version = reader.be<int16_t>();
  if (version != value_version && version != lasting_value_version) return std::nullopt;
  position.lasts = version == lasting_value_version;
  position.offset = reader.be<int64_t>();
  if (!position.lasts) position.leader_epoch = reader.be<int32_t>();
  position.metadata = take_text(reader);
  position.committed_ms = reader.be<int64_t>();
  if (reader.failed()) return std::nullopt;
  return position;
}

int32_t partition_of(std::string_view group) {
  return (java_hash(group) & 0x7fff'ffff) % CommittedOffsets::partitions;
}

// Keys and values with the records that point to them.
struct Encoded {
  std::vector<std::string> texts;
  std::vector<log::LooseRecord> records;

  void reserve(size_t count) {
    texts.reserve(2 * count);  // the records point into it: it must not move
    records.reserve(count);
  }
  void add(std::string_view group, const TopicPartition& which, const Position& position) {
    log::LooseRecord record;
    record.key = texts.emplace_back(key_of(group, which));
    if (position.offset != forgets) record.value = texts.emplace_back(value_of(position));
    records.push_back(record);
  }
  void add(std::string key, std::optional<std::string> value) {
    log::LooseRecord record;
    record.key = texts.emplace_back(std::move(key));
    if (value) record.value = texts.emplace_back(std::move(*value));
    records.push_back(record);
  }
};

ConfigMap offsets_configs() {
  return {{"cleanup.policy", "compact"},
          {"segment.bytes", std::string(CommittedOffsets::segment_bytes)}};
}
}  // namespace

CommittedOffsets::CommittedOffsets(Catalogue& catalogue, io::Pool& disk, const Clock& clock)
    : catalogue_(catalogue), disk_(disk), clock_(clock) {}

Status CommittedOffsets::open() {
  TopicPointer topic = catalogue_.find(topic_name);
  if (!topic) return {};
  for (const auto& log : topic->logs) {
    if (Status read = read_back(*log); !read) return read.error().with("committed offsets");
  }
  std::erase_if(protocol_types_, [&](const auto& entry) { return !groups_.contains(entry.first); });
  return make_compacted(*topic);
}

// As it was not yet in older data directories.
Status CommittedOffsets::make_compacted(const Topic& topic) {
  if (topic.settings.compacts) return {};
  return catalogue_.set_configs(topic_name, offsets_configs());
}

Status CommittedOffsets::read_back(log::PartitionLog& log) {
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
  return {};
}

void CommittedOffsets::apply(std::string_view key, std::optional<std::string_view> value,
                             Offset offset) {
  Reader reader(key);
  auto version = reader.be<int16_t>();
  if (version != key_version && version != group_key_version) return;
  std::string group = take_text(reader);
  if (version == group_key_version && !reader.failed()) return apply_type(std::move(group), value);
  TopicPartition which;
  which.topic = take_text(reader);
  which.partition = reader.be<int32_t>();
  if (reader.failed()) return;
  std::optional<Position> position;
  if (value) {
    position = position_of(*value);
    if (!position) return;
  }
  std::lock_guard lock(mutex_);
  apply_locked(group, which, position, offset);
}

void CommittedOffsets::apply_type(std::string group, std::optional<std::string_view> value) {
  Reader reader(value.value_or(std::string_view()));
  reader.be<int16_t>();
  std::string type = take_text(reader);
  std::lock_guard lock(mutex_);
  if (value && !reader.failed())
    protocol_types_[std::move(group)] = std::move(type);
  else
    protocol_types_.erase(group);
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
    TopicSpec spec{
        .name = std::string(topic_name), .partitions = partitions, .configs = offsets_configs()};
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

io::Task<Status> CommittedOffsets::commit(std::string group, Positions positions,
                                          std::string protocol_type) {
  if (positions.empty()) co_return Status{};
  auto topic = co_await this->topic();
  if (!topic) co_return topic.error();
  for (auto& [which, position] : positions) {
    if (position.metadata.size() > metadata_bytes_max)
      co_return Error(Code::invalid, "the metadata of a position is larger than 4096 bytes");
    position.committed_ms = clock_.wall_ms();
  }
  std::optional<Sent> sent;
  {
    std::lock_guard lock(mutex_);
    sent = send_locked(**topic, std::move(group), std::move(positions), std::move(protocol_type));
  }
  co_return co_await finish(std::move(*sent));
}

// Whether nothing is left of the group behind these.
bool CommittedOffsets::forgets_all_locked(std::string_view group,
                                          const Positions& positions) const {
  auto found = groups_.find(group);
  if (found == groups_.end()) return false;
  return std::ranges::all_of(found->second, [&](const auto& entry) {
    auto changed = positions.find(entry.first);
    return changed != positions.end() && changed->second.offset == forgets;
  });
}

CommittedOffsets::Sent CommittedOffsets::send_locked(const Topic& topic, std::string group,
                                                     Positions positions,
                                                     std::string protocol_type) {
  Encoded encoded;
  encoded.reserve(positions.size() + 1);
  for (const auto& [which, position] : positions) encoded.add(group, which, position);
  auto known = protocol_types_.find(group);
  bool is_known = known != protocol_types_.end();
  if (is_known && forgets_all_locked(group, positions))
    encoded.add(key_of(group), std::nullopt);
  else if (!protocol_type.empty() && (!is_known || known->second != protocol_type))
    encoded.add(key_of(group), value_of(protocol_type, clock_.wall_ms()));
  auto partition = static_cast<size_t>(partition_of(group));
  ++under_way_[partition];
  return {std::move(group), std::move(positions), std::move(protocol_type),
          static_cast<int32_t>(partition), topic.logs[partition]->append(encoded.records)};
}

io::Task<Status> CommittedOffsets::finish(Sent sent) {
  auto appended = co_await sent.answer.wait();
  {
    std::lock_guard lock(mutex_);
    --under_way_[static_cast<size_t>(sent.partition)];
    if (appended && *appended) {
      Offset offset = (*appended)->base;
      for (const auto& [which, position] : sent.positions) {
        bool is_gone = position.offset == forgets;
        apply_locked(sent.group, which, is_gone ? std::nullopt : std::optional(position), offset++);
      }
      if (!groups_.contains(sent.group))
        protocol_types_.erase(sent.group);
      else if (!sent.protocol_type.empty())
        protocol_types_[sent.group] = sent.protocol_type;
    }
  }
  if (!appended) co_return appended.error();
  if (!*appended) co_return appended->error().error();
  co_return Status{};
}

// What is to be written of a group: positions to forget, or to remember for longer.
Positions CommittedOffsets::due_locked(const Group& group, int64_t retention_ms,
                                       bool has_members) const {
  const int64_t now_ms = clock_.wall_ms();
  const int64_t refresh_ms = retention_ms / 7;
  Positions due;
  for (const auto& [which, kept] : group) {
    int64_t age_ms = now_ms - kept.position.committed_ms;
    if (kept.position.lasts || age_ms < (has_members ? refresh_ms : retention_ms + refresh_ms))
      continue;
    Position& position = due[which] = kept.position;
    position.committed_ms = now_ms;
    if (!has_members) position.offset = forgets;
  }
  return due;
}

io::Task<Status> CommittedOffsets::expire(int64_t retention_ms,
                                          std::set<std::string, std::less<>> with_members) {
  TopicPointer topic = catalogue_.find(topic_name);
  if (!topic) co_return Status{};
  for (const std::string& name : groups()) {
    std::optional<Sent> sent;
    {
      std::lock_guard lock(mutex_);
      auto group = groups_.find(name);
      // A commit under way is not in the map yet, and what is written now would win over it: such
      // a group is looked at next time.
      if (group == groups_.end() || under_way_[static_cast<size_t>(partition_of(name))] > 0)
        continue;
      Positions due = due_locked(group->second, retention_ms, with_members.contains(name));
      if (!due.empty()) sent = send_locked(*topic, name, std::move(due), "");
    }
    if (!sent) continue;
    if (Status done = co_await finish(std::move(*sent)); !done) co_return done;
  }
  co_return Status{};
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

std::string CommittedOffsets::protocol_type(std::string_view group) const {
  std::lock_guard lock(mutex_);
  auto found = protocol_types_.find(group);
  return found == protocol_types_.end() ? std::string() : found->second;
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
