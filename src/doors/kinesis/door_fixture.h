// A Kinesis door over a broker of its own and a clock that tests move.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <string_view>

#include "codec/json.h"
#include "doors/kinesis/door.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/fake_clock.h"
#include "kit/temporary_directory.h"

namespace pinpipe::kinesis {

using codec::Json;

inline constexpr std::string_view some_signature =
    "AWS4-HMAC-SHA256 Credential=AK/20260102/eu-west-1/kinesis/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=abc";

class KinesisDoorTest : public testing::Test {
 protected:
  explicit KinesisDoorTest(bool aws_limits = false) {
    auto broker = broker::Broker::open({.log_directory = directory_.path() + "/log",
                                        .state_path = directory_.path() + "/broker.db"},
                                       io::posix_files(), runtime_.disk(), clock_, policy());
    EXPECT_TRUE(broker) << broker.error().text();
    broker_ = std::move(*broker);
    auto streams = broker::Streams::open({.state_path = directory_.path() + "/streams.db",
                                          .shards_max = 20,
                                          .aws_limits = aws_limits},
                                         *broker_, runtime_.disk(), clock_);
    EXPECT_TRUE(streams) << streams.error().text();
    streams_ = std::move(*streams);
    door_ = std::make_unique<Door>(Door::Options{}, *streams_, clock_);
  }
  ~KinesisDoorTest() override { EXPECT_TRUE(io::wait_on(runtime_.loop(0), broker_->close())); }

  static auth::Policy policy() {
    auto policy = auth::Policy::open_for_local();
    auto statement =
        auth::Statement::of_words(auth::Effect::allow, {"reader"}, {"read"}, {"topic:*"});
    EXPECT_TRUE(statement && policy.add(*statement));
    return policy;
  }

  static http::Request request_for(std::string_view action, std::string body) {
    http::Request request;
    request.method = "POST";
    request.target = "/";
    request.headers.set("Host", "localhost");
    request.headers.set("Content-Type", "application/x-amz-json-1.1");
    request.headers.set("X-Amz-Target", "Kinesis_20131202." + std::string(action));
    request.headers.set("X-Amz-Date", "20260102T101500Z");
    request.headers.set("Authorization", some_signature);
    request.body = std::move(body);
    return request;
  }
  http::Response send(http::Request request) {
    http::Response response;
    io::run_on(runtime_.loop(0), door_->handle(request, response));
    return response;
  }
  // The body of an answer that must be good.
  Json ask(std::string_view action, std::string body) {
    auto response = send(request_for(action, std::move(body)));
    EXPECT_EQ(response.status, 200) << response.body;
    if (response.body.empty()) return {};
    auto json = codec::parse_json(response.body);
    EXPECT_TRUE(json);
    return json ? *json : Json();
  }
  // "Type: message" of a refusal.
  std::string refusal(std::string_view action, std::string body) {
    auto response = send(request_for(action, std::move(body)));
    EXPECT_EQ(response.status, 400) << response.body;
    Json json = codec::parse_json(response.body).value_or(Json());
    std::string type(json["__type"].as_string().value_or(""));
    EXPECT_EQ(response.headers.find("x-amzn-ErrorType"), type);
    auto message = json.find("message") != nullptr ? json["message"] : json["Message"];
    return type + ": " + std::string(message.as_string().value_or(""));
  }
  static std::string text(const Json& json, std::string_view member) {
    return std::string(json[member].as_string().value_or(""));
  }
  std::string iterator(std::string_view more) {
    return text(
        ask("GetShardIterator", R"({"StreamName":"s","ShardId":"0",)" + std::string(more) + "}"),
        "ShardIterator");
  }
  Json get(const std::string& iterator, std::string_view more = "") {
    return ask("GetRecords", R"({"ShardIterator":")" + iterator + '"' + std::string(more) + "}");
  }
  std::string put(std::string_view base64) {
    return text(ask("PutRecord", R"({"StreamName":"s","PartitionKey":"k","Data":")" +
                                     std::string(base64) + "\"}"),
                "SequenceNumber");
  }
  void create(std::string_view name = "s", int shards = 1) {
    ask("CreateStream", R"({"StreamName":")" + std::string(name) + R"(","ShardCount":)" +
                            std::to_string(shards) + "}");
  }

  kit::TemporaryDirectory directory_;
  kit::FakeClock clock_;
  io::Runtime runtime_{{.loops = 1, .disk_threads = 2, .work_threads = 1}};
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<broker::Streams> streams_;
  std::unique_ptr<Door> door_;
};

}  // namespace pinpipe::kinesis
