// A door in front of an embedded broker, asked over real connections: for tests.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/broker.h"
#include "broker/consumers.h"
#include "codec/json.h"
#include "doors/rest/door.h"
#include "doors/rest/media.h"
#include "http/client.h"
#include "http/server.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "io/stream.h"
#include "kit/temporary_directory.h"

namespace pinpipe::rest {

struct InsideFixture : testing::Test {
  static constexpr std::string_view v2 = kafka_v2_type;
  static constexpr std::string_view json_records = "application/vnd.kafka.json.v2+json";
  static constexpr std::string_view binary_records = "application/vnd.kafka.binary.v2+json";

  kit::TemporaryDirectory directory;
  io::Runtime runtime{{.loops = 1, .disk_threads = 2, .work_threads = 1}};
  auth::Policy policy = auth::Policy::open_for_local();
  bool lets_in = true;
  std::unique_ptr<broker::Broker> broker;
  std::unique_ptr<broker::Topics> topics;
  std::unique_ptr<broker::Cluster> cluster;
  std::unique_ptr<broker::Consumers> consumers;
  std::unique_ptr<io::Scope> services;
  std::unique_ptr<Door> door;
  std::unique_ptr<http::Server> server;
  uint16_t port = 0;
  http::Response answer;

  void SetUp() override { open(); }
  void TearDown() override { close(); }
  void restart() {
    close();
    open();
  }

  void open() {
    broker::Broker::Options options;
    options.log_directory = directory.path() + "/log";
    options.state_path = directory.path() + "/broker.db";
    auto opened =
        broker::Broker::open(options, io::posix_files(), runtime.disk(), system_clock(), policy);
    ASSERT_TRUE(opened) << opened.error().text();
    broker = std::move(*opened);
    topics = broker->as(auth::local_principal());
    cluster = broker->cluster_as(auth::local_principal());
    auto kept = broker::Consumers::open({.state_path = directory.path() + "/consumers.db"}, *broker,
                                        runtime.disk(), system_clock());
    ASSERT_TRUE(kept) << kept.error().text();
    consumers = std::move(*kept);
    services = std::make_unique<io::Scope>(runtime.loop(0));
    runtime.loop(0).post([this] {
      services->spawn("broker", broker->run());
      services->spawn("consumers", consumers->run());
    });
    serve();
  }

  void serve() {
    auto who = [this]<class T>(T* right) -> Result<T*> {
      if (!lets_in) return Error(Code::denied, "Unknown user.");
      return right;
    };
    door = std::make_unique<Door>(
        Door::Options{}, [=, this](const http::Request&) { return who(topics.get()); },
        Door::Inside{.cluster_of = [=, this](const http::Request&) { return who(cluster.get()); },
                     .consumers = consumers.get()});
    http::Server::Options options;
    options.plan_body = [this](const http::Request& head) { return door->plan_body(head); };
    options.shape_refusal = Door::shape_refusal;
    server = std::make_unique<http::Server>(runtime, std::move(options), door->handler());
    auto listening = server->listen_tcp("127.0.0.1", 0);
    ASSERT_TRUE(listening) << listening.error().text();
    port = *listening;
    server->start();
  }

  void close() {
    if (server) server->stop();
    server.reset();
    io::run_on(runtime.loop(0), [](io::Scope& scope) -> io::Task<> {
      scope.cancel();
      co_await scope.join();
    }(*services));
    services.reset();
    EXPECT_TRUE(io::wait_on(runtime.loop(0), consumers->close()));
    door.reset();
    consumers.reset();
    EXPECT_TRUE(io::wait_on(runtime.loop(0), broker->close()));
    cluster.reset();
    topics.reset();
    broker.reset();
  }

  using Lines = std::vector<std::pair<std::string, std::string>>;
  void ask(std::string method, std::string target, std::string_view type = "",
           std::string body = "", Lines headers = {}) {
    http::Request request;
    request.method = std::move(method);
    if (!type.empty()) request.headers.add("Content-Type", type);
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    request.body = std::move(body);
    auto url = http::Url::parse("http://127.0.0.1:" + std::to_string(port) + target);
    ASSERT_TRUE(url) << target;
    auto task = [](http::Url to, http::Request what) -> io::Task<Result<http::Response>> {
      http::Client client;
      co_return co_await client.fetch(to, what, io::after(Millis(30'000)));
    };
    auto got = io::wait_on(runtime.loop(0), task(std::move(*url), std::move(request)));
    ASSERT_TRUE(got) << got.error().text();
    answer = std::move(*got);
  }

  // Sends the bytes and goes away without waiting for an answer.
  void hang_up_after(std::string bytes) {
    io::run_on(runtime.loop(0), [](uint16_t to, std::string what) -> io::Task<> {
      auto stream = co_await io::connect_tcp("127.0.0.1", to, io::after(Millis(5'000)));
      EXPECT_TRUE(stream);
      if (!stream) co_return;
      EXPECT_TRUE(co_await (*stream)->write(what));
      (*stream)->close();
    }(port, std::move(bytes)));
  }

  void expect_refusal(int status, int code, std::string_view text) {
    EXPECT_EQ(answer.status, status) << answer.body;
    auto body = codec::parse_json(answer.body);
    ASSERT_TRUE(body) << answer.body;
    EXPECT_EQ((*body)["error_code"].as_int(), code) << answer.body;
    auto message = (*body)["message"].as_string();
    ASSERT_TRUE(message) << answer.body;
    EXPECT_TRUE(message->starts_with(text)) << *message;
  }
};

}  // namespace pinpipe::rest
