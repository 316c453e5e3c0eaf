#include "doors/rest/v3.h"

#include <gtest/gtest.h>

#include "doors/rest/inside_fixture.h"
#include "doors/rest/json_stream.h"

namespace pinpipe::rest {
namespace {

struct V3Test : InsideFixture {
  std::string topics_path() { return "/v3/clusters/" + cluster->cluster_id() + "/topics"; }
  void call(std::string method, std::string below, std::string body = "") {
    ask(std::move(method), topics_path() + below, body.empty() ? "" : json_type, body);
  }
  void make(std::string name) {
    call("POST", "", "{\"topic_name\":\"" + name + "\"}");
    EXPECT_EQ(answer.status, 201) << answer.body;
  }
  codec::Json body() {
    auto json = codec::parse_json(answer.body);
    EXPECT_TRUE(json) << answer.body;
    return json ? std::move(*json) : codec::Json();
  }
  // The answers of a stream.
  std::vector<codec::Json> answers() {
    JsonStream stream;
    stream.feed(answer.body);
    std::vector<codec::Json> all;
    while (true) {
      auto next = stream.next();
      if (!next || !*next) break;
      auto json = codec::parse_json(**next);
      EXPECT_TRUE(json);
      all.push_back(std::move(*json));
    }
    return all;
  }
  broker::Fetched stored(std::string topic) {
    auto fetched =
        io::wait_on(runtime.loop(0), topics->fetch(topic, 0, 0, 1 << 20, io::after(Millis(5'000))));
    EXPECT_TRUE(fetched);
    return std::move(*fetched);
  }
};

TEST_F(V3Test, the_cluster_is_told) {
  ask("GET", "/v3/clusters");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(body()["kind"].as_string(), "KafkaClusterList");
  EXPECT_EQ(body()["data"].elements()[0]["cluster_id"].as_string(), cluster->cluster_id());
  EXPECT_EQ(answer.headers.find("Content-Type"), json_type);
  ask("GET", "/v3/clusters/" + cluster->cluster_id());
  EXPECT_EQ(body()["kind"].as_string(), "KafkaCluster");
  EXPECT_EQ(body()["topics"]["related"].as_string(),
            "http://127.0.0.1:" + std::to_string(port) + topics_path());
  ask("GET", "/v3/clusters/other");
  expect_refusal(404, 404, "HTTP 404 Not Found");
}

TEST_F(V3Test, topics_are_made_told_grown_and_deleted) {
  call("POST", "",
       R"({"topic_name":"t","partitions_count":2,"replication_factor":1,
           "configs":[{"name":"retention.ms","value":"1000"}]})");
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(body()["partitions_count"].as_int(), 2);
  call("GET", "");
  EXPECT_EQ(body()["data"].size(), 1U);
  call("GET", "/t");
  EXPECT_EQ(body()["topic_name"].as_string(), "t");
  call("GET", "/t/partitions");
  EXPECT_EQ(body()["data"].size(), 2U);
  call("GET", "/t/partitions/1");
  EXPECT_EQ(body()["partition_id"].as_int(), 1);
  call("GET", "/t/partitions/2");
  expect_refusal(404, 40402, "Partition not found.");
  call("PATCH", "/t", R"({"partitions_count":3})");
  EXPECT_EQ(body()["partitions_count"].as_int(), 3) << answer.body;
  call("DELETE", "/t");
  EXPECT_EQ(answer.status, 204);
  call("GET", "/t");
  expect_refusal(404, 40403, "This server does not host this topic-partition.");
  call("POST", "", R"({"topic_name":"u","validate_only":true})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  call("GET", "/u");
  expect_refusal(404, 40403, "This server does not host this topic-partition.");
}

TEST_F(V3Test, topics_that_cannot_be_made_are_bad_requests) {
  make("t");
  call("POST", "", R"({"topic_name":"t"})");
  expect_refusal(400, 40002, "");
  call("POST", "", R"({"topic_name":"no such name"})");
  expect_refusal(400, 40002, "");
  call("POST", "", R"({"topic_name":"u","partitions_count":0})");
  expect_refusal(400, 40002, "Number of partitions must be larger than 0.");
  call("POST", "", R"({"topic_name":"u","configs":[{"name":"retention.ms","value":"soon"}]})");
  expect_refusal(400, 40002, "");
  call("POST", "", "{}");
  expect_refusal(422, 422, "topic_name must not be null");
  call("POST", "", "[]");
  expect_refusal(400, 400, "Bad Request: the body is not a JSON object");
}

TEST_F(V3Test, settings_are_told_set_and_reset) {
  make("t");
  call("PUT", "/t/configs/retention.ms", R"({"value":"60000"})");
  EXPECT_EQ(answer.status, 204) << answer.body;
  call("GET", "/t/configs/retention.ms");
  EXPECT_EQ(body()["value"].as_string(), "60000");
  EXPECT_EQ(body()["is_default"].as_bool(), false);
  call("POST", "/t/configs:alter",
       R"({"data":[{"name":"retention.ms","operation":"DELETE"},
                   {"name":"retention.bytes","value":5000}]})");
  EXPECT_EQ(answer.status, 204) << answer.body;
  call("GET", "/t/configs/retention.ms");
  EXPECT_EQ(body()["is_default"].as_bool(), true);
  call("GET", "/t/configs/retention.bytes");
  EXPECT_EQ(body()["value"].as_string(), "5000");
  call("DELETE", "/t/configs/retention.bytes");
  EXPECT_EQ(answer.status, 204);
  call("GET", "/t/configs");
  EXPECT_EQ(body()["kind"].as_string(), "KafkaTopicConfigList");
  call("GET", "/t/configs/nothing");
  expect_refusal(404, 404, "HTTP 404 Not Found");
  call("PUT", "/t/configs/retention.ms", R"({"value":"soon"})");
  expect_refusal(400, 40002, "");
  call("POST", "/t/configs:alter", R"({"data":[{"name":"a","operation":"ADD"}]})");
  expect_refusal(400, 40002, "ADD is none of SET and DELETE.");
}

TEST_F(V3Test, a_record_of_every_type_is_stored) {
  make("t");
  call("POST", "/t/records",
       R"({"key":{"type":"STRING","data":"k"},"value":{"type":"JSON","data":{"a": 1.50}},
           "headers":[{"name":"h","value":"Zm9v"}],"timestamp":"2023-11-14T22:13:20Z"}
          {"value":{"type":"BINARY","data":"AAH/"}}{"value":{"data":"AAH/"},"partition_id":0}{})");
  ASSERT_EQ(answer.status, 200);
  auto all = answers();
  ASSERT_EQ(all.size(), 4U) << answer.body;
  EXPECT_EQ(all[0]["error_code"].as_int(), 200);
  EXPECT_EQ(all[0]["cluster_id"].as_string(), cluster->cluster_id());
  EXPECT_EQ(all[0]["offset"].as_int(), 0);
  EXPECT_EQ(all[0]["timestamp"].as_string(), "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(codec::to_json(all[0]["key"]), R"({"type":"STRING","size":1})");
  EXPECT_EQ(codec::to_json(all[0]["value"]), R"({"type":"JSON","size":10})");
  EXPECT_EQ(all[3].find("value"), nullptr);
  auto fetched = stored("t");
  ASSERT_EQ(fetched.records.size(), 4U);
  EXPECT_EQ(fetched.records[0].key, "k");
  EXPECT_EQ(fetched.records[0].value, "{\"a\":1.50}");
  EXPECT_EQ(fetched.records[0].timestamp_ms, 1'700'000'000'000);
  EXPECT_EQ(fetched.records[0].headers[0].value, "foo");
  EXPECT_EQ(fetched.records[1].value, std::string("\0\1\xff", 3));
  EXPECT_EQ(fetched.records[3].value, std::nullopt);
}

TEST_F(V3Test, a_bad_record_has_its_own_answer_among_the_others) {
  make("t");
  call("POST", "/t/records",
       R"({"value":{"type":"JSON","data":1}}
          {"value":{"type":"BINARY","data":"*"}}
          {"value":{"type":"AVRO","data":1,"schema_id":1}}
          {"value":{"type":"STRING","data":1}}
          {"value":{"type":"XML","data":1}}
          {"value":{"type":"JSON","data":1},"partition_id":7}
          {"index":1}
          {"value":{"type":"JSON","data":1},"timestamp":"yesterday"}
          {"value":{"type":"JSON","data":2}}
          {"value": nonsense}{"value":{"type":"JSON","data":3}})");
  ASSERT_EQ(answer.status, 200);
  std::vector<int64_t> codes;
  for (const auto& one : answers()) codes.push_back(one["error_code"].as_int().value_or(-1));
  EXPECT_EQ(codes, (std::vector<int64_t>{200, 400, 40801, 400, 400, 40403, 422, 400, 200, 400}));
  EXPECT_EQ(stored("t").records.size(), 2U) << "after what is no JSON nothing is read";
  call("POST", "/t/records", "[1]");
  EXPECT_EQ(answers()[0]["error_code"].as_int(), 400);
  call("POST", "/t/records", "{\"value\":");
  EXPECT_EQ(answers()[0]["error_code"].as_int(), 400);
  call("POST", "/t/records", " ");
  expect_refusal(422, 42206, "Payload error.");
  ask("POST", topics_path() + "/t/records", "text/plain", "{}");
  expect_refusal(415, 415, "HTTP 415 Unsupported Media Type");
}

TEST_F(V3Test, a_stream_is_answered_while_it_comes) {
  make("t");
  std::string seen;
  io::run_on(runtime.loop(0), [](V3Test& test, std::string& answered) -> io::Task<> {
    auto stream = co_await io::connect_tcp("127.0.0.1", test.port, io::after(Millis(5'000)));
    EXPECT_TRUE(stream);
    (*stream)->set_deadline(io::after(Millis(10'000)));
    std::string head =
        "POST " + test.topics_path() +
        "/t/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        "application/json\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n";
    EXPECT_TRUE(co_await (*stream)->write(head));
    std::array<char, 4096> buffer;
    auto read_until = [&](std::string_view mark) -> io::Task<> {
      while (answered.find(mark) == answered.npos) {
        auto got = co_await (*stream)->read_some(buffer);
        if (!got || *got == 0) co_return;
        answered.append(buffer.data(), *got);
      }
    };
    co_await read_until("HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(answered, "HTTP/1.1 100 Continue\r\n\r\n");
    std::string_view one = "{\"value\":{\"type\":\"JSON\",\"data\":1}}";
    std::string chunk = "22\r\n" + std::string(one) + "\r\n";
    EXPECT_TRUE(co_await (*stream)->write(chunk));
    co_await read_until("\"offset\":0");
    EXPECT_NE(answered.find("\"offset\":0"), answered.npos) << answered;
    EXPECT_TRUE(co_await (*stream)->write(chunk));
    co_await read_until("\"offset\":1");
    EXPECT_TRUE(co_await (*stream)->write(std::string_view("0\r\n\r\n")));
    co_await read_until("\r\n0\r\n\r\n");
    (*stream)->close();
  }(*this, seen));
  EXPECT_NE(seen.find("\"offset\":1"), seen.npos) << seen;
  EXPECT_TRUE(seen.ends_with("\r\n0\r\n\r\n")) << seen;
}

TEST_F(V3Test, a_batch_tells_successes_and_failures_apart) {
  make("t");
  call("POST", "/t/records:batch",
       R"({"entries":[{"id":"1","value":{"type":"JSON","data":1}},
                      {"id":"2","value":{"type":"BINARY","data":"*"}}]})");
  EXPECT_EQ(answer.status, 207) << answer.body;
  EXPECT_EQ(body()["successes"].elements()[0]["id"].as_string(), "1");
  EXPECT_EQ(body()["successes"].elements()[0]["offset"].as_int(), 0);
  EXPECT_EQ(body()["failures"].elements()[0]["id"].as_string(), "2");
  EXPECT_EQ(body()["failures"].elements()[0]["error_code"].as_int(), 400);
  call("POST", "/t/records:batch", R"({"entries":[]})");
  expect_refusal(422, 42208, "Produce batch exception: Empty batch");
  call("POST", "/t/records:batch", R"({"entries":[{"id":"1"},{"id":"1"}]})");
  expect_refusal(422, 42208, "Produce batch exception: Batch entry IDs are not distinct");
  call("POST", "/t/records:batch", R"({"entries":[{"value":{"type":"JSON","data":1}}]})");
  expect_refusal(422, 42208, "Produce batch exception: Batch entry IDs have");
  std::string many = "{\"entries\":[";
  for (int i = 0; i < 11; ++i)
    many += std::string(i > 0 ? "," : "") + "{\"id\":\"" + std::to_string(i) + "\"}";
  call("POST", "/t/records:batch", many + "]}");
  expect_refusal(422, 42208, "Produce batch exception: Too many entries in batch");
  call("POST", "/t/records:batch", "x");
  expect_refusal(400, 400, "Bad Request: the body is not JSON");
}

TEST(JsonStreamTest, objects_are_cut_wherever_the_pieces_end) {
  std::string text = R"( {"a":"}\"{"} {"b":[{}]}{} )";
  for (size_t step = 1; step <= text.size(); ++step) {
    JsonStream stream;
    std::vector<std::string> cut;
    for (size_t at = 0; at < text.size(); at += step) {
      stream.feed(std::string_view(text).substr(at, step));
      for (auto next = stream.next(); next && *next; next = stream.next()) cut.emplace_back(**next);
    }
    EXPECT_EQ(cut, (std::vector<std::string>{R"({"a":"}\"{"})", R"({"b":[{}]})", "{}"})) << step;
    EXPECT_TRUE(stream.is_between());
  }
  JsonStream stream;
  stream.feed("1");
  EXPECT_FALSE(stream.next());
}

}  // namespace
}  // namespace pinpipe::rest
