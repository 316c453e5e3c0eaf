#include "jobs/stream.h"

#include "base/bytes.h"
#include "codec/json.h"
#include "jobs/stream_fixture.h"

namespace pinpipe::jobs {
namespace {

TEST_F(StreamTest, records_of_a_stream_become_rows_of_its_table) {
  for (const char* name : {"pin", "geo", "user"}) create(stream(name));
  start();
  send(stream("pin"), post(1, "5k"));
  send(stream("pin"), post(2, "3M"));
  send(stream("geo"), place(1));
  auto status = drain();
  EXPECT_EQ(answer("pin_table", "ind, follower_count", "ind"), "1|5000 2|3000000 ");
  EXPECT_EQ(answer("geo_table", "ind, country, coordinates, timestamp", "ind"),
            "1|Chad|[1.5, 2.5]|2020-01-01 00:00:00 ");
  EXPECT_EQ(answer("user_table", "count(*)", "1"), "0 ");
  EXPECT_EQ(of(status, "pin").clean, 2U);
  EXPECT_EQ(of(status, "pin").lag, 0U);
  EXPECT_EQ(of(status, "geo").shards[0].position, 1);
  EXPECT_EQ(of(status, "geo").state, StreamStatus::State::running);
  auto tables = wait(job->pin_tables());
  ASSERT_TRUE(tables) << tables.error().text();
  ASSERT_EQ(tables->size(), 3U);
}

TEST_F(StreamTest, a_job_that_starts_again_goes_on_where_the_table_is) {
  create(stream("geo"), 2);
  start();
  for (int i = 0; i < 6; ++i) send(stream("geo"), place(i), i % 2);
  drain();
  stop();
  for (int i = 6; i < 10; ++i) send(stream("geo"), place(i), i % 2);
  start();
  auto status = drain();
  EXPECT_EQ(inds("geo_table"), "0 1 2 3 4 5 6 7 8 9 ");
  EXPECT_EQ(of(status, "geo").records, 4U);
  stop();
  start();
  EXPECT_EQ(of(drain(), "geo").records, 0U);
  EXPECT_EQ(inds("geo_table"), "0 1 2 3 4 5 6 7 8 9 ");
}

TEST_F(StreamTest, an_idle_engine_is_closed_and_opened_again) {
  create(stream("geo"));
  engine_idle = Millis{0};
  start();
  for (int i = 0; i < 3; ++i) {
    send(stream("geo"), place(i));
    drain();
  }
  EXPECT_EQ(inds("geo_table"), "0 1 2 ");
}

TEST_F(StreamTest, data_as_a_quoted_string_or_base64_is_decoded) {
  create(stream("geo"));
  start();
  std::string quoted;
  codec::append_json_string(quoted, place(1));
  send(stream("geo"), quoted);
  send(stream("geo"), "\"" + to_base64(place(2)) + "\"");
  send(stream("geo"), "[" + place(3) + "," + place(4) + "]");
  send(stream("geo"), "\n  " + place(5) + "\n");
  drain();
  EXPECT_EQ(inds("geo_table"), "1 2 3 4 5 ");
}

TEST_F(StreamTest, what_cannot_be_used_is_in_quarantine_with_its_place_and_reason) {
  create(stream("pin"), 2);
  start();
  send(stream("pin"), post(1, "5k"), 1);
  send(stream("pin"), "not json", 1);
  send(stream("pin"), "\"\"", 1);
  send(stream("pin"), "", 1);
  send(stream("pin"), post(2, "9999999999M"), 0);
  send(stream("pin"), "{\"index\":1,\"title\":\"\xff\"}", 0);
  auto status = drain();
  EXPECT_EQ(inds("pin_table"), "1 ");
  EXPECT_EQ(answer("pin_table_quarantine", "shard, record_offset, source, reason, encoding",
                   "shard, record_offset"),
            fmt::format("0|0|{0}/0/0|follower_count is beyond int|text "
                        "0|1|{0}/0/1|not valid UTF-8|base64 "
                        "1|1|{0}/1/1|not a JSON object|text "
                        "1|2|{0}/1/2|an empty string instead of a JSON object|text "
                        "1|3|{0}/1/3|an empty record|text ",
                        stream("pin")));
  const StreamStatus& pin = of(status, "pin");
  EXPECT_EQ(pin.records, 6U);
  EXPECT_EQ(pin.clean, 1U);
  EXPECT_EQ(pin.quarantined, 5U);
}

TEST_F(StreamTest, a_batch_without_a_good_row_is_not_read_again) {
  create(stream("geo"));
  start();
  send(stream("geo"), "bad");
  auto version = of(drain(), "geo").table_version;
  EXPECT_EQ(version, 1);
  stop();
  start();
  auto status = drain();
  EXPECT_EQ(of(status, "geo").records, 0U);
  EXPECT_EQ(of(status, "geo").shards[0].position, 1);
  EXPECT_EQ(quarantined("geo_table"), "0|0|not a JSON object|bad ");
}

// The job dies with each change that it wants to make to the store, before or after it was made;
// what follows must come to the same rows.
TEST_F(StreamTest, a_kill_at_any_change_leaves_neither_gap_nor_duplicate) {
  create(stream("pin"), 2);
  start();
  drain();
  stop();
  std::string good;
  int rounds = 0;
  for (uint64_t change = 1; change <= 6; ++change) {
    for (bool happens : {false, true}) {
      SCOPED_TRACE(fmt::format("change {} is {}", change, happens ? "made" : "lost"));
      int n = rounds++;
      send(stream("pin"), post(1000 + n, "5k"), 0);
      send(stream("pin"), "bad", 0);
      send(stream("pin"), post(n, "9999999999M"), 1);
      good += std::to_string(1000 + n) + " ";
      store.crash_at(change, happens);
      start();
      // Ends well when this batch needs fewer changes than that.
      (void)wait(job->drain(io::after(Millis{300})));
      stop();
      send(stream("pin"), "comes later", 1);
      store.revive();
      start();
      drain();
      stop();
      ASSERT_EQ(inds("pin_table"), good);
      ASSERT_EQ(answer("pin_table_quarantine",
                       "count(*), count(distinct source), "
                       "count(*) filter (where bytes = 'comes later')",
                       "1"),
                fmt::format("{0}|{0}|{1} ", 3 * rounds, rounds));
    }
  }
}

// The slow job has read its batch when the other commits the same records.
TEST_F(StreamTest, of_two_jobs_on_one_table_the_loser_looks_again) {
  create(stream("geo"));
  settings("geo").interval_ms = 3'600'000;
  start();
  send(stream("geo"), place(1));
  drain();
  for (bool is_bad : {false, true}) {
    send(stream("geo"), place(is_bad ? 3 : 2));
    if (is_bad) send(stream("geo"), "bad");
    StreamJob other(options());
    auto other_scope = begin(other);
    auto done = wait(other.drain(io::after(Millis{60'000})));
    EXPECT_TRUE(done) << done.error().text();
    end(other_scope);
    EXPECT_EQ(of(drain(), "geo").records, 1U);
  }
  EXPECT_EQ(inds("geo_table"), "1 2 3 ");
  EXPECT_EQ(quarantined("geo_table"), "0|3|not a JSON object|bad ");
}

TEST_F(StreamTest, two_jobs_at_once_write_every_record_once) {
  create(stream("geo"), 2);
  settings("geo").batch_rows = 7;
  start();
  StreamJob other(options());
  auto other_scope = begin(other);
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    if (i % 10 == 3) {
      send(stream("geo"), "bad", i % 2);
    } else {
      send(stream("geo"), place(1000 + i), i % 2);
      expected += std::to_string(1000 + i) + " ";
    }
  }
  drain();
  auto done = wait(other.drain(io::after(Millis{60'000})));
  EXPECT_TRUE(done) << done.error().text();
  end(other_scope);
  EXPECT_EQ(inds("geo_table"), expected);
  EXPECT_EQ(answer("geo_table_quarantine", "count(*), count(distinct source)", "1"), "20|20 ");
}

TEST_F(StreamTest, a_stream_that_is_not_there_is_waited_for) {
  start();
  EXPECT_EQ(of(drain(), "geo").clean, 0U);
  create(stream("geo"));
  send(stream("geo"), place(1));
  drain();
  EXPECT_EQ(inds("geo_table"), "1 ");
}

TEST_F(StreamTest, a_stream_made_again_is_read_from_its_beginning) {
  create(stream("geo"));
  start();
  send(stream("geo"), place(1));
  send(stream("geo"), place(2));
  drain();
  ASSERT_TRUE(wait(topics.remove(stream("geo"))));
  create(stream("geo"));
  send(stream("geo"), place(3));
  drain();
  EXPECT_EQ(inds("geo_table"), "1 2 3 ");
}

TEST_F(StreamTest, one_shared_stream_is_told_apart_by_partition_key) {
  const std::string shared_stream = "Kinesis-Prod-Stream";
  project.shared_stream = shared_stream;
  create(shared_stream);
  start();
  send(shared_stream, post(1, "5k"), 0, "0e90e0175553.pin");
  send(shared_stream, place(2), 0, "0e90e0175553_geo");
  send(shared_stream, place(3), 0, "somebody");
  auto status = drain();
  EXPECT_EQ(inds("pin_table"), "1 ");
  EXPECT_EQ(inds("geo_table"), "2 ");
  // Data sets come in the order of their names: geo accounts for what is nobody's.
  EXPECT_EQ(answer("geo_table_quarantine", "record_offset, reason", "1"),
            "2|the partition key names no data set ");
  EXPECT_EQ(of(status, "user").lag, 0U);
}

TEST_F(StreamTest, records_removed_before_they_were_read_are_an_error_until_they_may_be_lost) {
  create(stream("geo"));
  start();
  send(stream("geo"), place(0));
  drain();
  stop();
  for (int i = 1; i < 5; ++i) send(stream("geo"), place(i));
  topics.set_start(stream("geo"), 0, 3);
  start();
  auto failed = wait(job->drain(io::after(Millis{60'000})));
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().text().find("records 1..2"), std::string::npos) << failed.error().text();
  stop();
  settings("geo").skip_lost = true;
  start();
  auto status = drain();
  EXPECT_EQ(of(status, "geo").lost, 2U);
  EXPECT_EQ(inds("geo_table"), "0 3 4 ");
}

// 300 good records and three that divide by zero or overflow: the batch goes on without those.
TEST_F(StreamTest, records_that_the_sql_cannot_take_are_set_aside_one_by_one) {
  create(stream("geo"));
  for (project::Dataset& dataset : project.datasets) {
    if (dataset.name == "geo")
      dataset.clean.text =
          "select cast(ind as smallint) as ind, cast(country as integer) as n from raw.geo";
  }
  start();
  std::string expected;
  for (int i = 0; i < 303; ++i) {
    bool is_bad = i == 0 || i == 150 || i == 302;
    send(stream("geo"), fmt::format(R"({{"ind":{},"country":"{}"}})", i == 150 ? 99'999 : i,
                                    is_bad && i != 150 ? "Chad" : "1"));
    if (!is_bad) expected += std::to_string(i) + " ";
  }
  drain();
  EXPECT_EQ(inds("geo_table"), expected);
  EXPECT_EQ(
      answer("geo_table_quarantine", "record_offset, reason like '%Conversion%'", "record_offset"),
      "0|true 150|true 302|true ");
}

TEST_F(StreamTest, a_statement_that_fails_for_all_records_is_at_fault_itself) {
  create(stream("geo"));
  for (project::Dataset& dataset : project.datasets) {
    if (dataset.name == "geo")
      dataset.clean.text = "select ind, cast(country as integer) as n from raw.geo";
  }
  for (int i = 0; i < 300; ++i) send(stream("geo"), place(i));
  start();
  auto failed = wait(job->drain(io::after(Millis{60'000})));
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().text().find("more than 100 records"), std::string::npos)
      << failed.error().text();
}

TEST_F(StreamTest, a_statement_that_is_wrong_per_batch_is_not_run) {
  create(stream("geo"));
  for (project::Dataset& dataset : project.datasets) {
    if (dataset.name == "geo") dataset.clean.text = "select distinct ind from raw.geo";
  }
  start();
  auto failed = wait(job->drain(io::after(Millis{60'000})));
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().text().find("geo.sql:1:8"), std::string::npos) << failed.error().text();
}

// New shards after each split and merge; the old ones get their last records at the same time.
TEST_F(StreamTest, shards_that_appear_are_followed_from_their_beginning) {
  create(stream("geo"));
  start();
  std::string expected;
  for (int shards = 1; shards <= 5; ++shards) {
    for (int i = 0; i < 20; ++i) {
      int ind = 1000 * shards + i;
      send(stream("geo"), place(ind), i % shards);
      expected += std::to_string(ind) + " ";
    }
    topics.add_partition(stream("geo"));
  }
  drain();
  EXPECT_EQ(inds("geo_table"), expected);
}

TEST_F(StreamTest, many_small_files_become_few_and_the_rows_stay) {
  create(stream("geo"));
  start();
  std::string expected;
  int64_t files_max = 0;
  uint64_t compacted = 0;
  for (int i = 0; i < 120; ++i) {
    send(stream("geo"), place(1000 + i));
    expected += std::to_string(1000 + i) + " ";
    files_max = std::max(files_max, of(drain(), "geo").table_files);
    // No trigger is as fast as this loop: give way to the compaction that is due by now.
    if (i % 40 != 39) continue;
    for (uint64_t before = compacted; compacted == before;)
      compacted = status("geo").compacted_files;
  }
  EXPECT_GE(compacted, 60U);
  EXPECT_LE(files_max, 100);
  EXPECT_EQ(inds("geo_table"), expected);
  auto opened = wait(lake::Table::open(services, {"lake", std::string(id) + "_geo_table"}));
  ASSERT_TRUE(opened);
  EXPECT_LE((*opened)->snapshot()->files().size(), 60U);
  EXPECT_EQ((*opened)->snapshot()->property("delta.deletedFileRetentionDuration", ""),
            "interval 3600000 milliseconds");
}

TEST_F(StreamTest, a_mistake_in_the_sql_is_named_and_disturbs_no_other_data_set) {
  for (const char* name : {"pin", "geo"}) create(stream(name));
  for (project::Dataset& dataset : project.datasets) {
    if (dataset.name == "geo") dataset.clean.text = "select ind, nonsense from raw.geo";
  }
  start();
  send(stream("pin"), post(1, "5k"));
  send(stream("geo"), place(1));
  auto failed = wait(job->drain(io::after(Millis{60'000})));
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().text().find("sql/clean/geo.sql:1:13"), std::string::npos)
      << failed.error().text();
  for (project::Dataset& dataset : project.datasets) {
    if (dataset.name == "geo") dataset.stream.clear();
  }
  stop();
  start();
  drain();
  EXPECT_EQ(inds("pin_table"), "1 ");
}

}  // namespace
}  // namespace pinpipe::jobs
