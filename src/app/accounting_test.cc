#include "app/accounting.h"

#include <gtest/gtest.h>

namespace pinpipe::app {
namespace {

using Kind = Finding::Kind;

// Seven records, one of them an array of three, one no JSON.
PathCount closed() {
  return {.dataset = "pin",
          .records = 7,
          .skipped = 1,
          .carried = 7,
          .lines = 6,
          .values = 8,
          .clean = 5,
          .filtered = 1,
          .quarantined = 2,
          .table_rows = 5,
          .unknown = {}};
}

std::vector<Kind> kinds(const std::vector<Finding>& findings) {
  std::vector<Kind> all;
  for (const Finding& finding : findings) all.push_back(finding.kind);
  return all;
}

TEST(AccountingTest, books_that_close_have_no_findings) {
  EXPECT_TRUE(audit(closed()).empty());
  Answer answer = answer_of({closed()});
  EXPECT_FALSE(answer.failed);
  EXPECT_EQ(answer.rows[0].back().as_string(), "closes");
  EXPECT_EQ(answer.notes, std::vector<std::string>{"the accounting closes"});
}

TEST(AccountingTest, what_the_next_hop_has_not_got_yet_is_on_its_way) {
  PathCount count = closed();
  count.records = 9;
  EXPECT_EQ(kinds(audit(count)), std::vector{Kind::on_its_way});
  count = closed();
  count.lines = 5;
  EXPECT_EQ(kinds(audit(count)), std::vector{Kind::on_its_way});
  EXPECT_FALSE(answer_of({count}).failed);
}

TEST(AccountingTest, a_hop_that_loses_or_makes_something_does_not_close) {
  PathCount count = closed();
  count.clean = count.table_rows = 4;
  EXPECT_EQ(kinds(audit(count)), std::vector{Kind::lost});
  EXPECT_TRUE(answer_of({count}).failed);
  count = closed();
  count.table_rows = 6;
  EXPECT_EQ(kinds(audit(count)), std::vector{Kind::surplus});
  count = closed();
  count.carried = 8;
  count.lines = 7;
  EXPECT_EQ(kinds(audit(count)), std::vector{Kind::surplus});
  count = closed();
  count.lines = 7;
  EXPECT_EQ(kinds(audit(count)), std::vector{Kind::surplus});
  count = closed();
  count.filtered = -1;
  count.quarantined = 4;
  EXPECT_EQ(kinds(audit(count)), std::vector{Kind::surplus});
}

TEST(AccountingTest, of_a_path_that_was_not_looked_at_wholly_only_the_position_is_audited) {
  PathCount count{.dataset = "pin",
                  .by_stream = true,
                  .records = 3,
                  .carried = 3,
                  .whole = false,
                  .unknown = {}};
  EXPECT_TRUE(audit(count).empty());
  count.carried = 2;
  EXPECT_EQ(kinds(audit(count)), std::vector{Kind::on_its_way});
}

TEST(AccountingTest, what_nobody_can_tell_is_not_audited) {
  PathCount count = closed();
  count.unknown = "no connector runs";
  count.lines = 0;
  EXPECT_EQ(kinds(audit(count)), std::vector{Kind::unknown});
  EXPECT_FALSE(answer_of({count}).failed);
  count.by_stream = true;
  count.unknown = "the table's log begins with version 7";
  EXPECT_EQ(kinds(audit(count)), std::vector{Kind::unknown});
  count.carried = 5;
  EXPECT_EQ(kinds(audit(count)), (std::vector{Kind::unknown, Kind::on_its_way}));
}

TEST(AccountingTest, posts_are_stored_within_what_their_answers_allow) {
  source::Tally tally{.rounds = 3,
                      .sent = 9,
                      .acknowledged = 6,
                      .failed = 1,
                      .unknown = 2,
                      .retried = 1,
                      .last_trouble = {}};
  EXPECT_TRUE(audit(tally, 6).empty());
  EXPECT_TRUE(audit(tally, 9).empty());
  EXPECT_EQ(kinds(audit(tally, 5)), std::vector{Kind::lost});
  EXPECT_EQ(kinds(audit(tally, 10)), std::vector{Kind::surplus});
  tally.failed = 0;
  EXPECT_EQ(kinds(audit(tally, 6)), std::vector{Kind::lost});
}

}  // namespace
}  // namespace pinpipe::app
