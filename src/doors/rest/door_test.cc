#include "doors/rest/door.h"

#include <gtest/gtest.h>

#include "codec/json.h"
#include "doors/rest/media.h"
#include "doors/rest/watched_topics.h"
#include "http/client.h"
#include "http/server.h"
#include "io/runtime.h"
#include "io/scope.h"

namespace pinpipe::rest {
namespace {

using io::Task;

constexpr std::string_view json_records = "application/vnd.kafka.json.v2+json";
constexpr std::string_view binary_records = "application/vnd.kafka.binary.v2+json";

struct RestTest : testing::Test {
  io::Runtime runtime{{.loops = 1, .disk_threads = 1, .work_threads = 1}};
  WatchedTopics topics;
  bool lets_in = true;
  Door door{{}, [this](const http::Request&) -> Result<broker::Topics*> {
              if (!lets_in) return Error(Code::denied, "Unknown user.");
              return &topics;
            }};
  http::Handler handler = door.handler();
  http::Response response;

  void ask(std::string method, std::string target, std::string_view type = "",
           std::string body = "", std::vector<std::pair<std::string, std::string>> headers = {}) {
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    if (!type.empty()) request.headers.add("Content-Type", type);
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    request.body = std::move(body);
    response = {};
    io::run_on(runtime.loop(0), handler(request, response));
  }
  void post(std::string body, std::string_view type = json_records) {
    ask("POST", "/topics/t", type, std::move(body));
  }
  // The value that one posted record is stored as.
  std::string stored(std::string value) {
    post("{\"records\":[{\"value\":" + value + "}]}");
    EXPECT_EQ(response.status, 200) << response.body;
    if (response.status != 200) return "";
    return topics.last("t").value.value_or("(null)");
  }
  void make(std::string name, int32_t partitions = 1) {
    broker::TopicSpec spec{std::move(name), partitions, {{"retention.ms", "1000"}}};
    ASSERT_TRUE(io::wait_on(runtime.loop(0), topics.create(std::move(spec))));
  }
  void expect_refusal(int status, int code, std::string_view text) {
    EXPECT_EQ(response.status, status) << response.body;
    auto body = codec::parse_json(response.body);
    ASSERT_TRUE(body) << response.body;
    EXPECT_EQ((*body)["error_code"].as_int(), code) << response.body;
    auto message = (*body)["message"].as_string();
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->starts_with(text)) << *message;
  }
};

TEST_F(RestTest, one_record_is_placed_and_the_answer_is_the_proxys) {
  post("{\"records\": [{\"value\": {\"index\": 7528, \"unique_id\": \"fbe53c66\"}}]}");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.find("Content-Type"), kafka_v2_type);
  EXPECT_EQ(response.body,
            "{\"offsets\":[{\"partition\":0,\"offset\":0,\"error_code\":null,\"error\":null}],"
            "\"key_schema_id\":null,\"value_schema_id\":null}");
  EXPECT_EQ(topics.last("t").value, "{\"index\":7528,\"unique_id\":\"fbe53c66\"}");
  EXPECT_EQ(topics.last("t").key, std::nullopt);
}

// What the scripts send (the variations that other people's emulators have).

TEST_F(RestTest, a_list_of_250_rows_is_one_record) {
  std::string rows = "[";
  for (int i = 0; i < 250; ++i) {
    rows += std::string(i == 0 ? "" : ", ") + "{\"index\": " + std::to_string(i) + "}";
  }
  std::string value = stored(rows + "]");
  auto parsed = codec::parse_json(value);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->size(), 250U);
  EXPECT_EQ(topics.kept.at("t").partitions[0].size(), 1U);
  EXPECT_TRUE(value.starts_with("[{\"index\":0},{\"index\":1}"));
}

TEST_F(RestTest, a_double_encoded_value_stays_a_json_string) {
  EXPECT_EQ(stored(R"("{\"ind\": 1, \"name\": \"x\"}")"), R"("{\"ind\": 1, \"name\": \"x\"}")");
}

TEST_F(RestTest, an_indented_body_is_compacted_in_the_senders_order) {
  post(
      "{\n    \"records\": [\n        {\n            \"value\": {\n                \"b\": 1,\n"
      "                \"a\": [\n                    1,\n                    2\n"
      "                ]\n            }\n        }\n    ]\n}");
  EXPECT_EQ(topics.last("t").value, "{\"b\":1,\"a\":[1,2]}");
}

TEST_F(RestTest, escapes_become_raw_utf8_and_pairs_are_joined) {
  EXPECT_EQ(stored(R"({"title": "caf\u00e9 \ud83d\ude00 \u201cq\u201d \/ \n"})"),
            "{\"title\":\"caf\u00e9 \U0001F600 \u201cq\u201d / \\n\"}");
  EXPECT_EQ(stored("{\"t\":\"\u00e9\"}"), "{\"t\":\"\u00e9\"}");
}

TEST_F(RestTest, null_columns_stay_and_a_null_value_is_a_tombstone) {
  EXPECT_EQ(stored(R"({"img_src": null, "age": 20})"), R"({"img_src":null,"age":20})");
  EXPECT_EQ(stored("null"), "(null)");
  post("{\"records\":[{}]}");
  EXPECT_EQ(topics.last("t").value, std::nullopt);
}

TEST_F(RestTest, numbers_keep_their_spelling) {
  EXPECT_EQ(stored("[1.50, 1e3, -0, 12345678901234567890123]"),
            "[1.50,1e3,-0,12345678901234567890123]");
}

TEST_F(RestTest, datetime_texts_of_every_kind_pass_untouched) {
  for (std::string_view text : {"2020-10-15 18:51:13", "2020-10-15T18:51:13", "2020:10:15 18:51:13",
                                "10/15/2020, 18:51:13"}) {
    std::string value = "{\"timestamp\":\"" + std::string(text) + "\"}";
    EXPECT_EQ(stored(value), value);
  }
}

TEST_F(RestTest, stream_names_are_topics_too_and_slashes_may_trail) {
  ask("POST", "/topics/streaming-0e90e0175553-pin/", json_records, "{\"records\":[{\"value\":1}]}");
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(topics.kept.contains("streaming-0e90e0175553-pin"));
  ask("POST", "//topics//0e90e0175553.pin", json_records, "{\"records\":[{\"value\":1}]}");
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(topics.kept.contains("0e90e0175553.pin"));
}

TEST_F(RestTest, accept_of_the_v2_type_is_honoured) {
  ask("POST", "/topics/t", json_records, "{\"records\":[{\"value\":1}]}",
      {{"Accept", "application/vnd.kafka.v2+json"}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.find("Content-Type"), kafka_v2_type);
  ask("GET", "/topics", "", "", {{"Accept", "application/json"}});
  EXPECT_EQ(response.headers.find("Content-Type"), json_type);
  ask("GET", "/topics", "", "", {{"Accept", "text/html"}});
  expect_refusal(406, 406, "HTTP 406 Not Acceptable");
}

// Records in all their parts.

TEST_F(RestTest, keys_partitions_headers_and_timestamps_arrive) {
  make("t", 3);
  post(R"({"records":[{"key":"k","value":1,"partition":2,"timestamp":1700000000000,
           "headers":[{"key":"h","value":"Zm9v"},{"name":"n","value":null}]}]})");
  ASSERT_EQ(response.status, 200) << response.body;
  const auto& record = topics.last("t", 2);
  EXPECT_EQ(record.key, "\"k\"");
  EXPECT_EQ(record.value, "1");
  EXPECT_EQ(record.timestamp_ms, 1'700'000'000'000);
  ASSERT_EQ(record.headers.size(), 2U);
  EXPECT_EQ(record.headers[0].first, "h");
  EXPECT_EQ(record.headers[0].second, "foo");
  EXPECT_EQ(record.headers[1].second, std::nullopt);
}

TEST_F(RestTest, binary_records_are_decoded) {
  post(R"({"records":[{"key":"a2V5","value":"AAH\/"},{"value":""},{"value":null}]})",
       binary_records);
  ASSERT_EQ(response.status, 200) << response.body;
  const auto& records = topics.kept.at("t").partitions[0];
  EXPECT_EQ(records[0].key, "key");
  EXPECT_EQ(records[0].value, std::string("\0\1\xff", 3));
  EXPECT_EQ(records[1].value, "");
  EXPECT_EQ(records[2].value, std::nullopt);
  for (std::string_view wrong : {"\"Zm9\"", "\"Zm9*\"", "1", "{}"}) {
    post("{\"records\":[{\"value\":" + std::string(wrong) + "}]}", binary_records);
    expect_refusal(400, 400,
                   "Bad Request: data=" + std::string(wrong) + " is not a valid base64 string.");
  }
}

TEST_F(RestTest, the_posts_mark_becomes_a_record_header) {
  ask("POST", "/topics/t", json_records, "{\"records\":[{\"value\":1}]}",
      {{"Pinpipe-Post", "run/7"}});
  ASSERT_EQ(topics.last("t").headers.size(), 1U);
  EXPECT_EQ(topics.last("t").headers[0].first, "pinpipe-post");
  EXPECT_EQ(topics.last("t").headers[0].second, "run/7");
}

TEST_F(RestTest, a_partition_in_the_path_takes_all_records) {
  make("t", 2);
  ask("POST", "/topics/t/partitions/1", json_records,
      "{\"records\":[{\"value\":1},{\"value\":2}]}");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(topics.kept.at("t").partitions[1].size(), 2U);
  ask("POST", "/topics/t/partitions/2", json_records, "{\"records\":[{\"value\":1}]}");
  expect_refusal(404, 40402, "Partition not found.");
  ask("POST", "/topics/t/partitions/x", json_records, "{\"records\":[{\"value\":1}]}");
  expect_refusal(404, 40402, "Partition not found.");
  ask("POST", "/topics/t/partitions/1", json_records,
      "{\"records\":[{\"value\":1,\"partition\":0}]}");
  expect_refusal(422, 422, "Unrecognized field: partition");
}

// Errors.

TEST_F(RestTest, bodies_that_are_no_produce_requests_are_explained) {
  struct Case {
    std::string_view body;
    int status, code;
    std::string_view text;
  };
  const Case cases[] = {
      {"", 422, 42206, "Payload error."},
      {"null", 422, 42206, "Payload error."},
      {"{\"ind\": 1, \"name\": \"x\"}", 422, 422, "Unrecognized field: ind"},
      {"{}", 422, 422, "records must not be null"},
      {"{\"records\":null}", 422, 422, "records must not be null"},
      {"{\"records\":[]}", 422, 422, "records must not be empty"},
      {"[{\"value\":1}]", 400, 400, "Bad Request: Cannot deserialize a list"},
      {"1", 400, 400, "Bad Request: Cannot deserialize this"},
      {"{\"records\":{\"value\":1}}", 400, 400, "Bad Request: \"records\" is not a list."},
      {"{\"records\":[1]}", 400, 400, "Bad Request: Cannot deserialize 1 as a record."},
      {"{\"records\":[{\"ind\":1}]}", 422, 422, "Unrecognized field: ind"},
      {"{\"records\":[{\"value\":1,\"partition\":-1}]}", 400, 400, "Bad Request: -1"},
      {"{\"records\":[{\"value\":1,\"partition\":\"0\"}]}", 400, 400, "Bad Request: \"0\""},
      {"{\"records\":[{\"value\":1,\"timestamp\":\"x\"}]}", 400, 400, "Bad Request: \"x\""},
      {"{\"records\":[{\"value\":1,\"headers\":{}}]}", 400, 400, "Bad Request: \"headers\""},
      {"{\"records\":[{\"value\":1,\"headers\":[{}]}]}", 400, 400, "Bad Request: {} is not"},
      {"{'records': []}", 400, 400, "Bad Request: the body is not JSON:"},
      {"{\"records\":[{\"value\":1}]", 400, 400, "Bad Request: the body is not JSON:"},
      {"{\"records\":[{\"value\":NaN}]}", 400, 400, "Bad Request: the body is not JSON:"},
  };
  for (const Case& one : cases) {
    post(std::string(one.body));
    expect_refusal(one.status, one.code, one.text);
  }
  EXPECT_TRUE(topics.kept.empty()) << "nothing refused makes a topic";
}

TEST_F(RestTest, wrong_content_types_are_415_with_the_right_one) {
  for (std::string_view type : {"", "application/json", "application/vnd.kafka.v2+json"}) {
    post("{\"records\":[{\"value\":1}]}", type);
    expect_refusal(415, 415, "HTTP 415 Unsupported Media Type");
    EXPECT_NE(response.body.find("application/vnd.kafka.json.v2+json"), std::string::npos);
  }
}

TEST_F(RestTest, records_with_schemas_are_refused_as_by_a_proxy_without_its_registry) {
  struct Case {
    std::string_view body;
    int status, code;
    std::string_view text;
  };
  const Case cases[] = {
      {R"({"records":[{"key":1,"value":1}],"value_schema":"{}"})", 422, 42201,
       "Request includes keys but does not include key schema"},
      {R"({"records":[{"value":1}]})", 422, 42202,
       "Request includes values but does not include value schema"},
      {R"({"records":[{"value":1}],"value_schema":"{"})", 422, 42205, "Invalid schema: {"},
      {R"({"records":[{"value":1}],"value_schema":"\"int\""})", 408, 40801,
       "Schema registration or lookup failed. Records in avro need a schema registry"},
      {R"({"records":[{"value":1}],"value_schema_id":7})", 408, 40801, "Schema registration"},
      {"x", 400, 400, "Bad Request: the body is not JSON"},
  };
  for (const Case& one : cases) {
    post(std::string(one.body), "application/vnd.kafka.avro.v2+json");
    expect_refusal(one.status, one.code, one.text);
  }
  post(R"({"records":[{"value":1}],"value_schema":"syntax"})",
       "application/vnd.kafka.protobuf.v2+json");
  expect_refusal(408, 40801, "Schema registration or lookup failed. Records in protobuf");
  EXPECT_TRUE(topics.kept.empty());
}

TEST_F(RestTest, what_only_an_embedded_broker_has_is_not_implemented_elsewhere) {
  ask("POST", "/consumers/g", kafka_v2_type, "{}");
  expect_refusal(501, 501, "HTTP 501 Not Implemented");
  ask("GET", "/v3/clusters");
  expect_refusal(501, 501, "HTTP 501 Not Implemented");
}

TEST_F(RestTest, an_unknown_topic_names_the_nearest_when_none_is_made) {
  make("0e90e0175553.pin");
  topics.auto_create = false;
  ask("POST", "/topics/0e90e0175553.pim", json_records, "{\"records\":[{\"value\":1}]}");
  expect_refusal(404, 40401, "Topic not found.");
  EXPECT_NE(response.body.find("0e90e0175553.pin"), std::string::npos) << response.body;
  ask("POST", "/topics/bad%20name", json_records, "{\"records\":[{\"value\":1}]}");
  expect_refusal(404, 40401, "Topic not found.");
  topics.auto_create = true;
  ask("POST", "/topics/bad%20name", json_records, "{\"records\":[{\"value\":1}]}");
  EXPECT_EQ(response.status, 422) << response.body;
}

TEST_F(RestTest, records_fail_one_by_one_within_an_answer_of_200) {
  make("t");
  topics.refuse_records.emplace(0, Error(Code::busy, "the queue is full"));
  topics.refuse_records.emplace(2, Error(Code::invalid, "too large"));
  post("{\"records\":[{\"value\":1},{\"value\":2},{\"value\":3}]}");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            "{\"offsets\":["
            "{\"partition\":null,\"offset\":null,\"error_code\":50003,\"error\":\"the queue is "
            "full\"},{\"partition\":0,\"offset\":0,\"error_code\":null,\"error\":null},"
            "{\"partition\":null,\"offset\":null,\"error_code\":50002,\"error\":\"too large\"}],"
            "\"key_schema_id\":null,\"value_schema_id\":null}");
}

TEST_F(RestTest, only_refusals_of_the_sender_change_the_status) {
  make("t");
  topics.refuse_next = Error(Code::denied, "local may not write to t");
  post("{\"records\":[{\"value\":1}]}");
  expect_refusal(403, 40301, "Forbidden.");
  lets_in = false;
  post("{\"records\":[{\"value\":1}]}");
  expect_refusal(401, 40101, "Authentication failed.");
  lets_in = true;
  topics.refuse_next = Error(Code::unavailable, "the broker is closing");
  post("{\"records\":[{\"value\":1}]}");
  expect_refusal(503, 50302, "Broker not available.");
  topics.refuse_next = Error(Code::busy, "too many requests");
  post("{\"records\":[{\"value\":1}]}");
  expect_refusal(503, 50301, "Service unavailable.");
  topics.refuse_next = Error(Code::timeout, "the deadline passed");
  post("{\"records\":[{\"value\":1}]}");
  expect_refusal(500, 50003, "Retriable Kafka error: ");
  topics.refuse_next = Error(Code::internal, "a device failed");
  post("{\"records\":[{\"value\":1}]}");
  expect_refusal(500, 50002, "Kafka error: ");
}

// Listings.

TEST_F(RestTest, topics_partitions_and_brokers_are_told) {
  make("b", 2);
  make("a");
  topics.kept.at("a").facts.internal = true;
  ask("GET", "/topics");
  EXPECT_EQ(response.body, "[\"b\"]");
  ask("GET", "/topics/b");
  EXPECT_EQ(response.body,
            "{\"name\":\"b\",\"configs\":{\"retention.ms\":\"1000\"},\"partitions\":["
            "{\"partition\":0,\"leader\":1,\"replicas\":[{\"broker\":1,\"leader\":true,"
            "\"in_sync\":true}]},"
            "{\"partition\":1,\"leader\":1,\"replicas\":[{\"broker\":1,\"leader\":true,"
            "\"in_sync\":true}]}]}");
  ask("GET", "/topics/b/partitions/1");
  EXPECT_EQ(response.body,
            "{\"partition\":1,\"leader\":1,\"replicas\":[{\"broker\":1,\"leader\":true,"
            "\"in_sync\":true}]}");
  ask("GET", "/topics/b/partitions");
  EXPECT_TRUE(response.body.starts_with("[{\"partition\":0,"));
  ask("GET", "/brokers");
  EXPECT_EQ(response.body, "{\"brokers\":[1]}");
  ask("GET", "/");
  EXPECT_EQ(response.body, "{}");
  ask("POST", "/topics/b", json_records, "{\"records\":[{\"value\":1,\"partition\":1}]}");
  ask("GET", "/topics/b/partitions/1/offsets");
  EXPECT_EQ(response.body, "{\"beginning_offset\":0,\"end_offset\":1}");
}

TEST_F(RestTest, what_is_not_there_has_its_code) {
  make("b", 2);
  ask("GET", "/topics/c");
  expect_refusal(404, 40401, "Topic not found.");
  ask("GET", "/topics/c/partitions");
  expect_refusal(404, 40401, "Topic not found.");
  ask("GET", "/topics/b/partitions/2");
  expect_refusal(404, 40402, "Partition not found.");
  ask("GET", "/topics/b/partitions/-1/offsets");
  expect_refusal(404, 40402, "Partition not found.");
  ask("GET", "/nothing");
  expect_refusal(404, 404, "HTTP 404 Not Found");
  ask("DELETE", "/topics/b");
  expect_refusal(405, 405, "HTTP 405 Method Not Allowed");
  EXPECT_EQ(response.headers.find("Allow"), "GET, HEAD, POST");
}

TEST_F(RestTest, the_listeners_own_refusals_have_the_apis_shape) {
  response.set_text(413, "The request's body is too large.\n");
  Door::shape_refusal({}, response);
  expect_refusal(413, 413, "HTTP 413 Payload Too Large. The request's body is too large.");
}

TEST_F(RestTest, it_is_served_over_a_socket) {
  http::Server server(runtime, {}, handler);
  auto port = server.listen_tcp("127.0.0.1", 0);
  ASSERT_TRUE(port);
  server.start();
  auto task = [](uint16_t to) -> Task<Result<http::Response>> {
    http::Client client;
    http::Request request;
    request.method = "POST";
    request.headers.add("Content-Type", json_records);
    request.body = "{\"records\":[{\"value\":{\"a\":1}}]}";
    auto url = *http::Url::parse("http://127.0.0.1:" + std::to_string(to) + "/topics/t");
    co_return co_await client.fetch(url, request, io::after(Millis(5000)));
  };
  auto answer = io::wait_on(runtime.loop(0), task(*port));
  server.stop();
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(topics.last("t").value, "{\"a\":1}");
}

}  // namespace
}  // namespace pinpipe::rest
