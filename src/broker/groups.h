// Consumer groups of the classic protocol: who is a member, whose turn it is, what each was
// assigned. Protocol types, metadata and assignments are opaque bytes.
//
//   empty ─join─► preparing ─all joined─► completing ─leader syncs─► stable
//                    ▲──────────── join, leave, expiry ──────────────┘
//
// Membership is in memory: after a restart members join again; positions are CommittedOffsets'.
// Thread-safe: one mutex, held for a few steps over one group's members.
// Bounds: members_max per group, groups_max, member metadata metadata_bytes_max.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "io/wake.h"

namespace pinpipe::broker {

enum class GroupFault {
  none,
  invalid_group_id,
  invalid_session_timeout,
  inconsistent_protocol,
  unknown_member,
  illegal_generation,
  rebalance_in_progress,
  member_id_required,
  fenced_instance,
  group_full,
  non_empty,
  not_found,
};

struct GroupProtocol {
  std::string name;
  std::string metadata;
};

struct JoinRequest {
  std::string group;
  std::string member_id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  std::string protocol_type;
  std::vector<GroupProtocol> protocols;
  int64_t session_timeout_ms = 0;
  int64_t rebalance_timeout_ms = 0;
  bool may_require_member_id = false;  // the client knows the round trip for its id
  bool knows_skip_assignment = false;
};

struct GroupMember {
  std::string id;
  std::optional<std::string> instance_id;
  std::string metadata;
};

struct JoinAnswer {
  GroupFault fault = GroupFault::none;
  int32_t generation = -1;
  std::string protocol_type;
  std::string protocol;
  std::string leader;
  std::string member_id;
  std::vector<GroupMember> members;  // for the leader
  bool skip_assignment = false;
};

struct SyncRequest {
  std::string group;
  std::string member_id;
  std::optional<std::string> instance_id;
  int32_t generation = -1;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol;
  std::map<std::string, std::string> assignments;  // by member id; from the leader
};

struct SyncAnswer {
  GroupFault fault = GroupFault::none;
  std::string protocol_type;
  std::string protocol;
  std::string assignment;
};

// Who speaks for the group, in heartbeats and commits.
struct MemberRef {
  std::string_view group;
  std::string_view member_id;
  std::optional<std::string_view> instance_id;
  int32_t generation = -1;
};

struct GroupDescription {
  struct Member {
    std::string id;
    std::optional<std::string> instance_id;
    std::string client_id;
    std::string client_host;
    std::string metadata;
    std::string assignment;
  };
  std::string name;
  std::string state;  // Kafka's words
  std::string protocol_type;
  std::string protocol;
  std::vector<Member> members;
};

class Groups {
 public:
  static constexpr size_t members_max = 10'000;
  static constexpr size_t groups_max = 100'000;
  static constexpr size_t metadata_bytes_max = 1 << 20;
  static constexpr int64_t session_timeout_least_ms = 6'000;
  static constexpr int64_t session_timeout_most_ms = 1'800'000;

  Groups(const Clock& clock, Millis rebalance_delay);
  ~Groups();

  // Complete when the rebalance does.
  io::OneShot<JoinAnswer> join(JoinRequest request);
  io::OneShot<SyncAnswer> sync(SyncRequest request);
  GroupFault heartbeat(const MemberRef& who);
  // By member id, or by instance id alone.
  GroupFault leave(std::string_view group, std::string_view member_id,
                   std::optional<std::string_view> instance_id);
  // Whether this member may commit positions now.
  GroupFault check_commit(const MemberRef& who) const;
  // What its members are to each other; empty when it has none.
  std::string protocol_type(std::string_view group) const;

  std::vector<GroupDescription> list() const;
  std::optional<GroupDescription> describe(std::string_view group) const;
  GroupFault remove(std::string_view group);  // only an empty one

  // Ends sessions and rebalances whose time is over. To be called often.
  void expire();

 private:
  enum class State { empty, preparing, completing, stable };
  struct Member;
  struct Group;
  using Members = std::map<std::string, Member, std::less<>>;

  // All with the mutex held; what is to be woken is collected in `wakes`.
  GroupFault check_join(const JoinRequest& request, const Group& group) const;
  void admit(Group& group, JoinRequest& request, io::OneShot<JoinAnswer> answer, io::Wakes& wakes);
  void rejoin_static(Group& group, JoinRequest& request, io::OneShot<JoinAnswer> answer,
                     io::Wakes& wakes);
  void rejoin(Group& group, Member& member, JoinRequest& request, io::OneShot<JoinAnswer> answer,
              io::Wakes& wakes);
  void add(Group& group, JoinRequest& request, std::string id, io::OneShot<JoinAnswer> answer,
           io::Wakes& wakes);
  void prepare(Group& group, io::Wakes& wakes);
  void complete_when_all_joined(Group& group, io::Wakes& wakes);
  void complete(Group& group, io::Wakes& wakes);
  void drop(Group& group, std::string member_id, io::Wakes& wakes);
  void answer_join(Group& group, Member& member, io::OneShot<JoinAnswer> answer, io::Wakes& wakes);
  void expire_group(Group& group, int64_t now_ms, io::Wakes& wakes);
  GroupFault check_member(const Group& group, const MemberRef& who) const;
  static GroupDescription describe_locked(const Group& group);

  const Clock& clock_;
  const int64_t rebalance_delay_ms_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Group>, std::less<>> groups_;
};

}  // namespace pinpipe::broker
