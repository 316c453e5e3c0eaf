#include "auth/policy.h"

#include <gtest/gtest.h>

namespace pinpipe::auth {
namespace {

const Principal ann{"ann", PrincipalKind::user};
const Principal bob{"bob", PrincipalKind::user};

Policy policy_of(std::vector<Statement> statements) {
  Policy policy;
  for (auto& statement : statements) EXPECT_TRUE(policy.add(std::move(statement)));
  return policy;
}
Statement allow(std::string who, Actions actions, std::string resource) {
  return {Effect::allow, {std::move(who)}, actions, {std::move(resource)}};
}
Statement deny(std::string who, Actions actions, std::string resource) {
  return {Effect::deny, {std::move(who)}, actions, {std::move(resource)}};
}
Resource topic(std::string_view name) {
  return {ResourceKind::topic, name};
}

TEST(Pattern, stars_and_question_marks) {
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_TRUE(matches_pattern("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(matches_pattern("a*b*c", "a-b-b-d"));
  EXPECT_TRUE(matches_pattern("a?c", "abc"));
  EXPECT_FALSE(matches_pattern("a?c", "ac"));
  EXPECT_FALSE(matches_pattern("", "a"));
  EXPECT_TRUE(matches_pattern("x.pin", "x.pin"));
  EXPECT_FALSE(matches_pattern("x.pin", "x-pin"));
}

TEST(Pattern, a_hostile_pattern_takes_no_exponential_time) {
  std::string stars;
  for (int i = 0; i < 50; ++i) stars += "a*";
  EXPECT_FALSE(matches_pattern(stars + "b", std::string(5000, 'a')));
}

TEST(Policy, open_for_local_lets_local_and_service_pass_and_nobody_else) {
  Policy policy = Policy::open_for_local();
  EXPECT_TRUE(policy.allows(local_principal(), Action::remove, topic("x")));
  EXPECT_TRUE(policy.allows(service_principal("sink"), Action::write, topic("x")));
  EXPECT_FALSE(policy.allows(anonymous_principal(), Action::read, topic("x")));
  EXPECT_FALSE(policy.allows(ann, Action::read, topic("x")));
  EXPECT_TRUE(policy.allows_on_any(local_principal(), Action::write, ResourceKind::topic));
}

TEST(Policy, nothing_is_allowed_unless_said) {
  Policy policy = policy_of({allow("ann", Action::write, "topic:ann.*")});
  EXPECT_TRUE(policy.allows(ann, Action::write, topic("ann.pin")));
  EXPECT_FALSE(policy.allows(ann, Action::write, topic("bob.pin")));
  EXPECT_FALSE(policy.allows(ann, Action::read, topic("ann.pin")));
  EXPECT_FALSE(policy.allows(bob, Action::write, topic("ann.pin")));
  EXPECT_FALSE(policy.allows(ann, Action::write, {ResourceKind::group, "ann.pin"}));
}

TEST(Policy, a_deny_beats_an_allow_in_any_order) {
  for (bool deny_first : {true, false}) {
    std::vector<Statement> statements = {allow("*", Actions::all(), "*"),
                                         deny("ann", Action::write, "topic:secret")};
    if (deny_first) std::swap(statements[0], statements[1]);
    Policy policy = policy_of(statements);
    EXPECT_FALSE(policy.allows(ann, Action::write, topic("secret")));
    EXPECT_TRUE(policy.allows(ann, Action::read, topic("secret")));
    EXPECT_TRUE(policy.allows(bob, Action::write, topic("secret")));
  }
}

TEST(Policy, a_deny_holds_for_local_principals_too) {
  Policy policy = Policy::open_for_local();
  ASSERT_TRUE(policy.add(deny("local", Action::remove, "*")));
  EXPECT_FALSE(policy.allows(local_principal(), Action::remove, topic("x")));
}

TEST(Policy, some_actions_imply_describing) {
  for (Action action : {Action::read, Action::write, Action::remove, Action::alter}) {
    EXPECT_TRUE(
        policy_of({allow("ann", action, "topic:*")}).allows(ann, Action::describe, topic("x")));
  }
  EXPECT_FALSE(policy_of({allow("ann", Action::create, "topic:*")})
                   .allows(ann, Action::describe, topic("x")));
  EXPECT_TRUE(policy_of({allow("ann", Action::alter_configs, "topic:*")})
                  .allows(ann, Action::describe_configs, topic("x")));
}

TEST(Policy, the_principals_name_stands_for_itself_in_a_pattern) {
  Policy policy = policy_of({allow("*", Action::write, "topic:streaming-${name}-*")});
  EXPECT_TRUE(policy.allows(ann, Action::write, topic("streaming-ann-pin")));
  EXPECT_FALSE(policy.allows(bob, Action::write, topic("streaming-ann-pin")));
  EXPECT_FALSE(
      policy.allows({"*", PrincipalKind::user}, Action::write, topic("streaming-ann-pin")));
  EXPECT_TRUE(policy.allows({"*", PrincipalKind::user}, Action::write, topic("streaming-*-pin")));
}

TEST(Policy, writing_to_any_topic_counts_unless_a_deny_covers_it) {
  auto any = [](const Policy& policy) {
    return policy.allows_on_any(ann, Action::write, ResourceKind::topic);
  };
  EXPECT_FALSE(any(policy_of({})));
  EXPECT_FALSE(any(policy_of({allow("ann", Action::write, "group:a")})));
  EXPECT_TRUE(any(policy_of({allow("ann", Action::write, "topic:a")})));
  EXPECT_FALSE(
      any(policy_of({allow("ann", Action::write, "topic:a"), deny("*", Action::write, "*")})));
  EXPECT_TRUE(any(
      policy_of({allow("ann", Action::write, "topic:a*"), deny("*", Action::write, "topic:a")})));
  EXPECT_FALSE(any(
      policy_of({allow("ann", Action::write, "topic:ab*"), deny("*", Action::write, "topic:a*")})));
}

TEST(Policy, a_denial_says_who_what_and_where) {
  Status denied = Policy().check(ann, Action::write, topic("x.pin"));
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code(), Code::denied);
  EXPECT_EQ(denied.error().text(), "ann may not write topic x.pin");
}

TEST(Policy, words_are_checked) {
  auto good = Statement::of_words(Effect::allow, {"*"}, {"read", "write"}, {"topic:a", "*"});
  ASSERT_TRUE(good);
  EXPECT_TRUE(good->actions.has(Action::write));
  EXPECT_FALSE(good->actions.has(Action::remove));
  EXPECT_FALSE(Statement::of_words(Effect::allow, {"*"}, {"reed"}, {"*"}));
  EXPECT_FALSE(Statement::of_words(Effect::allow, {"*"}, {"*"}, {"topik:a"}));
  EXPECT_FALSE(Statement::of_words(Effect::allow, {"*"}, {"*"}, {"topic"}));
}

}  // namespace
}  // namespace pinpipe::auth
