#include "doors/airflow/input.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace pinpipe::airflow {
namespace {

struct AirflowInputTest : testing::Test {
  Issues issues;
  http::Request request;

  Body body(std::string text) {
    request.body = std::move(text);
    return Body(request, issues);
  }
  Query query(const std::string& text) {
    request.target = "/x?" + text;
    return Query(request, issues);
  }
  // The first entry of `detail`.
  codec::Json first() {
    auto parsed = codec::parse_json(issues.answer().body);
    return (*parsed)["detail"].elements().at(0);
  }
};

TEST_F(AirflowInputTest, a_pattern_is_like_without_case_anywhere_in_the_text) {
  EXPECT_TRUE(matches_pattern("0e90_dag", "DAG"));
  EXPECT_TRUE(matches_pattern("0e90_dag", "%dag%"));
  EXPECT_TRUE(matches_pattern("0e90_dag", "0e__"));
  EXPECT_TRUE(matches_pattern("0e90_dag", "~"));
  EXPECT_TRUE(matches_pattern("0e90_dag", ""));
  EXPECT_TRUE(matches_pattern("0e90_dag", "nothing|dag"));
  EXPECT_TRUE(matches_pattern("aab", "a%b"));
  EXPECT_FALSE(matches_pattern("0e90_dag", "0e%nothing"));
  EXPECT_FALSE(matches_pattern("ab", "a_b"));
  EXPECT_FALSE(matches_pattern("", "_"));
}

TEST_F(AirflowInputTest, times_need_a_zone_which_may_lack_its_colon) {
  int64_t want = *from_rfc3339("2026-01-02T00:00:00Z");
  auto given = body(R"({"a":"2026-01-02T01:00:00+01:00","b":"2026-01-02T00:00:00.000000+0000"})");
  EXPECT_EQ(given.time_ms("a"), want);
  EXPECT_EQ(given.time_ms("b"), want);
  EXPECT_TRUE(issues.empty());
  EXPECT_FALSE(body(R"({"a":"2026-01-02T00:00:00"})").time_ms("a"));
  EXPECT_EQ(first()["type"], codec::Json("timezone_aware"));
}

TEST_F(AirflowInputTest, a_field_of_the_wrong_type_is_named) {
  auto given = body(R"({"a":1,"b":"x","c":[],"d":-1,"e":["x",1],"f":"yesterday"})");
  (void)given.text("a");
  (void)given.flag("b", true);
  (void)given.object("c");
  (void)given.count("d", 0);
  (void)given.texts("e");
  (void)given.time_ms("f");
  auto parsed = codec::parse_json(issues.answer().body);
  std::string types;
  for (const auto& entry : (*parsed)["detail"].elements()) {
    types += std::string(*entry["type"].as_string()) + " ";
  }
  EXPECT_EQ(types,
            "string_type bool_type dict_type greater_than_equal list_type "
            "datetime_from_date_parsing ");
}

TEST_F(AirflowInputTest, what_nobody_asked_for_is_refused) {
  auto given = body(R"({"known":null,"other":7})");
  (void)given.text("known");
  given.finish();
  EXPECT_EQ(codec::to_json(first()), R"({"type":"extra_forbidden","loc":["body","other"],)"
                                     R"("msg":"Extra inputs are not permitted","input":7})");
}

TEST_F(AirflowInputTest, a_broken_body_is_one_issue) {
  auto given = body("{");
  given.require("x", "");
  given.finish();
  auto parsed = codec::parse_json(issues.answer().body);
  EXPECT_EQ((*parsed)["detail"].size(), 1U);
  EXPECT_EQ(first()["type"], codec::Json("json_invalid"));
}

TEST_F(AirflowInputTest, an_empty_body_is_a_missing_field) {
  (void)body("");
  EXPECT_EQ(first()["type"], codec::Json("missing"));
}

TEST_F(AirflowInputTest, a_note_is_measured_in_characters) {
  std::string long_enough;
  for (size_t i = 0; i < note_chars_max; ++i) long_enough += "ä";
  (void)body(R"({"note":")" + long_enough + R"("})").note();
  EXPECT_TRUE(issues.empty());
  (void)body(R"({"note":")" + long_enough + R"(x"})").note();
  EXPECT_EQ(first()["type"], codec::Json("string_too_long"));
}

TEST_F(AirflowInputTest, query_values_are_read_by_type) {
  auto given = query("limit=500&offset=3&tags=a&tags=b&paused=True&at=2026-01-02T00:00:00%2B0000");
  Page page = page_of(given);
  EXPECT_EQ(page.limit, page_max);
  EXPECT_EQ(page.offset, 3);
  EXPECT_EQ(given.texts("tags").size(), 2U);
  EXPECT_EQ(given.flag("paused"), true);
  EXPECT_EQ(given.time_ms("at"), from_rfc3339("2026-01-02T00:00:00Z"));
  given.finish();
  EXPECT_TRUE(issues.empty());
}

TEST_F(AirflowInputTest, wrong_and_unknown_query_parameters_are_refused) {
  auto given = query("limit=-1");
  (void)page_of(given);
  EXPECT_EQ(first()["type"], codec::Json("greater_than_equal"));
  issues = {};
  (void)query("limit=x").count("limit", 1);
  EXPECT_EQ(first()["type"], codec::Json("int_parsing"));
  issues = {};
  (void)query("paused=maybe").flag("paused");
  EXPECT_EQ(first()["type"], codec::Json("bool_parsing"));
  issues = {};
  query("owners=me").finish();
  EXPECT_EQ(first()["loc"], codec::Json::array({"query", "owners"}));
}

}  // namespace
}  // namespace pinpipe::airflow
