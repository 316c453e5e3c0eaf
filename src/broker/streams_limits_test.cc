#include "broker/streams_limits.h"

#include <gtest/gtest.h>

namespace pinpipe::broker {
namespace {

constexpr int64_t second = 1'000'000'000;

int admitted(StreamLimits& limits, const Uuid& stream, int32_t shard, size_t bytes, int64_t now) {
  int count = 0;
  while (count < 5000 && limits.admit_record(stream, shard, bytes, now)) ++count;
  return count;
}

TEST(StreamLimits, a_shard_takes_a_thousand_records_a_second) {
  StreamLimits limits;
  Uuid stream = Uuid::random();
  EXPECT_EQ(admitted(limits, stream, 0, 10, second), 1000);
  EXPECT_EQ(admitted(limits, stream, 1, 10, second), 1000);
  EXPECT_EQ(admitted(limits, stream, 0, 10, second + second / 2), 500);
}

TEST(StreamLimits, a_shard_takes_a_mebibyte_a_second_and_pays_for_what_went_over) {
  StreamLimits limits;
  Uuid stream = Uuid::random();
  EXPECT_EQ(admitted(limits, stream, 0, 300 << 10, second), 4);
  EXPECT_EQ(admitted(limits, stream, 0, 300 << 10, second + second / 10), 0);
  EXPECT_EQ(admitted(limits, stream, 1, 10 << 20, second), 1);
  EXPECT_EQ(admitted(limits, stream, 1, 1, second * 10), 0);
  EXPECT_GT(admitted(limits, stream, 1, 1, second * 11), 0);
}

TEST(StreamLimits, a_large_answer_keeps_the_next_reads_out_for_its_time) {
  StreamLimits limits;
  Uuid stream = Uuid::random();
  EXPECT_TRUE(limits.admit_read(stream, 0, second));
  limits.count_read(stream, 0, 10 << 20, second);
  EXPECT_FALSE(limits.admit_read(stream, 0, second * 4));
  EXPECT_TRUE(limits.admit_read(stream, 0, second * 6));
}

TEST(StreamLimits, a_shard_answers_five_reads_a_second) {
  StreamLimits limits;
  Uuid stream = Uuid::random();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limits.admit_read(stream, 0, second));
  EXPECT_FALSE(limits.admit_read(stream, 0, second));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limits.admit_iterator(stream, 0, second));
  EXPECT_FALSE(limits.admit_iterator(stream, 0, second));
}

TEST(StreamLimits, actions_are_counted_by_name_and_subject) {
  StreamLimits limits;
  EXPECT_TRUE(limits.admit_action("A", "", 1, second));
  EXPECT_FALSE(limits.admit_action("A", "", 1, second));
  EXPECT_TRUE(limits.admit_action("A", "s", 1, second));
  EXPECT_TRUE(limits.admit_action("A", "", 1, second * 2));
}

}  // namespace
}  // namespace pinpipe::broker
