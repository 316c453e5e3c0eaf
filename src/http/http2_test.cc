#include <algorithm>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

#include "http/http2_connection.h"
#include "http/http2_fixture.h"
#include "http/router.h"
#include "http/server.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "io/wake.h"
#include "kit/certificates.h"
#include "kit/loopback.h"
#include "kit/seed.h"
#include "kit/temporary_directory.h"

namespace pinpipe::http {
namespace {

using io::Task;

struct Http2Test : testing::Test {
  io::Runtime runtime{{.loops = 1, .disk_threads = 1, .work_threads = 1}};
  Router router;
  Server::Options options;
  io::OneShot<int> gate;
  io::Signal begun;
  int alive = 0, alive_most = 0, cancelled = 0;

  Http2Test() {
    options.name = "http2 test";
    router.add("*", "/echo", [](Request& request, Response& response) -> Task<> {
      response.set_body(200, "application/octet-stream", request.body);
      response.headers.set("X-Host", *request.headers.find("Host"));
      co_return;
    });
    router.add("GET", "/hello", [](Request& request, Response& response) -> Task<> {
      response.headers.set("Connection", "close");
      response.headers.set("X-Peer", request.peer);
      response.set_text(200, "hello");
      co_return;
    });
    router.add("*", "/wait", [this](Request& request, Response& response) -> Task<> {
      alive_most = std::max(alive_most, ++alive);
      begun.notify_all();
      if (request.query() == "with-peer") request.end_with_peer();
      uint64_t seen = begun.version();
      while (true) {
        Status waited = co_await begun.wait_beyond(seen, io::after(Millis(20'000)));
        if (!waited && waited.error().code() == Code::cancelled) ++cancelled;
        if (!waited || is_open) break;
        seen = begun.version();
      }
      --alive;
      begun.notify_all();
      response.set_text(200, "waited");
    });
    router.add("GET", "/pieces", [](Request&, Response& response) -> Task<> {
      response.stream = [](BodyWriter& writer) -> Task<Status> {
        for (int i = 0; i < 40; ++i) {
          std::string piece(static_cast<size_t>(i) * 1'000, static_cast<char>('a' + i % 26));
          if (Status written = co_await writer.write(piece); !written) co_return written;
        }
        co_return Status{};
      };
      co_return;
    });
    router.add("GET", "/broken", [](Request&, Response& response) -> Task<> {
      response.stream = [](BodyWriter& writer) -> Task<Status> {
        (void)co_await writer.write("half of it");
        co_return Error(Code::internal, "no more");
      };
      co_return;
    });
    router.add("PUT", "/upload", [](Request& request, Response& response) -> Task<> {
      size_t total = 0;
      std::array<char, 1000> buffer;
      while (request.body_reader != nullptr) {
        auto got = co_await request.body_reader->read_some(buffer);
        if (!got) co_return response.set_text(400, got.error().text());
        if (*got == 0) break;
        total += *got;
      }
      response.set_text(200, std::to_string(total) + " bytes");
    });
  }

  void open_gate() {
    is_open = true;
    begun.notify_all();
  }
  bool is_open = false;

  // Serves one end of a loopback while `talk` uses the other.
  template <class F>
  void with_client(F talk, bool reads_answers = true) {
    auto task = [&]() -> Task<> {
      auto [near, far] = kit::make_loopback({.seed = kit::seed()});
      io::Scope scope(runtime.loop(0));
      Handler handler = router.handler();
      scope.spawn("server",
                  [](std::unique_ptr<io::Stream> stream, const Server::Options& with,
                     const Handler& by) -> Task<> {
                    co_await Server::serve(*stream, with, by);
                  }(std::move(far), options, handler));
      near->set_deadline(io::after(Millis(20'000)));
      {
        Client2 client(*near, reads_answers);
        co_await talk(client);
      }
      near->close();
      co_await scope.join();
    };
    io::run_on(runtime.loop(0), task());
  }
};

TEST_F(Http2Test, handlers_see_no_difference) {
  with_client([](Client2& client) -> Task<> {
    Answer hello = co_await client.fetch("GET", "/hello");
    EXPECT_EQ(hello.status(), "200");
    EXPECT_EQ(hello.body, "hello");
    EXPECT_EQ(hello.head["content-length"], "5");
    EXPECT_EQ(hello.head["x-peer"], "127.0.0.1:1");
    EXPECT_FALSE(hello.head.contains("connection"));
    EXPECT_TRUE(hello.head["date"].ends_with(" GMT"));
    Answer echo = co_await client.fetch("POST", "/echo", {}, "a body");
    EXPECT_EQ(echo.body, "a body");
    EXPECT_EQ(echo.head["x-host"], "localhost");
    Answer head = co_await client.fetch("HEAD", "/hello");
    EXPECT_EQ(head.head["content-length"], "5");
    EXPECT_EQ(head.body, "");
    EXPECT_EQ((co_await client.fetch("GET", "/unknown")).status(), "404");
    EXPECT_EQ((co_await client.fetch("DELETE", "/hello")).status(), "405");
  });
}

TEST_F(Http2Test, a_stream_that_waits_holds_nobody_up) {
  with_client([this](Client2& client) -> Task<> {
    int32_t waits = client.ask("GET", "/wait");
    EXPECT_EQ((co_await client.fetch("GET", "/hello")).body, "hello");
    EXPECT_FALSE(client.answer(waits).is_over);
    open_gate();
    EXPECT_EQ((co_await client.answer_to(waits)).body, "waited");
  });
}

TEST_F(Http2Test, large_bodies_go_both_ways_at_the_pace_of_the_windows) {
  with_client([](Client2& client) -> Task<> {
    std::string body(3'000'000, 'x');
    for (size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
    int32_t first = client.ask("POST", "/echo", {}, body);
    int32_t second = client.ask("POST", "/echo", {}, body.substr(7));
    EXPECT_EQ((co_await client.answer_to(first)).body, body);
    EXPECT_EQ((co_await client.answer_to(second)).body, body.substr(7));
  });
}

TEST_F(Http2Test, answers_in_pieces_and_files_come_whole_and_broken_ones_look_broken) {
  kit::TemporaryDirectory directory;
  std::string path = directory.path() + "/f", content(300'000, 'y');
  content[299'999] = 'z';
  std::ofstream(path) << content;
  struct Open {
    int descriptor;
    ~Open() { ::close(descriptor); }
  };
  router.add("GET", "/file", [path](Request&, Response& response) -> Task<> {
    auto open = std::make_shared<Open>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    response.file = FileBody{open, open->descriptor, 100'000, 200'000};
    co_return;
  });
  with_client([&](Client2& client) -> Task<> {
    Answer pieces = co_await client.fetch("GET", "/pieces");
    EXPECT_EQ(pieces.body.size(), 780'000U);
    EXPECT_EQ(pieces.error, 0U);
    Answer broken = co_await client.fetch("GET", "/broken");
    EXPECT_EQ(broken.error, static_cast<uint32_t>(NGHTTP2_INTERNAL_ERROR));
    EXPECT_EQ((co_await client.fetch("GET", "/file")).body, content.substr(100'000));
    EXPECT_EQ((co_await client.fetch("HEAD", "/file")).head["content-length"], "200000");
    EXPECT_EQ((co_await client.fetch("HEAD", "/pieces")).status(), "200");
  });
}

TEST_F(Http2Test, bodies_can_be_read_piece_by_piece) {
  options.plan_body = [](const Request&) { return BodyPlan{.bytes_max = 5 << 20, .stream = true}; };
  with_client([](Client2& client) -> Task<> {
    int32_t first = client.ask("PUT", "/upload", {}, std::string(2'000'000, 'x'));
    int32_t second =
        client.ask("PUT", "/upload", {{"expect", "100-continue"}}, std::string(1'500'000, 'y'));
    EXPECT_EQ((co_await client.answer_to(first)).body, "2000000 bytes");
    EXPECT_EQ((co_await client.answer_to(second)).body, "1500000 bytes");
    // Bodies that nobody reads give their window back with their streams.
    for (int i = 0; i < 20; ++i) {
      Answer unread = co_await client.fetch("PUT", "/unknown", {}, std::string(200'000, 'x'));
      EXPECT_EQ(unread.status(), "404");
    }
    EXPECT_EQ((co_await client.fetch("PUT", "/upload", {}, "abc")).body, "3 bytes");
  });
}

TEST_F(Http2Test, every_limit_answers_with_its_status_and_the_connection_goes_on) {
  options.head_bytes_max = 2'000;
  options.body_bytes_max = 100;
  struct Case {
    std::string path;
    Lines lines;
    std::string body;
    std::string status;
  };
  const std::vector<Case> cases = {
      {"/hello", {{"x-long", std::string(3'000, 'x')}}, "", "431"},
      {"/echo", {}, std::string(101, 'x'), "413"},
      {"/echo", {{"content-length", "500000"}}, std::string(500'000, 'x'), "413"},
      {"/hello", {{":authority", "evil.org"}}, "", "403"},
      {"/hello", {{"origin", "http://evil.org"}}, "", "403"},
      {"/echo", {{"expect", "miracles"}}, "x", "417"},
      {"/echo", {{"content-encoding", "br"}}, "x", "415"},
      {"/hello", {{"origin", "http://localhost"}}, "", "200"},
  };
  with_client([&](Client2& client) -> Task<> {
    for (const Case& one : cases) {
      Answer answer = co_await client.fetch("POST", one.path, one.lines, one.body);
      if (one.status == "200") answer = co_await client.fetch("GET", one.path, one.lines);
      EXPECT_EQ(answer.status(), one.status) << one.path;
    }
    Lines many;
    for (int i = 0; i < 60; ++i) many.emplace_back("x-" + std::to_string(i), "y");
    EXPECT_EQ((co_await client.fetch("GET", "/hello", many)).status(), "431");
    // Far too much is not read to its end.
    Lines flood{{"x-long", std::string(12'000, 'x')}};
    EXPECT_NE((co_await client.fetch("GET", "/hello", flood)).status(), "200");
    EXPECT_EQ((co_await client.fetch("GET", "/hello")).status(), "200");
  });
}

TEST_F(Http2Test, bodies_of_all_streams_together_are_bounded_and_all_come_in_the_end) {
  options.body_bytes_max = 1'000'000;
  with_client([](Client2& client) -> Task<> {
    constexpr size_t count = 10, body_bytes = 700'000;
    std::vector<int32_t> ids;
    for (size_t i = 0; i < count; ++i)
      ids.push_back(client.ask("POST", "/echo", {}, std::string(body_bytes, 'x'), false));
    for (int i = 0; i < 200; ++i) (void)co_await client.fetch("GET", "/hello");
    size_t sent = 0;
    for (int32_t id : ids) sent += body_bytes - client.unsent(id);
    EXPECT_EQ(client.unsent(ids[0]), 0U);
    EXPECT_LE(sent, 1'000'000 + body_bytes + count * Http2Connection::stream_window_bytes);
    for (int32_t id : ids) {
      client.end_body(id);
      Answer answer = co_await client.answer_to(id);
      EXPECT_EQ(answer.status(), "200");
      EXPECT_EQ(answer.body.size(), body_bytes);
    }
  });
}

TEST_F(Http2Test, slow_clients_are_told_and_idle_ones_closed) {
  options.body_timeout = Millis(30);
  options.idle_timeout = Millis(30);
  with_client([](Client2& client) -> Task<> {
    Answer slow = co_await client.answer_to(client.ask("POST", "/echo", {}, "half", false));
    EXPECT_EQ(slow.status(), "408");
    EXPECT_FALSE(co_await client.pump([] { return false; }));
    EXPECT_EQ(client.goaway, static_cast<uint32_t>(NGHTTP2_NO_ERROR));
  });
}

TEST_F(Http2Test, a_client_that_takes_nothing_is_given_up) {
  options.write_timeout = Millis(30);
  router.add("GET", "/large", [](Request&, Response& response) -> Task<> {
    response.set_text(200, std::string(1'000'000, 'x'));
    co_return;
  });
  with_client(
      [](Client2& client) -> Task<> {
        Answer large = co_await client.fetch("GET", "/large");
        EXPECT_EQ(large.error, static_cast<uint32_t>(NGHTTP2_CANCEL));
        EXPECT_EQ(large.body.size(), 65'535U);
      },
      false);
}

TEST_F(Http2Test, streams_beyond_the_maximum_are_refused) {
  options.streams_max = 3;
  with_client([this](Client2& client) -> Task<> {
    std::vector<int32_t> ids;
    for (int i = 0; i < 8; ++i) ids.push_back(client.ask("GET", "/wait"));
    auto over = [&] {
      return std::ranges::count_if(ids, [&](int32_t id) { return client.answer(id).is_over; });
    };
    EXPECT_TRUE(co_await client.pump([&] { return over() == 5; }));
    for (int32_t id : ids) {
      if (client.answer(id).is_over)
        EXPECT_EQ(client.answer(id).error, static_cast<uint32_t>(NGHTTP2_REFUSED_STREAM));
    }
    open_gate();
    EXPECT_TRUE(co_await client.pump([&] { return over() == 8; }));
    EXPECT_LE(alive_most, 3);
  });
}

TEST_F(Http2Test, rapid_resets_end_the_connection_and_start_few_handlers) {
  options.streams_max = 10;
  with_client([this](Client2& client) -> Task<> {
    bool goes_on = true;
    for (int i = 0; i < 2'000 && goes_on; ++i) {
      int32_t id = client.ask("GET", "/wait");
      goes_on = static_cast<bool>(co_await client.flush());
      client.reset(id);
      if (goes_on) goes_on = static_cast<bool>(co_await client.flush());
    }
    (void)co_await client.pump([] { return false; });
    EXPECT_EQ(client.goaway, static_cast<uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM));
    EXPECT_LE(alive_most, 20);
    open_gate();
  });
}

TEST_F(Http2Test, a_flood_of_pings_ends_the_connection) {
  with_client([](Client2& client) -> Task<> {
    for (int i = 0; i < 5'000; ++i) {
      client.ping();
      if (i % 100 == 0 && !co_await client.flush()) break;
    }
    EXPECT_FALSE(co_await client.pump([] { return false; }));
    EXPECT_EQ(client.goaway, static_cast<uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM));
  });
}

TEST_F(Http2Test, a_reset_cancels_handlers_that_end_with_their_peer_and_no_others) {
  with_client([this](Client2& client) -> Task<> {
    int32_t with_peer = client.ask("GET", "/wait?with-peer");
    int32_t without = client.ask("GET", "/wait");
    EXPECT_EQ((co_await client.fetch("GET", "/hello")).body, "hello");
    EXPECT_EQ(alive, 2);
    client.reset(with_peer);
    client.reset(without);
    EXPECT_EQ((co_await client.fetch("GET", "/hello")).body, "hello");
    while (alive > 1) {
      uint64_t seen = begun.version();
      (void)co_await begun.wait_beyond(seen, io::after(Millis(1)));
    }
    EXPECT_EQ(cancelled, 1);
    EXPECT_EQ(alive, 1);
    open_gate();
  });
  EXPECT_EQ(alive, 0);
}

TEST_F(Http2Test, bytes_that_are_no_http2_end_the_connection_quietly) {
  auto task = [this](std::string bytes) -> Task<std::string> {
    auto [near, far] = kit::make_loopback({.seed = kit::seed()});
    io::Scope scope(runtime.loop(0));
    Handler handler = router.handler();
    scope.spawn("server",
                [](std::unique_ptr<io::Stream> stream, const Server::Options& with,
                   const Handler& by) -> Task<> {
                  co_await Server::serve(*stream, with, by);
                }(std::move(far), options, handler));
    (void)co_await near->write(bytes);
    std::string all;
    std::array<char, 1000> buffer;
    while (true) {
      auto got = co_await near->read_some(buffer);
      if (!got || *got == 0) break;
      all.append(buffer.data(), *got);
    }
    near->close();
    co_await scope.join();
    co_return all;
  };
  std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  std::string all = io::wait_on(runtime.loop(0), task(preface + std::string(100, '\xff')));
  EXPECT_NE(all.find(std::string("\x07\0\0\0\0\0", 6)), std::string::npos);  // a GOAWAY
  // Later on a connection it is no request that we know.
  all = io::wait_on(runtime.loop(0),
                    task("GET /unknown HTTP/1.1\r\nHost: localhost\r\n\r\n" + preface));
  EXPECT_NE(all.find("HTTP/1.1 505 "), std::string::npos) << all;
  all = io::wait_on(runtime.loop(0), task("PRI * HTTP/2.0\r\nX: y\r\n\r\n"));
  EXPECT_TRUE(all.starts_with("HTTP/1.1 505 ")) << all;
}

TEST_F(Http2Test, both_protocols_share_a_port_and_tls_agrees_on_one) {
  kit::Certificates certificates;
  auto served = io::TlsContext::for_server({.certificate_file = certificates.certificate_file(),
                                            .key_file = certificates.key_file(),
                                            .protocols = protocols});
  ASSERT_TRUE(served);
  auto talk = [&](uint16_t port, std::vector<std::string> offered) -> Task<Answer> {
    auto stream = co_await io::connect_tcp("127.0.0.1", port, io::after(Millis(5'000)));
    if (!offered.empty()) {
      auto context = io::TlsContext::for_client(
          {.ca_file = certificates.authority_file(), .protocols = offered});
      stream = co_await io::tls_connect(std::move(*stream), *context, "localhost",
                                        io::after(Millis(5'000)));
      EXPECT_TRUE(stream) << stream.error().text();
      EXPECT_EQ((*stream)->protocol(), "h2");
    }
    (*stream)->set_deadline(io::after(Millis(10'000)));
    Client2 client(**stream);
    co_return co_await client.fetch("GET", "/hello");
  };
  for (bool is_secure : {false, true}) {
    if (is_secure) options.tls = *served;
    Server server(runtime, options, router.handler());
    uint16_t port = *server.listen_tcp("127.0.0.1", 0);
    server.start();
    std::vector<std::string> offered;
    if (is_secure) offered = {"h2"};
    EXPECT_EQ(io::wait_on(runtime.loop(0), talk(port, offered)).body, "hello");
    server.stop();
  }
}

}  // namespace
}  // namespace pinpipe::http
