#include "base/clock.h"

#include <gtest/gtest.h>

namespace pinpipe {
namespace {

TEST(Clock, http_dates_are_read_and_nothing_else) {
  EXPECT_EQ(from_http_date("Wed, 21 Oct 2015 07:28:00 GMT"), 1'445'412'480'000);
  for (const char* bad : {"", "Wed, 21 Oct 2015 07:28:00", "Wed, 21 Okt 2015 07:28:00 GMT",
                          "Wed, 2x Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 25:28:00 GMT",
                          "Wed, 21-Oct-2015 07:28:00 GMT"})
    EXPECT_EQ(from_http_date(bad), std::nullopt) << bad;
}

TEST(Clock, rfc3339_round_trip) {
  for (int64_t ms : {0LL, 1'700'000'000'123LL, -1LL, 951'782'400'000LL, 4'102'444'799'999LL}) {
    EXPECT_EQ(from_rfc3339(to_rfc3339(ms)), ms);
  }
  EXPECT_EQ(to_rfc3339(0), "1970-01-01T00:00:00.000Z");
}

TEST(Clock, offsets_and_fractions_are_read) {
  EXPECT_EQ(from_rfc3339("2026-01-02T10:15:00Z"), from_rfc3339("2026-01-02T12:15:00+02:00"));
  EXPECT_EQ(from_rfc3339("2026-01-02T10:15:00.1239Z"), *from_rfc3339("2026-01-02T10:15:00Z") + 123);
}

TEST(Clock, what_is_no_instant_is_refused) {
  for (std::string_view text :
       {"", "2026-01-02", "2026-13-02T10:15:00Z", "2026-02-30T10:15:00Z", "2026-01-02T10:15:00",
        "2026-01-02T10:15:00Zx", "2026-01-02T24:15:00Z"}) {
    EXPECT_EQ(from_rfc3339(text), std::nullopt) << text;
  }
}

TEST(Clock, steady_time_never_falls) {
  int64_t before = system_clock().steady_ns();
  EXPECT_GE(system_clock().steady_ns(), before);
}

}  // namespace
}  // namespace pinpipe
