#include "sink/connectors.h"

#include <gtest/gtest.h>

#include "io/runtime.h"
#include "kit/fake_clock.h"
#include "kit/memory_topics.h"
#include "kit/temporary_directory.h"
#include "objects/bucket_store.h"

namespace pinpipe::sink {
namespace {

class ConnectorsTest : public testing::Test {
 protected:
  ConnectorsTest() {
    auto opened =
        objects::BucketStore::open({.root = directory.path() + "/buckets"}, runtime.disk());
    CHECK(opened.has_value(), "the store opens");
    store = std::move(*opened);
    EXPECT_TRUE(wait(store->create_bucket("box")));
    broker::TopicSpec spec;
    spec.name = "u.pin";
    EXPECT_TRUE(wait(topics.create(spec)));
    open();
    start();
  }
  ~ConnectorsTest() override { stop(); }

  void open() {
    auto made = Connectors::open(
        directory.path() + "/sink.db",
        {topics, *store, runtime.disk(), runtime.loop(0), clock, utc_only, "u-plugin"});
    CHECK(made.has_value(), "the connectors open");
    connectors = std::move(*made);
  }
  void start() { io::run_on(runtime.loop(0), connectors->start()); }
  void stop() {
    io::run_on(runtime.loop(0), connectors->stop());
    connectors.reset();
  }
  // From the other loop, as doors do.
  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(runtime.loop(1), std::move(task));
  }
  Properties properties(std::string_view flush_size = "2") {
    return {{"connector.class", "io.confluent.connect.s3.S3SinkConnector"},
            {"format.class", "JsonFormat"},
            {"s3.bucket.name", "box"},
            {"topics", "u.pin"},
            {"flush.size", std::string(flush_size)},
            {"retry.backoff.ms", "20"}};
  }
  void send(std::vector<std::string> values) {
    std::vector<broker::RecordIn> records(values.size());
    for (size_t i = 0; i < values.size(); ++i) records[i].value = values[i];
    ASSERT_TRUE(wait(topics.produce("u.pin", records, broker::Acks::committed)));
  }
  std::string all_bytes() {
    std::string all;
    auto listing = wait(store->list("box", {}));
    for (const auto& object : listing->objects) all += *wait(store->get("box", object.key, {}));
    return all;
  }
  Code code_of(const auto& result) { return result ? Code::internal : result.error().code(); }
  Status flush() { return wait(connectors->flush("c", io::after(Millis(20'000)))); }

  kit::TemporaryDirectory directory;
  io::Runtime runtime{{.loops = 2, .disk_threads = 4, .work_threads = 1}};
  kit::FakeClock clock;
  kit::MemoryTopics topics;
  std::unique_ptr<objects::BucketStore> store;
  std::unique_ptr<Connectors> connectors;
};

TEST_F(ConnectorsTest, a_connector_is_made_runs_and_is_still_there_after_a_restart) {
  auto made = wait(connectors->create("c", properties("1")));
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->tasks, 1);
  EXPECT_EQ(made->config.at("name"), "c");
  EXPECT_EQ(code_of(wait(connectors->create("c", properties()))), Code::conflict);
  send({"1", "2"});
  ASSERT_TRUE(flush());
  ASSERT_TRUE(wait(connectors->want("c", "PAUSED")));
  stop();
  open();
  start();
  auto there = wait(connectors->find("c"));
  ASSERT_TRUE(there);
  EXPECT_EQ(there->wanted, "PAUSED");
  send({"3"});
  EXPECT_EQ(wait(connectors->status("c"))->state, "PAUSED");
  EXPECT_EQ(code_of(flush()), Code::conflict);
  EXPECT_EQ(all_bytes(), "1\n2\n");
  ASSERT_TRUE(wait(connectors->want("c", "RUNNING")));
  ASSERT_TRUE(flush());
  EXPECT_EQ(all_bytes(), "1\n2\n3\n");
}

TEST_F(ConnectorsTest, a_stopped_connector_has_no_tasks_and_a_deleted_one_goes_on_when_it_is_back) {
  ASSERT_TRUE(wait(connectors->create("c", properties("1"))));
  send({"1"});
  ASSERT_TRUE(flush());
  ASSERT_TRUE(wait(connectors->want("c", "STOPPED")));
  EXPECT_EQ(wait(connectors->find("c"))->tasks, 0);
  EXPECT_EQ(wait(connectors->status("c"))->state, "STOPPED");
  EXPECT_EQ(code_of(wait(connectors->restart("c", {}))), Code::conflict);
  ASSERT_TRUE(wait(connectors->remove("c")));
  EXPECT_EQ(code_of(wait(connectors->remove("c"))), Code::not_found);
  EXPECT_EQ(code_of(wait(connectors->status("c"))), Code::not_found);
  send({"2"});
  ASSERT_TRUE(wait(connectors->put("c", properties("1")))->created);
  ASSERT_TRUE(flush());
  EXPECT_EQ(all_bytes(), "1\n2\n");
}

TEST_F(ConnectorsTest, a_bad_configuration_changes_nothing_and_names_every_key) {
  Properties bad = properties();
  bad["flush.size"] = "0";
  bad["topics.dri"] = "x";
  auto refused = wait(connectors->create("c", bad));
  ASSERT_EQ(code_of(refused), Code::invalid);
  EXPECT_NE(refused.error().text().find("flush.size"), std::string::npos);
  EXPECT_NE(refused.error().text().find("topics.dri"), std::string::npos);
  EXPECT_TRUE(wait(connectors->list())->empty());
}

TEST_F(ConnectorsTest, the_custom_plugin_s_name_stands_for_the_sink) {
  Properties by_plugin = properties();
  by_plugin["connector.class"] = "u-plugin";
  EXPECT_TRUE(wait(connectors->create("c", by_plugin)));
  by_plugin["connector.class"] = "x-plugin";
  EXPECT_EQ(code_of(wait(connectors->create("d", by_plugin))), Code::invalid);
}

TEST_F(ConnectorsTest, what_was_done_to_the_project_s_connector_stays_until_the_project_changes) {
  stop();
  open();
  ASSERT_TRUE(connectors->declare("c", properties("1")));
  start();
  ASSERT_TRUE(wait(connectors->remove("c")));
  stop();
  open();
  ASSERT_TRUE(connectors->declare("c", properties("1")));
  EXPECT_TRUE(io::wait_on(runtime.loop(0), connectors->list())->empty()) << "it stays deleted";
  ASSERT_TRUE(connectors->declare("c", properties("5")));
  start();
  ASSERT_TRUE(wait(connectors->put("c", properties("7"))));
  stop();
  open();
  ASSERT_TRUE(connectors->declare("c", properties("5")));
  start();
  EXPECT_EQ(wait(connectors->find("c"))->config.at("flush.size"), "7");
}

// Each change ends a sink with uploads and commits under way; the next one must find the bucket and
// the position at rest.
TEST_F(ConnectorsTest, reconfigured_at_any_moment_every_record_is_stored_once) {
  ASSERT_TRUE(wait(connectors->create("c", properties("3"))));
  std::string expected;
  for (int round = 0; round < 30; ++round) {
    std::vector<std::string> values;
    for (int i = 0; i < 20; ++i) {
      values.push_back(std::to_string(round * 20 + i));
      expected += values.back() + "\n";
    }
    send(values);
    if (round % 5 == 4) {
      ASSERT_TRUE(wait(connectors->restart("c", {.task = 0})));
    }
    ASSERT_TRUE(wait(connectors->put("c", properties(std::to_string(1 + round % 7)))));
  }
  ASSERT_TRUE(flush());
  EXPECT_EQ(all_bytes(), expected);
}

TEST_F(ConnectorsTest, files_of_different_connectors_share_one_budget_of_memory) {
  Memory memory(10);
  EXPECT_FALSE(memory.is_full());
  memory.hold(10);
  EXPECT_TRUE(memory.is_full());
  memory.give_back(1);
  EXPECT_FALSE(memory.is_full());
  for (size_t i = 0; i < Memory::uploads_max; ++i) memory.begin_upload();
  EXPECT_TRUE(memory.is_full());
}

}  // namespace
}  // namespace pinpipe::sink
