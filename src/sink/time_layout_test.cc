#include "sink/time_layout.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "sink/config.h"

namespace pinpipe::sink {
namespace {

std::string written(std::string_view pattern, std::string_view time, int32_t offset_s = 0) {
  auto format = PathFormat::parse(pattern);
  return format ? format->write(*from_rfc3339(time) + offset_s * 1'000LL, offset_s)
                : "<" + format.error().text() + ">";
}

TEST(PathFormatTest, confluent_s_own_example_is_written) {
  EXPECT_EQ(written("'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH", "2026-01-02T15:04:05Z"),
            "year=2026/month=01/day=02/hour=15");
}

TEST(PathFormatTest, every_letter_means_what_joda_says) {
  EXPECT_EQ(written("yy-M-d H:m:s.SSS", "2026-03-04T05:06:07.089Z"), "26-3-4 5:6:7.089");
  EXPECT_EQ(written("MMM MMMM EEE EEEE a", "2026-01-02T15:04:05Z"), "Jan January Fri Friday PM");
  EXPECT_EQ(written("hh KK kk HH", "2026-01-02T00:04:05Z"), "12 00 24 00");
  EXPECT_EQ(written("D e", "2026-12-31T00:00:00Z"), "365 4");
  EXPECT_EQ(written("xxxx-'W'ww", "2027-01-01T00:00:00Z"), "2026-W53");
  EXPECT_EQ(written("HH Z ZZ", "2026-01-02T15:04:05Z", -19'800), "09 -0530 -05:30");
  EXPECT_EQ(written("'o''clock'", "2026-01-02T15:04:05Z"), "oclock");
  EXPECT_EQ(written("yyyy/MM", "1969-12-31T23:59:59Z"), "1969/12");
}

TEST(PathFormatTest, what_it_does_not_know_is_named) {
  EXPECT_NE(written("yyyy Q", "2026-01-02T15:04:05Z").find("letter Q"), std::string::npos);
  EXPECT_NE(written("'open", "2026-01-02T15:04:05Z").find("quote"), std::string::npos);
  EXPECT_FALSE(PathFormat::parse(""));
}

TEST(TimeLayoutTest, a_time_is_written_as_the_start_of_its_duration_in_its_zone) {
  TimeLayout layout;
  layout.format = *PathFormat::parse("yyyy-MM-dd-HH-mm");
  layout.offset = [](int64_t) { return 3'600; };
  layout.duration_ms = 600'000;
  EXPECT_EQ(layout.path_of(*from_rfc3339("2026-01-02T23:19:59Z")), "2026-01-03-00-10");
  layout.duration_ms = 86'400'000;
  EXPECT_EQ(layout.path_of(*from_rfc3339("2026-01-02T22:59:59Z")), "2026-01-02-00-00");
}

TEST(TimeLayoutTest, a_record_s_field_is_a_number_or_a_time) {
  TimeLayout layout;
  codec::JsonScanner scanner;
  layout.field = "meta.at";
  auto in = [&](std::string_view json) -> int64_t {
    auto value = scanner.scan(json);
    auto found = layout.timestamp_in(*value);
    return found ? *found : -1;
  };
  EXPECT_EQ(in(R"({"meta":{"at":1500}})"), 1'500);
  EXPECT_EQ(in(R"({"meta":{"at":"1970-01-01T00:00:02"}})"), 2'000);
  EXPECT_EQ(in(R"({"meta":{"at":"1970-01-01 00:00:02.5Z"}})"), 2'500);
  EXPECT_EQ(in(R"({"meta":{"at":"1970-01-02"}})"), 86'400'000);
  EXPECT_EQ(in(R"({"meta":{"at":"1970-01-01T01:00+01:00"}})"), -1) << "no seconds before a zone";
  EXPECT_EQ(in(R"({"meta":{"at":"soon"}})"), -1);
  EXPECT_EQ(in(R"({"meta":{}})"), -1);
  EXPECT_EQ(in(R"({"at":1})"), -1);
  EXPECT_EQ(in("7"), -1);
}

TEST(TimeLayoutTest, the_configuration_asks_for_what_the_partitioner_needs) {
  Properties properties = {{"name", "c"},
                           {"connector.class", "S3SinkConnector"},
                           {"format.class", "JsonFormat"},
                           {"s3.bucket.name", "b"},
                           {"topics", "t"},
                           {"flush.size", "1"},
                           {"partitioner.class", "TimeBasedPartitioner"}};
  std::string missing;
  for (const KeyProblem& problem : problems_of(properties)) missing += problem.key + " ";
  EXPECT_EQ(missing, "locale partition.duration.ms path.format timezone ");
  properties["partitioner.class"] = "io.confluent.connect.storage.partitioner.HourlyPartitioner";
  properties["locale"] = "de-DE";
  properties["timezone"] = "UTC";
  auto hourly = parse_config(properties);
  ASSERT_TRUE(hourly) << hourly.error().text();
  EXPECT_EQ(hourly->key_of("t", 3, 7, hourly->time->path_of(0)),
            "topics/t/year=1970/month=01/day=01/hour=00/t+3+0000000007.json");
  properties["timezone"] = "Mars/Olympus";
  EXPECT_FALSE(parse_config(properties));
}

}  // namespace
}  // namespace pinpipe::sink
