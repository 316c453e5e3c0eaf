#include "scheduler/cron.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace pinpipe::scheduler {
namespace {

TimeZone zone(const std::string& name) {
  auto found = TimeZone::find(io::posix_files(), name);
  EXPECT_TRUE(found) << found.error().text();
  return found ? *found : TimeZone::utc();
}

std::string next(std::string_view expression, const std::string& after,
                 const std::string& zone_name = "UTC") {
  auto cron = Cron::parse(expression);
  if (!cron) return cron.error().text();
  auto at = cron->next_after(*from_rfc3339(after), zone(zone_name));
  return at ? to_rfc3339(*at).substr(0, 16) : "never";
}

TEST(Cron, fires_at_the_next_match) {
  EXPECT_EQ(next("* * * * *", "2026-01-02T10:15:30Z"), "2026-01-02T10:16");
  EXPECT_EQ(next("0 6 * * *", "2026-01-02T06:00:00Z"), "2026-01-03T06:00");
  EXPECT_EQ(next("*/15 8-10 * * *", "2026-01-02T10:45:00Z"), "2026-01-03T08:00");
  EXPECT_EQ(next("5,10 0 1 jan,JUL *", "2026-01-02T00:00:00Z"), "2026-07-01T00:05");
  EXPECT_EQ(next("0 0 29 2 *", "2026-01-01T00:00:00Z"), "2028-02-29T00:00");
  EXPECT_EQ(next("0 0 31 2 *", "2026-01-01T00:00:00Z"), "never");
  EXPECT_EQ(next("0 0 * * fri-mon", "2026-01-06T00:00:00Z"), "2026-01-09T00:00");
  EXPECT_EQ(next("0 0 * * 7", "2026-01-01T00:00:00Z"), "2026-01-04T00:00");
  EXPECT_EQ(next("50/5 * * * *", "2026-01-01T00:56:00Z"), "2026-01-01T01:50");
}

TEST(Cron, knows_the_presets) {
  EXPECT_EQ(next("@hourly", "2026-01-02T10:15:30Z"), "2026-01-02T11:00");
  EXPECT_EQ(next("@daily", "2026-01-02T10:15:30Z"), "2026-01-03T00:00");
  EXPECT_EQ(next("@weekly", "2026-01-02T10:15:30Z"), "2026-01-04T00:00");
  EXPECT_EQ(next("@monthly", "2026-01-02T10:15:30Z"), "2026-02-01T00:00");
  EXPECT_EQ(next("@yearly", "2026-01-02T10:15:30Z"), "2027-01-01T00:00");
}

TEST(Cron, either_day_field_suffices_when_both_are_restricted) {
  EXPECT_EQ(next("0 0 13 * 5", "2026-01-01T00:00:00Z"), "2026-01-02T00:00");
  EXPECT_EQ(next("0 0 13 * 5", "2026-01-09T00:00:00Z"), "2026-01-13T00:00");
  EXPECT_EQ(next("0 0 13 * *", "2026-01-01T00:00:00Z"), "2026-01-13T00:00");
  EXPECT_EQ(next("0 0 31 2 1", "2026-01-01T00:00:00Z"), "2026-02-02T00:00");
}

TEST(Cron, follows_the_clock_through_spring_and_autumn) {
  // Berlin: 2026-03-29 02:00 -> 03:00, 2026-10-25 03:00 -> 02:00.
  EXPECT_EQ(next("30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin"), "2026-03-29T01:00");
  EXPECT_EQ(next("30 2 * * *", "2026-03-29T01:00:00Z", "Europe/Berlin"), "2026-03-30T00:30");
  EXPECT_EQ(next("30 * * * *", "2026-03-29T00:30:00Z", "Europe/Berlin"), "2026-03-29T01:30");
  EXPECT_EQ(next("30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin"), "2026-10-25T00:30");
  EXPECT_EQ(next("30 * * * *", "2026-10-25T00:30:00Z", "Europe/Berlin"), "2026-10-25T01:30");
  EXPECT_EQ(next("0 0 * * *", "2026-07-01T12:00:00Z", "America/New_York"), "2026-07-02T04:00");
}

TEST(Cron, finds_the_last_time_until_now) {
  auto cron = Cron::parse("0 6 1 1 *");
  ASSERT_TRUE(cron);
  auto at = cron->last_until(*from_rfc3339("2026-05-01T00:00:00Z"), TimeZone::utc());
  EXPECT_EQ(to_rfc3339(*at).substr(0, 16), "2026-01-01T06:00");
  at = cron->last_until(*from_rfc3339("2026-01-01T06:00:00Z"), TimeZone::utc());
  EXPECT_EQ(to_rfc3339(*at).substr(0, 16), "2026-01-01T06:00");
}

TEST(Cron, refuses_what_it_does_not_know) {
  for (const char* bad :
       {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *",
        "* * * * 8", "*/0 * * * *", "a * * * *", "1- * * * *", "-1 * * * *", "1,,2 * * * *",
        "* * L * *", "1/2/3 * * * *", "@reboot", "99999999999 * * * *", "*/x * * * *"}) {
    EXPECT_FALSE(Cron::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace pinpipe::scheduler
