#include "scheduler/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"

namespace pinpipe::scheduler {
namespace {

using testing::ElementsAre;

int64_t at(const std::string& text) {
  return *from_rfc3339(text + "Z");
}

Result<Schedule> schedule_of(std::string text, std::string start = "", bool catchup = false,
                             bool interval = false) {
  project::DagSpec dag;
  dag.schedule = std::move(text);
  dag.start_date = std::move(start);
  dag.catchup = catchup;
  dag.interval_dates = interval;
  return Schedule::of(dag, io::posix_files());
}

TEST(Schedule, every_so_often_counts_from_the_start_date) {
  auto every = schedule_of("@every 90m", "2026-01-01T00:10:00");
  ASSERT_TRUE(every);
  EXPECT_EQ(every->next_ms(0, at("2026-01-02T00:00:00")), at("2026-01-02T00:10:00"));
  EXPECT_EQ(every->next_ms(0, at("2025-01-01T00:00:00")), at("2026-01-01T00:10:00"));
  EXPECT_EQ(every->next_ms(at("2026-01-02T00:10:00"), 0), at("2026-01-02T01:40:00"));
  // It slept: one run, for the latest moment.
  EXPECT_EQ(every->fire_ms(at("2026-01-02T00:10:00"), at("2026-01-02T05:00:00")),
            at("2026-01-02T04:40:00"));
  for (const char* wrong : {"@every", "@every 5", "@every 0s", "@every 5 m", "@every -1s"}) {
    EXPECT_FALSE(schedule_of(wrong)) << wrong;
  }
}

TEST(Schedule, interval_dates_are_the_begin_of_what_has_passed) {
  auto daily = schedule_of("@daily", "2026-01-01", true, true);
  ASSERT_TRUE(daily);
  auto first = daily->next_ms(0, at("2026-03-01T00:00:00"));
  EXPECT_EQ(first, at("2026-01-02T00:00:00"));
  EXPECT_EQ(daily->logical_ms(*first), at("2026-01-01T00:00:00"));
  auto moment = schedule_of("@daily", "2026-01-01", true, false);
  EXPECT_EQ(moment->next_ms(0, at("2026-03-01T00:00:00")), at("2026-01-01T00:00:00"));
  EXPECT_EQ(moment->logical_ms(at("2026-01-02T00:00:00")), at("2026-01-02T00:00:00"));
}

TEST(Schedule, the_due_moments_of_a_range_are_those_of_its_dates) {
  auto daily = schedule_of("0 6 * * *", "2026-01-02", false, true);
  EXPECT_THAT(daily->due_between(at("2026-01-01T00:00:00"), at("2026-01-04T00:00:00"), 10),
              ElementsAre(at("2026-01-03T06:00:00"), at("2026-01-04T06:00:00")));
  EXPECT_THAT(daily->due_between(at("2026-01-01T00:00:00"), at("2027-01-04T00:00:00"), 1),
              ElementsAre(at("2026-01-03T06:00:00")));
  EXPECT_THAT(schedule_of("")->due_between(0, INT64_MAX / 2, 10), ElementsAre());
}

}  // namespace
}  // namespace pinpipe::scheduler
