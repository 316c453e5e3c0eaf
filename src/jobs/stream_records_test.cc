#include "jobs/stream_records.h"

#include <gtest/gtest.h>

namespace pinpipe::jobs {
namespace {

struct Sent {
  broker::Offset offset;
  std::optional<std::string_view> value;
  std::optional<std::string_view> key = {};
};

StreamBatch batch_of(std::vector<Sent> sent, broker::PartitionId shard = 0) {
  broker::Fetched fetched;
  for (const Sent& one : sent) {
    fetched.records.push_back({.offset = one.offset,
                               .timestamp_ms = 1000 + one.offset,
                               .key = one.key,
                               .value = one.value,
                               .headers = {}});
    fetched.next = one.offset + 1;
  }
  StreamBatch batch;
  batch.add(shard, std::move(fetched));
  return batch;
}

TEST(StreamLines, a_line_finds_back_to_its_record) {
  StreamBatch batch = batch_of({{5, "{}"}, {6, "[]"}, {9, "x"}}, 3);
  StreamLines lines = lines_of(batch, "s", {});
  ASSERT_EQ(lines.pieces.size(), 2U);
  EXPECT_EQ(lines.pieces[0].bytes, "{}\n[]\n");
  EXPECT_EQ(lines.pieces[1].bytes, "x\n");
  EXPECT_EQ(lines.lines, 3U);
  RefusedRecord found = record_at(batch, lines.pieces[0].source, 2);
  EXPECT_EQ(found.shard, 3);
  EXPECT_EQ(found.offset, 6);
  EXPECT_EQ(found.arrived_ms, 1006);
  EXPECT_EQ(record_at(batch, lines.pieces[1].source, 1).offset, 9);
}

TEST(StreamLines, a_record_of_several_lines_becomes_one) {
  StreamBatch batch = batch_of({{0, "{\n  \"a\": 1\n}\n"}, {1, "{}\n"}, {2, "{\n\"a\":"}});
  StreamLines lines = lines_of(batch, "s", {});
  ASSERT_EQ(lines.pieces.size(), 1U);
  EXPECT_EQ(lines.pieces[0].bytes, "{\"a\":1}\n{}\n\n");
  EXPECT_EQ(lines.lines, 2U);
  ASSERT_EQ(lines.refused.size(), 1U);
  EXPECT_EQ(lines.refused[0].offset, 2);
  EXPECT_EQ(lines.refused[0].bytes, "{\n\"a\":");
}

TEST(StreamLines, what_has_no_content_is_refused_and_not_forgotten) {
  StreamBatch batch =
      batch_of({{0, std::nullopt}, {1, ""}, {2, " \r\n"}, {3, "\xEF\xBB\xBF"}, {4, "{}"}});
  StreamLines lines = lines_of(batch, "s", {});
  EXPECT_EQ(lines.refused.size(), 4U);
  EXPECT_EQ(lines.lines, 1U);
  EXPECT_EQ(lines.records, 5U);
  EXPECT_EQ(lines.pieces[0].bytes, "\n\n\n\n{}\n");
}

TEST(StreamLines, a_shared_stream_is_told_apart_by_key_and_the_first_takes_what_names_nobody) {
  StreamBatch batch = batch_of({{0, "1", "ab.pin"}, {1, "2", "ab_geo"}, {2, "3", "x"}, {3, "4"}});
  StreamLines pin = lines_of(batch, "s", {.datasets = {"pin", "geo"}, .own = 0});
  EXPECT_EQ(pin.lines, 1U);
  EXPECT_EQ(pin.refused.size(), 2U);
  EXPECT_EQ(pin.records, 3U);
  StreamLines geo = lines_of(batch, "s", {.datasets = {"pin", "geo"}, .own = 1});
  EXPECT_EQ(geo.records, 1U);
  EXPECT_EQ(geo.pieces[0].bytes, "\n2\n\n\n");
}

}  // namespace
}  // namespace pinpipe::jobs
