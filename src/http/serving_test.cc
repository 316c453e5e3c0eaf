// What serving over HTTP/1 promises beyond single requests, over a loopback that cuts reads by
// seed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/metrics.h"
#include "http/router.h"
#include "http/server.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "io/wake.h"
#include "kit/loopback.h"
#include "kit/seed.h"

namespace pinpipe::http {
namespace {

using io::Task;

struct ServingTest : testing::Test {
  io::Runtime runtime{{.loops = 1, .disk_threads = 1, .work_threads = 1}};
  Router router;
  io::Signal never_notified, changed;
  int begun = 0, ended = 0;

  ServingTest() {
    router.add("POST", "/echo", [](Request& request, Response& response) -> Task<> {
      response.set_body(200, "text/plain", request.body);
      co_return;
    });
    router.add("GET", "/poll", [this](Request& request, Response& response) -> Task<> {
      request.end_with_peer();
      (void)co_await wait_long();
      response.set_text(200, "late");
    });
    router.add("GET", "/events", [this](Request&, Response& response) -> Task<> {
      response.stream = [this](BodyWriter& writer) -> Task<Status> {
        (void)co_await writer.write("data: 1\n\n");
        co_return co_await wait_long();
      };
      co_return;
    });
    router.add("GET", "/short", [](Request& request, Response& response) -> Task<> {
      request.end_with_peer();
      (void)co_await io::sleep_for(Millis(1));
      response.set_text(200, "in time");
    });
  }

  Task<Status> wait_long() {
    ++begun;
    changed.notify_all();
    Status waited =
        co_await never_notified.wait_beyond(never_notified.version(), io::after(Millis(20'000)));
    if (!waited && waited.error().code() == Code::cancelled) ++ended;
    changed.notify_all();
    co_return waited;
  }

  static Task<> send(io::Stream& to, std::string bytes) { (void)co_await to.write(bytes); }

  // What the server says to `bytes` until `until` has come, or the end.
  std::string talk(std::string bytes, std::string until, kit::LoopbackOptions loopback) {
    auto task = [&]() -> Task<std::string> {
      auto [near, far] = kit::make_loopback(loopback);
      io::Scope scope(runtime.loop(0));
      Handler handler = router.handler();
      Server::Options options;
      scope.spawn("server",
                  [](std::unique_ptr<io::Stream> stream, const Server::Options& with,
                     const Handler& by) -> Task<> {
                    co_await Server::serve(*stream, with, by);
                  }(std::move(far), options, handler));
      scope.spawn("requests", send(*near, bytes));
      std::string all;
      std::array<char, 1000> buffer;
      near->set_deadline(io::after(Millis(10'000)));
      while (until.empty() || all.find(until) == all.npos) {
        auto got = co_await near->read_some(buffer);
        if (!got || *got == 0) break;
        all.append(buffer.data(), *got);
      }
      near->close();
      co_await scope.join();
      co_return all;
    };
    return io::wait_on(runtime.loop(0), task());
  }
};

TEST_F(ServingTest, requests_cut_anywhere_are_answered_in_order) {
  std::string requests;
  for (size_t i = 0; i < 30; ++i) {
    std::string body = std::string(i * 7, '.') + std::to_string(i) + ";";
    bool chunked = i % 3 == 0;
    requests += "POST /echo HTTP/1.1\r\nHost: localhost\r\n";
    requests += chunked ? fmt::format("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
                                      body.size(), body)
                        : fmt::format("Content-Length: {}\r\n\r\n{}", body.size(), body);
  }
  for (uint64_t round = 0; round < 20; ++round) {
    std::string all = talk(requests, ".29;", {.seed = kit::seed() + round, .bytes_max = 300});
    size_t at = 0;
    for (int i = 0; i < 30; ++i) {
      at = all.find((i == 0 ? "\n" : ".") + std::to_string(i) + ";", at);
      ASSERT_NE(at, std::string::npos) << "round " << round << ", answer " << i;
    }
  }
}

TEST_F(ServingTest, a_long_poll_and_a_streamed_answer_end_with_their_client) {
  for (std::string path : {"/poll", "/events"}) {
    begun = ended = 0;
    auto task = [&]() -> Task<> {
      auto [near, far] = kit::make_loopback({.seed = kit::seed()});
      io::Scope scope(runtime.loop(0));
      Handler handler = router.handler();
      Server::Options options;
      scope.spawn("server",
                  [](std::unique_ptr<io::Stream> stream, const Server::Options& with,
                     const Handler& by) -> Task<> {
                    co_await Server::serve(*stream, with, by);
                  }(std::move(far), options, handler));
      co_await send(*near, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
      while (begun == 0)
        (void)co_await changed.wait_beyond(changed.version(), io::after(Millis(1)));
      EXPECT_EQ(ended, 0);
      near->close();
      co_await scope.join();
    };
    auto from = std::chrono::steady_clock::now();
    io::run_on(runtime.loop(0), task());
    EXPECT_EQ(ended, 1) << path;
    EXPECT_LT(std::chrono::steady_clock::now() - from, std::chrono::seconds(10));
  }
}

TEST_F(ServingTest, a_poll_that_is_answered_in_time_leaves_nothing_behind) {
  std::string get = "GET /short HTTP/1.1\r\nHost: localhost\r\n";
  std::string all = talk(get + "\r\n" + get + "\r\n" + get + "Connection: close\r\n\r\n", "",
                         {.seed = kit::seed()});
  size_t count = 0;
  for (size_t at = all.find("in time"); at != all.npos; at = all.find("in time", at + 1)) ++count;
  EXPECT_EQ(count, 3U);
}

TEST_F(ServingTest, requests_are_counted_by_operation_and_outcome) {
  Server server(runtime, {.name = "counted"}, router.handler());
  uint16_t port = *server.listen_tcp("127.0.0.1", 0);
  server.start();
  for (std::string line : {"GET /short HTTP/1.1", "GET /unknown HTTP/1.1", "nonsense"}) {
    auto task = [&]() -> Task<> {
      auto stream = co_await io::connect_tcp("127.0.0.1", port, io::after(Millis(5'000)));
      co_await send(**stream, line + "\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      std::array<char, 1000> buffer;
      while (true) {
        auto got = co_await (*stream)->read_some(buffer);
        if (!got || *got == 0) break;
      }
    };
    io::run_on(runtime.loop(0), task());
  }
  server.stop();
  std::string page = metrics().exposition();
  for (std::string_view line :
       {R"(pinpipe_http_requests_total{api="counted",op="/short",code="200"} 1)",
        R"(pinpipe_http_requests_total{api="counted",op="GET",code="404"} 1)",
        R"(pinpipe_http_requests_total{api="counted",op="other",code="400"} 1)",
        R"(pinpipe_http_request_duration_seconds_count{api="counted",op="/short"} 1)",
        R"(pinpipe_http_requests_in_flight{api="counted"} 0)"}) {
    EXPECT_NE(page.find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace pinpipe::http
