#include "broker/groups.h"

#include <gtest/gtest.h>

#include "io/runtime.h"
#include "io/scope.h"
#include "kit/fake_clock.h"

namespace pinpipe::broker {
namespace {

class GroupsTest : public testing::Test {
 protected:
  using Joining = io::OneShot<JoinAnswer>;

  JoinRequest request(std::string member_id = {}, std::string metadata = "m") {
    JoinRequest request;
    request.group = "g";
    request.member_id = std::move(member_id);
    request.client_id = "c";
    request.protocol_type = "consumer";
    request.protocols = {{"range", std::move(metadata)}};
    request.session_timeout_ms = 10'000;
    request.rebalance_timeout_ms = 30'000;
    return request;
  }
  template <class T>
  std::optional<T> value_of(io::OneShot<T>& shot) {
    auto value = io::wait_on(runtime_.loop(0), shot.wait(io::after(Millis(0))));
    return value ? std::optional<T>(*value) : std::nullopt;
  }
  void pass(int64_t ms) {
    clock_.advance(Millis(ms));
    groups_.expire();
  }
  SyncAnswer sync(const JoinAnswer& joined, std::map<std::string, std::string> assignments = {}) {
    auto shot = sync_later(joined, std::move(assignments));
    auto answer = value_of(shot);
    EXPECT_TRUE(answer);
    return answer.value_or(SyncAnswer{});
  }
  io::OneShot<SyncAnswer> sync_later(const JoinAnswer& joined,
                                     std::map<std::string, std::string> assignments = {}) {
    SyncRequest request;
    request.group = "g";
    request.member_id = joined.member_id;
    request.generation = joined.generation;
    request.assignments = std::move(assignments);
    return groups_.sync(std::move(request));
  }
  // A stable group of one.
  JoinAnswer settle_one() {
    auto shot = groups_.join(request());
    pass(50);
    JoinAnswer joined = *value_of(shot);
    EXPECT_EQ(sync(joined, {{joined.member_id, "all"}}).assignment, "all");
    return joined;
  }
  GroupFault heartbeat(const JoinAnswer& joined) {
    return groups_.heartbeat({"g", joined.member_id, {}, joined.generation});
  }

  kit::FakeClock clock_;
  io::Runtime runtime_{{.loops = 1, .disk_threads = 1, .work_threads = 1}};
  Groups groups_{clock_, Millis(50)};
};

TEST_F(GroupsTest, members_that_start_together_share_one_rebalance) {
  auto a = groups_.join(request());
  auto b = groups_.join(request());
  EXPECT_FALSE(value_of(a));
  pass(50);
  auto first = value_of(a);
  auto second = value_of(b);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->generation, 1);
  EXPECT_EQ(second->generation, 1);
  EXPECT_EQ(first->leader, second->leader);
  const JoinAnswer& leader = first->leader == first->member_id ? *first : *second;
  const JoinAnswer& other = first->leader == first->member_id ? *second : *first;
  EXPECT_EQ(leader.members.size(), 2u);
  EXPECT_TRUE(other.members.empty());
  auto waiting = sync_later(other);
  EXPECT_FALSE(value_of(waiting)) << "the leader has not assigned yet";
  EXPECT_EQ(heartbeat(other), GroupFault::none);
  EXPECT_EQ(sync(leader, {{leader.member_id, "1"}, {other.member_id, "2"}}).assignment, "1");
  EXPECT_EQ(value_of(waiting)->assignment, "2");
  EXPECT_EQ(groups_.describe("g")->state, "Stable");
}

TEST_F(GroupsTest, a_newcomer_makes_the_others_join_again) {
  JoinAnswer one = settle_one();
  auto two = groups_.join(request());
  EXPECT_EQ(heartbeat(one), GroupFault::rebalance_in_progress);
  EXPECT_EQ(sync(one).fault, GroupFault::rebalance_in_progress);
  EXPECT_FALSE(value_of(two));
  auto again = groups_.join(request(one.member_id));
  EXPECT_EQ(value_of(again)->generation, 2);
  EXPECT_EQ(value_of(two)->generation, 2);
  EXPECT_EQ(heartbeat(one), GroupFault::illegal_generation);
}

TEST_F(GroupsTest, a_member_that_does_not_come_back_is_left_behind) {
  JoinAnswer one = settle_one();
  auto two = groups_.join(request());
  pass(9'000);
  EXPECT_FALSE(value_of(two));
  pass(1'000);
  auto joined = value_of(two);
  ASSERT_TRUE(joined) << "its session is over";
  EXPECT_EQ(joined->members.size(), 1u);
  EXPECT_EQ(heartbeat(one), GroupFault::unknown_member);
}

TEST_F(GroupsTest, a_follower_that_joins_unchanged_does_not_disturb) {
  auto a = groups_.join(request());
  auto b = groups_.join(request());
  pass(50);
  auto first = *value_of(a);
  auto second = *value_of(b);
  const JoinAnswer& leader = first.leader == first.member_id ? first : second;
  const JoinAnswer& follower = first.leader == first.member_id ? second : first;
  sync(leader);
  auto same = groups_.join(request(follower.member_id));
  EXPECT_EQ(value_of(same)->generation, 1);
  auto changed = groups_.join(request(follower.member_id, "other"));
  EXPECT_FALSE(value_of(changed));
  EXPECT_EQ(heartbeat(leader), GroupFault::rebalance_in_progress);
}

TEST_F(GroupsTest, a_new_client_is_given_its_id_first) {
  JoinRequest fresh = request();
  fresh.may_require_member_id = true;
  auto refused = groups_.join(fresh);
  auto answer = value_of(refused);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->fault, GroupFault::member_id_required);
  auto joined = groups_.join(request(answer->member_id));
  pass(50);
  EXPECT_EQ(value_of(joined)->member_id, answer->member_id);
  auto unknown = groups_.join(request("nobody"));
  EXPECT_EQ(value_of(unknown)->fault, GroupFault::unknown_member);
}

TEST_F(GroupsTest, a_restarted_static_member_keeps_its_assignment_and_the_old_one_is_fenced) {
  JoinRequest fixed = request();
  fixed.instance_id = "i";
  auto shot = groups_.join(fixed);
  pass(50);
  JoinAnswer before = *value_of(shot);
  sync(before, {{before.member_id, "mine"}});
  auto again = groups_.join(fixed);
  auto after = value_of(again);
  ASSERT_TRUE(after) << "without a rebalance";
  EXPECT_EQ(after->generation, before.generation);
  EXPECT_NE(after->member_id, before.member_id);
  EXPECT_EQ(sync(*after).assignment, "mine");
  EXPECT_EQ(groups_.heartbeat({"g", before.member_id, "i", before.generation}),
            GroupFault::fenced_instance);
  EXPECT_EQ(groups_.leave("g", "", "i"), GroupFault::none);
  EXPECT_EQ(groups_.leave("g", "", "i"), GroupFault::unknown_member);
}

TEST_F(GroupsTest, who_leaves_or_falls_silent_is_gone) {
  JoinAnswer one = settle_one();
  pass(9'000);
  EXPECT_EQ(heartbeat(one), GroupFault::none);
  pass(9'000);
  EXPECT_EQ(heartbeat(one), GroupFault::none);
  pass(10'000);
  EXPECT_EQ(heartbeat(one), GroupFault::unknown_member);
  JoinAnswer two = settle_one();
  EXPECT_EQ(groups_.remove("g"), GroupFault::non_empty);
  EXPECT_EQ(groups_.leave("g", two.member_id, {}), GroupFault::none);
  EXPECT_EQ(groups_.describe("g")->state, "Empty");
  EXPECT_EQ(groups_.remove("g"), GroupFault::none);
}

TEST_F(GroupsTest, protocols_nobody_shares_are_refused) {
  settle_one();
  JoinRequest other = request();
  other.protocols = {{"sticky", ""}};
  auto refused = groups_.join(other);
  EXPECT_EQ(value_of(refused)->fault, GroupFault::inconsistent_protocol);
  other = request();
  other.protocol_type = "connect";
  refused = groups_.join(other);
  EXPECT_EQ(value_of(refused)->fault, GroupFault::inconsistent_protocol);
  other = request();
  other.session_timeout_ms = 100;
  refused = groups_.join(other);
  EXPECT_EQ(value_of(refused)->fault, GroupFault::invalid_session_timeout);
}

TEST_F(GroupsTest, only_members_of_this_generation_commit_while_there_are_any) {
  MemberRef nobody{"g", "", {}, -1};
  EXPECT_EQ(groups_.check_commit(nobody), GroupFault::none);
  JoinAnswer one = settle_one();
  EXPECT_EQ(groups_.check_commit(nobody), GroupFault::unknown_member);
  EXPECT_EQ(groups_.check_commit({"g", one.member_id, {}, 1}), GroupFault::none);
  EXPECT_EQ(groups_.check_commit({"g", one.member_id, {}, 0}), GroupFault::illegal_generation);
  auto two = groups_.join(request());
  EXPECT_EQ(groups_.check_commit({"g", one.member_id, {}, 1}), GroupFault::none)
      << "before it joins again it may still commit what it has done";
}

TEST_F(GroupsTest, a_leader_that_never_assigns_is_replaced) {
  auto a = groups_.join(request());
  pass(50);
  JoinAnswer silent = *value_of(a);
  auto b = groups_.join(request());
  pass(30'000);
  auto joined = value_of(b);
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->leader, joined->member_id);
  EXPECT_EQ(heartbeat(silent), GroupFault::unknown_member);
}

}  // namespace
}  // namespace pinpipe::broker
