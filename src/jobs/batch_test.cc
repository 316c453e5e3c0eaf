#include "jobs/batch.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "kit/batch_fixture.h"

namespace pinpipe::jobs {
namespace {

TEST_F(BatchTest, counts_add_up_and_bad_lines_are_in_quarantine) {
  put_one_post(1, "5k", "Albania");
  put_one_post(2, "9999999999M", "Albania");  // beyond int: the project's own quarantine
  put("pin", 3, "{\"index\":\nnot json\n");
  auto report = wait(batch->run({.name = "first"}));
  ASSERT_TRUE(report) << report.error().text();
  const DatasetCount& pin = report->counts[1];  // data sets come in the order of their names
  EXPECT_EQ(pin.dataset, "pin");
  EXPECT_EQ(pin.objects, 3U);
  EXPECT_EQ(pin.lines, 4U);
  EXPECT_EQ(pin.rows, 2U);
  EXPECT_EQ(pin.refused, 2U);
  EXPECT_EQ(pin.clean, 1U);
  EXPECT_EQ(pin.quarantined, 1U);
  EXPECT_EQ(pin.filtered, 0);
  auto quarantine = wait(batch->quarantine(10));
  ASSERT_TRUE(quarantine);
  ASSERT_EQ(quarantine->size(), 3U);
  EXPECT_EQ((*quarantine)[1].bytes, "not json");
  EXPECT_EQ((*quarantine)[1].line, 2U);
  EXPECT_TRUE((*quarantine)[0].source.ends_with("+0+0000000003.json"));
}

TEST_F(BatchTest, objects_are_read_alike_whatever_their_size_and_number) {
  const int small = 70;
  for (int i = 1; i <= small; ++i) put_one_post(i, "5k", "Albania");
  std::string large;
  while (large.size() <= DatasetObjects::small_bytes_max)
    large +=
        fmt::format("{{\"index\": {}, \"title\": \"{}\"}}\n", 1000 + large.size(), large.size());
  large += "not json\n";
  put("pin", 99, large);
  auto report = wait(batch->run({.name = "first"}));
  ASSERT_TRUE(report) << report.error().text();
  const DatasetCount& pin = *report->find("pin");
  auto lines = static_cast<uint64_t>(std::ranges::count(large, '\n'));
  EXPECT_EQ(pin.objects, small + 1U);
  EXPECT_EQ(pin.lines, small + lines);
  EXPECT_EQ(pin.clean, small + lines - 1);
  ASSERT_EQ(wait(batch->quarantine(10))->size(), 1U);
  EXPECT_EQ(wait(batch->quarantine(10))->front().line, lines);
  EXPECT_EQ(report->find("geo")->clean, static_cast<uint64_t>(small));
}

TEST_F(BatchTest, questions_are_answered_over_the_published_tables) {
  put_one_post(1, "5k", "Albania");
  put_one_post(2, "2M", "Chad");
  ASSERT_TRUE(wait(batch->run({.name = "first"})));
  auto answers = wait(questions->ask("q3b"));
  ASSERT_TRUE(answers) << answers.error().text();
  ASSERT_EQ(answers->size(), 1U);
  EXPECT_EQ(sql::to_text((*answers)[0].table.rows[0][0]), "Chad");
  EXPECT_EQ(sql::to_text((*answers)[0].table.rows[0][1]), "2000000");
  EXPECT_EQ(wait(questions->ask(""))->size(), project.queries.size());
  EXPECT_EQ(wait(questions->ask("q99")).error().code(), Code::not_found);
  auto rows = wait(questions->query("select count(*) from raw.pin", 10));
  ASSERT_TRUE(rows) << rows.error().text();
  EXPECT_EQ(sql::to_text(rows->rows[0][0]), "2");
  EXPECT_FALSE(wait(questions->query("create table t as select 1", 10)));
}

TEST_F(BatchTest, a_failed_run_leaves_the_tables_of_the_one_before) {
  put_one_post(1, "5k", "Albania");
  ASSERT_TRUE(wait(batch->run({.name = "first"})));
  project.queries[0].sql.text = "select nonsense from clean.pin";
  auto failed = wait(batch->run({.name = "second"}));
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().text().find(project.queries[0].sql.path), std::string::npos)
      << failed.error().text();
  EXPECT_TRUE(wait(questions->ask("q2")));
  auto reports = wait(batch->reports(10));
  ASSERT_EQ(reports->size(), 2U);
  EXPECT_EQ((*reports)[0].state, BatchReport::State::failed);
  EXPECT_NE((*reports)[0].error.find("nonsense"), std::string::npos);
  EXPECT_EQ(wait(batch->published(""))->run, "first");
  EXPECT_EQ(wait(batch->published("second")).error().code(), Code::not_found);
}

TEST_F(BatchTest, asking_before_the_first_run_says_what_to_do) {
  auto answers = wait(questions->ask("q1"));
  ASSERT_FALSE(answers);
  EXPECT_EQ(answers.error().code(), Code::not_found);
  EXPECT_NE(answers.error().text().find("pinpipe run"), std::string::npos);
}

TEST_F(BatchTest, a_later_run_replaces_the_rows_as_a_new_version_of_each_table) {
  put_one_post(1, "5k", "Albania");
  EXPECT_EQ(wait(batch->run({.name = "first"}))->counts[1].clean, 1U);
  put_one_post(2, "5k", "Albania");
  auto second = wait(batch->run({.name = "second"}));
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_EQ(second->counts[1].clean, 2U);
  EXPECT_EQ(second->counts[1].version, 2);  // 0 made the table, 1 was the first run
  auto rows = wait(questions->query("select count(*) from 0e90e0175553_pin_clean", 10));
  ASSERT_TRUE(rows) << rows.error().text();
  EXPECT_EQ(sql::to_text(rows->rows[0][0]), "2");
}

TEST_F(BatchTest, an_empty_bucket_gives_empty_answers) {
  auto report = wait(batch->run({.name = "first"}));
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->counts.size(), 3U);
  EXPECT_EQ(wait(questions->ask("q1"))->front().table.rows.size(), 0U);
}

TEST_F(BatchTest, a_run_reads_only_new_objects_and_gives_what_reading_all_gives) {
  put_one_post(1, "5k", "Albania");
  put("pin", 9, "not json\n");
  ASSERT_TRUE(wait(batch->run({.name = "first"})));
  put_one_post(2, "7k", "Chad");
  auto second = wait(batch->run({.name = "second"}));
  ASSERT_TRUE(second) << second.error().text();
  const DatasetCount& pin = *second->find("pin");
  EXPECT_EQ(pin.new_objects, 1U);
  EXPECT_EQ(pin.objects, 3U);
  EXPECT_EQ(pin.lines, 3U);
  EXPECT_EQ(pin.refused, 1U);
  EXPECT_EQ(pin.clean, 2U);
  EXPECT_EQ(wait(batch->quarantine(10))->size(), 1U);
  auto nothing = wait(batch->run({.name = "third"}));
  EXPECT_EQ(nothing->find("pin")->new_objects, 0U);
  EXPECT_EQ(nothing->find("pin")->version, pin.version);
  auto full = wait(batch->run({.name = "fourth", .full = true}));
  EXPECT_EQ(full->find("pin")->new_objects, 3U);
  EXPECT_EQ(full->find("pin")->clean, 2U);
  EXPECT_EQ(full->answers_sha256, second->answers_sha256);
  EXPECT_EQ(wait(batch->quarantine(10))->size(), 1U);
}

TEST_F(BatchTest, what_changes_the_meaning_of_old_rows_reads_all) {
  put_one_post(1, "5k", "Albania");
  ASSERT_TRUE(wait(batch->run({.name = "first"})));
  project::Dataset& user = project.datasets[2];
  std::string text = user.clean.text;
  user.clean.text += " where age > 20";
  auto changed = wait(batch->run({.name = "other SQL"}));
  ASSERT_TRUE(changed) << changed.error().text();
  EXPECT_NE(changed->find("user")->load.find("SQL"), std::string::npos);
  EXPECT_EQ(changed->find("user")->clean, 0U);
  EXPECT_EQ(changed->find("pin")->new_objects, 0U);
  user.clean.text = "select distinct * from (" + text + ") as users";
  ASSERT_TRUE(wait(batch->run({.name = "rows together"})));
  put_one_post(2, "5k", "Albania");
  auto together = wait(batch->run({.name = "rows together again"}));
  EXPECT_NE(together->find("user")->load.find("more than one row"), std::string::npos);
  EXPECT_EQ(together->find("user")->new_objects, 2U);
  EXPECT_EQ(together->find("user")->clean, 2U);
  std::string key =
      std::string("topics/") + id + ".geo/partition=0/" + id + ".geo+0+0000000001.json";
  ASSERT_TRUE(wait(store->remove(bucket, key)));
  auto lost = wait(batch->run({.name = "an object is gone"}));
  EXPECT_NE(lost->find("geo")->load.find("gone"), std::string::npos);
  EXPECT_EQ(lost->find("geo")->clean, 1U);
}

TEST_F(BatchTest, a_run_of_the_same_name_reads_the_same_objects_and_answers_the_same) {
  put_one_post(1, "5k", "Albania");
  auto first = wait(batch->run({.name = "date__2026-01-01"}));
  ASSERT_TRUE(first) << first.error().text();
  put_one_post(2, "7k", "Chad");
  auto later = wait(batch->run({.name = "date__2026-01-02"}));
  ASSERT_TRUE(later);
  EXPECT_NE(later->answers_sha256, first->answers_sha256);
  auto again = wait(batch->run({.name = "date__2026-01-01"}));
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->answers_sha256, first->answers_sha256);
  EXPECT_EQ(again->version_of("pin"), first->version_of("pin"));
  EXPECT_EQ(wait(batch->published(""))->run, "date__2026-01-02");
  EXPECT_EQ(wait(questions->ask("q1", "date__2026-01-01"))->front().table.rows.size(), 1U);
  EXPECT_EQ(wait(questions->ask("q1"))->front().table.rows.size(), 2U);
}

TEST_F(BatchTest, a_run_that_failed_is_retried_over_what_it_began_with) {
  put_one_post(1, "5k", "Albania");
  std::string good = project.queries[0].sql.text;
  project.queries[0].sql.text = "select nonsense";
  ASSERT_FALSE(wait(batch->run({.name = "first"})));
  put_one_post(2, "7k", "Chad");
  project.queries[0].sql.text = good;
  auto retried = wait(batch->run({.name = "first"}));
  ASSERT_TRUE(retried) << retried.error().text();
  EXPECT_EQ(retried->find("pin")->clean, 1U);
  EXPECT_EQ(wait(batch->run({.name = "second"}))->find("pin")->clean, 2U);
}

TEST_F(BatchTest, a_repeated_run_whose_objects_have_changed_says_so) {
  put_one_post(1, "5k", "Albania");
  ASSERT_TRUE(wait(batch->run({.name = "first"})));
  put_one_post(1, "6k", "Albania");
  project.datasets[1].clean.text += " and `index` > 0";
  auto again = wait(batch->run({.name = "first"}));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::conflict);
  EXPECT_NE(again.error().text().find("+0+0000000001.json"), std::string::npos);
}

TEST_F(BatchTest, checks_of_severity_error_keep_a_run_from_counting) {
  using project::Check;
  auto check = [](Check::Kind kind, std::vector<std::string> columns) {
    Check made;
    made.kind = kind;
    made.columns = std::move(columns);
    return made;
  };
  project::Dataset& pin = project.datasets[1];
  pin.clean_checks = {check(Check::Kind::not_null, {"ind"}), check(Check::Kind::unique, {"ind"}),
                      check(Check::Kind::accepted_range, {"follower_count"}),
                      check(Check::Kind::row_count, {}),
                      check(Check::Kind::relationships, {"ind"})};
  pin.clean_checks[2].most = 6000;
  pin.clean_checks[3].least = 1;
  pin.clean_checks[4].to_table = "clean.geo";
  pin.clean_checks[4].to_column = "ind";
  pin.raw_checks = {check(Check::Kind::not_null, {"index"})};
  put_one_post(1, "5k", "Albania");
  auto good = wait(batch->run({.name = "good"}));
  ASSERT_TRUE(good) << good.error().text();
  EXPECT_EQ(good->checks.size(), 6U);
  EXPECT_EQ(good->failed_checks(), 0U);

  put_one_post(2, "7k", "Chad");
  put("pin", 8,
      R"({"index": 2, "follower_count": "1k"})"
      "\n"
      R"({"index": 3})"
      "\n");
  auto bad = wait(batch->run({.name = "bad"}));
  ASSERT_TRUE(bad) << bad.error().text();
  EXPECT_EQ(bad->state, BatchReport::State::failed);
  EXPECT_EQ(bad->failed_checks(), 3U);
  EXPECT_EQ(bad->checks[2].check, "unique(ind)");
  EXPECT_EQ(bad->checks[2].sample, "ind = 2, times = 2");
  EXPECT_EQ(bad->checks[3].sample, "follower_count = 7000");
  EXPECT_EQ(bad->checks[5].sample, "ind = 3");
  EXPECT_EQ(wait(batch->published(""))->run, "good");

  for (project::Check& each : pin.clean_checks) each.severity = project::Severity::warn;
  auto warned = wait(batch->run({.name = "bad"}));
  ASSERT_TRUE(warned) << warned.error().text();
  EXPECT_EQ(warned->state, BatchReport::State::published);
  EXPECT_EQ(warned->failed_checks(), 0U);
  EXPECT_EQ(wait(batch->published(""))->run, "bad");
}

TEST_F(BatchTest, what_was_replayed_stays_marked_when_all_is_read_again) {
  put("user", 1, "{\"ind\": \"one\"}\n");
  ASSERT_TRUE(wait(batch->run({.name = "first"})));
  auto list = wait(batch->quarantine(10));
  ASSERT_EQ(list->size(), 1U);
  ASSERT_TRUE(wait(batch->mark_replayed(list->front().id)));
  ASSERT_TRUE(wait(batch->run({.name = "second", .full = true})));
  list = wait(batch->quarantine(10));
  ASSERT_EQ(list->size(), 1U);
  EXPECT_NE(list->front().replayed_ms, 0);
  EXPECT_EQ(wait(batch->quarantined(9999)).error().code(), Code::not_found);
}

TEST_F(BatchTest, runs_of_an_older_program_are_still_known) {
  std::string path = directory.path() + "/old.db";
  {
    auto old = state::Database::open(path, BatchRecords::migrations().first(1));
    ASSERT_TRUE((*old)->write(
        [](state::Connection& c) { return c.run("INSERT INTO runs VALUES ('old', 5, 1, 2, 3)"); }));
    ASSERT_TRUE((*old)->write([](state::Connection& c) {
      return c.run("INSERT INTO counts VALUES ('old', 'pin', 1, 1, 1, 1, 0, 0, 1, 0, 7)");
    }));
  }
  auto database = state::Database::open(path, BatchRecords::migrations());
  ASSERT_TRUE(database) << database.error().text();
  auto reports = BatchRecords(database->get()).reports(5, true);
  ASSERT_TRUE(reports) << reports.error().text();
  ASSERT_EQ(reports->size(), 1U);
  EXPECT_EQ(reports->front().version_of("pin"), 7);
}

}  // namespace
}  // namespace pinpipe::jobs
