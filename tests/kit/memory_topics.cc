#include "kit/memory_topics.h"

#include <functional>

namespace pinpipe::kit {

using broker::Offset;
using broker::PartitionId;

void MemoryTopics::fail_commits(size_t count, Error error) {
  std::lock_guard lock(mutex_);
  commit_failures_ = {count, std::move(error)};
}
void MemoryTopics::fail_produces(size_t count, Error error) {
  std::lock_guard lock(mutex_);
  produce_failures_ = {count, std::move(error)};
}
void MemoryTopics::set_start(std::string_view topic, PartitionId partition, Offset start) {
  std::lock_guard lock(mutex_);
  topics_.find(topic)->second.partitions.at(static_cast<size_t>(partition)).start = start;
}

void MemoryTopics::add_partition(std::string_view topic) {
  std::lock_guard lock(mutex_);
  Topic& grown = topics_.find(topic)->second;
  grown.partitions.emplace_back();
  ++grown.facts.partitions;
}

std::optional<Error> MemoryTopics::take(Failures& failures) {
  if (failures.count == 0) return std::nullopt;
  --failures.count;
  return failures.error;
}

Result<MemoryTopics::Topic*> MemoryTopics::locked_find(std::string_view name) {
  auto found = topics_.find(name);
  if (found == topics_.end())
    return Error(Code::not_found, "topic '" + std::string(name) + "' does not exist");
  return &found->second;
}

io::Task<Result<broker::TopicFacts>> MemoryTopics::create(broker::TopicSpec spec) {
  std::lock_guard lock(mutex_);
  if (topics_.contains(spec.name))
    co_return Error(Code::conflict, "topic '" + spec.name + "' exists already");
  if (spec.name.empty() || spec.partitions < 1)
    co_return Error(Code::invalid, "a topic has a name and at least one partition");
  Topic topic;
  topic.facts = {spec.name, Uuid::random(), spec.partitions, spec.configs, false};
  topic.partitions.resize(static_cast<size_t>(spec.partitions));
  auto facts = topic.facts;
  topics_.emplace(spec.name, std::move(topic));
  changed_.notify_all();
  co_return facts;
}

io::Task<Result<broker::TopicFacts>> MemoryTopics::find_or_create(std::string name) {
  auto found = find(name);
  if (found || !auto_create_) co_return found;
  broker::TopicSpec spec;
  spec.name = std::move(name);
  co_return co_await create(std::move(spec));
}

Result<broker::TopicFacts> MemoryTopics::find(std::string_view name) {
  std::lock_guard lock(mutex_);
  auto found = locked_find(name);
  if (!found) return found.error();
  return (*found)->facts;
}

std::vector<broker::TopicFacts> MemoryTopics::list() {
  std::lock_guard lock(mutex_);
  std::vector<broker::TopicFacts> all;
  for (const auto& [name, topic] : topics_) all.push_back(topic.facts);
  return all;
}

io::Task<Status> MemoryTopics::remove(std::string name) {
  std::lock_guard lock(mutex_);
  auto found = locked_find(name);
  if (!found) co_return found.error();
  (*found)->grown->notify_all();
  topics_.erase(name);
  changed_.notify_all();
  co_return Status{};
}

PartitionId MemoryTopics::place(Topic& topic, const broker::RecordIn& record) {
  if (record.partition) return *record.partition;
  if (record.key)
    return static_cast<PartitionId>(std::hash<std::string_view>()(*record.key) %
                                    topic.partitions.size());
  return static_cast<PartitionId>(topic.next++ % topic.partitions.size());
}

io::Task<Result<std::vector<broker::Placed>>> MemoryTopics::produce(
    std::string_view name, std::span<const broker::RecordIn> records, broker::Acks) {
  std::lock_guard lock(mutex_);
  if (auto failure = take(produce_failures_)) co_return *failure;
  auto found = locked_find(name);
  if (!found) co_return found.error();
  Topic& topic = **found;
  std::vector<broker::Placed> placed;
  for (const broker::RecordIn& record : records) {
    broker::Placed& one = placed.emplace_back();
    one.partition = place(topic, record);
    if (one.partition < 0 || one.partition >= topic.facts.partitions) {
      one.error = Error(Code::not_found, "the topic has no such partition");
      continue;
    }
    Partition& partition = topic.partitions[static_cast<size_t>(one.partition)];
    one.offset = static_cast<Offset>(partition.records.size());
    one.timestamp_ms = record.timestamp_ms.value_or(clock_.wall_ms());
    Record& stored = partition.records.emplace_back();
    stored.timestamp_ms = one.timestamp_ms;
    if (record.key) stored.key = std::string(*record.key);
    if (record.value) stored.value = std::string(*record.value);
    for (const auto& header : record.headers) {
      std::optional<std::string> value;
      if (header.value) value = std::string(*header.value);
      stored.headers.emplace_back(std::string(header.key), std::move(value));
    }
  }
  topic.grown->notify_all();
  co_return placed;
}

void MemoryTopics::copy_out(const Partition& partition, Offset from, size_t bytes_max,
                            broker::Fetched& into) {
  std::vector<const Record*> chosen;
  size_t bytes = 0;
  for (auto at = static_cast<size_t>(from); at < partition.records.size(); ++at) {
    const Record& record = partition.records[at];
    size_t size = record.value.value_or("").size() + record.key.value_or("").size() + 16;
    if (!chosen.empty() && bytes + size > bytes_max) break;
    bytes += size;
    chosen.push_back(&record);
  }
  // Reserved in full, so that no string moves once a view points into it.
  size_t strings = 0;
  for (const Record* record : chosen) strings += 2 + 2 * record->headers.size();
  into.bytes.reserve(strings);
  auto keep = [&](const std::optional<std::string>& text) -> std::optional<std::string_view> {
    if (!text) return std::nullopt;
    return into.bytes.emplace_back(*text);
  };
  for (const Record* record : chosen) {
    broker::RecordOut& out = into.records.emplace_back();
    out.offset = from++;
    out.timestamp_ms = record->timestamp_ms;
    out.key = keep(record->key);
    out.value = keep(record->value);
    for (const auto& [key, value] : record->headers)
      out.headers.push_back({*keep(key), keep(value)});
  }
  into.next = from;
}

io::Task<Result<broker::Fetched>> MemoryTopics::fetch(std::string_view name, PartitionId partition,
                                                      Offset from, size_t bytes_max,
                                                      io::Instant deadline) {
  while (true) {
    std::shared_ptr<io::Signal> grown;
    uint64_t version = 0;
    broker::Fetched fetched;
    {
      std::lock_guard lock(mutex_);
      auto found = locked_find(name);
      if (!found) co_return found.error();
      if (partition < 0 || partition >= (*found)->facts.partitions)
        co_return Error(Code::not_found, "the topic has no such partition");
      const Partition& at = (*found)->partitions[static_cast<size_t>(partition)];
      auto end = static_cast<Offset>(at.records.size());
      if (from < at.start || from > end)
        co_return Error(Code::invalid, "offset " + std::to_string(from) + " is not in " +
                                           std::to_string(at.start) + ".." + std::to_string(end));
      fetched.range = {at.start, end};
      fetched.next = from;
      copy_out(at, from, bytes_max, fetched);
      grown = (*found)->grown;
      version = grown->version();
    }
    if (!fetched.records.empty()) {
      if (on_fetched) on_fetched(fetched);
      co_return fetched;
    }
    Status waited = co_await grown->wait_beyond(version, deadline);
    if (!waited && waited.error().code() == Code::timeout) co_return fetched;
    if (!waited) co_return waited.error();
  }
}

io::Task<Result<broker::OffsetRange>> MemoryTopics::range(std::string_view name,
                                                          PartitionId partition) {
  std::lock_guard lock(mutex_);
  auto found = locked_find(name);
  if (!found) co_return found.error();
  if (partition < 0 || partition >= (*found)->facts.partitions)
    co_return Error(Code::not_found, "the topic has no such partition");
  const Partition& at = (*found)->partitions[static_cast<size_t>(partition)];
  broker::OffsetRange range{at.start, static_cast<Offset>(at.records.size())};
  co_return range;
}

io::Task<Result<std::optional<Offset>>> MemoryTopics::offset_at(std::string_view name,
                                                                PartitionId partition,
                                                                int64_t timestamp_ms) {
  std::lock_guard lock(mutex_);
  auto found = locked_find(name);
  if (!found) co_return found.error();
  if (partition < 0 || partition >= (*found)->facts.partitions)
    co_return Error(Code::not_found, "the topic has no such partition");
  const Partition& at = (*found)->partitions[static_cast<size_t>(partition)];
  for (auto offset = static_cast<size_t>(at.start); offset < at.records.size(); ++offset) {
    if (at.records[offset].timestamp_ms >= timestamp_ms)
      co_return std::optional<Offset>(static_cast<Offset>(offset));
  }
  co_return std::optional<Offset>();
}

io::Task<Result<uint64_t>> MemoryTopics::wait_for_topic_change(uint64_t seen,
                                                               io::Instant deadline) {
  Status waited = co_await changed_.wait_beyond(seen, deadline);
  if (!waited) co_return waited.error();
  co_return changed_.version();
}

io::Task<Status> MemoryTopics::commit(
    std::string_view group, std::map<broker::TopicPartition, broker::Position> positions) {
  std::lock_guard lock(mutex_);
  if (auto failure = take(commit_failures_)) co_return *failure;
  auto& of_group = positions_[std::string(group)];
  for (auto& [where, position] : positions) of_group[where] = std::move(position);
  co_return Status{};
}

io::Task<Result<std::map<broker::TopicPartition, broker::Position>>> MemoryTopics::committed(
    std::string_view group, std::vector<broker::TopicPartition> which) {
  std::lock_guard lock(mutex_);
  std::map<broker::TopicPartition, broker::Position> known;
  auto of_group = positions_.find(group);
  if (of_group == positions_.end()) co_return known;
  for (const auto& where : which) {
    auto position = of_group->second.find(where);
    if (position != of_group->second.end()) known.insert(*position);
  }
  co_return known;
}

}  // namespace pinpipe::kit
