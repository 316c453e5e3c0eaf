// The consumer API over the embedded broker and a real connection.
#include "doors/rest/consumers.h"

#include <gtest/gtest.h>

#include "broker/broker.h"
#include "codec/json.h"
#include "doors/rest/door.h"
#include "doors/rest/inside_fixture.h"

namespace pinpipe::rest {
namespace {

struct RestConsumersTest : InsideFixture {
  static constexpr std::string_view one = "/consumers/students/instances/one";

  void make(
      std::string settings = R"({"name":"one","format":"json","auto.offset.reset":"earliest"})",
      std::string group = "students") {
    ask("POST", "/consumers/" + group, v2, std::move(settings));
    EXPECT_EQ(answer.status, 200) << answer.body;
  }
  void subscribe(std::string body = R"({"topics":["t"]})") {
    ask("POST", std::string(one) + "/subscription", v2, std::move(body));
    EXPECT_EQ(answer.status, 204) << answer.body;
  }
  void assign() {
    ask("POST", std::string(one) + "/assignments", v2,
        R"({"partitions":[{"topic":"t","partition":0}]})");
    EXPECT_EQ(answer.status, 204) << answer.body;
  }
  void post(std::string records, std::string_view type = json_records) {
    ask("POST", "/topics/t", type, "{\"records\":" + std::move(records) + "}");
    EXPECT_EQ(answer.status, 200) << answer.body;
  }
  std::string read(std::string query = "", std::string accept = std::string(json_records)) {
    ask("GET", std::string(one) + "/records" + query, "", "", {{"Accept", std::move(accept)}});
    return answer.body;
  }
};

TEST_F(RestConsumersTest, the_check_script_of_the_course_runs) {
  post(R"([{"value":{"index":1,"title":"caf\u00e9"}},{"key":"k","value":null}])");
  make();
  EXPECT_EQ(answer.body, "{\"instance_id\":\"one\",\"base_uri\":\"http://127.0.0.1:" +
                             std::to_string(port) + "/consumers/students/instances/one\"}");
  subscribe();
  EXPECT_EQ(read(),
            "[{\"topic\":\"t\",\"key\":null,\"value\":{\"index\":1,\"title\":\"caf\u00e9\"},"
            "\"partition\":0,\"offset\":0},"
            "{\"topic\":\"t\",\"key\":\"k\",\"value\":null,\"partition\":0,\"offset\":1}]");
  EXPECT_EQ(answer.headers.find("Content-Type"), json_records);
  EXPECT_EQ(read("?timeout=1"), "[]");
  ask("DELETE", std::string(one));
  EXPECT_EQ(answer.status, 204);
  ask("DELETE", std::string(one));
  expect_refusal(404, 40403, "Consumer instance not found.");
}

TEST_F(RestConsumersTest, subscriptions_and_assignments_are_told) {
  post(R"([{"value":1}])");
  make();
  ask("GET", std::string(one) + "/subscription");
  EXPECT_EQ(answer.body, "{\"topics\":[]}");
  subscribe();
  ask("GET", std::string(one) + "/subscription");
  EXPECT_EQ(answer.body, "{\"topics\":[\"t\"]}");
  read();
  ask("GET", std::string(one) + "/assignments");
  EXPECT_EQ(answer.body, "{\"partitions\":[{\"topic\":\"t\",\"partition\":0}]}");
  ask("DELETE", std::string(one) + "/subscription");
  EXPECT_EQ(answer.status, 204);
  ask("GET", std::string(one) + "/assignments");
  EXPECT_EQ(answer.body, "{\"partitions\":[]}");
  subscribe(R"({"topic_pattern":"t.*"})");
  ask("GET", std::string(one) + "/subscription");
  EXPECT_EQ(answer.body, "{\"topics\":[\"t\"]}");
}

TEST_F(RestConsumersTest, positions_are_set_by_offset_by_time_and_to_the_ends) {
  post(
      R"([{"value":0,"timestamp":1000},{"value":1,"timestamp":2000},{"value":2,"timestamp":3000}])");
  make();
  assign();
  std::string positions = std::string(one) + "/positions";
  ask("POST", positions, v2, R"({"offsets":[{"topic":"t","partition":0,"offset":2}]})");
  EXPECT_EQ(answer.status, 204) << answer.body;
  EXPECT_NE(read().find("\"offset\":2"), std::string::npos);
  ask("POST", positions, v2,
      R"({"timestamps":[{"topic":"t","partition":0,"timestamp":"1970-01-01T00:00:02Z"}]})");
  EXPECT_EQ(answer.status, 204) << answer.body;
  EXPECT_TRUE(read().starts_with("[{\"topic\":\"t\",\"key\":null,\"value\":1,"));
  std::string all = R"({"partitions":[{"topic":"t","partition":0}]})";
  ask("POST", positions + "/beginning", v2, all);
  EXPECT_EQ(answer.status, 204);
  EXPECT_TRUE(read().starts_with("[{\"topic\":\"t\",\"key\":null,\"value\":0,"));
  ask("POST", positions + "/beginning", v2, all);
  ask("POST", positions + "/end", v2, all);
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(read("?timeout=1"), "[]");
  ask("POST", positions, v2, R"({"offsets":[{"topic":"u","partition":0,"offset":2}]})");
  expect_refusal(409, 40903, "Illegal state: No current assignment for partition u-0");
}

TEST_F(RestConsumersTest, a_commit_stores_the_offset_behind_the_one_given) {
  post(R"([{"value":0},{"value":1},{"value":2}])");
  make(
      R"({"name":"one","format":"json","auto.offset.reset":"earliest","auto.commit.enable":"false"})");
  subscribe();
  read("?max_bytes=2");
  std::string offsets = std::string(one) + "/offsets";
  std::string which = R"({"partitions":[{"topic":"t","partition":0}]})";
  ask("GET", offsets, v2, which);
  EXPECT_EQ(answer.body, "{\"offsets\":[]}");
  ask("POST", offsets, v2);
  EXPECT_EQ(answer.body, "[]");
  ask("GET", offsets, v2, which);
  EXPECT_EQ(answer.body,
            "{\"offsets\":[{\"topic\":\"t\",\"partition\":0,\"offset\":1,\"metadata\":\"\"}]}");
  ask("POST", offsets + "?async=true", v2,
      R"({"offsets":[{"topic":"t","partition":0,"offset":1,"metadata":"m"}]})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  ask("GET", offsets + "?partitions=t:0");
  EXPECT_EQ(answer.body,
            "{\"offsets\":[{\"topic\":\"t\",\"partition\":0,\"offset\":2,\"metadata\":\"m\"}]}");
  ask("GET", offsets);
  expect_refusal(404, 40402, "Partition not found.");
  ask("GET", offsets + "?partitions=t:9");
  expect_refusal(404, 40403, "This server does not host this topic-partition.");
}

TEST_F(RestConsumersTest, a_read_ends_at_max_bytes_and_always_gives_one_record) {
  post(R"([{"value":"aaaa"},{"value":"bbbb"},{"value":"cccc"}])");
  make();
  assign();
  EXPECT_NE(read("?max_bytes=1").find("aaaa"), std::string::npos);
  std::string rest = read("?max_bytes=13");
  EXPECT_NE(rest.find("bbbb"), std::string::npos);
  EXPECT_NE(rest.find("cccc"), std::string::npos);
}

TEST_F(RestConsumersTest, the_format_of_the_instance_has_to_be_asked_for) {
  post(R"([{"value":{"a":1}}])");
  make();
  assign();
  for (std::string accept :
       {"*/*", "application/vnd.kafka.v2+json", "", "application/vnd.kafka.binary.v2+json"}) {
    read("", accept);
    expect_refusal(406, 40601, "The requested embedded data format does not match");
    EXPECT_NE(answer.body.find("application/vnd.kafka.json.v2+json"), std::string::npos);
  }
  read("", "text/html");
  expect_refusal(406, 406, "HTTP 406 Not Acceptable");
  EXPECT_NE(read().find("{\"a\":1}"), std::string::npos) << "a refusal reads nothing";
}

TEST_F(RestConsumersTest, binary_is_the_standard_format) {
  post(R"([{"key":"a2V5","value":"AAH/"}])", binary_records);
  make(R"({"name":"one","auto.offset.reset":"earliest"})");
  assign();
  EXPECT_EQ(read("", "*/*"),
            "[{\"topic\":\"t\",\"key\":\"a2V5\",\"value\":\"AAH/\",\"partition\":0,\"offset\":0}]");
  EXPECT_EQ(answer.headers.find("Content-Type"), binary_records);
}

TEST_F(RestConsumersTest, headers_and_timestamps_are_told_to_who_asks) {
  post(R"([{"value":1,"timestamp":1700000000000,"headers":[{"key":"h","value":"Zm9v"}]}])");
  make();
  assign();
  EXPECT_EQ(read("?metadata=true"),
            "[{\"topic\":\"t\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":0,"
            "\"timestamp\":1700000000000,\"headers\":[{\"key\":\"h\",\"value\":\"Zm9v\"}]}]");
  ask("POST", std::string(one) + "/positions/beginning", v2,
      R"({"partitions":[{"topic":"t","partition":0}]})");
  read("", "application/vnd.kafka.json.v2+json; metadata=true");
  EXPECT_NE(answer.body.find("\"headers\""), std::string::npos);
}

TEST_F(RestConsumersTest, a_record_that_is_no_json_is_told_and_can_be_gone_past) {
  post(R"([{"value":"MQ=="},{"value":"e25v"},{"value":"Mg=="}])", binary_records);
  make();
  assign();
  EXPECT_NE(read().find("\"value\":1,"), std::string::npos);
  read();
  expect_refusal(408, 40801, "Error deserializing key/value for partition t-0 at offset 1.");
  ask("POST", std::string(one) + "/positions", v2,
      R"({"offsets":[{"topic":"t","partition":0,"offset":2}]})");
  EXPECT_NE(read().find("\"value\":2,"), std::string::npos);
}

TEST_F(RestConsumersTest, a_client_that_hangs_up_while_it_waits_misses_nothing) {
  post(R"([{"value":0}])");
  make(R"({"name":"one","format":"json","consumer.request.timeout.ms":60000})");
  assign();  // from the end on: the read below waits
  hang_up_after("GET " + std::string(one) + "/records HTTP/1.1\r\nHost: localhost\r\nAccept: " +
                std::string(json_records) + "\r\n\r\n");
  post(R"([{"value":1}])");
  EXPECT_NE(read("?timeout=5000").find("\"value\":1,"), std::string::npos);
}

TEST_F(RestConsumersTest, instances_are_there_after_a_restart) {
  post(R"([{"value":0}])");
  make();
  subscribe();
  EXPECT_NE(read().find("\"value\":0"), std::string::npos);
  restart();
  post(R"([{"value":1}])");
  EXPECT_TRUE(read("?timeout=5000").starts_with("[{\"topic\":\"t\",\"key\":null,\"value\":1,"))
      << answer.body;
}

TEST_F(RestConsumersTest, the_base_uri_is_the_one_in_front) {
  ask("POST", "/consumers/my%20group", v2, R"({"name":"a/b"})",
      {{"X-Forwarded-Proto", "https"},
       {"X-Forwarded-Host", "abc.execute-api.us-east-1.amazonaws.com"},
       {"X-Forwarded-Prefix", "/prod"}});
  EXPECT_EQ(answer.body,
            "{\"instance_id\":\"a/b\",\"base_uri\":\"https://abc.execute-api.us-east-1.amazonaws."
            "com/prod/consumers/my%20group/instances/a%2Fb\"}");
}

TEST_F(RestConsumersTest, settings_that_are_none_are_told_in_the_apis_codes) {
  struct Case {
    std::string_view body;
    int status, code;
    std::string_view text;
  };
  const Case cases[] = {
      {R"({"auto.offset.reset":"first"})", 422, 42204,
       "Invalid consumer configuration: Invalid value first for configuration auto.offset.reset"},
      {R"({"auto.commit.enable":"maybe"})", 422, 42204, "Invalid consumer configuration: "},
      {R"({"format":"avro"})", 422, 42204,
       "Invalid consumer configuration: Missing required configuration \"schema.registry.url\""},
      {R"({"format":"xml"})", 422, 422, "Invalid format type."},
      {R"({"fetch.min.bytes":-2})", 422, 40001,
       "Invalid consumer configuration. It does not abide by the constraints: "},
      {R"({"fetch.min.bytes":"x"})", 422, 40001, "Invalid consumer configuration. "},
      {R"({"consumer.request.timeout.ms":-1})", 422, 40001, "Invalid consumer configuration. "},
      {R"({"offset":"earliest"})", 422, 422, "Unrecognized field: offset"},
      {R"({"name":""})", 422, 42204, "Invalid consumer configuration: "},
      {R"([])", 400, 400, "Bad Request: Cannot deserialize a array"},
      {R"({)", 400, 400, "Bad Request: the body is not JSON:"},
  };
  for (const Case& one_case : cases) {
    ask("POST", "/consumers/g", v2, std::string(one_case.body));
    expect_refusal(one_case.status, one_case.code, one_case.text);
  }
  ask("POST", "/consumers/g", v2);
  EXPECT_TRUE(answer.body.starts_with("{\"instance_id\":\"rest-consumer-")) << answer.body;
  ask("POST", "/consumers/g", "application/json", R"({"auto.commit.enable":true})");
  EXPECT_EQ(answer.status, 200) << answer.body;
}

TEST_F(RestConsumersTest, calls_that_do_not_fit_are_told_in_the_apis_codes) {
  post(R"([{"value":0}])");
  make();
  ask("POST", "/consumers/students", v2, R"({"name":"one"})");
  expect_refusal(409, 40902,
                 "Consumer with specified consumer ID already exists in the specified consumer "
                 "group.");
  std::string base(one);
  struct Case {
    std::string path;
    std::string_view body;
    int status, code;
    std::string_view text;
  };
  const Case cases[] = {
      {base + "/subscription", "", 422, 42206, "Payload error. Null input provided."},
      {base + "/subscription", "{}", 422, 422, "one of topics and topic_pattern must be given"},
      {base + "/subscription", R"({"topics":[1]})", 422, 422, "1 is no topic"},
      {base + "/subscription", R"({"topic":"t"})", 422, 422, "Unrecognized field: topic"},
      {base + "/subscription", R"({"topic_pattern":"("})", 422, 422, "Invalid topic_pattern."},
      {base + "/assignments", R"({"partitions":[{"topic":"t"}]})", 422, 422, "{\"topic\":\"t\"}"},
      {base + "/assignments", R"({})", 422, 422, "partitions must not be null"},
      {base + "/assignments", R"({"partitions":[{"topic":"t","partition":4}]})", 404, 40403,
       "This server does not host this topic-partition."},
      {base + "/positions", R"({"offsets":[{"topic":"t","partition":0,"offset":-1}]})", 422, 422,
       "{\"topic\""},
      {base + "/positions", R"({})", 422, 422, "offsets must not be empty"},
      {"/consumers/students/instances/two/subscription", "{}", 404, 40403,
       "Consumer instance not found. The group students has the consumers one;"},
  };
  for (const Case& one_case : cases) {
    ask("POST", one_case.path, v2, std::string(one_case.body));
    expect_refusal(one_case.status, one_case.code, one_case.text);
  }
  subscribe();
  ask("POST", base + "/assignments", v2, R"({"partitions":[{"topic":"t","partition":0}]})");
  expect_refusal(409, 40903,
                 "Illegal state: Subscription to topics, partitions and pattern are mutually "
                 "exclusive");
  ask("POST", base + "/subscription", "text/plain", "topics");
  expect_refusal(415, 415, "HTTP 415 Unsupported Media Type");
  ask("GET", base + "/subscription", "", "", {{"Accept", "text/html"}});
  expect_refusal(406, 406, "HTTP 406 Not Acceptable");
  lets_in = false;
  ask("GET", base + "/subscription");
  expect_refusal(401, 40101, "Authentication failed.");
}

TEST_F(RestConsumersTest, a_position_without_a_rule_for_one_is_the_clusters_error) {
  post(R"([{"value":0}])");
  make(R"({"name":"one","format":"json","auto.offset.reset":"none"})");
  assign();
  read("?timeout=10");
  expect_refusal(500, 50002,
                 "Kafka error: Undefined offset with no reset policy for partitions: [t-0]");
}

TEST_F(RestConsumersTest, one_without_the_right_to_the_group_is_refused) {
  policy = auth::Policy();
  restart();
  ask("POST", "/consumers/students", v2, R"({"name":"one"})");
  expect_refusal(403, 40301, "");
}

}  // namespace
}  // namespace pinpipe::rest
