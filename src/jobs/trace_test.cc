#include "jobs/trace.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "jobs/trace_find.h"
#include "kit/batch_fixture.h"

namespace pinpipe::jobs {
namespace {

TracedCopy in_log(broker::Offset offset) {
  return {.log = PlaceInLog{.name = "t", .offset = offset, .sequence = {}, .post = {}}};
}

TracedCopy in_object(broker::Offset first, uint64_t line) {
  return {.object = PlaceInObject{
              "b", "topics/t/partition=0/t+0+" + std::to_string(first) + ".json", line}};
}

TEST(PostFinderTest, a_post_is_known_by_the_column_its_synonyms_and_either_type) {
  PostFinder finder({"index", "ind"}, "7528");
  EXPECT_EQ(finder.rows_in(R"({"index": 7528})"), 1U);
  EXPECT_EQ(finder.rows_in(R"({"ind": "7528"})"), 1U);
  EXPECT_EQ(finder.rows_in(R"({"idx": 7528})"), 0U);
  EXPECT_EQ(finder.rows_in(R"({"index": 75281})"), 0U);
  EXPECT_EQ(finder.rows_in(R"({"index": 1, "title": "7528"})"), 0U);
  EXPECT_EQ(finder.rows_in(R"({"index": 7528)"), 0U);
  EXPECT_EQ(finder.rows_in(""), 0U);
}

TEST(PostFinderTest, arrays_and_encoded_rows_are_looked_into) {
  PostFinder finder({"ind"}, "7");
  EXPECT_EQ(finder.rows_in(R"([{"ind": 7}, {"ind": 8}, {"ind": 7}])"), 2U);
  EXPECT_EQ(finder.rows_in(R"("{\"ind\": 7}")"), 1U);
  EXPECT_EQ(finder.rows_in("\"" + to_base64(R"({"ind": 7})") + "\""), 1U);
  EXPECT_EQ(PostFinder({"name"}, "a \"b\"").rows_in(R"({"name": "a \"b\""})"), 1U);
}

TEST(PairCopiesTest, each_copy_in_the_log_finds_its_line) {
  auto copies = pair_copies({in_log(3), in_log(12), in_log(14), in_log(30)},
                            {in_object(10, 3), in_object(0, 4), in_object(10, 5)}, {{0, 20}});
  ASSERT_EQ(copies.size(), 4U);
  EXPECT_EQ(copies[0].object->line, 4U);
  EXPECT_EQ(copies[1].object->line, 3U);
  EXPECT_EQ(copies[2].object->line, 5U);
  EXPECT_FALSE(copies[3].object) << "beyond what the connector has committed";
}

TEST(PairCopiesTest, what_the_log_has_removed_is_left_with_its_object) {
  auto copies =
      pair_copies({in_log(14)}, {in_object(0, 4), in_object(10, 3), in_object(10, 5)}, {{0, 20}});
  ASSERT_EQ(copies.size(), 3U);
  EXPECT_FALSE(copies[0].log);
  EXPECT_FALSE(copies[1].log);
  EXPECT_EQ(copies[2].log->offset, 14);
  EXPECT_EQ(copies[2].object->line, 5U);
}

struct TracerTest : BatchTest {
  Result<Trace> trace(const std::string& value, const std::string& column = "ind") {
    Tracer tracer({.project = &project,
                   .topics = &topics,
                   .find_stream = [](const std::string& name) -> Result<broker::StreamPointer> {
                     return Error(Code::not_found, "there is no stream " + name);
                   },
                   .store = store.get(),
                   .connectors = []() -> io::Task<std::vector<std::string>> {
                     co_return std::vector<std::string>{};
                   },
                   .batch = batch.get(),
                   .lake = lake.get(),
                   .lake_bucket = "delta",
                   .work = &runtime.work(),
                   .engine = {.temp_root = directory.path(), .readable_directories = {}}});
    return wait(tracer.run({.value = value, .column = column}));
  }
};

TEST_F(TracerTest, an_object_is_followed_to_its_file_and_the_answers) {
  put_one_post(1, "5k", "Albania");
  ASSERT_TRUE(wait(batch->run({.name = "first"})));
  put_one_post(2, "7k", "Chad");
  ASSERT_TRUE(wait(batch->run({.name = "second"})));
  auto traced = trace("2");
  ASSERT_TRUE(traced) << traced.error().text();
  ASSERT_EQ(traced->copies.size(), 3U);
  const TracedCopy& pin = traced->copies[1];
  EXPECT_EQ(pin.dataset, "pin");
  EXPECT_EQ(pin.run, "second");
  EXPECT_EQ(pin.version, 2);
  ASSERT_TRUE(pin.rows);
  EXPECT_EQ(pin.rows->clean, 1U);
  EXPECT_NE(pin.rows->sample.find(R"("follower_count":7000)"), std::string::npos)
      << pin.rows->sample;
  ASSERT_EQ(traced->tables.size(), 3U);
  ASSERT_EQ(traced->tables[1].files.size(), 1U) << "the first run's file is left out";
  EXPECT_EQ(traced->tables[1].files[0].since, 2);
  EXPECT_EQ(traced->tables[1].rows(), 1);
  ASSERT_EQ(traced->answers.size(), project.queries.size());
  EXPECT_EQ(traced->answers[0].alone, std::vector<std::string>{"Chad, art, 1"});
  EXPECT_TRUE(traced->answers[0].changed);
}

TEST_F(TracerTest, what_did_not_become_a_row_says_why) {
  put_one_post(1, "9999999999M", "Albania");
  put("user", 5, "{\"ind\": 5, \"age\": \"old\"}\n");
  ASSERT_TRUE(wait(batch->run({.name = "first"})));
  auto beyond = trace("1");
  ASSERT_TRUE(beyond) << beyond.error().text();
  EXPECT_EQ(beyond->copies[1].rows->clean, 0U);
  EXPECT_EQ(beyond->copies[1].rows->filtered, 0);
  EXPECT_EQ(beyond->copies[1].rows->quarantined,
            std::vector<std::string>{"follower_count is beyond int"});
  auto refused = trace("5");
  ASSERT_TRUE(refused) << refused.error().text();
  ASSERT_EQ(refused->copies[0].rows->quarantined.size(), 1U);
  EXPECT_EQ(refused->copies[0].rows->rows, 0U);
}

TEST_F(TracerTest, rows_that_the_clean_sql_leaves_out_are_filtered) {
  project.datasets[2].clean.text += " where age > 30";
  put_one_post(1, "5k", "Albania");
  ASSERT_TRUE(wait(batch->run({.name = "first"})));
  auto traced = trace("1");
  ASSERT_TRUE(traced) << traced.error().text();
  EXPECT_EQ(traced->copies[2].rows->filtered, 1);
  EXPECT_EQ(traced->copies[2].rows->clean, 0U);
}

TEST_F(TracerTest, before_any_run_a_copy_ends_at_its_object) {
  put_one_post(1, "5k", "Albania");
  auto traced = trace("1");
  ASSERT_TRUE(traced) << traced.error().text();
  ASSERT_EQ(traced->copies.size(), 3U);
  EXPECT_EQ(traced->copies[0].object->line, 1U);
  EXPECT_TRUE(traced->copies[0].run.empty());
  EXPECT_TRUE(traced->answers.empty());
  EXPECT_EQ(trace("1", "nothing").error().code(), Code::not_found);
}

}  // namespace
}  // namespace pinpipe::jobs
