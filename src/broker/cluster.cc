#include "broker/cluster.h"

#include <algorithm>

#include "broker/house.h"
#include "broker/topics_access.h"

namespace pinpipe::broker {
namespace {

// Whether the batch's times are within what the topic allows.
std::optional<log::Refusal> check_times(const log::BatchHeader& header,
                                        const TopicSettings& settings, int64_t now_ms) {
  if (settings.log.append_time) return std::nullopt;
  int64_t time_ms = header.max_timestamp_ms;
  bool far_behind = time_ms < now_ms && now_ms - time_ms > settings.timestamp_before_max_ms;
  bool far_ahead = time_ms > now_ms && time_ms - now_ms > settings.timestamp_after_max_ms;
  if (!far_behind && !far_ahead) return std::nullopt;
  return log::Refusal{log::Fault::invalid_timestamp,
                      "a time of " + std::to_string(time_ms) + " is too far from now"};
}

struct Look {
  std::vector<io::Signal::Watch> watches;
  std::vector<size_t> readable;
  bool failed = false;
};

// One round of reads for a fetch: what is in memory at once, on the loop; the rest on the pool.
struct Reading {
  static constexpr size_t copied_on_loop_max = 1 << 20;  // a loop has other connections too

  const FetchBounds& bounds;
  const std::vector<FetchPart>& parts;
  const std::vector<std::shared_ptr<log::PartitionLog>>& logs;
  std::vector<FetchedPart>& fetched;
  size_t total = 0;
  size_t copied = 0;
  bool failed = false;

  // Gives those that are not in memory.
  std::vector<size_t> read_warm(const std::vector<size_t>& readable) {
    std::vector<size_t> cold;
    for (size_t i : readable) {
      if (total >= bounds.bytes_max) break;
      if (copied >= copied_on_loop_max) {
        cold.push_back(i);
        continue;
      }
      size_t most = most_of(i);
      auto slice = logs[i]->read_warm(parts[i].from, most, bounds.may_send_files);
      if (slice && !*slice)
        cold.push_back(i);
      else
        take(i, most, slice ? Result<log::Slice>(std::move(**slice)) : slice.error());
    }
    return cold;
  }

  // Gives the bytes of all.
  size_t read_cold(const std::vector<size_t>& cold) {
    for (size_t i : cold) {
      if (total >= bounds.bytes_max) break;
      size_t most = most_of(i);
      take(i, most, logs[i]->read(parts[i].from, most));
    }
    return total;
  }

 private:
  size_t most_of(size_t i) const { return std::min(parts[i].bytes_max, bounds.bytes_max - total); }
  void take(size_t i, size_t most, Result<log::Slice> slice) {
    if (!slice) {
      fetched[i].error = slice.error();
      failed = true;
      return;
    }
    // Only the first batch of all may be larger than what was asked for.
    if (total > 0 && slice->size_bytes() > most) return;
    total += slice->size_bytes();
    copied += slice->buffer.size();
    fetched[i].slice = std::move(*slice);
  }
};

}  // namespace

Cluster::Cluster(House& house, auth::Principal principal)
    : house_(house), principal_(std::move(principal)) {}

const std::string& Cluster::cluster_id() const {
  return house_.cluster_id;
}
bool Cluster::creates_topics() const {
  return house_.options.auto_create;
}
const std::string& Cluster::log_directory() const {
  return house_.options.log_directory;
}
int32_t Cluster::partitions_standard() const {
  return house_.options.partitions_standard;
}

std::vector<TopicPointer> Cluster::list() const {
  std::vector<TopicPointer> topics = house_.catalogue.list();
  std::erase_if(topics, [&](const TopicPointer& topic) {
    return !house_.check(principal_, auth::Action::describe, topic->facts.name);
  });
  return topics;
}

Result<TopicPointer> Cluster::find(std::string_view name) const {
  if (Status may = house_.check(principal_, auth::Action::describe, name); !may) return may.error();
  TopicPointer topic = house_.catalogue.find(name);
  if (!topic) return house_.catalogue.not_found(name);
  return topic;
}

Result<TopicPointer> Cluster::find(const Uuid& id) const {
  TopicPointer topic = house_.catalogue.find(id);
  if (!topic) return Error(Code::not_found, "there is no topic with id " + id.text());
  return find(topic->facts.name);
}

io::Task<Result<TopicPointer>> Cluster::find_or_create(std::string name) {
  if (Status may = house_.check(principal_, auth::Action::describe, name); !may)
    co_return may.error();
  co_return co_await house_.find_or_create(principal_, std::move(name));
}

io::Task<Result<TopicPointer>> Cluster::create(TopicSpec spec, bool validate_only) {
  if (Status may = house_.check(principal_, auth::Action::create, spec.name); !may)
    co_return may.error();
  if (spec.partitions == -1) spec.partitions = house_.options.partitions_standard;
  if (!validate_only) co_return co_await house_.create(std::move(spec));
  if (Status creatable = house_.catalogue.check_creatable(spec); !creatable)
    co_return creatable.error();
  auto settings = understand(spec.configs);
  if (!settings) co_return settings.error();
  auto topic = std::make_shared<Topic>();
  topic->facts.name = std::move(spec.name);
  topic->facts.partitions = spec.partitions;
  topic->facts.configs = std::move(spec.configs);
  topic->settings = *settings;
  co_return TopicPointer(topic);
}

io::Task<Status> Cluster::remove(std::string name) {
  if (Status may = house_.check(principal_, auth::Action::remove, name); !may) co_return may;
  TopicPointer topic = house_.catalogue.find(name);
  if (!topic) co_return house_.catalogue.not_found(name);
  if (topic->facts.internal) co_return Error(Code::denied, name + " belongs to the broker");
  co_return co_await house_.remove(std::move(name));
}

io::Task<Status> Cluster::add_partitions(std::string name, int32_t total, bool validate_only) {
  if (Status may = house_.check(principal_, auth::Action::alter, name); !may) co_return may;
  auto topic = find(name);
  if (!topic) co_return topic.error();
  if ((*topic)->facts.internal) co_return Error(Code::denied, name + " belongs to the broker");
  if (total <= (*topic)->facts.partitions)
    co_return Error(Code::invalid, "topic " + name + " has " +
                                       std::to_string((*topic)->facts.partitions) +
                                       " partitions; their number can only grow");
  if (validate_only) co_return Status{};
  co_return co_await house_.disk.run(
      [this, &name, total] { return house_.catalogue.add_partitions(name, total); });
}

io::Task<Status> Cluster::set_configs(std::string name, ConfigMap configs, bool validate_only) {
  if (Status may = house_.check(principal_, auth::Action::alter_configs, name); !may) co_return may;
  if (validate_only) {
    if (auto settings = understand(configs); !settings) co_return settings.error();
    co_return Status{};
  }
  co_return co_await house_.disk.run(
      [this, &name, &configs] { return house_.catalogue.set_configs(name, configs); });
}

Result<io::OneShot<log::PartitionLog::Answer>> Cluster::produce(Produce produce) {
  if (Status may = house_.check(principal_, auth::Action::write, produce.topic); !may)
    return may.error();
  TopicPointer topic = house_.catalogue.find(produce.topic);
  if (!topic) return house_.catalogue.not_found(produce.topic);
  if (topic->facts.internal)
    return Error(Code::denied, topic->facts.name + " belongs to the broker");
  auto log = log_of(*topic, produce.partition);
  if (!log) return log.error();
  io::OneShot<log::PartitionLog::Answer> refused;
  log::Limits limits{.batch_bytes_max = topic->settings.message_bytes_max,
                     .keys_required = topic->settings.compacts,
                     .zstd_allowed = produce.zstd_allowed};
  auto header =
      log::check_produced(std::string_view(produce.bytes.data(), produce.bytes.size()), limits);
  if (!header) {
    refused.set(std::unexpected(header.error()));
    return refused;
  }
  if (auto refusal = check_times(*header, topic->settings, house_.clock.wall_ms())) {
    refused.set(std::unexpected(*refusal));
    return refused;
  }
  return (*log)->append(log::WholeBatch{std::move(produce.owner), produce.bytes, *header});
}

Result<std::shared_ptr<log::PartitionLog>> Cluster::partition(std::string_view topic,
                                                              PartitionId partition,
                                                              auth::Action action) const {
  if (Status may = house_.check(principal_, action, topic); !may) return may.error();
  TopicPointer found = house_.catalogue.find(topic);
  if (!found) return house_.catalogue.not_found(topic);
  return log_of(*found, partition);
}

io::Task<std::vector<FetchedPart>> Cluster::fetch(std::vector<FetchPart> parts,
                                                  FetchBounds bounds) {
  std::vector<FetchedPart> fetched(parts.size());
  std::vector<std::shared_ptr<log::PartitionLog>> logs(parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    auto log = partition(parts[i].topic, parts[i].partition, auth::Action::read);
    if (log)
      logs[i] = std::move(*log);
    else
      fetched[i].error = log.error();
  }
  while (true) {
    Look look;
    for (size_t i = 0; i < parts.size(); ++i) {
      FetchedPart& part = fetched[i];
      look.failed |= part.error.has_value();
      if (!logs[i] || part.error) continue;
      look.watches.push_back({&logs[i]->grown(), logs[i]->grown().version()});
      log::Range range = logs[i]->range();
      part.range = {range.start, range.high_watermark};
      if (parts[i].from != range.high_watermark) look.readable.push_back(i);
      // A closed log grows no more: the client looks for the topic again.
      if (logs[i]->is_closed())
        part.error.emplace(Code::not_found, "the partition is being closed");
    }
    Reading reading{bounds, parts, logs, fetched};
    std::vector<size_t> cold = reading.read_warm(look.readable);
    size_t total = reading.total;
    if (!cold.empty()) total = co_await house_.disk.run([&] { return reading.read_cold(cold); });
    look.failed |= reading.failed;
    if (total >= bounds.bytes_min || look.failed || look.watches.empty()) break;
    Status grown = co_await io::Signal::wait_any(std::move(look.watches), bounds.deadline);
    if (!grown) break;
  }
  co_return fetched;
}

io::Task<Result<std::optional<log::TimedOffset>>> Cluster::offset_at(std::string_view topic,
                                                                     PartitionId partition,
                                                                     int64_t timestamp_ms) {
  auto log = this->partition(topic, partition, auth::Action::describe);
  if (!log) co_return log.error();
  co_return co_await house_.disk.run(
      [&log, timestamp_ms] { return (*log)->offset_at(timestamp_ms); });
}

io::Task<Result<std::optional<log::TimedOffset>>> Cluster::newest(std::string_view topic,
                                                                  PartitionId partition) {
  auto log = this->partition(topic, partition, auth::Action::describe);
  if (!log) co_return log.error();
  co_return co_await house_.disk.run([&log] { return (*log)->newest(); });
}

io::Task<Result<Offset>> Cluster::trim(std::string_view topic, PartitionId partition,
                                       Offset offset) {
  auto log = this->partition(topic, partition, auth::Action::remove);
  if (!log) co_return log.error();
  TopicPointer found = house_.catalogue.find(topic);
  if (found && !found->settings.deletes)
    co_return Error(Code::conflict, "topic " + found->facts.name +
                                        " is compacted: only cleanup.policy=delete lets records "
                                        "be deleted");
  if (offset == -1) offset = (*log)->range().high_watermark;
  auto trimmed = (*log)->trim(offset);
  auto done = co_await trimmed.wait();
  if (!done) co_return done.error();
  if (!*done) co_return done->error();
  co_return (*log)->range().start;
}

Result<Groups*> Cluster::groups(std::string_view group, auth::Action action) {
  Status may = house_.policy.check(principal_, action, {auth::ResourceKind::group, group});
  if (!may) return may.error();
  return &house_.groups;
}

std::vector<GroupDescription> Cluster::list_groups() const {
  std::vector<GroupDescription> groups = house_.groups.list();
  for (std::string& name : house_.offsets.groups()) {
    if (std::ranges::find(groups, name, &GroupDescription::name) != groups.end()) continue;
    GroupDescription& empty = groups.emplace_back();
    empty.protocol_type = house_.offsets.protocol_type(name);
    empty.name = std::move(name);
    empty.state = "Empty";
  }
  std::erase_if(groups, [&](const GroupDescription& group) {
    return !house_.policy.check(principal_, auth::Action::describe,
                                {auth::ResourceKind::group, group.name});
  });
  return groups;
}

Result<GroupDescription> Cluster::describe_group(std::string_view group) const {
  Status may =
      house_.policy.check(principal_, auth::Action::describe, {auth::ResourceKind::group, group});
  if (!may) return may.error();
  if (auto found = house_.groups.describe(group)) return *found;
  if (!house_.offsets.has(group))
    return Error(Code::not_found, "there is no group '" + std::string(group) + "'");
  GroupDescription empty;
  empty.name = group;
  empty.state = "Empty";
  empty.protocol_type = house_.offsets.protocol_type(group);
  return empty;
}

io::Task<Status> Cluster::remove_group(std::string group) {
  const auth::Resource resource{auth::ResourceKind::group, group};
  Status may = house_.policy.check(principal_, auth::Action::remove, resource);
  if (!may) co_return may;
  GroupFault fault = house_.groups.remove(group);
  if (fault == GroupFault::non_empty)
    co_return Error(Code::conflict, "group " + group + " has members");
  Positions forgotten = house_.offsets.find(group);
  if (fault == GroupFault::not_found && forgotten.empty())
    co_return Error(Code::not_found, "there is no group '" + group + "'");
  for (auto& [which, position] : forgotten) position.offset = -1;
  co_return co_await house_.offsets.commit(std::move(group), std::move(forgotten));
}

Result<Positions> Cluster::positions(std::string_view group) const {
  Status may =
      house_.policy.check(principal_, auth::Action::describe, {auth::ResourceKind::group, group});
  if (!may) return may.error();
  return house_.offsets.find(group);
}

io::Task<Status> Cluster::commit(std::string group, Positions positions) {
  const auth::Resource resource{auth::ResourceKind::group, group};
  Status may = house_.policy.check(principal_, auth::Action::read, resource);
  if (!may) co_return may;
  std::string type = house_.groups.protocol_type(group);
  co_return co_await house_.offsets.commit(std::move(group), std::move(positions), std::move(type));
}

io::Task<Result<int64_t>> Cluster::new_producer_id() {
  co_return co_await house_.disk.run([this] { return house_.next_producer_id(); });
}

}  // namespace pinpipe::broker
