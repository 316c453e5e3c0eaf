// live.<data set>: the table and what the stream holds beyond it.
#include "jobs/stream_live.h"

#include "jobs/questions.h"
#include "jobs/stream_fixture.h"

namespace pinpipe::jobs {
namespace {

struct LiveTest : StreamTest {
  std::unique_ptr<Questions> questions;

  void start() {
    StreamTest::start();
    questions = std::make_unique<Questions>(Questions::Options{
        .project = &project,
        .store = &store,
        .topics = &topics,
        .find_stream = [](const std::string& name) -> Result<broker::StreamPointer> {
          return Error(Code::not_found, name);
        },
        .find_live = [this](std::string dataset) { return job->live(std::move(dataset)); },
        .catch_up_live = [this]() -> io::Task<> {
          (void)co_await job->drain(io::after(Millis{60'000}));
        },
        .lake = &services,
        .lake_bucket = "lake",
        .loop = &runtime.loop(0),
        .work = &runtime.work(),
        .clock = &clock,
        .engine = {.role = sql::Role::user,
                   .threads = 2,
                   .memory_bytes = 400 << 20,
                   .temp_root = directory.path(),
                   .readable_directories = {store.directory()}}});
  }
  std::string asked(const std::string& text) {
    auto table = wait(questions->query(text, 100'000));
    if (!table) return table.error().text();
    std::string out;
    for (const sql::Row& row : table->rows) {
      for (size_t i = 0; i < row.size(); ++i) out += (i == 0 ? "" : "|") + sql::to_text(row[i]);
      out += " ";
    }
    return out;
  }
  // Nothing more is committed before it is drained.
  void rest_after_first_commit(const std::string& dataset) {
    settings(dataset).interval_ms = 3'600'000;
  }
};

TEST_F(LiveTest, records_are_rows_before_they_are_committed_and_the_same_rows_after) {
  for (const char* name : {"pin", "geo", "user"}) create(stream(name), 2);
  rest_after_first_commit("geo");
  start();
  send(stream("geo"), place(1), 0);
  drain();
  send(stream("geo"), place(2), 1);
  send(stream("geo"), "bad", 0);
  send(stream("geo"), "[" + place(3) + "," + place(4) + "]", 0);
  const std::string all = "select * from live.geo order by ind";
  std::string before = asked(all);
  EXPECT_EQ(asked("select ind from live.geo order by 1"), "1 2 3 4 ");
  EXPECT_EQ(inds("geo_table"), "1 ");
  drain();
  EXPECT_EQ(inds("geo_table"), "1 2 3 4 ");
  EXPECT_EQ(asked(all), before);
  EXPECT_EQ(asked("select typeof(coordinates), typeof(timestamp) from live.geo limit 1"),
            "DOUBLE[]|TIMESTAMP WITH TIME ZONE ");
  EXPECT_EQ(asked("select count(*) from live.geo a join live.geo b on a.ind = b.ind"), "4 ");
}

TEST_F(LiveTest, each_record_is_in_it_once_while_the_job_commits) {
  for (const char* name : {"pin", "geo", "user"}) create(stream(name), 2);
  settings("geo").batch_rows = 5;
  start();
  drain();
  for (int i = 0; i < 120; ++i) {
    send(stream("geo"), place(i), i % 2);
    ASSERT_EQ(asked("select count(*), count(distinct ind) from live.geo"),
              fmt::format("{0}|{0} ", i + 1));
  }
}

TEST_F(LiveTest, what_a_stopped_job_left_is_there_too) {
  for (const char* name : {"pin", "geo", "user"}) create(stream(name));
  start();
  send(stream("geo"), place(1));
  drain();
  ASSERT_TRUE(wait(job->stop("geo", io::after(Millis{60'000}))));
  send(stream("geo"), place(2));
  EXPECT_EQ(asked("select ind from live.geo order by 1"), "1 2 ");
  ASSERT_TRUE(wait(job->reset("geo", {})));
  EXPECT_EQ(asked("select ind from live.geo order by 1"), "1 2 ");
  EXPECT_NE(asked("select * from live.goe").find("did you mean"), std::string::npos);
  EXPECT_NE(asked("select * from live.geo version as of 1").find("no versions"), std::string::npos);
}

TEST_F(LiveTest, a_record_that_the_sql_cannot_take_is_left_out_once_it_is_set_aside) {
  for (const char* name : {"pin", "geo", "user"}) create(stream(name));
  for (project::Dataset& dataset : project.datasets) {
    if (dataset.name == "geo")
      dataset.clean.text = "select ind, cast(country as integer) as n from raw.geo";
  }
  rest_after_first_commit("geo");
  start();
  drain();
  auto country = [](int ind, const std::string& text) {
    return fmt::format(R"({{"ind":{},"country":"{}"}})", ind, text);
  };
  send(stream("geo"), country(1, "7"));
  drain();
  send(stream("geo"), country(2, "Chad"));
  send(stream("geo"), country(3, "8"));
  EXPECT_EQ(asked("select ind, n from live.geo order by 1"), "1|7 3|8 ");
}

// What the files' statistics rule out is not read: rows are the same as if it were.
TEST_F(LiveTest, a_query_by_key_finds_its_row_in_the_table_and_beyond) {
  for (const char* name : {"pin", "geo", "user"}) create(stream(name));
  settings("geo").batch_rows = 12;
  rest_after_first_commit("geo");
  start();
  for (int i = 0; i < 20; ++i) send(stream("geo"), place(i * i));
  drain();
  send(stream("geo"), place(1'000'000));
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(asked(fmt::format("select ind, country from live.geo where ind = {}", i * i)),
              fmt::format("{}|Chad ", i * i));
  EXPECT_EQ(asked("select IND from LIVE.GEO as g where IND = 1000000 order by 1"), "1000000 ");
  EXPECT_EQ(asked("select ind from live.geo where ind = 3"), "");
  EXPECT_EQ(asked("select count(*) from live.geo where ind >= 100 and country = 'Chad'"), "11 ");
  EXPECT_EQ(asked("select -ind as ind from live.geo where ind = 361"), "-361 ");
  const std::string table = std::string(id) + "_geo_table";
  EXPECT_EQ(asked("select count(*) from " + table + " where ind < 10"), "4 ");
  std::string upper = table;
  for (char& c : upper) c = static_cast<char>(c >= 'a' && c <= 'z' ? c & ~0x20 : c);
  EXPECT_EQ(asked("select count(*) from " + upper + " where ind < 10"), "4 ");
}

}  // namespace
}  // namespace pinpipe::jobs
