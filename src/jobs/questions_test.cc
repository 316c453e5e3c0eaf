#include "jobs/questions.h"

#include <gmock/gmock.h>

#include "jobs/live_questions.h"
#include "kit/batch_fixture.h"

namespace pinpipe::jobs {
namespace {

using testing::HasSubstr;

struct QuestionsTest : BatchTest {
  // Cells between '|', rows between newlines; or the error.
  std::string asked(const std::string& text) {
    auto table = wait(questions->query(text, 1000));
    if (!table) return std::string(name_of(table.error().code())) + ": " + table.error().text();
    std::string out;
    for (const sql::Row& row : table->rows) {
      out += out.empty() ? "" : "\n";
      for (size_t i = 0; i < row.size(); ++i) out += (i == 0 ? "" : "|") + sql::to_text(row[i]);
    }
    return out;
  }
};

TEST_F(QuestionsTest, what_needs_no_tables_is_answered_before_the_first_run) {
  EXPECT_EQ(asked("select 1"), "1");
  put_one_post(1, "5k", "Albania");
  EXPECT_EQ(asked("select count(*), min(category) from raw.pin"), "1|art");
  EXPECT_THAT(asked("select _line, _source from raw.pin_records"), HasSubstr("1|topics/"));
  EXPECT_THAT(asked("select * from clean.pin"), HasSubstr("pinpipe run"));
  EXPECT_THAT(asked("selec 1"), HasSubstr("invalid"));
  EXPECT_THAT(asked("select * from read_text('/etc/passwd')"), HasSubstr("denied"));
  EXPECT_EQ(wait(questions->ask("q99")).error().code(), Code::not_found);
  EXPECT_THAT(wait(questions->ask("q33b")).error().text(), HasSubstr("did you mean \"q3b\"?"));
}

TEST_F(QuestionsTest, a_name_that_is_none_is_told_with_the_nearest_one) {
  put_one_post(1, "5k", "Albania");
  ASSERT_TRUE(wait(batch->run({.name = "first"})));
  EXPECT_THAT(asked("select * from clean.pni"),
              testing::AllOf(HasSubstr("line 1, column 15"), HasSubstr("did you mean clean.pin?")));
  EXPECT_THAT(asked("select * from lake.x version as of 1"), HasSubstr("the lake has no table"));
}

TEST_F(QuestionsTest, tables_are_named_as_they_are_and_as_they_were) {
  put_one_post(1, "5k", "Albania");
  auto first = wait(batch->run({.name = "first"}));
  put_one_post(2, "7k", "Chad");
  ASSERT_TRUE(wait(batch->run({.name = "second"})));
  std::string was = std::to_string(first->version_of("pin"));
  for (const char* table : {"clean.pin", "df_pin", "0e90e0175553_pin_clean",
                            "`0e90e0175553_pin_clean`", "lake.0e90e0175553_pin_clean", "Clean.PIN"})
    EXPECT_EQ(asked(std::string("select count(*) from ") + table), "2") << table;
  for (const char* table : {"clean.pin", "df_pin", "0e90e0175553_pin_clean"}) {
    EXPECT_EQ(asked(std::string("select count(*) from ") + table + " version as of " + was), "1");
    EXPECT_EQ(asked(std::string("select count(*) from ") + table + " AT (VERSION => " + was + ")"),
              "1");
  }
  EXPECT_EQ(asked("select new.ind from clean.pin as new left join clean.pin version as of " + was +
                  " as old on new.ind = old.ind where old.ind is null"),
            "2");
  EXPECT_THAT(asked("select * from clean.pin version as of 99"), HasSubstr("99"));
  EXPECT_THAT(asked("select * from raw.pin version as of 1"), HasSubstr("no versions"));
  EXPECT_THAT(asked("select * from clean.pin timestamp as of 'soon'"), HasSubstr("no moment"));
  EXPECT_THAT(asked("select * from clean.pin timestamp as of '2001-01-02'"),
              HasSubstr("there is none at 2001-01-02"));
  EXPECT_EQ(asked("select count(*) from clean.pin timestamp as of '2999-01-02 10:15:00'"), "2");
  EXPECT_EQ(asked("with pin as (select 5 as a) select a from pin"), "5");
  EXPECT_THAT(asked("show tables"), HasSubstr("clean.pin"));
}

TEST_F(QuestionsTest, records_of_a_topic_are_rows) {
  ASSERT_TRUE(wait(topics.create({.name = "t", .partitions = 2, .configs = {}})));
  std::vector<broker::RecordIn> records;
  std::string bad = "\"caf\xe9\"";
  auto add = [&](std::optional<std::string_view> key, std::optional<std::string_view> value,
                 int partition) {
    broker::RecordIn& record = records.emplace_back();
    record.key = key;
    record.value = value;
    record.partition = partition;
  };
  for (int i = 0; i < 5000; ++i)
    add("k", R"({"category": "art", "place": "a longer text than twelve"})", i % 2);
  add({}, bad, 0);
  add("tombstone", {}, 1);
  ASSERT_TRUE(wait(topics.produce("t", records, broker::Acks::committed)));
  EXPECT_EQ(asked("select count(*), count(value), count(distinct \"partition\"), "
                  "max(\"offset\") from topic('t')"),
            "5002|5001|2|2500");
  EXPECT_EQ(asked("select value ->> 'category' as c, count(*) from topic('t') where key = 'k' "
                  "group by 1"),
            "art|5000");
  EXPECT_EQ(asked("select value from topic('t') where key is null"), "\"caf\xEF\xBF\xBD\"");
  EXPECT_EQ(asked("select t.topic from topic('t') limit 1"), "t");
  EXPECT_THAT(asked("select * from topic('nobody')"), HasSubstr("not_found"));
  EXPECT_THAT(asked("select * from stream('nobody')"), HasSubstr("nobody"));
  EXPECT_THAT(asked("select * from topic(t)"), HasSubstr("topic('name')"));
}

TEST_F(QuestionsTest, objects_are_read_by_their_endings) {
  put_one_post(1, "5k", "Albania");
  auto put_as = [&](const std::string& key, std::string bytes) {
    ASSERT_TRUE(wait(store->put(bucket, key, std::move(bytes), {}, {})));
  };
  put_as("a/one.csv", "n,word\n1,x\n");
  put_as("a/two.csv", "n,word\n2,y\n");
  put_as("a/none.json", "");
  std::string at = "s3://" + bucket;
  EXPECT_EQ(asked("select sum(n) from objects('" + at + "/a/*.csv')"), "3");
  EXPECT_EQ(asked("select country from objects('" + at + "/topics/*.geo/*')"), "Albania");
  EXPECT_EQ(asked("select country from objects('/mnt/pinterest/topics/" + std::string(id) +
                  ".geo/partition=0/')"),
            "Albania");
  EXPECT_THAT(asked("select * from objects('" + at + "/nothing*')"), HasSubstr("names no object"));
  EXPECT_THAT(asked("select * from objects('s3://nobody/x')"), HasSubstr("nobody"));
  EXPECT_THAT(asked("select * from objects('/etc/passwd')"), HasSubstr("invalid"));
}

TEST_F(QuestionsTest, questions_over_live_tables_name_them_instead_of_the_clean_ones) {
  auto text = over_live_tables(
      project, "select 'clean.pin', p.ind from clean.pin as p, DF_geo -- clean.pin\n");
  ASSERT_TRUE(text) << text.error().text();
  EXPECT_EQ(
      *text,
      "select 'clean.pin', p.ind from \"live\".\"pin\" as p, \"live\".\"geo\" -- clean.pin\n");
  EXPECT_EQ(over_live_tables(project, "select * from clean.pin version as of 1").error().code(),
            Code::invalid);
  EXPECT_EQ(*over_live_tables(project, "select * from age_groups"), "select * from age_groups");
}

TEST_F(QuestionsTest, an_empty_answer_explains_itself) {
  put("geo", 1,
      R"({"ind": 1, "country": "Chad"})"
      "\n");
  ASSERT_TRUE(wait(batch->run({.name = "first"})));
  auto answers = wait(questions->ask("q1"));
  ASSERT_TRUE(answers) << answers.error().text();
  EXPECT_EQ(answers->front().why_empty, "no rows: clean.geo has 1 rows, clean.pin has 0 rows");
}

}  // namespace
}  // namespace pinpipe::jobs
