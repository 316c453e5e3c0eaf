// How a stream is followed: triggers, where reading begins, start, stop and reset.
#include "jobs/stream_fixture.h"

namespace pinpipe::jobs {
namespace {

TEST_F(StreamTest, a_run_of_what_is_available_ends_when_all_of_it_is_committed) {
  create(stream("geo"), 2);
  for (const char* name : {"pin", "user"}) settings(name).trigger = StreamJob::Trigger::once;
  settings("geo").trigger = StreamJob::Trigger::available_now;
  settings("geo").batch_rows = 8;  // of which the first batches may have a part
  for (int i = 0; i < 9; ++i) send(stream("geo"), place(i), i % 2);
  start();
  ASSERT_TRUE(wait(job->wait_until_done("", io::after(Millis{60'000}))));
  EXPECT_EQ(status("geo").state, StreamStatus::State::done);
  EXPECT_EQ(status("pin").state, StreamStatus::State::done);
  EXPECT_EQ(status("geo").lag, 0U);
  EXPECT_EQ(inds("geo_table"), "0 1 2 3 4 5 6 7 8 ");
  send(stream("geo"), place(9));
  auto done = run_geo(StreamJob::Trigger::available_now);
  EXPECT_EQ(done.records, 10U);
  EXPECT_EQ(inds("geo_table"), "0 1 2 3 4 5 6 7 8 9 ");
  EXPECT_EQ(run_geo(StreamJob::Trigger::available_now).batches, done.batches);
}

TEST_F(StreamTest, a_run_of_one_batch_is_one_commit) {
  create(stream("geo"));
  settings("geo").batch_rows = 4;  // a first batch takes a quarter of it, and a whole fetch
  for (int i = 0; i < 3; ++i) send(stream("geo"), place(i));
  job = std::make_unique<StreamJob>([this] {
    auto resting = options();
    resting.follows = false;
    return resting;
  }());
  scope = begin(*job);
  EXPECT_EQ(run_geo(StreamJob::Trigger::once).batches, 1U);
  EXPECT_EQ(run_geo(StreamJob::Trigger::once).table_rows, 3);
  EXPECT_EQ(status("geo").batches, 1U);
  send(stream("geo"), place(3));
  EXPECT_EQ(run_geo(StreamJob::Trigger::once).batches, 2U);
}

TEST_F(StreamTest, what_is_stopped_stays_so_and_disturbs_no_other) {
  for (const char* name : {"pin", "geo", "user"}) create(stream(name));
  start();
  send(stream("geo"), place(1));
  drain();
  for (int twice = 0; twice < 2; ++twice)
    ASSERT_TRUE(wait(job->stop("geo", io::after(Millis{60'000}))));
  EXPECT_EQ(status("geo").state, StreamStatus::State::stopped);
  send(stream("geo"), place(2));
  send(stream("pin"), post(1, "5k"));
  auto told = wait(job->drain(io::after(Millis{60'000})));
  ASSERT_FALSE(told);
  EXPECT_NE(told.error().text().find("pinpipe stream-job start geo"), std::string::npos);
  EXPECT_EQ(status("pin").state, StreamStatus::State::running);
  stop();
  start();
  EXPECT_FALSE(wait(job->drain(io::after(Millis{60'000}))));
  EXPECT_EQ(status("geo").state, StreamStatus::State::stopped);
  EXPECT_EQ(inds("geo_table"), "1 ");
  for (int twice = 0; twice < 2; ++twice) ASSERT_TRUE(wait(job->start("geo")));
  drain();
  EXPECT_EQ(inds("geo_table"), "1 2 ");
  EXPECT_EQ(inds("pin_table"), "1 ");
  auto other = wait(job->start("geo", StreamJob::Trigger::once));
  EXPECT_EQ(other.error().code(), Code::conflict);
  auto unknown = wait(job->stop("goe", io::after(Millis{0})));
  EXPECT_NE(unknown.error().text().find("did you mean geo?"), std::string::npos);
}

TEST_F(StreamTest, reading_begins_where_the_settings_say_and_nowhere_else_later) {
  using Start = project::StreamJobSettings::Start;
  create(stream("geo"), 2);
  create(stream("pin"));
  create(stream("user"));
  settings("geo").start = Start::latest;
  settings("pin").start = Start::timestamp;
  for (int i = 0; i < 3; ++i) send(stream("geo"), place(i));
  send(stream("pin"), post(1, "5k"));
  clock.advance(Millis{5'000});
  settings("pin").start_ms = clock.wall_ms();
  clock.advance(Millis{5'000});
  send(stream("pin"), post(2, "5k"));
  start();
  drain();
  EXPECT_EQ(inds("geo_table"), "");
  EXPECT_EQ(inds("pin_table"), "2 ");
  stop();
  // Sent while the job was away: of the shard that had records and of the one that had none.
  send(stream("geo"), place(3), 0);
  send(stream("geo"), place(4), 1);
  start();
  drain();
  EXPECT_EQ(inds("geo_table"), "3 4 ");
}

TEST_F(StreamTest, a_stream_that_appears_while_it_is_waited_for_is_read_whole) {
  settings("geo").start = project::StreamJobSettings::Start::latest;
  start();
  drain();
  while (status("geo").state != StreamStatus::State::waiting) {
  }
  create(stream("geo"));
  send(stream("geo"), place(1));
  drain();
  EXPECT_EQ(inds("geo_table"), "1 ");
}

TEST_F(StreamTest, a_reset_empties_the_table_and_reads_again) {
  create(stream("geo"));
  create(stream("pin"));
  create(stream("user"));
  start();
  send(stream("geo"), place(1));
  send(stream("geo"), "bad");
  send(stream("pin"), post(7, "5k"));
  drain();
  EXPECT_EQ(wait(job->reset("geo", {})).error().code(), Code::conflict);
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(wait(job->stop("geo", io::after(Millis{60'000}))));
    ASSERT_TRUE(wait(job->reset("geo", {})));
    EXPECT_EQ(inds("geo_table"), "");
    EXPECT_EQ(quarantined("geo_table"), "");
    ASSERT_TRUE(wait(job->start("geo")));
    drain();
    EXPECT_EQ(inds("geo_table"), "1 ");
    EXPECT_EQ(quarantined("geo_table"), "0|1|not a JSON object|bad ");
  }
  ASSERT_TRUE(wait(job->stop("geo", io::after(Millis{60'000}))));
  ASSERT_TRUE(wait(job->reset("geo", {.start = project::StreamJobSettings::Start::latest})));
  send(stream("geo"), place(2));
  stop();
  start();
  ASSERT_TRUE(wait(job->start("geo")));
  drain();
  EXPECT_EQ(inds("geo_table"), "2 ");
  EXPECT_EQ(inds("pin_table"), "7 ");
}

TEST_F(StreamTest, a_reset_that_is_cut_short_ends_at_the_next_start) {
  create(stream("geo"));
  start();
  send(stream("geo"), place(1));
  send(stream("geo"), "bad");
  drain();
  for (uint64_t change = 1; change <= 2; ++change) {
    for (bool happens : {false, true}) {
      SCOPED_TRACE(fmt::format("change {} is {}", change, happens ? "made" : "lost"));
      ASSERT_TRUE(wait(job->stop("geo", io::after(Millis{60'000}))));
      store.crash_at(change, happens);
      (void)wait(job->reset("geo", {}));
      stop();
      store.revive();
      start();
      ASSERT_TRUE(wait(job->start("geo")));
      drain();
      EXPECT_EQ(inds("geo_table"), "1 ");
      EXPECT_EQ(quarantined("geo_table"), "0|1|not a JSON object|bad ");
    }
  }
}

TEST_F(StreamTest, a_topic_may_be_followed_instead_of_a_stream) {
  const std::string topic = std::string(id) + ".geo";
  create(topic, 3);
  settings("geo").input = project::StreamJobSettings::Input::topic;
  start();
  for (int i = 0; i < 6; ++i) send(topic, place(i), i % 3);
  send(topic, "bad", 2);
  auto all = drain();
  EXPECT_EQ(of(all, "geo").stream, topic);
  EXPECT_EQ(inds("geo_table"), "0 1 2 3 4 5 ");
  EXPECT_EQ(quarantined("geo_table"), "2|2|not a JSON object|bad ");
}

}  // namespace
}  // namespace pinpipe::jobs
