#include "scheduler/time_zone.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/random.h"
#include "kit/seed.h"

namespace pinpipe::scheduler {
namespace {

int64_t at(const std::string& text) {
  return *from_rfc3339(text) / 1000;
}

TEST(TimeZone, knows_offsets_of_past_and_future) {
  auto berlin = TimeZone::find(io::posix_files(), "Europe/Berlin");
  ASSERT_TRUE(berlin);
  EXPECT_EQ(berlin->offset_at(at("2026-01-01T00:00:00Z")), 3600);
  EXPECT_EQ(berlin->offset_at(at("2026-03-29T00:59:59Z")), 3600);
  EXPECT_EQ(berlin->offset_at(at("2026-03-29T01:00:00Z")), 7200);
  EXPECT_EQ(berlin->offset_at(at("2099-07-01T00:00:00Z")), 7200);
  EXPECT_EQ(berlin->offset_at(at("1945-06-01T00:00:00Z")), 10800);
}

TEST(TimeZone, a_local_time_names_none_one_or_two_instants) {
  auto york = TimeZone::find(io::posix_files(), "America/New_York");
  ASSERT_TRUE(york);
  EXPECT_EQ(york->instants_of(at("2026-03-08T02:30:00Z")).size(), 0u);
  EXPECT_EQ(york->instants_of(at("2026-03-08T03:30:00Z")).size(), 1u);
  auto twice = york->instants_of(at("2026-11-01T01:30:00Z"));
  ASSERT_EQ(twice.size(), 2u);
  EXPECT_EQ(twice[1] - twice[0], 3600);
}

TEST(TimeZone, refuses_names_that_lead_elsewhere) {
  for (const char* bad : {"", "../etc/passwd", "/etc/passwd", "Europe/Nowhere", "a b", "Europe"}) {
    EXPECT_FALSE(TimeZone::find(io::posix_files(), bad)) << bad;
  }
}

TEST(TimeZone, broken_files_are_errors) {
  auto bytes = io::posix_files().read_all("/usr/share/zoneinfo/Europe/Berlin", 1 << 20);
  ASSERT_TRUE(bytes);
  Random random(kit::seed());
  EXPECT_FALSE(TimeZone::parse("x", ""));
  for (int round = 0; round < 2000; ++round) {
    std::string broken = *bytes;
    for (int i = 0; i < 3; ++i)
      broken[random.below(broken.size())] = static_cast<char>(random.next());
    if (round % 2 == 0) broken.resize(random.below(broken.size()));
    auto zone = TimeZone::parse("x", broken);
    if (zone) (void)zone->instants_of(at("2026-03-29T02:30:00Z"));
  }
}

}  // namespace
}  // namespace pinpipe::scheduler
