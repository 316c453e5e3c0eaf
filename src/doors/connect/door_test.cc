#include "doors/connect/door.h"

#include <gtest/gtest.h>

#include "codec/json.h"
#include "io/runtime.h"
#include "kit/memory_topics.h"
#include "kit/temporary_directory.h"
#include "objects/bucket_store.h"

namespace pinpipe::connect {
namespace {

using codec::Json;

class ConnectDoorTest : public testing::Test {
 protected:
  ConnectDoorTest() {
    auto opened =
        objects::BucketStore::open({.root = directory.path() + "/buckets"}, runtime.disk());
    CHECK(opened.has_value(), "the store opens");
    store = std::move(*opened);
    auto made = sink::Connectors::open(directory.path() + "/sink.db",
                                       {topics, *store, runtime.disk(), runtime.loop(0),
                                        system_clock(), sink::utc_only, "u-plugin"});
    CHECK(made.has_value(), "the connectors open");
    connectors = std::move(*made);
    io::run_on(runtime.loop(0), connectors->start());
    EXPECT_TRUE(io::wait_on(runtime.loop(0), store->create_bucket("box")));
    broker::TopicSpec spec;
    spec.name = "u.pin";
    EXPECT_TRUE(io::wait_on(runtime.loop(0), topics.create(spec)));
    door = std::make_unique<Door>(Door::Options{.version = "1.2.3",
                                                .cluster_id = "cluster",
                                                .plugin = "u-plugin",
                                                .worker = "127.0.0.1:8083"},
                                  *connectors);
  }
  ~ConnectDoorTest() override { io::run_on(runtime.loop(0), connectors->stop()); }

  http::Response send(std::string method, std::string target, std::string body = {}) {
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    http::Response response;
    io::run_on(runtime.loop(1), door->handler()(request, response));
    return response;
  }
  static Json json_of(const http::Response& response) {
    auto json = codec::parse_json(response.body);
    return json ? *json : Json(response.body);
  }
  static std::string message_of(const http::Response& response) {
    Json json = json_of(response);
    EXPECT_EQ(json["error_code"].as_int(), response.status) << response.body;
    return std::string(json["message"].as_string().value_or(""));
  }
  static std::string config(std::string_view more = "") {
    return R"({"connector.class":"io.confluent.connect.s3.S3SinkConnector","tasks.max":"2",)"
           R"("format.class":"io.confluent.connect.s3.format.json.JsonFormat","topics":"u.pin",)"
           R"("s3.bucket.name":"box","flush.size":1)" +
           std::string(more) + "}";
  }
  static std::string named(std::string_view name, std::string_view more = "") {
    return R"({"name":")" + std::string(name) + R"(","config":)" + config(more) + "}";
  }

  kit::TemporaryDirectory directory;
  io::Runtime runtime{{.loops = 2, .disk_threads = 4, .work_threads = 1}};
  kit::MemoryTopics topics;
  std::unique_ptr<objects::BucketStore> store;
  std::unique_ptr<sink::Connectors> connectors;
  std::unique_ptr<Door> door;
};

TEST_F(ConnectDoorTest, a_connector_lives_as_connect_s_clients_expect_it) {
  EXPECT_EQ(send("GET", "/connectors").body, "[]");
  auto made = send("POST", "/connectors", named("c"));
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.headers.find("Location"), "/connectors/c");
  EXPECT_EQ(json_of(made)["name"], Json("c"));
  EXPECT_EQ(json_of(made)["type"], Json("sink"));
  EXPECT_EQ(json_of(made)["config"]["flush.size"], Json("1"));
  EXPECT_EQ(json_of(made)["tasks"].size(), 2U);
  EXPECT_EQ(send("GET", "/connectors").body, R"(["c"])");
  auto again = send("POST", "/connectors", named("c"));
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(message_of(again), "Connector c already exists");
  auto status = json_of(send("GET", "/connectors/c/status"));
  EXPECT_EQ(status["connector"]["state"], Json("RUNNING"));
  EXPECT_EQ(status["tasks"].size(), 2U);
  EXPECT_EQ(status["tasks"].elements()[1]["worker_id"], Json("127.0.0.1:8083"));
  EXPECT_EQ(send("DELETE", "/connectors/c").status, 204);
  auto gone = send("GET", "/connectors/c");
  EXPECT_EQ(gone.status, 404);
  EXPECT_EQ(message_of(gone), "Connector c not found");
}

TEST_F(ConnectDoorTest, a_configuration_is_put_patched_and_read) {
  EXPECT_EQ(send("PUT", "/connectors/c/config", config()).status, 201);
  EXPECT_EQ(send("PUT", "/connectors/c/config", config(R"(,"file.delim":"-")")).status, 200);
  EXPECT_EQ(json_of(send("GET", "/connectors/c/config"))["file.delim"], Json("-"));
  EXPECT_EQ(send("PATCH", "/connectors/c/config", R"({"file.delim":null,"flush.size":"9"})").status,
            200);
  Json now = json_of(send("GET", "/connectors/c/config"));
  EXPECT_EQ(now.find("file.delim"), nullptr);
  EXPECT_EQ(now["flush.size"], Json("9"));
  EXPECT_EQ(now["name"], Json("c"));
  auto other = send("PUT", "/connectors/c/config", config(R"(,"name":"d")"));
  EXPECT_EQ(other.status, 400);
  EXPECT_NE(message_of(other).find("doesn't match"), std::string::npos);
}

TEST_F(ConnectDoorTest, it_is_paused_resumed_stopped_and_restarted) {
  ASSERT_EQ(send("POST", "/connectors", named("c")).status, 201);
  auto state = [&] { return json_of(send("GET", "/connectors/c/status"))["connector"]["state"]; };
  EXPECT_EQ(send("PUT", "/connectors/c/pause").status, 202);
  EXPECT_EQ(state(), Json("PAUSED"));
  EXPECT_EQ(send("PUT", "/connectors/c/resume").status, 202);
  EXPECT_EQ(state(), Json("RUNNING"));
  EXPECT_EQ(send("POST", "/connectors/c/restart").status, 204);
  auto restarted = send("POST", "/connectors/c/restart?includeTasks=true&onlyFailed=true");
  EXPECT_EQ(restarted.status, 202);
  EXPECT_EQ(json_of(restarted)["name"], Json("c"));
  EXPECT_EQ(send("POST", "/connectors/c/tasks/1/restart").status, 204);
  EXPECT_EQ(send("POST", "/connectors/c/tasks/7/restart").status, 404);
  EXPECT_EQ(json_of(send("GET", "/connectors/c/tasks/1/status"))["state"], Json("RUNNING"));
  EXPECT_EQ(json_of(send("GET", "/connectors/c/tasks")).size(), 2U);
  EXPECT_EQ(send("PUT", "/connectors/c/stop").status, 204);
  EXPECT_EQ(state(), Json("STOPPED"));
  EXPECT_EQ(json_of(send("GET", "/connectors/c/tasks")).size(), 0U);
  EXPECT_EQ(send("POST", "/connectors/c/restart").status, 409);
  EXPECT_EQ(send("PUT", "/connectors/x/pause").status, 404);
}

TEST_F(ConnectDoorTest, lists_expand_and_topics_and_offsets_are_told) {
  ASSERT_EQ(send("POST", "/connectors", named("c")).status, 201);
  broker::RecordIn record;
  record.value = "1";
  ASSERT_TRUE(io::wait_on(runtime.loop(0),
                          topics.produce("u.pin", std::span(&record, 1), broker::Acks::committed)));
  ASSERT_TRUE(io::wait_on(runtime.loop(1), connectors->flush("c", io::after(Millis(20'000)))));
  Json expanded = json_of(send("GET", "/connectors?expand=status&expand=info"));
  EXPECT_EQ(expanded["c"]["status"]["connector"]["state"], Json("RUNNING"));
  EXPECT_EQ(expanded["c"]["info"]["config"]["topics"], Json("u.pin"));
  EXPECT_EQ(send("GET", "/connectors/c/topics").body, R"({"c":{"topics":["u.pin"]}})");
  EXPECT_EQ(send("GET", "/connectors/c/offsets").body,
            R"({"offsets":[{"partition":{"kafka_partition":0,"kafka_topic":"u.pin"},)"
            R"("offset":{"kafka_offset":1}}]})");
}

TEST_F(ConnectDoorTest, wrong_configurations_are_refused_with_every_key) {
  auto refused = send("POST", "/connectors", named("c", R"(,"store.url":"x","flush.sise":"1")"));
  EXPECT_EQ(refused.status, 400);
  std::string message = message_of(refused);
  EXPECT_TRUE(message.starts_with(
      "Connector configuration is invalid and contains the following 2 error(s):\n"))
      << message;
  EXPECT_NE(message.find("flush.sise"), std::string::npos);
  EXPECT_EQ(send("POST", "/connectors", "{").status, 400);
  EXPECT_EQ(send("POST", "/connectors", R"({"nome":"c"})").status, 400);
  EXPECT_EQ(send("POST", "/connectors", R"({"config":{}})").status, 400);
  EXPECT_EQ(send("POST", "/connectors", R"({"name":"c","config":{"topics":[]}})").status, 400);
}

TEST_F(ConnectDoorTest, validate_tells_each_key_s_errors) {
  auto plugins = json_of(send("GET", "/connector-plugins"));
  ASSERT_EQ(plugins.size(), 2U);
  EXPECT_EQ(plugins.elements()[0]["class"], Json("io.confluent.connect.s3.S3SinkConnector"));
  EXPECT_EQ(plugins.elements()[1]["class"], Json("u-plugin"));
  auto report = send("PUT", "/connector-plugins/S3SinkConnector/config/validate",
                     config(R"(,"name":"c","flush.size":"0","nonsense":"1")"));
  EXPECT_EQ(report.status, 200);
  Json json = json_of(report);
  EXPECT_EQ(json["error_count"], Json(2));
  std::map<std::string, size_t> errors;
  for (const Json& one : json["configs"].elements())
    errors[std::string(*one["value"]["name"].as_string())] = one["value"]["errors"].size();
  EXPECT_EQ(errors.at("flush.size"), 1U);
  EXPECT_EQ(errors.at("nonsense"), 1U);
  EXPECT_EQ(errors.at("topics"), 0U);
  EXPECT_FALSE(errors.contains("transforms"));
  EXPECT_EQ(send("PUT", "/connector-plugins/u-plugin/config/validate", "{}").status, 200);
  EXPECT_EQ(send("PUT", "/connector-plugins/JdbcSink/config/validate", "{}").status, 404);
  EXPECT_GT(json_of(send("GET", "/connector-plugins/S3Sink/config")).size(), 40U);
}

TEST_F(ConnectDoorTest, other_paths_and_methods_answer_in_connect_s_shape) {
  EXPECT_EQ(message_of(send("GET", "/nothing")), "HTTP 404 Not Found");
  EXPECT_EQ(message_of(send("DELETE", "/connectors")), "HTTP 405 Method Not Allowed");
  EXPECT_EQ(json_of(send("GET", "/"))["version"], Json("1.2.3"));
  EXPECT_EQ(send("GET", "/connectors/").status, 200) << "a slash more is no harm";
}

}  // namespace
}  // namespace pinpipe::connect
