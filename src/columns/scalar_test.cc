#include "columns/scalar.h"

#include <gtest/gtest.h>

namespace pinpipe::columns {
namespace {

TEST(Scalar, whole_numbers_are_read_exactly_or_not_at_all) {
  EXPECT_EQ(integer_of(" 42 "), 42);
  EXPECT_EQ(integer_of("-7"), -7);
  EXPECT_EQ(integer_of("+3"), 3);
  EXPECT_EQ(integer_of("12.0"), 12);
  EXPECT_EQ(integer_of("1e3"), 1000);
  EXPECT_EQ(integer_of("9223372036854775807"), INT64_MAX);
  for (auto text :
       {"", "12.5", "1e400", "9223372036854775808", "12a", "+-1", "NaN", "0x10", "1 2"}) {
    EXPECT_EQ(integer_of(text), std::nullopt) << text;
  }
}

TEST(Scalar, numbers_do_not_include_what_only_c_would_read) {
  EXPECT_EQ(number_of("1.5"), 1.5);
  EXPECT_EQ(number_of("-Infinity"), -std::numeric_limits<double>::infinity());
  for (auto text : {"", "inf", "nan", "1e400", "1,5", "0x1p3"}) {
    EXPECT_EQ(number_of(text), std::nullopt) << text;
  }
}

TEST(Scalar, timestamps_are_read_in_both_spellings_and_with_zones) {
  constexpr int64_t expected = 1653651059000000;  // 2022-05-27 11:30:59 UTC
  EXPECT_EQ(timestamp_of("2022-05-27 11:30:59"), expected);
  EXPECT_EQ(timestamp_of("2022-05-27T11:30:59Z"), expected);
  EXPECT_EQ(timestamp_of("2022-05-27T13:30:59+02:00"), expected);
  EXPECT_EQ(timestamp_of("2022-05-27 11:30:59.5"), expected + 500'000);
  EXPECT_EQ(timestamp_of("1970-01-02"), 86'400'000'000);
  for (auto text : {"", "2022-02-30 00:00:00", "2022:05:27 11:30:59", "05/27/2022, 11:30:59",
                    "2022-05-27 24:00:00", "2022-05-27 11:30", "2022-05-27 11:30:59 x"}) {
    EXPECT_EQ(timestamp_of(text), std::nullopt) << text;
  }
}

TEST(Scalar, json_numbers_follow_the_grammar) {
  for (auto text : {"0", "-0", "10", "1.5", "1e5", "-1.5E-7", "123456789012345678901234567890"}) {
    EXPECT_TRUE(is_json_number(text)) << text;
  }
  for (auto text : {"", "-", "01", "1.", ".5", "1e", "+1", "1x", "NaN"}) {
    EXPECT_FALSE(is_json_number(text)) << text;
  }
}

}  // namespace
}  // namespace pinpipe::columns
