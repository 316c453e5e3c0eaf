#include "broker/groups.h"

#include <algorithm>

#include "base/id.h"
#include "broker/group_members.h"

namespace pinpipe::broker {

namespace {

JoinAnswer refused_join(GroupFault fault, std::string member_id) {
  JoinAnswer answer;
  answer.fault = fault;
  answer.member_id = std::move(member_id);
  return answer;
}

SyncAnswer refused_sync(GroupFault fault) {
  SyncAnswer answer;
  answer.fault = fault;
  return answer;
}

}  // namespace

Groups::Groups(const Clock& clock, Millis rebalance_delay)
    : clock_(clock), rebalance_delay_ms_(rebalance_delay.count()) {}
Groups::~Groups() = default;

GroupFault Groups::check_join(const JoinRequest& request, const Group& group) const {
  if (group.members.size() >= members_max) return GroupFault::group_full;
  if (request.protocols.empty() || request.protocol_type.empty())
    return GroupFault::inconsistent_protocol;
  // A member that joins again may bring other protocols; the others decide what is possible.
  bool others = std::ranges::any_of(
      group.members, [&](const auto& entry) { return entry.first != request.member_id; });
  if (!others) return GroupFault::none;
  if (group.protocol_type != request.protocol_type) return GroupFault::inconsistent_protocol;
  std::vector<std::string> common = group.common_protocols();
  bool supported = std::ranges::any_of(request.protocols, [&](const GroupProtocol& protocol) {
    return std::ranges::find(common, protocol.name) != common.end();
  });
  return supported ? GroupFault::none : GroupFault::inconsistent_protocol;
}

io::OneShot<JoinAnswer> Groups::join(JoinRequest request) {
  io::OneShot<JoinAnswer> answer;
  io::Wakes wakes;  // sent when the mutex is free again
  size_t metadata_bytes = 0;
  for (const GroupProtocol& protocol : request.protocols)
    metadata_bytes += protocol.metadata.size() + protocol.name.size();
  GroupFault fault = GroupFault::none;
  if (request.group.empty()) fault = GroupFault::invalid_group_id;
  if (request.session_timeout_ms < session_timeout_least_ms ||
      request.session_timeout_ms > session_timeout_most_ms)
    fault = GroupFault::invalid_session_timeout;
  if (metadata_bytes > metadata_bytes_max) fault = GroupFault::group_full;
  if (fault != GroupFault::none) {
    answer.set(refused_join(fault, request.member_id), wakes);
    return answer;
  }
  std::lock_guard lock(mutex_);
  auto found = groups_.find(request.group);
  if (found == groups_.end()) {
    if (!request.member_id.empty() || groups_.size() >= groups_max) {
      bool full = request.member_id.empty();
      fault = full ? GroupFault::group_full : GroupFault::unknown_member;
      answer.set(refused_join(fault, request.member_id), wakes);
      return answer;
    }
    found = groups_.emplace(request.group, std::make_unique<Group>()).first;
    found->second->name = request.group;
  }
  admit(*found->second, request, answer, wakes);
  return answer;
}

void Groups::admit(Group& group, JoinRequest& request, io::OneShot<JoinAnswer> answer,
                   io::Wakes& wakes) {
  auto refuse = [&](GroupFault fault, std::string id) {
    answer.set(refused_join(fault, std::move(id)), wakes);
  };
  GroupFault fault = check_join(request, group);
  if (fault != GroupFault::none) return refuse(fault, request.member_id);
  if (request.member_id.empty()) {
    if (request.instance_id && group.instances.contains(*request.instance_id))
      return rejoin_static(group, request, std::move(answer), wakes);
    std::string id = request.instance_id.value_or(request.client_id) + "-" + Uuid::random().text();
    if (!request.instance_id && request.may_require_member_id) {
      group.promised[id] = clock_.steady_ms() + request.session_timeout_ms;
      return refuse(GroupFault::member_id_required, id);
    }
    return add(group, request, std::move(id), std::move(answer), wakes);
  }
  if (group.promised.erase(request.member_id) > 0) {
    std::string id = request.member_id;
    return add(group, request, std::move(id), std::move(answer), wakes);
  }
  if (request.instance_id) {
    auto instance = group.instances.find(*request.instance_id);
    if (instance != group.instances.end() && instance->second != request.member_id)
      return refuse(GroupFault::fenced_instance, request.member_id);
  }
  auto member = group.members.find(request.member_id);
  if (member == group.members.end()) return refuse(GroupFault::unknown_member, request.member_id);
  rejoin(group, member->second, request, std::move(answer), wakes);
}

// A restarted static member takes its place again under a new id; the old id is fenced.
void Groups::rejoin_static(Group& group, JoinRequest& request, io::OneShot<JoinAnswer> answer,
                           io::Wakes& wakes) {
  std::string old_id = group.instances[*request.instance_id];
  auto node = group.members.extract(old_id);
  Member& member = node.mapped();
  if (member.joining) member.joining->set(refused_join(GroupFault::fenced_instance, old_id), wakes);
  if (member.syncing) member.syncing->set(refused_sync(GroupFault::fenced_instance), wakes);
  member.joining.reset();
  member.syncing.reset();
  std::string leader_before = group.leader;
  bool unchanged = group.state == State::stable && member.has_same_protocols(request.protocols);
  member.id = *request.instance_id + "-" + Uuid::random().text();
  if (group.leader == old_id) group.leader = member.id;
  group.instances[*request.instance_id] = member.id;
  member.protocols = std::move(request.protocols);
  member.session_timeout_ms = request.session_timeout_ms;
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  member.alive_until_ms = clock_.steady_ms() + request.session_timeout_ms;
  node.key() = member.id;
  Member& placed = group.members.insert(std::move(node)).position->second;
  if (!unchanged) {
    placed.joining = std::move(answer);
    prepare(group, wakes);
    return complete_when_all_joined(group, wakes);
  }
  JoinAnswer same;
  same.generation = group.generation;
  same.protocol_type = group.protocol_type;
  same.protocol = group.protocol;
  // A leader that does not know how to skip must not believe that it leads: it would assign anew.
  bool leads = group.leader == placed.id;
  same.leader = request.knows_skip_assignment ? group.leader : leader_before;
  same.member_id = placed.id;
  same.skip_assignment = leads && request.knows_skip_assignment;
  if (same.skip_assignment) {
    for (const auto& [id, other] : group.members)
      same.members.push_back({id, other.instance_id, other.metadata_of(group.protocol)});
  }
  answer.set(std::move(same), wakes);
}

void Groups::rejoin(Group& group, Member& member, JoinRequest& request,
                    io::OneShot<JoinAnswer> answer, io::Wakes& wakes) {
  bool changed = !member.has_same_protocols(request.protocols);
  member.alive_until_ms = clock_.steady_ms() + request.session_timeout_ms;
  bool answers_at_once = !changed && ((group.state == State::completing) ||
                                      (group.state == State::stable && group.leader != member.id));
  member.protocols = std::move(request.protocols);
  member.session_timeout_ms = request.session_timeout_ms;
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  if (answers_at_once) return answer_join(group, member, std::move(answer), wakes);
  // A second request of the same member takes the place of the first.
  if (member.joining)
    member.joining->set(refused_join(GroupFault::rebalance_in_progress, member.id), wakes);
  member.joining = std::move(answer);
  if (group.state != State::preparing) prepare(group, wakes);
  complete_when_all_joined(group, wakes);
}

void Groups::add(Group& group, JoinRequest& request, std::string id, io::OneShot<JoinAnswer> answer,
                 io::Wakes& wakes) {
  if (group.members.empty()) group.protocol_type = request.protocol_type;
  Member& member = group.members[id];
  member.id = std::move(id);
  member.instance_id = request.instance_id;
  member.client_id = std::move(request.client_id);
  member.client_host = std::move(request.client_host);
  member.protocols = std::move(request.protocols);
  member.session_timeout_ms = request.session_timeout_ms;
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  member.alive_until_ms = clock_.steady_ms() + request.session_timeout_ms;
  member.joining = std::move(answer);
  if (member.instance_id) group.instances[*member.instance_id] = member.id;
  if (group.state != State::preparing) prepare(group, wakes);
  complete_when_all_joined(group, wakes);
}

void Groups::prepare(Group& group, io::Wakes& wakes) {
  for (auto& [id, member] : group.members) {
    if (member.syncing) member.syncing->set(refused_sync(GroupFault::rebalance_in_progress), wakes);
    member.syncing.reset();
  }
  group.is_first_rebalance = group.state == State::empty;
  int64_t wait_ms = rebalance_delay_ms_;
  if (!group.is_first_rebalance) {
    for (const auto& [id, member] : group.members)
      wait_ms = std::max(wait_ms, member.rebalance_timeout_ms);
  }
  group.state = State::preparing;
  group.rebalance_until_ms = clock_.steady_ms() + wait_ms;
}

void Groups::complete_when_all_joined(Group& group, io::Wakes& wakes) {
  if (group.state != State::preparing || group.is_first_rebalance || !group.promised.empty())
    return;
  bool all = std::ranges::all_of(
      group.members, [](const auto& entry) { return entry.second.joining.has_value(); });
  if (all) complete(group, wakes);
}

void Groups::complete(Group& group, io::Wakes& wakes) {
  // Who did not come back is out; a static member keeps its place until its session ends.
  std::erase_if(group.members, [](const auto& entry) {
    return !entry.second.joining && !entry.second.instance_id;
  });
  ++group.generation;
  group.is_first_rebalance = false;
  if (group.members.empty()) {
    group.state = State::empty;
    group.protocol.clear();
    group.leader.clear();
    return;
  }
  group.protocol = group.elected_protocol();
  if (!group.members.contains(group.leader) || !group.members[group.leader].joining) {
    auto first = std::ranges::find_if(
        group.members, [](const auto& entry) { return entry.second.joining.has_value(); });
    group.leader = first == group.members.end() ? group.members.begin()->first : first->first;
  }
  group.state = State::completing;
  int64_t now_ms = clock_.steady_ms();
  int64_t wait_ms = 0;
  for (auto& [id, member] : group.members) {
    wait_ms = std::max(wait_ms, member.rebalance_timeout_ms);
    member.alive_until_ms = now_ms + member.session_timeout_ms;
    member.assignment.clear();
    if (!member.joining) continue;
    io::OneShot<JoinAnswer> answer = std::move(*member.joining);
    member.joining.reset();
    answer_join(group, member, std::move(answer), wakes);
  }
  group.rebalance_until_ms = now_ms + wait_ms;
}

void Groups::answer_join(Group& group, Member& member, io::OneShot<JoinAnswer> shot,
                         io::Wakes& wakes) {
  JoinAnswer answer;
  answer.generation = group.generation;
  answer.protocol_type = group.protocol_type;
  answer.protocol = group.protocol;
  answer.leader = group.leader;
  answer.member_id = member.id;
  if (member.id == group.leader) {
    for (const auto& [id, other] : group.members)
      answer.members.push_back({id, other.instance_id, other.metadata_of(group.protocol)});
  }
  shot.set(std::move(answer), wakes);
}

GroupFault Groups::check_member(const Group& group, const MemberRef& who) const {
  if (who.instance_id) {
    auto instance = group.instances.find(std::string(*who.instance_id));
    if (instance == group.instances.end()) return GroupFault::unknown_member;
    if (instance->second != who.member_id) return GroupFault::fenced_instance;
  }
  if (!group.members.contains(who.member_id)) return GroupFault::unknown_member;
  if (who.generation != group.generation) return GroupFault::illegal_generation;
  return GroupFault::none;
}

io::OneShot<SyncAnswer> Groups::sync(SyncRequest request) {
  io::OneShot<SyncAnswer> shot;
  io::Wakes wakes;
  std::lock_guard lock(mutex_);
  auto found = groups_.find(request.group);
  GroupFault fault = found == groups_.end() ? GroupFault::unknown_member : GroupFault::none;
  if (fault == GroupFault::none) {
    MemberRef who{request.group, request.member_id, {}, request.generation};
    if (request.instance_id) who.instance_id = *request.instance_id;
    fault = check_member(*found->second, who);
  }
  if (fault == GroupFault::none && found->second->state == State::preparing)
    fault = GroupFault::rebalance_in_progress;
  if (fault == GroupFault::none) {
    const Group& group = *found->second;
    bool other = (request.protocol_type && *request.protocol_type != group.protocol_type) ||
                 (request.protocol && *request.protocol != group.protocol);
    if (other) fault = GroupFault::inconsistent_protocol;
  }
  if (fault != GroupFault::none) {
    shot.set(refused_sync(fault), wakes);
    return shot;
  }
  Group& group = *found->second;
  Member& member = group.members[request.member_id];
  member.alive_until_ms = clock_.steady_ms() + member.session_timeout_ms;
  if (member.syncing) member.syncing->set(refused_sync(GroupFault::rebalance_in_progress), wakes);
  member.syncing = shot;
  if (group.state == State::completing && member.id == group.leader) {
    for (auto& [id, assignment] : request.assignments) {
      if (auto to = group.members.find(id); to != group.members.end())
        to->second.assignment = std::move(assignment);
    }
    group.state = State::stable;
  }
  if (group.state != State::stable) return shot;
  for (auto& [id, waiting] : group.members) {
    if (!waiting.syncing) continue;
    SyncAnswer answer;
    answer.protocol_type = group.protocol_type;
    answer.protocol = group.protocol;
    answer.assignment = waiting.assignment;
    waiting.syncing->set(std::move(answer), wakes);
    waiting.syncing.reset();
  }
  return shot;
}

GroupFault Groups::heartbeat(const MemberRef& who) {
  std::lock_guard lock(mutex_);
  auto found = groups_.find(who.group);
  if (found == groups_.end()) return GroupFault::unknown_member;
  Group& group = *found->second;
  if (GroupFault fault = check_member(group, who); fault != GroupFault::none) return fault;
  Member& member = group.members.find(who.member_id)->second;
  member.alive_until_ms = clock_.steady_ms() + member.session_timeout_ms;
  // While the leader is assigning, a heartbeat is only a sign of life: telling the member to join
  // again would begin the rebalance anew.
  return group.state == State::preparing ? GroupFault::rebalance_in_progress : GroupFault::none;
}

void Groups::drop(Group& group, std::string member_id, io::Wakes& wakes) {
  auto node = group.members.extract(member_id);
  if (node.empty()) return;
  Member& member = node.mapped();
  if (member.joining)
    member.joining->set(refused_join(GroupFault::unknown_member, member_id), wakes);
  if (member.syncing) member.syncing->set(refused_sync(GroupFault::unknown_member), wakes);
  if (member.instance_id) group.instances.erase(*member.instance_id);
  if (group.state == State::stable || group.state == State::completing) prepare(group, wakes);
  complete_when_all_joined(group, wakes);
}

GroupFault Groups::leave(std::string_view name, std::string_view member_id,
                         std::optional<std::string_view> instance_id) {
  io::Wakes wakes;
  std::lock_guard lock(mutex_);
  auto found = groups_.find(name);
  if (found == groups_.end()) return GroupFault::unknown_member;
  Group& group = *found->second;
  std::string id(member_id);
  if (instance_id) {
    auto instance = group.instances.find(std::string(*instance_id));
    if (instance == group.instances.end()) return GroupFault::unknown_member;
    if (!id.empty() && id != instance->second) return GroupFault::fenced_instance;
    id = instance->second;
  }
  if (group.promised.erase(id) > 0) {
    complete_when_all_joined(group, wakes);
    return GroupFault::none;
  }
  if (!group.members.contains(id)) return GroupFault::unknown_member;
  drop(group, id, wakes);
  return GroupFault::none;
}

GroupFault Groups::check_commit(const MemberRef& who) const {
  std::lock_guard lock(mutex_);
  auto found = groups_.find(who.group);
  bool nobody = found == groups_.end() || found->second->members.empty();
  // Without a generation: tools and consumers that assign themselves, while nobody is a member.
  if (who.generation < 0 && who.member_id.empty())
    return nobody ? GroupFault::none : GroupFault::unknown_member;
  if (found == groups_.end()) return GroupFault::illegal_generation;
  GroupFault fault = check_member(*found->second, who);
  if (fault == GroupFault::none && found->second->state == State::completing)
    fault = GroupFault::rebalance_in_progress;
  return fault;
}

std::string Groups::protocol_type(std::string_view name) const {
  std::lock_guard lock(mutex_);
  auto found = groups_.find(name);
  bool nobody = found == groups_.end() || found->second->members.empty();
  return nobody ? std::string() : found->second->protocol_type;
}

GroupDescription Groups::describe_locked(const Group& group) {
  GroupDescription description;
  description.name = group.name;
  switch (group.state) {
    case State::empty:
      description.state = "Empty";
      break;
    case State::preparing:
      description.state = "PreparingRebalance";
      break;
    case State::completing:
      description.state = "CompletingRebalance";
      break;
    case State::stable:
      description.state = "Stable";
      break;
  }
  description.protocol_type = group.protocol_type;
  if (group.state == State::stable) description.protocol = group.protocol;
  for (const auto& [id, member] : group.members) {
    description.members.push_back({id, member.instance_id, member.client_id, member.client_host,
                                   member.metadata_of(group.protocol), member.assignment});
  }
  return description;
}

std::vector<GroupDescription> Groups::list() const {
  std::vector<GroupDescription> descriptions;
  std::lock_guard lock(mutex_);
  for (const auto& [name, group] : groups_) descriptions.push_back(describe_locked(*group));
  return descriptions;
}

std::optional<GroupDescription> Groups::describe(std::string_view name) const {
  std::lock_guard lock(mutex_);
  auto found = groups_.find(name);
  if (found == groups_.end()) return std::nullopt;
  return describe_locked(*found->second);
}

GroupFault Groups::remove(std::string_view name) {
  std::lock_guard lock(mutex_);
  auto found = groups_.find(name);
  if (found == groups_.end()) return GroupFault::not_found;
  if (!found->second->members.empty()) return GroupFault::non_empty;
  groups_.erase(found);
  return GroupFault::none;
}

void Groups::expire_group(Group& group, int64_t now_ms, io::Wakes& wakes) {
  size_t promised_before = group.promised.size();
  std::erase_if(group.promised, [&](const auto& entry) { return entry.second <= now_ms; });
  if (group.promised.size() < promised_before) complete_when_all_joined(group, wakes);
  std::vector<std::string> gone;
  for (const auto& [id, member] : group.members) {
    // Who waits for an answer of ours is alive as far as we can tell.
    if (!member.joining && !member.syncing && member.alive_until_ms <= now_ms) gone.push_back(id);
  }
  for (std::string& id : gone) drop(group, std::move(id), wakes);
  if (group.state == State::preparing && group.rebalance_until_ms <= now_ms) complete(group, wakes);
  if (group.state == State::completing && group.rebalance_until_ms <= now_ms) {
    // The leader did not assign in time: those who did not even ask are out.
    std::vector<std::string> silent;
    for (const auto& [id, member] : group.members) {
      if (!member.syncing) silent.push_back(id);
    }
    for (std::string& id : silent) drop(group, std::move(id), wakes);
  }
}

void Groups::expire() {
  io::Wakes wakes;
  int64_t now_ms = clock_.steady_ms();
  std::lock_guard lock(mutex_);
  for (auto& [name, group] : groups_) expire_group(*group, now_ms, wakes);
  // An empty group is only its name; its positions live in CommittedOffsets.
  std::erase_if(groups_, [](const auto& entry) {
    const Group& group = *entry.second;
    return group.state == State::empty && group.members.empty() && group.promised.empty();
  });
}

}  // namespace pinpipe::broker
