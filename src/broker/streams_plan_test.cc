#include "broker/streams_plan.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "kit/seed.h"

namespace pinpipe::broker {
namespace {

std::vector<Shard> fresh(int32_t count) {
  std::vector<Shard> shards;
  for (const HashRange& range : even_ranges(count)) {
    shards.push_back({.number = static_cast<int32_t>(shards.size()),
                      .created_s = 1000,
                      .range = range,
                      .parent = {},
                      .adjacent_parent = {},
                      .closed = {}});
  }
  return shards;
}

std::vector<HashRange> open_ranges(const ShardPlan& plan) {
  std::vector<HashRange> open;
  for (const Shard& shard : plan.shards()) {
    if (shard.is_open()) open.push_back(shard.range);
  }
  std::ranges::sort(open, {}, &HashRange::first);
  return open;
}

// What readers rely on: parents come before children, in numbers of shards and of sequence.
void expect_sound(const ShardPlan& plan) {
  for (const Shard& shard : plan.shards()) {
    for (auto parent : {shard.parent, shard.adjacent_parent}) {
      if (!parent) continue;
      const Shard& before = plan.shards()[static_cast<size_t>(*parent)];
      EXPECT_LT(before.number, shard.number);
      ASSERT_TRUE(before.closed);
      EXPECT_LT(*before.ending_sequence(), shard.starting_sequence());
    }
  }
  std::vector<HashRange> open = open_ranges(plan);
  EXPECT_EQ(open.front().first, HashKey{0});
  EXPECT_EQ(open.back().last, hash_key_max);
  for (size_t i = 1; i < open.size(); ++i) EXPECT_EQ(open[i].first, open[i - 1].last + 1);
}

TEST(ShardPlan, doubling_splits_each_shard_once) {
  ShardPlan plan(fresh(2), 5'000'000);
  ASSERT_TRUE(plan.even(4));
  expect_sound(plan);
  EXPECT_EQ(plan.shards().size(), 6u);
  EXPECT_EQ(open_ranges(plan), even_ranges(4));
  EXPECT_EQ(plan.parents(), (std::set<int32_t>{0, 1}));
  EXPECT_EQ(plan.shards()[2].parent, 0);
  EXPECT_FALSE(plan.shards()[2].adjacent_parent);
}

TEST(ShardPlan, halving_merges_neighbours) {
  ShardPlan plan(fresh(4), 5'000'000);
  ASSERT_TRUE(plan.even(2));
  expect_sound(plan);
  EXPECT_EQ(plan.shards().size(), 6u);
  EXPECT_EQ(open_ranges(plan), even_ranges(2));
  EXPECT_EQ(plan.shards()[5].parent, 2);
  EXPECT_EQ(plan.shards()[5].adjacent_parent, 3);
}

TEST(ShardPlan, four_to_three_goes_by_shards_that_are_closed_again) {
  ShardPlan plan(fresh(4), 5'000'000);
  ASSERT_TRUE(plan.even(3));
  expect_sound(plan);
  EXPECT_EQ(open_ranges(plan), even_ranges(3));
  // As seen on AWS: 1 is split into 4 and 5, 0 and 4 are merged to 6, and so on.
  std::set<int32_t> open;
  for (const Shard& shard : plan.shards()) {
    if (shard.is_open()) open.insert(shard.number);
  }
  EXPECT_EQ(open, (std::set<int32_t>{6, 9, 10}));
}

TEST(ShardPlan, any_number_is_reached_from_any_other) {
  Random random(kit::seed());
  ShardPlan plan(fresh(1), 5'000'000);
  for (int i = 0; i < 60; ++i) {
    auto count = static_cast<int32_t>(1 + random.below(40));
    ASSERT_TRUE(plan.even(count));
    EXPECT_EQ(open_ranges(plan), even_ranges(count));
  }
  expect_sound(plan);
}

TEST(ShardPlan, the_same_number_changes_nothing) {
  ShardPlan plan(fresh(3), 5'000'000);
  ASSERT_TRUE(plan.even(3));
  EXPECT_EQ(plan.shards().size(), 3u);
  EXPECT_TRUE(plan.parents().empty());
}

TEST(ShardPlan, only_open_shards_and_neighbours_are_taken) {
  ShardPlan plan(fresh(3), 5'000'000);
  EXPECT_EQ(plan.split(3, 1).error().code(), Code::not_found);
  EXPECT_EQ(plan.split(1, 1).error().code(), Code::invalid);
  EXPECT_EQ(plan.merge(0, 2).error().code(), Code::invalid);
  EXPECT_EQ(plan.merge(2, 0).error().code(), Code::invalid);
  ASSERT_TRUE(plan.merge(0, 1));
  EXPECT_EQ(plan.merge(0, 1).error().code(), Code::conflict);
}

}  // namespace
}  // namespace pinpipe::broker
