// broker::Topics for tests of this door: what is kept lies open, single records fail when told to.
// Lives on one loop.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "broker/names.h"
#include "broker/topics.h"
#include "io/wake.h"

namespace pinpipe::rest {

class WatchedTopics : public broker::Topics {
 public:
  struct Kept {
    std::optional<std::string> key, value;
    int64_t timestamp_ms = 0;
    std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  };
  struct Topic {
    broker::TopicFacts facts;
    std::vector<std::vector<Kept>> partitions;
  };

  bool auto_create = true;
  int32_t partitions_standard = 1;
  std::optional<Error> refuse_next;                // the next produce as a whole
  std::map<size_t, Error> refuse_records;          // these records of each produce
  std::map<std::string, Topic, std::less<>> kept;  // by name

  const Kept& last(std::string_view topic, size_t partition = 0) const {
    return kept.find(topic)->second.partitions[partition].back();
  }

  io::Task<Result<broker::TopicFacts>> create(broker::TopicSpec spec) override {
    if (Status good = broker::check_topic_name(spec.name); !good) co_return good.error();
    if (kept.contains(spec.name))
      co_return Error(Code::conflict, "topic " + spec.name + " exists already");
    Topic topic;
    topic.facts = {spec.name, Uuid::random(), spec.partitions, spec.configs, false};
    topic.partitions.resize(static_cast<size_t>(spec.partitions));
    ++changes_;
    changed_.notify_all();
    co_return kept.emplace(spec.name, std::move(topic)).first->second.facts;
  }

  io::Task<Result<broker::TopicFacts>> find_or_create(std::string name) override {
    auto found = find(name);
    if (found || !auto_create) co_return found;
    broker::TopicSpec spec{std::move(name), partitions_standard, {}};
    co_return co_await create(std::move(spec));
  }

  Result<broker::TopicFacts> find(std::string_view name) override {
    auto at = kept.find(name);
    if (at != kept.end()) return at->second.facts;
    std::vector<std::string> known;
    for (const auto& [one, topic] : kept) known.push_back(one);
    return Error(Code::not_found,
                 "there is no topic " + std::string(name) + broker::nearest_hint(name, known));
  }

  std::vector<broker::TopicFacts> list() override {
    std::vector<broker::TopicFacts> all;
    for (const auto& [name, topic] : kept) all.push_back(topic.facts);
    return all;
  }

  io::Task<Status> remove(std::string name) override {
    if (kept.erase(name) == 0) co_return Error(Code::not_found, "there is no topic " + name);
    ++changes_;
    changed_.notify_all();
    co_return Status{};
  }

  io::Task<Result<std::vector<broker::Placed>>> produce(std::string_view topic,
                                                        std::span<const broker::RecordIn> records,
                                                        broker::Acks) override {
    if (refuse_next) {
      Error error = std::move(*refuse_next);
      refuse_next.reset();
      co_return error;
    }
    auto at = kept.find(topic);
    if (at == kept.end()) co_return find(topic).error();
    std::vector<broker::Placed> placed(records.size());
    for (size_t i = 0; i < records.size(); ++i) {
      if (auto refused = refuse_records.find(i); refused != refuse_records.end()) {
        placed[i].error = refused->second;
      } else {
        place(at->second, records[i], placed[i]);
      }
    }
    grown_.notify_all();
    co_return placed;
  }

  io::Task<Result<broker::Fetched>> fetch(std::string_view topic, broker::PartitionId partition,
                                          broker::Offset from, size_t bytes_max,
                                          io::Instant deadline) override {
    while (true) {
      uint64_t version = grown_.version();
      auto list_of = partition_of(topic, partition);
      if (!list_of) co_return list_of.error();
      auto end = static_cast<broker::Offset>((*list_of)->size());
      if (from < 0 || from > end) co_return Error(Code::invalid, "0 to " + std::to_string(end));
      if (from < end) co_return copy(**list_of, from, bytes_max);
      if (!co_await grown_.wait_beyond(version, deadline)) {
        broker::Fetched nothing;
        nothing.range = {0, end};
        nothing.next = from;
        co_return nothing;
      }
    }
  }

  io::Task<Result<broker::OffsetRange>> range(std::string_view topic,
                                              broker::PartitionId partition) override {
    auto list_of = partition_of(topic, partition);
    if (!list_of) co_return list_of.error();
    co_return broker::OffsetRange{0, static_cast<broker::Offset>((*list_of)->size())};
  }

  io::Task<Result<std::optional<broker::Offset>>> offset_at(std::string_view topic,
                                                            broker::PartitionId partition,
                                                            int64_t timestamp_ms) override {
    auto list_of = partition_of(topic, partition);
    if (!list_of) co_return list_of.error();
    std::optional<broker::Offset> found;
    for (size_t i = 0; i < (*list_of)->size() && !found; ++i) {
      if ((**list_of)[i].timestamp_ms >= timestamp_ms) found = static_cast<broker::Offset>(i);
    }
    co_return found;
  }

  io::Task<Result<uint64_t>> wait_for_topic_change(uint64_t seen, io::Instant deadline) override {
    while (changes_ <= seen) {
      Status woken = co_await changed_.wait_beyond(changed_.version(), deadline);
      if (!woken) co_return woken.error();
    }
    co_return changes_;
  }

  io::Task<Status> commit(std::string_view group,
                          std::map<broker::TopicPartition, broker::Position> positions) override {
    for (auto& [where, position] : positions) committed_[std::string(group)][where] = position;
    co_return Status{};
  }

  io::Task<Result<std::map<broker::TopicPartition, broker::Position>>> committed(
      std::string_view group, std::vector<broker::TopicPartition> which) override {
    std::map<broker::TopicPartition, broker::Position> found;
    for (const auto& where : which) {
      auto& of_group = committed_[std::string(group)];
      if (auto at = of_group.find(where); at != of_group.end()) found.insert(*at);
    }
    co_return found;
  }

 private:
  Result<std::vector<Kept>*> partition_of(std::string_view topic, broker::PartitionId partition) {
    auto at = kept.find(topic);
    if (at == kept.end()) return find(topic).error();
    if (partition < 0 || partition >= at->second.facts.partitions)
      return Error(Code::not_found, "there is no such partition");
    return &at->second.partitions[static_cast<size_t>(partition)];
  }

  void place(Topic& topic, const broker::RecordIn& record, broker::Placed& placed) {
    auto count = static_cast<size_t>(topic.facts.partitions);
    size_t where =
        record.partition ? static_cast<size_t>(*record.partition)
        : record.key
            ? static_cast<size_t>(broker::partition_of_key(*record.key, topic.facts.partitions))
            : next_++ % count;
    if (where >= count) {
      placed.error = Error(Code::not_found, "there is no partition " + std::to_string(where));
      return;
    }
    Kept copy;
    if (record.key) copy.key = std::string(*record.key);
    if (record.value) copy.value = std::string(*record.value);
    copy.timestamp_ms = record.timestamp_ms.value_or(1'767'348'900'000);
    for (const auto& header : record.headers) {
      copy.headers.emplace_back(
          header.key, header.value ? std::optional<std::string>(*header.value) : std::nullopt);
    }
    placed.partition = static_cast<broker::PartitionId>(where);
    placed.offset = static_cast<broker::Offset>(topic.partitions[where].size());
    placed.timestamp_ms = copy.timestamp_ms;
    topic.partitions[where].push_back(std::move(copy));
  }

  static broker::Fetched copy(const std::vector<Kept>& records, broker::Offset from,
                              size_t bytes_max) {
    broker::Fetched fetched;
    size_t bytes = 0;
    // Strings must not move once views point into them.
    fetched.bytes.reserve(2 * records.size());
    for (auto i = static_cast<size_t>(from); i < records.size() && bytes <= bytes_max; ++i) {
      broker::RecordOut out;
      out.offset = static_cast<broker::Offset>(i);
      out.timestamp_ms = records[i].timestamp_ms;
      if (records[i].key) out.key = fetched.bytes.emplace_back(*records[i].key);
      if (records[i].value) out.value = fetched.bytes.emplace_back(*records[i].value);
      bytes += out.key.value_or("").size() + out.value.value_or("").size();
      for (const auto& [key, value] : records[i].headers) {
        broker::RecordHeader header{key, std::nullopt};
        if (value) header.value = *value;
        out.headers.push_back(header);
      }
      fetched.records.push_back(std::move(out));
      fetched.next = static_cast<broker::Offset>(i) + 1;
    }
    fetched.range = {0, static_cast<broker::Offset>(records.size())};
    return fetched;
  }

  size_t next_ = 0;
  uint64_t changes_ = 0;
  io::Signal grown_, changed_;
  std::map<std::string, std::map<broker::TopicPartition, broker::Position>> committed_;
};

}  // namespace pinpipe::rest
