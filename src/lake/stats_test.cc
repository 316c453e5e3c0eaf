#include "lake/stats.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "kit/seed.h"

namespace pinpipe::lake {
namespace {

std::optional<std::string> bound(std::string_view sql, std::string_view text, bool is_max = true) {
  return to_delta_bound(*type_of_sql(sql), text, is_max);
}

TEST(StatsTest, numbers_keep_every_digit) {
  EXPECT_EQ(bound("BIGINT", "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(bound("DECIMAL(10,2)", "23.75"), "23.75");
  EXPECT_EQ(bound("DOUBLE", "1e+300"), "1e+300");
  EXPECT_EQ(bound("DOUBLE", "-1.5"), "-1.5");
}

TEST(StatsTest, what_json_or_readers_cannot_hold_is_left_out) {
  EXPECT_EQ(bound("DOUBLE", "inf"), std::nullopt);
  EXPECT_EQ(bound("DOUBLE", "-inf"), std::nullopt);
  EXPECT_EQ(bound("DOUBLE", "nan"), std::nullopt);
  EXPECT_EQ(bound("DATE", "290000-01-01"), std::nullopt);
  EXPECT_EQ(bound("DATE", "0044-03-15 (BC)"), std::nullopt);
  EXPECT_EQ(bound("DATE", "infinity"), std::nullopt);
  EXPECT_EQ(bound("TIMESTAMPTZ", "infinity"), std::nullopt);
  EXPECT_EQ(bound("BLOB", "01"), std::nullopt);
  EXPECT_EQ(bound("BOOLEAN", "1"), std::nullopt);
}

TEST(StatsTest, timestamps_are_utc_and_never_rounded) {
  EXPECT_EQ(bound("TIMESTAMPTZ", "2024-01-01 00:00:00.123456+00"),
            "\"2024-01-01T00:00:00.123456Z\"");
  EXPECT_EQ(bound("TIMESTAMPTZ", "2024-01-01 00:00:00+00"), "\"2024-01-01T00:00:00.000Z\"");
  EXPECT_EQ(bound("TIMESTAMPTZ", "2024-01-01 00:00:00.1234+00"), "\"2024-01-01T00:00:00.123400Z\"");
  EXPECT_EQ(bound("TIMESTAMPTZ", "2024-01-01 00:00:00+02"), std::nullopt);
}

TEST(StatsTest, long_text_is_cut_to_a_bound_that_still_holds) {
  std::string thirty_two(32, 'a');
  EXPECT_EQ(cut_max(thirty_two), thirty_two);
  EXPECT_EQ(cut_max(thirty_two + "b"), thirty_two + "\x7F");
  EXPECT_EQ(cut_max(thirty_two + "\xC3\xBC"), thirty_two + "\xF4\x8F\xBF\xBF");
  EXPECT_EQ(cut_min(thirty_two + "b"), thirty_two);
  std::string last = "\xF4\x8F\xBF\xBF";
  EXPECT_EQ(cut_max(thirty_two + last + "b"), thirty_two + last + "\x7F");
  std::string lasts;
  for (int i = 0; i < 70; ++i) lasts += last;
  EXPECT_EQ(cut_max(lasts), std::nullopt);
  EXPECT_EQ(cut_max(std::string(40, 'a') + "\xC3"), thirty_two + "\x7F");
  EXPECT_EQ(cut_max(thirty_two + "\xC3"), std::nullopt);
}

TEST(StatsTest, bounds_hold_for_random_text) {
  Random random(kit::seed());
  constexpr std::array<std::string_view, 5> pieces = {"a", "\x7F", "\xC3\xBC", "\xE2\x82\xAC",
                                                      "\xF4\x8F\xBF\xBF"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    size_t length = 28 + random.below(50);
    for (size_t i = 0; i < length; ++i) text += pieces[random.below(pieces.size())];
    if (auto max = cut_max(text)) EXPECT_GE(*max, text);
    auto min = cut_min(text);
    ASSERT_TRUE(min);
    EXPECT_LE(*min, text);
  }
}

TEST(StatsTest, the_whole_text_is_nested_like_the_schema) {
  Schema schema{{Field{.name = "a", .type = *type_of_sql("BIGINT")},
                 Field{.name = "flag", .type = *type_of_sql("BOOLEAN")},
                 Field{.name = "n", .type = *type_of_sql("DOUBLE")},
                 Field{.name = "coordinates", .type = *type_of_sql("DOUBLE[]")},
                 Field{.name = "s", .type = *type_of_sql("STRUCT(x INTEGER, y VARCHAR)")}}};
  sql::ParquetFile file{
      .path = "f",
      .rows = 3,
      .bytes = 100,
      .columns = {{.path = {"a"}, .min = "1", .max = "3", .null_count = 0},
                  {.path = {"flag"}, .min = "0", .max = "1", .null_count = 1},
                  {.path = {"n"}, .min = "0", .max = "2", .null_count = 0, .has_nan = true},
                  {.path = {"coordinates", "element"}, .min = "1.5", .max = "2.5", .null_count = 7},
                  {.path = {"s", "x"}, .min = "5", .max = "6", .null_count = 0},
                  {.path = {"s", "y"}, .min = {}, .max = {}, .null_count = 3}}};
  FileStats stats = stats_of(schema, file, {{"coordinates", 2}});
  EXPECT_EQ(stats.json,
            R"({"numRecords":3,"minValues":{"a":1,"s":{"x":5}},"maxValues":{"a":3,"s":{"x":6}},)"
            R"("nullCount":{"a":0,"flag":1,"n":0,"coordinates":2,"s":{"x":0,"y":3}}})");
  EXPECT_EQ(stats.null_counts.at("coordinates"), 2);
}

TEST(StatsTest, only_the_first_columns_are_indexed_but_all_null_counts_are_known) {
  Schema schema;
  sql::ParquetFile file{.path = "f", .rows = 1, .bytes = 1, .columns = {}};
  for (int i = 0; i < 40; ++i) {
    std::string name = "c" + std::to_string(i);
    schema.fields.push_back(Field{.name = name, .type = *type_of_sql("INTEGER")});
    file.columns.push_back({.path = {name}, .min = "1", .max = "1", .null_count = 0});
  }
  FileStats stats = stats_of(schema, file, {});
  EXPECT_NE(stats.json.find("\"c31\":1"), std::string::npos);
  EXPECT_EQ(stats.json.find("\"c32\""), std::string::npos);
  EXPECT_EQ(stats.null_counts.size(), 40U);
}

}  // namespace
}  // namespace pinpipe::lake
