#include "sink/object_sink.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "io/runtime.h"
#include "kit/fake_clock.h"
#include "kit/memory_topics.h"
#include "kit/seed.h"
#include "kit/temporary_directory.h"
#include "objects/bucket_store.h"

namespace pinpipe::sink {
namespace {

constexpr std::string_view bucket = "user-u-bucket";

class ObjectSinkTest : public testing::Test {
 protected:
  ObjectSinkTest() {
    auto opened =
        objects::BucketStore::open({.root = directory.path() + "/buckets"}, runtime.disk());
    CHECK(opened.has_value(), "the store opens");
    store = std::move(*opened);
    auto states = SinkState::open(directory.path() + "/sink.db");
    CHECK(states.has_value(), "the state opens");
    state = std::move(*states);
    EXPECT_TRUE(wait(store->create_bucket(std::string(bucket))));
  }

  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(runtime.loop(0), std::move(task));
  }

  SinkConfig config(Properties more = {}) {
    Properties properties = {{"name", "u-connector"},
                             {"connector.class", "io.confluent.connect.s3.S3SinkConnector"},
                             {"format.class", "io.confluent.connect.s3.format.json.JsonFormat"},
                             {"s3.bucket.name", std::string(bucket)},
                             {"topics.regex", "u.*"},
                             {"flush.size", "1"},
                             {"retry.backoff.ms", "20"}};
    for (auto& [key, value] : more) properties[key] = value;
    auto parsed = parse_config(properties);
    CHECK(parsed.has_value(), "the test's configuration is good");
    return *parsed;
  }

  // Runs a sink on loop 0 until stop().
  void start(SinkConfig with, std::shared_ptr<Memory> memory = nullptr) {
    sink =
        std::make_unique<ObjectSink>(ObjectSink::Parts{topics, *store, *state, runtime.disk(),
                                                       runtime.loop(0), clock, std::move(memory)},
                                     std::move(with));
    io::run_on(runtime.loop(0), [](ObjectSinkTest& test) -> io::Task<> {
      test.scope = std::make_unique<io::Scope>(test.runtime.loop(0));
      test.scope->spawn("sink", test.sink->run());
      co_return;
    }(*this));
  }
  void stop() {
    io::run_on(runtime.loop(0), [](ObjectSinkTest& test) -> io::Task<> {
      test.scope->cancel();
      co_await test.scope->join();
      test.scope.reset();
    }(*this));
    sink.reset();
  }
  void TearDown() override {
    if (sink) stop();
  }

  void create(const std::string& name, int partitions = 1) {
    broker::TopicSpec spec;
    spec.name = name;
    spec.partitions = partitions;
    ASSERT_TRUE(wait(topics.create(spec)));
  }
  void send(std::string_view topic, std::vector<std::optional<std::string>> values,
            int partition = 0) {
    std::vector<broker::RecordIn> records;
    for (const auto& value : values) {
      broker::RecordIn& record = records.emplace_back();
      if (value) record.value = *value;
      record.partition = partition;
    }
    ASSERT_TRUE(wait(topics.produce(topic, records, broker::Acks::committed)));
  }
  Status flush() { return wait(sink->flush(io::after(Millis(20'000)))); }
  std::map<std::string, std::string> all_objects() {
    std::map<std::string, std::string> all;
    auto listing = wait(store->list(std::string(bucket), {}));
    EXPECT_TRUE(listing);
    for (const auto& object : listing->objects)
      all[object.key] = *wait(store->get(std::string(bucket), object.key, std::nullopt));
    return all;
  }
  TaskStatus task(size_t id = 0) { return wait(sink->status()).tasks.at(id); }
  // Until the sink says so; it says so soon or the test's own time limit ends it.
  void wait_until(const std::function<bool()>& so) {
    while (!so()) std::this_thread::yield();
  }
  static std::string key(std::string_view topic, int partition, int64_t offset) {
    return fmt::format("topics/{0}/partition={1}/{0}+{1}+{2:010}.json", topic, partition, offset);
  }

  kit::TemporaryDirectory directory;
  io::Runtime runtime{{.loops = 1, .disk_threads = 4, .work_threads = 1}};
  kit::FakeClock clock;
  kit::MemoryTopics topics;
  std::unique_ptr<objects::BucketStore> store;
  std::unique_ptr<SinkState> state;
  std::unique_ptr<ObjectSink> sink;
  std::unique_ptr<io::Scope> scope;
};

TEST_F(ObjectSinkTest, each_record_becomes_an_object_of_the_course_s_name) {
  create("u.pin");
  send("u.pin", {R"({"index":7528,"title":"é \"x\""})", "\"a string\"", "{ \"b\" : 1 }"});
  start(config());
  ASSERT_TRUE(flush());
  EXPECT_EQ(all_objects(), (std::map<std::string, std::string>{
                               {key("u.pin", 0, 0), "{\"index\":7528,\"title\":\"é \\\"x\\\"\"}\n"},
                               {key("u.pin", 0, 1), "\"a string\"\n"},
                               {key("u.pin", 0, 2), "{\"b\":1}\n"}}));
  PartitionStatus status = task().partitions.at(0);
  EXPECT_EQ(status.committed, 3);
  EXPECT_EQ(status.records, 3);
  EXPECT_EQ(status.objects, 3);
}

TEST_F(ObjectSinkTest, topics_that_come_later_are_followed_too) {
  start(config());
  create("u.geo", 2);
  create("other");
  send("u.geo", {"1"}, 1);
  send("other", {"2"});
  wait_until([&] { return task().partitions.size() == 2; });
  ASSERT_TRUE(flush());
  EXPECT_EQ(all_objects(), (std::map<std::string, std::string>{{key("u.geo", 1, 0), "1\n"}}));
}

TEST_F(ObjectSinkTest, files_hold_flush_size_records_and_a_restart_makes_the_same_ones) {
  create("u.pin");
  for (int i = 0; i < 25; ++i) send("u.pin", {std::to_string(i)});
  start(config({{"flush.size", "10"}}));
  wait_until([&] { return task().partitions.at(0).committed == 20; });
  EXPECT_EQ(wait(sink->status()).waiting_for, "5 of 10 records");
  stop();
  EXPECT_EQ(all_objects().size(), 2U);
  for (int i = 25; i < 30; ++i) send("u.pin", {std::to_string(i)});
  start(config({{"flush.size", "10"}}));
  wait_until([&] { return task().partitions.at(0).committed == 30; });
  auto objects = all_objects();
  EXPECT_EQ(objects.size(), 3U);
  EXPECT_EQ(objects.at(key("u.pin", 0, 20)), "20\n21\n22\n23\n24\n25\n26\n27\n28\n29\n");
  EXPECT_EQ(task().partitions.at(0).records, 30);
}

TEST_F(ObjectSinkTest, the_clock_closes_idle_files_and_their_ends_are_kept) {
  create("u.pin");
  send("u.pin", {"0", "1", "2"});
  start(config({{"flush.size", "100"}, {"file.age.max.ms", "60000"}}));
  wait_until([&] { return task().partitions.at(0).open_records == 3; });
  EXPECT_EQ(wait(sink->status()).waiting_for, "3 of 100 records, 60 s left");
  // The object is stored, but the position is not.
  topics.fail_commits(1'000'000, Error(Code::unavailable, "no"));
  clock.advance(Millis(60'000));
  wait(([](ObjectSink& s) -> io::Task<bool> {
    co_await s.close_due_files();
    co_return true;
  })(*sink));
  wait_until([&] { return all_objects().size() == 1; });
  stop();
  topics.fail_commits(0, Error(Code::unavailable, ""));
  send("u.pin", {"3", "4"});
  start(config({{"flush.size", "100"}, {"file.age.max.ms", "60000"}}));
  ASSERT_TRUE(flush());
  EXPECT_EQ(all_objects(), (std::map<std::string, std::string>{{key("u.pin", 0, 0), "0\n1\n2\n"},
                                                               {key("u.pin", 0, 3), "3\n4\n"}}));
}

TEST_F(ObjectSinkTest, a_record_that_is_no_json_stops_its_task_with_the_reason) {
  create("u.pin");
  send("u.pin", {"1", "not json", "2"});
  start(config());
  wait_until([&] { return task().state == "FAILED"; });
  EXPECT_NE(task().trace.find("offset 1"), std::string::npos) << task().trace;
  EXPECT_FALSE(flush());
  wait_until([&] { return all_objects().size() == 1; });  // the one before it was under way
}

TEST_F(ObjectSinkTest, tolerated_errors_are_counted_and_sent_to_the_dead_letters) {
  create("u.pin");
  send("u.pin", {"1", "not json", "2", std::nullopt});
  start(config({{"errors.tolerance", "all"},
                {"errors.deadletterqueue.topic.name", "dead"},
                {"errors.deadletterqueue.context.headers.enable", "true"}}));
  ASSERT_TRUE(flush());
  EXPECT_EQ(all_objects().size(), 2U);
  EXPECT_EQ(task().partitions.at(0).skipped, 2);
  EXPECT_EQ(task().partitions.at(0).committed, 4);
  auto letters = wait(topics.fetch("dead", 0, 0, 1'000, io::never));
  ASSERT_TRUE(letters);
  ASSERT_EQ(letters->records.size(), 2U);
  EXPECT_EQ(*letters->records[0].value, "not json");
  EXPECT_EQ(letters->records[0].headers[2].key, "__connect.errors.offset");
  EXPECT_EQ(*letters->records[0].headers[2].value, "1");
}

TEST_F(ObjectSinkTest, tombstones_are_ignored_when_told_so) {
  create("u.pin");
  send("u.pin", {std::nullopt, "1"});
  start(config({{"behavior.on.null.values", "ignore"}}));
  ASSERT_TRUE(flush());
  EXPECT_EQ(all_objects(), (std::map<std::string, std::string>{{key("u.pin", 0, 1), "1\n"}}));
}

TEST_F(ObjectSinkTest, a_paused_connector_stores_nothing_until_it_is_resumed) {
  create("u.pin");
  start(config());
  wait(([](ObjectSink& s) -> io::Task<bool> {
    co_await s.pause();
    co_return true;
  })(*sink));
  EXPECT_EQ(task().state, "PAUSED");
  send("u.pin", {"1"});
  EXPECT_EQ(wait(sink->flush(io::never)).error().code(), Code::conflict);
  EXPECT_TRUE(all_objects().empty());
  wait(([](ObjectSink& s) -> io::Task<bool> {
    co_await s.resume();
    co_return true;
  })(*sink));
  ASSERT_TRUE(flush());
  EXPECT_EQ(all_objects().size(), 1U);
}

TEST_F(ObjectSinkTest, a_failed_task_goes_on_after_a_restart) {
  create("u.pin");
  send("u.pin", {"1"});
  EXPECT_TRUE(wait(store->remove_bucket(std::string(bucket))));
  start(config());
  wait_until([&] { return task().state == "FAILED"; });
  EXPECT_TRUE(wait(store->create_bucket(std::string(bucket))));
  wait(([](ObjectSink& s) -> io::Task<bool> {
    co_await s.restart(std::nullopt);
    co_return true;
  })(*sink));
  ASSERT_TRUE(flush());
  EXPECT_EQ(all_objects().size(), 1U);
}

TEST_F(ObjectSinkTest, a_topic_created_again_does_not_replace_the_old_one_s_objects) {
  create("u.pin");
  send("u.pin", {"\"old\""});
  start(config());
  ASSERT_TRUE(flush());
  stop();
  ASSERT_TRUE(wait(topics.remove("u.pin")));
  create("u.pin");
  send("u.pin", {"\"new\""});
  start(config());
  wait_until([&] { return task().state == "FAILED"; });
  EXPECT_NE(task().trace.find("created again"), std::string::npos) << task().trace;
  EXPECT_EQ(all_objects().at(key("u.pin", 0, 0)), "\"old\"\n");
  EXPECT_TRUE(wait(store->remove(std::string(bucket), key("u.pin", 0, 0))));
  wait(([](ObjectSink& s) -> io::Task<bool> {
    co_await s.restart(0);
    co_return true;
  })(*sink));
  ASSERT_TRUE(flush());
  EXPECT_EQ(all_objects().at(key("u.pin", 0, 0)), "\"new\"\n");
}

TEST_F(ObjectSinkTest, another_flush_size_leaves_no_overlapping_files) {
  create("u.pin");
  for (int i = 0; i < 12; ++i) send("u.pin", {std::to_string(i)});
  topics.fail_commits(1'000'000, Error(Code::unavailable, "no"));
  start(config({{"flush.size", "3"}}));
  wait_until([&] { return all_objects().size() == 4; });
  stop();
  topics.fail_commits(0, Error(Code::unavailable, ""));
  start(config({{"flush.size", "5"}}));
  ASSERT_TRUE(flush());
  EXPECT_EQ(all_objects(),
            (std::map<std::string, std::string>{{key("u.pin", 0, 0), "0\n1\n2\n3\n4\n"},
                                                {key("u.pin", 0, 5), "5\n6\n7\n8\n9\n"},
                                                {key("u.pin", 0, 10), "10\n11\n"}}));
}

TEST_F(ObjectSinkTest, gzip_objects_say_so_in_their_names) {
  create("u.pin");
  send("u.pin", {"1"});
  start(config({{"s3.compression.type", "gzip"}}));
  ASSERT_TRUE(flush());
  EXPECT_TRUE(all_objects().contains(key("u.pin", 0, 0) + ".gz"));
}

// Real rows of other people's buckets, under the course's own configuration: one object a record,
// of the name and the bytes that theirs have.
TEST_F(ObjectSinkTest, golden_rows_become_objects_of_their_own_bytes) {
  for (const char* set : {"A", "B"}) {
    for (const char* table : {"pin", "geo", "user"}) {
      auto text = io::posix_files().read_all(
          fmt::format("{}/../shared/golden/{}/{}.jsonl", PINPIPE_SOURCE_DIR, set, table));
      if (!text) GTEST_SKIP() << "there are no golden rows";
      std::string topic = fmt::format("u.{}-{}", set, table);
      create(topic);
      std::vector<std::optional<std::string>> rows;
      for (size_t at = 0; at < text->size(); at = text->find('\n', at) + 1)
        rows.emplace_back(text->substr(at, text->find('\n', at) - at));
      send(topic, rows);
      start(config({{"topics.regex", topic}}));
      ASSERT_TRUE(flush());
      stop();
      for (size_t i = 0; i < rows.size(); ++i) {
        auto object = wait(
            store->get(std::string(bucket), key(topic, 0, static_cast<int64_t>(i)), std::nullopt));
        ASSERT_TRUE(object) << object.error().text();
        ASSERT_EQ(*object, *rows[i] + "\n");
      }
    }
  }
}

// Whatever stops it and whenever, the union of the objects is the topic.
TEST_F(ObjectSinkTest, stopped_at_any_moment_it_stores_every_record_once) {
  Random random(kit::seed());
  create("u.pin", 2);
  std::array<int, 2> sent{};
  for (int round = 0; round < 15; ++round) {
    for (uint64_t n = random.below(60); n > 0; --n) {
      int partition = static_cast<int>(random.below(2));
      send("u.pin", {std::to_string(sent[static_cast<size_t>(partition)]++)}, partition);
    }
    if (random.below(2) == 0) topics.fail_commits(random.below(4), Error(Code::unavailable, "no"));
    start(config({{"flush.size", "7"}, {"file.age.max.ms", "1000"}}));
    for (uint64_t step = random.below(30); step > 0; --step) {
      clock.advance(Millis(random.below(700)));
      wait(([](ObjectSink& s) -> io::Task<bool> {
        co_await s.close_due_files();
        co_return true;
      })(*sink));
    }
    stop();
  }
  topics.fail_commits(0, Error(Code::unavailable, ""));
  start(config({{"flush.size", "7"}, {"file.age.max.ms", "1000"}}));
  ASSERT_TRUE(flush());
  std::array<std::string, 2> stored, expected;
  for (const auto& [name, bytes] : all_objects())
    stored[name.find("partition=1") == std::string::npos ? 0 : 1] += bytes;
  for (size_t partition = 0; partition < 2; ++partition)
    for (int i = 0; i < sent[partition]; ++i) expected[partition] += std::to_string(i) + "\n";
  EXPECT_EQ(stored, expected) << "seed " << kit::seed();
  int64_t records = 0;
  for (const auto& partition : task().partitions) records += partition.records;
  EXPECT_EQ(records, sent[0] + sent[1]);
}

TEST_F(ObjectSinkTest, records_go_to_the_directory_of_their_own_time) {
  create("u.pin");
  send("u.pin", {R"({"at":"2026-01-02T10:15:00"})", R"({"at":"2026-01-02T11:00:00"})",
                 R"({"at":"2026-01-02T10:59:59"})", R"({"at":1})"});
  Properties by_time = {{"flush.size", "100"},
                        {"partitioner.class", "TimeBasedPartitioner"},
                        {"path.format", "yyyy-MM-dd'T'HH"},
                        {"partition.duration.ms", "3600000"},
                        {"locale", "en-US"},
                        {"timezone", "UTC"},
                        {"timestamp.field", "at"},
                        {"timestamp.extractor", "RecordField"}};
  start(config(by_time));
  ASSERT_TRUE(flush());
  EXPECT_EQ(all_objects(),
            (std::map<std::string, std::string>{
                {"topics/u.pin/1970-01-01T00/u.pin+0+0000000003.json", "{\"at\":1}\n"},
                {"topics/u.pin/2026-01-02T10/u.pin+0+0000000000.json",
                 "{\"at\":\"2026-01-02T10:15:00\"}\n{\"at\":\"2026-01-02T10:59:59\"}\n"},
                {"topics/u.pin/2026-01-02T11/u.pin+0+0000000001.json",
                 "{\"at\":\"2026-01-02T11:00:00\"}\n"}}));
  EXPECT_EQ(task().partitions.at(0).objects, 3);
  stop();
  // With an interval, files end where their records leave it or the directory.
  by_time["rotate.interval.ms"] = "60000";
  send("u.pin", {R"({"at":0})", R"({"at":59999})", R"({"at":60000})", R"({"at":7200000})"});
  start(config(by_time));
  wait_until([&] { return task().partitions.at(0).committed == 7; });
  EXPECT_EQ(all_objects().at("topics/u.pin/1970-01-01T00/u.pin+0+0000000004.json"),
            "{\"at\":0}\n{\"at\":59999}\n");
  EXPECT_EQ(all_objects().at("topics/u.pin/1970-01-01T00/u.pin+0+0000000006.json"),
            "{\"at\":60000}\n");
}

TEST_F(ObjectSinkTest, a_record_without_its_time_is_a_bad_record) {
  create("u.pin");
  send("u.pin", {"{}"});
  start(config({{"partitioner.class", "DailyPartitioner"},
                {"locale", "en"},
                {"timezone", "UTC"},
                {"timestamp.extractor", "RecordField"}}));
  wait_until([&] { return task().state == "FAILED"; });
  EXPECT_NE(task().trace.find("no field timestamp"), std::string::npos);
}

TEST_F(ObjectSinkTest, the_wall_clock_s_directories_are_the_same_when_records_are_read_again) {
  create("u.pin");
  send("u.pin", {"0", "1"});
  Properties by_clock = {{"flush.size", "100"},
                         {"partitioner.class", "HourlyPartitioner"},
                         {"locale", "en"},
                         {"timezone", "UTC"},
                         {"timestamp.extractor", "Wallclock"}};
  std::string first = config(by_clock).time->path_of(clock.wall_ms());
  start(config(by_clock));
  wait_until([&] { return task().partitions.at(0).open_records == 2; });
  topics.fail_commits(1'000'000, Error(Code::unavailable, "no"));
  clock.advance(Millis(3'600'000));
  send("u.pin", {"2"});  // of the next hour: the first one's file ends
  wait_until([&] { return all_objects().size() == 1; });
  stop();
  topics.fail_commits(0, Error(Code::unavailable, ""));
  clock.advance(Millis(3'600'000));
  std::string last = config(by_clock).time->path_of(clock.wall_ms());
  start(config(by_clock));
  ASSERT_TRUE(flush());
  EXPECT_EQ(all_objects(), (std::map<std::string, std::string>{
                               {"topics/u.pin/" + first + "/u.pin+0+0000000000.json", "0\n1\n"},
                               {"topics/u.pin/" + last + "/u.pin+0+0000000002.json", "2\n"}}));
}

TEST_F(ObjectSinkTest, the_schedule_follows_the_time_zone) {
  SinkConfig in_zone = config({{"flush.size", "100"}, {"rotate.schedule.interval.ms", "86400000"}});
  in_zone.timezone = [](int64_t) { return 3'600; };
  create("u.pin");
  send("u.pin", {"0"});
  int64_t to_midnight = 86'400'000 - (clock.wall_ms() + 3'600'000) % 86'400'000;
  start(in_zone);
  wait_until([&] { return task().partitions.at(0).open_records == 1; });
  EXPECT_EQ(task().partitions.at(0).closes_in_ms, to_midnight);
}

TEST_F(ObjectSinkTest, when_memory_is_full_the_largest_open_file_is_closed) {
  create("u.big");
  create("u.small");
  send("u.big", {"\"" + std::string(1'000, 'x') + "\""});
  start(config({{"flush.size", "100"}}), std::make_shared<Memory>(1'500));
  wait_until([&] { return task().partitions.at(0).open_records == 1; });
  send("u.small", {"\"" + std::string(600, 'y') + "\"", "1"});
  wait_until([&] { return all_objects().contains(key("u.big", 0, 0)); });
  EXPECT_FALSE(all_objects().contains(key("u.small", 0, 0)));
}

}  // namespace
}  // namespace pinpipe::sink
