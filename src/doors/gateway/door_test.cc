#include "doors/gateway/door.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "codec/json.h"
#include "doors/gateway/openapi.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "io/timer.h"
#include "kit/fake_clock.h"

namespace pinpipe::gateway {
namespace {

struct GatewayTest : testing::Test {
  io::Runtime runtime{{.loops = 1, .disk_threads = 1, .work_threads = 1}};
  kit::FakeClock clock;
  std::unique_ptr<Door> door;
  std::string action, sent;          // what Kinesis was last asked
  std::string prefix, content_type;  // as the proxy saw them
  bool rest_gave_up = false;
  KinesisAnswer kinesis_says{200, "{\"ok\":1}"};
  http::Response response;

  void start(Door::Options options = {}) {
    Door::Behind behind;
    behind.rest = [this](http::Request& request, http::Response& answer) {
      return rest(request, answer);
    };
    behind.plan_rest_body = [](const http::Request&) {
      return http::BodyPlan{.bytes_max = 64ULL << 20, .stream = true};
    };
    behind.operations = [](http::Request& request, http::Response& answer) -> io::Task<> {
      answer.set_text(200, "operations " + request.target);
      co_return;
    };
    behind.kinesis = [this](std::string what, std::string body) -> io::Task<KinesisAnswer> {
      action = std::move(what);
      sent = std::move(body);
      co_return kinesis_says;
    };
    behind.shape_refusal = [](const http::Request&, http::Response& answer) {
      answer.body = "as rest";
    };
    door = std::make_unique<Door>(std::move(options), std::move(behind), clock);
  }

  // Says what came; a read of records waits for ever.
  io::Task<> rest(http::Request& request, http::Response& answer) {
    prefix = request.headers.find("X-Forwarded-Prefix").value_or("");
    content_type = request.headers.find("Content-Type").value_or("");
    answer.set_text(200, "rest " + request.method + " " + request.target);
    if (request.path().ends_with("/instances/i/records"))
      rest_gave_up = !co_await io::sleep_until(io::never);
  }

  std::string ask(std::string method, std::string target, std::string body = "",
                  std::vector<std::pair<std::string, std::string>> headers = {}) {
    if (!door) start();
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    response = {};
    action = sent = "";
    auto handler = door->handler();
    io::run_on(runtime.loop(0), handler(request, response));
    return response.body;
  }
  // The bytes that a PutRecord stores.
  std::string stored(std::string body) {
    ask("PUT", "/test/streams/s/record", std::move(body));
    auto made = codec::parse_json(sent);
    if (!made) return "not JSON: " + sent;
    return from_base64((*made)["Data"].as_string().value_or("*")).value_or("not base64");
  }
  void expect_missing_token() {
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.body, "{\"message\":\"Missing Authentication Token\"}");
    EXPECT_EQ(response.headers.find("x-amzn-ErrorType"), "MissingAuthenticationTokenException");
    EXPECT_TRUE(response.headers.has("x-amzn-RequestId"));
  }
};

TEST_F(GatewayTest, any_stage_is_taken_off_and_no_stage_is_fine_too) {
  for (std::string stage : {"test", "dev", "Prod", "production", "stage-2", "test_streams",
                            "kinesis", "0e90e0175553-stage"}) {
    EXPECT_EQ(ask("POST", "/" + stage + "/topics/a.pin?x=1"), "rest POST /topics/a.pin?x=1");
  }
  EXPECT_EQ(ask("POST", "/topics/a.pin"), "rest POST /topics/a.pin");
  EXPECT_EQ(ask("GET", "/test/topics"), "rest GET /topics");
  EXPECT_EQ(ask("GET", "/consumers/g"), "rest GET /consumers/g");
  EXPECT_EQ(ask("GET", "/dev/brokers"), "rest GET /brokers");
  EXPECT_EQ(ask("GET", "/v3/clusters"), "rest GET /v3/clusters");
  EXPECT_EQ(ask("POST", "//dev//topics/a.pin/"), "rest POST //topics/a.pin/");
  EXPECT_EQ(ask("GET", "/dev/no/such/thing"), "rest GET /no/such/thing");
  EXPECT_EQ(ask("GET", "/livez"), "operations /livez");
}

TEST_F(GatewayTest, the_token_is_missing_where_api_gateway_says_so) {
  for (std::string target : {"/", "//", "/test", "/test/", "/test//", "/test?x=1", "/?x"}) {
    ask("GET", target);
    expect_missing_token();
  }
  for (std::string target : {"/test/streams", "/streams/s/record/x", "/streams/s/unknown"}) {
    ask("PATCH", target);
    expect_missing_token();
  }
  ask("PUT", "/test/streams/s", "{}");
  expect_missing_token();
  EXPECT_FALSE(response.headers.has("Allow"));
}

TEST_F(GatewayTest, listed_stages_are_the_only_ones) {
  start({.stages = {"prod"}});
  EXPECT_EQ(ask("GET", "/prod/topics"), "rest GET /topics");
  EXPECT_EQ(ask("GET", "/topics"), "rest GET /topics");
  ask("GET", "/dev/topics");
  expect_missing_token();
}

TEST_F(GatewayTest, a_key_is_asked_for_when_there_are_any) {
  start({.api_keys = {"secret"}});
  EXPECT_EQ(ask("GET", "/dev/topics", "", {{"X-API-Key", "secret"}}), "rest GET /topics");
  for (std::string key : {"", "Secret", "secret1"}) {
    EXPECT_EQ(ask("GET", "/dev/topics", "", {{"x-api-key", key}}), "{\"message\":\"Forbidden\"}");
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.headers.find("x-amzn-ErrorType"), "ForbiddenException");
  }
  ask("GET", "/topics");
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(ask("GET", "/livez"), "operations /livez");
}

TEST_F(GatewayTest, beyond_the_rate_requests_are_too_many_until_time_has_passed) {
  start({.requests_per_second = 10, .burst = 3});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask("GET", "/topics"), "rest GET /topics");
  EXPECT_EQ(ask("GET", "/topics"), "{\"message\":\"Too Many Requests\"}");
  EXPECT_EQ(response.status, 429);
  clock.advance(Millis(100));
  EXPECT_EQ(ask("GET", "/topics"), "rest GET /topics");
  EXPECT_EQ(ask("GET", "/topics"), "{\"message\":\"Too Many Requests\"}");
}

TEST_F(GatewayTest, ten_megabytes_are_the_limit_behind_a_stage) {
  start();
  http::Request head;
  head.target = "/dev/topics/a.pin";
  EXPECT_EQ(door->plan_body(head).bytes_max, 10ULL << 20);
  response.set_text(413, "The request's body is too large.\n");
  door->shape_refusal(head, response);
  EXPECT_EQ(response.body, "{\"message\":\"Request Too Long\"}");
  head.target = "/topics/a.pin";
  EXPECT_EQ(door->plan_body(head).bytes_max, 64ULL << 20);
  door->shape_refusal(head, response);
  EXPECT_EQ(response.body, "as rest");
}

// Kinesis, by the mapping templates.

TEST_F(GatewayTest, paths_become_actions) {
  EXPECT_EQ(ask("GET", "/dev/streams?Limit=5"), "{\"ok\":1}");
  EXPECT_EQ(action, "ListStreams");
  EXPECT_EQ(sent, "{}");
  ask("GET", "/dev//streams/s", "{\"StreamName\":\"other\"}");
  EXPECT_EQ(action, "DescribeStream");
  EXPECT_EQ(sent, "{\"StreamName\":\"s\"}");
  ask("POST", "/streams/s");
  EXPECT_EQ(action, "CreateStream");
  EXPECT_EQ(sent, "{\"StreamName\":\"s\",\"ShardCount\":5}");
  ask("POST", "/streams/s", "{\"ShardCount\":2}");
  EXPECT_EQ(sent, "{\"StreamName\":\"s\",\"ShardCount\":2}");
  ask("DELETE", "/dev/streams/s/");
  EXPECT_EQ(action, "DeleteStream");
  EXPECT_EQ(response.headers.find("Content-Type"), "application/x-amz-json-1.1");
  ask("GET", "/dev/streams/s/sharditerator?shard-id=shardId-000000000000");
  EXPECT_EQ(action, "GetShardIterator");
  EXPECT_EQ(sent,
            "{\"StreamName\":\"s\",\"ShardId\":\"shardId-000000000000\","
            "\"ShardIteratorType\":\"TRIM_HORIZON\"}");
  ask("GET", "/dev/streams/s/records", "", {{"Shard-Iterator", "AAA="}});
  EXPECT_EQ(action, "GetRecords");
  EXPECT_EQ(sent, "{\"ShardIterator\":\"AAA=\"}");
}

TEST_F(GatewayTest, put_record_takes_the_paths_stream_and_encodes_the_data) {
  ask("PUT", "/dev/streams/streaming-x-pin/record",
      "{\"StreamName\": \"{self.stream_name}\", \"Data\": {\"index\": 1, \"name\": \"\\u00e9\"}, "
      "\"PartitionKey\": \"partition-1\"}",
      {{"Content-Type", "application/json; charset=utf-8"}});
  EXPECT_EQ(action, "PutRecord");
  EXPECT_EQ(sent, "{\"StreamName\":\"streaming-x-pin\",\"Data\":\"" +
                      to_base64("{\"index\":1,\"name\":\"\u00e9\"}") +
                      "\",\"PartitionKey\":\"partition-1\"}");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.find("Content-Type"), "application/json");
  ask("POST", "/dev/streams/s/record", "{\"Data\":1,\"PartitionKey\":5730}");
  EXPECT_EQ(sent, "{\"StreamName\":\"s\",\"Data\":\"MQ==\",\"PartitionKey\":\"5730\"}");
  ask("PUT", "/dev/streams/record?stream-name=streaming-x-geo",
      "{\"Data\":1,\"PartitionKey\":\"k\"}");
  EXPECT_EQ(action, "PutRecord");
  EXPECT_TRUE(sent.starts_with("{\"StreamName\":\"streaming-x-geo\",")) << sent;
}

TEST_F(GatewayTest, what_is_stored_is_what_the_template_makes) {
  EXPECT_EQ(stored(R"({"Data": {"ind": 5730, "first_name": "Rachel"}, "PartitionKey": "x"})"),
            R"({"ind":5730,"first_name":"Rachel"})");
  EXPECT_EQ(stored(R"({"Data": "some data", "PartitionKey": "x"})"), R"("some data")");
  EXPECT_EQ(stored(R"({"Data": "{\"a\":1}", "PartitionKey": "x"})"), R"("{\"a\":1}")");
  EXPECT_EQ(stored(R"({"Data": {"Data": {"a": 1}}, "PartitionKey": "x"})"), R"({"Data":{"a":1}})");
  EXPECT_EQ(stored(R"({"records": [{"value": 1}]})"), R"("")");
  ask("PUT", "/streams/s/record", R"({"Data": 1, "PartitionKey": "a\"b"})");
  EXPECT_FALSE(codec::parse_json(sent)) << "a template inserts raw: " << sent;
  ask("PUT", "/streams/s/record", R"({"Data": 1})");
  EXPECT_TRUE(sent.ends_with("\"PartitionKey\":\"\"}"));
}

TEST_F(GatewayTest, put_records_makes_java_text_of_objects_in_the_exact_profile) {
  ask("PUT", "/streams/s/records",
      R"({"records": [{"data": "text", "partition-key": "a"},
                      {"data": {"index": 7528, "tags": ["a", null], "o": {"b": true}},
                       "partition-key": "b"}]})");
  EXPECT_EQ(action, "PutRecords");
  EXPECT_EQ(sent, "{\"StreamName\":\"s\",\"Records\":[{\"Data\":\"" + to_base64("text") +
                      "\",\"PartitionKey\":\"a\"},{\"Data\":\"" +
                      to_base64("{index=7528, tags=[a, null], o={b=true}}") +
                      "\",\"PartitionKey\":\"b\"}]}");
  ask("PUT", "/streams/s/records", R"({"Records": [{"Data": 1, "PartitionKey": "a"}]})");
  EXPECT_EQ(sent, "{\"StreamName\":\"s\",\"Records\":[]}");
  ask("PUT", "/streams/s/records", R"({"records": [{"data": "dGV4dA==", "partition-key": "a"}]})",
      {{"Content-Type", "application/x-amz-json-1.1"}});
  EXPECT_EQ(sent,
            "{\"StreamName\":\"s\",\"Records\":[{\"Data\":\"dGV4dA==\",\"PartitionKey\":\"a\"}]}");
}

TEST_F(GatewayTest, errors_of_kinesis_are_200_but_for_delete_in_the_exact_profile) {
  kinesis_says = {400, "{\"__type\":\"ResourceNotFoundException\"}"};
  EXPECT_EQ(ask("GET", "/streams/s"), "{\"__type\":\"ResourceNotFoundException\"}");
  EXPECT_EQ(response.status, 200);
  ask("DELETE", "/streams/s");
  EXPECT_EQ(response.status, 400);
  kinesis_says.status = 503;
  ask("DELETE", "/streams/s");
  EXPECT_EQ(response.status, 500);
}

TEST_F(GatewayTest, the_strict_profile_says_what_is_wrong) {
  start({.profile = Profile::strict});
  kinesis_says = {400, "{\"__type\":\"ResourceNotFoundException\"}"};
  ask("GET", "/streams/s");
  EXPECT_EQ(response.status, 400);
  kinesis_says = {200, "{}"};
  ask("PUT", "/streams/s/record", R"({"records": []})");
  EXPECT_EQ(response.status, 400);
  EXPECT_NE(response.body.find("\\\"Data\\\" is missing."), std::string::npos) << response.body;
  ask("PUT", "/streams/s/record", R"({"Data": 1, "PartitionKey": "a\"b"})");
  EXPECT_EQ(sent, R"({"StreamName":"s","Data":"MQ==","PartitionKey":"a\"b"})");
  ask("PUT", "/streams/s/records", R"({"records": [{"data": {"a": 1}, "partition-key": "b"}]})");
  EXPECT_NE(sent.find(to_base64("{\"a\":1}")), std::string::npos);
  ask("PUT", "/streams/s/records", R"({"Records": []})");
  EXPECT_EQ(response.status, 400);
}

TEST_F(GatewayTest, bodies_and_types_that_no_template_takes_are_refused) {
  ask("PUT", "/streams/s/record", "{'Data': 1}");
  EXPECT_EQ(response.status, 400);
  EXPECT_TRUE(response.body.starts_with("{\"message\":\"Could not parse request body into json: "));
  ask("PUT", "/streams/s/record", "{}", {{"Content-Type", "application/vnd.kafka.json.v2+json"}});
  EXPECT_EQ(response.status, 415);
  EXPECT_EQ(response.body, "{\"message\":\"Unsupported Media Type\"}");
  EXPECT_EQ(action, "");
}

TEST_F(GatewayTest, an_answer_that_takes_too_long_behind_a_stage_is_a_504) {
  start({.answer_within = Millis(10)});
  EXPECT_EQ(ask("GET", "/prod/consumers/g/instances/i/records?timeout=60000"),
            "{\"message\":\"Endpoint request timed out\"}");
  EXPECT_EQ(response.status, 504);
  EXPECT_TRUE(rest_gave_up) << "what was waiting is told so";
  EXPECT_EQ(ask("GET", "/prod/consumers/g/instances/j/records"),
            "rest GET /consumers/g/instances/j/records");
}

TEST_F(GatewayTest, the_proxy_is_told_the_stage_where_it_writes_links) {
  ask("POST", "/prod/consumers/g");
  EXPECT_EQ(prefix, "/prod");
  ask("GET", "/prod/v3/clusters", "", {{"X-Forwarded-Prefix", "/front"}});
  EXPECT_EQ(prefix, "/front/prod");
  ask("POST", "/consumers/g");
  EXPECT_EQ(prefix, "");
}

TEST_F(GatewayTest, a_missing_content_type_is_json_behind_a_stage) {
  ask("POST", "/prod/topics/t", "{}");
  EXPECT_EQ(content_type, "application/json");
  ask("POST", "/topics/t", "{}");
  EXPECT_EQ(content_type, "");
  ask("GET", "/prod/topics");
  EXPECT_EQ(content_type, "");
}

TEST_F(GatewayTest, only_direct_bodies_may_come_while_they_are_read) {
  start();
  http::Request head;
  head.method = "POST";
  head.target = "/v3/clusters/c/topics/t/records";
  EXPECT_TRUE(door->plan_body(head).stream);
  head.target = "/prod/v3/clusters/c/topics/t/records";
  EXPECT_FALSE(door->plan_body(head).stream);
}

TEST_F(GatewayTest, the_openapi_document_is_json_and_served) {
  ask("GET", "/openapi.json");
  EXPECT_EQ(response.status, 200);
  auto document = codec::parse_json(response.body);
  ASSERT_TRUE(document) << document.error().text();
  EXPECT_NE((*document)["paths"].find("/topics/{topic}"), nullptr);
}

}  // namespace
}  // namespace pinpipe::gateway
