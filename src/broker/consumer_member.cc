// How a consumer keeps its place in a group, by the coordinator's own rules.
#include <algorithm>

#include "base/log_line.h"
#include "broker/consumer.h"
#include "broker/consumer_protocol.h"

namespace pinpipe::broker {
namespace {

constexpr Millis heartbeat_every{250};
constexpr Millis again_after{100};
constexpr int64_t session_timeout_ms = 10'000;
constexpr int64_t rebalance_timeout_ms = 60'000;

}  // namespace

// One stay in a group, from joining to the call for the next rebalance.
struct Consumer::Member {
  Groups& groups;
  std::vector<std::string> topics;
  std::string id;
  int32_t generation = -1;
  bool leads = false;
  std::vector<GroupMember> members;  // known to the leader
  std::map<std::string, int32_t> counts;

  io::Task<bool> join(const ConsumerSpec& spec);
  io::Task<std::optional<std::vector<TopicPartition>>> sync(const ConsumerSpec& spec,
                                                            const Cluster& cluster);
  void count_partitions(const Cluster& cluster);
};

io::Task<bool> Consumer::Member::join(const ConsumerSpec& spec) {
  JoinRequest request;
  request.group = spec.group;
  request.member_id = id;
  request.client_id = spec.name;
  request.client_host = "local";
  request.protocol_type = consumer_protocol_type;
  request.protocols.push_back({std::string(range_protocol), encode_subscription(topics)});
  request.session_timeout_ms = session_timeout_ms;
  request.rebalance_timeout_ms = rebalance_timeout_ms;
  auto joining = groups.join(std::move(request));
  auto joined = co_await joining.wait();
  if (!joined) co_return false;
  if (joined->fault != GroupFault::none) {
    id.clear();
    co_return false;
  }
  id = joined->member_id;
  generation = joined->generation;
  leads = joined->leader == id;
  members = std::move(joined->members);
  co_return true;
}

void Consumer::Member::count_partitions(const Cluster& cluster) {
  counts.clear();
  for (const GroupMember& member : members) {
    auto subscribed = decode_subscription(member.metadata);
    if (!subscribed) continue;
    for (const std::string& topic : *subscribed) {
      if (auto found = cluster.find(topic)) counts[topic] = (*found)->facts.partitions;
    }
  }
}

io::Task<std::optional<std::vector<TopicPartition>>> Consumer::Member::sync(
    const ConsumerSpec& spec, const Cluster& cluster) {
  SyncRequest request;
  request.group = spec.group;
  request.member_id = id;
  request.generation = generation;
  if (leads) {
    count_partitions(cluster);
    request.assignments = assign_by_range(members, counts);
  }
  auto syncing = groups.sync(std::move(request));
  auto synced = co_await syncing.wait();
  if (!synced || synced->fault != GroupFault::none) co_return std::nullopt;
  co_return decode_assignment(synced->assignment);
}

// What stays keeps its position; what comes begins where the group is.
io::Task<> Consumer::take_partitions(std::vector<TopicPartition> partitions,
                                     Membership membership) {
  std::set<TopicPartition> now(partitions.begin(), partitions.end());
  {
    std::lock_guard lock(mutex_);
    std::erase_if(places_, [&](const auto& entry) { return !now.contains(entry.first); });
    std::erase_if(saved_, [&](const auto& entry) { return !now.contains(entry.first); });
    for (const TopicPartition& where : now) places_.try_emplace(where);
  }
  for (const TopicPartition& where : now) {
    auto first = co_await first_position(where);
    if (first) place(where, *first);
  }
  {
    std::lock_guard lock(mutex_);
    membership_ = std::move(membership);
  }
  changed_.notify_all();
}

io::Task<> Consumer::keep_membership() {
  auto groups = cluster_->groups(spec_.group, auth::Action::read);
  if (!groups) co_return;
  Member member{.groups = **groups, .topics = {}, .id = {}, .members = {}, .counts = {}};
  while (wants_membership()) {
    member.topics = wanted_topics();
    bool joined = co_await member.join(spec_);
    std::optional<std::vector<TopicPartition>> assigned;
    if (joined) assigned = co_await member.sync(spec_, *cluster_);
    if (assigned) {
      co_await take_partitions(std::move(*assigned), {member.id, member.generation});
      auto counts = member.counts;
      while (wants_membership() && wanted_topics() == member.topics) {
        if (member.leads) member.count_partitions(*cluster_);
        if (member.counts != counts) break;
        GroupFault fault = member.groups.heartbeat({.group = spec_.group,
                                                    .member_id = member.id,
                                                    .instance_id = {},
                                                    .generation = member.generation});
        if (fault == GroupFault::unknown_member) member.id.clear();
        if (fault != GroupFault::none) break;
        uint64_t version = changed_.version();
        Status woken = co_await changed_.wait_beyond(version, io::after(heartbeat_every));
        if (!woken && woken.error().code() == Code::cancelled) co_return;
      }
      // Whoever gets the partitions next goes on behind what was read here.
      if (spec_.auto_commit) (void)co_await commit();
    } else if (!co_await io::sleep_for(again_after)) {
      co_return;
    }
  }
  if (!member.id.empty()) (void)member.groups.leave(spec_.group, member.id, std::nullopt);
  std::lock_guard lock(mutex_);
  membership_ = {};
}

}  // namespace pinpipe::broker
