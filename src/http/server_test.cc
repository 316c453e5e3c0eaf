#include "http/server.h"

#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

#include "codec/compression.h"
#include "http/client.h"
#include "http/router.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "io/stream.h"
#include "io/wake.h"
#include "kit/temporary_directory.h"

namespace pinpipe::http {
namespace {

using io::Task;

// Sends the pieces one after the other and reads until the server closes or `until` has come.
Task<Result<std::string>> say(uint16_t port, std::vector<std::string> pieces, std::string until) {
  auto stream = co_await io::connect_tcp("127.0.0.1", port, io::after(Millis(5000)));
  if (!stream) co_return stream.error();
  (*stream)->set_deadline(io::after(Millis(20'000)));
  for (const std::string& piece : pieces) {
    if (!co_await (*stream)->write(piece)) break;  // a server that refused may have closed
    if (pieces.size() > 1) (void)co_await io::sleep_for(Millis(1));
  }
  std::string all;
  std::array<char, 65536> buffer;
  while (until.empty() || all.find(until) == all.npos) {
    auto got = co_await (*stream)->read_some(buffer);
    if (!got && got.error().code() == Code::timeout) co_return got.error();
    if (!got || *got == 0) break;
    all.append(buffer.data(), *got);
  }
  co_return all;
}

size_t count_of(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

struct ServerTest : testing::Test {
  io::Runtime runtime{{.loops = 2}};
  Router router;
  std::unique_ptr<Server> server;
  uint16_t port = 0;
  io::OneShot<int> gate;  // opens the handler of /wait

  void start(Server::Options options = {}) {
    router.add("POST", "/echo", [](Request& request, Response& response) -> Task<> {
      response.set_body(200, "text/plain", request.body);
      co_return;
    });
    router.add("GET", "/hello", [](Request&, Response& response) -> Task<> {
      response.set_text(200, "hello");
      co_return;
    });
    router.add("GET", "/wait", [this](Request&, Response& response) -> Task<> {
      (void)co_await gate.wait(io::after(Millis(10'000)));
      response.set_text(200, "waited");
    });
    router.add("GET", "/pieces", [](Request&, Response& response) -> Task<> {
      response.stream = [](BodyWriter& writer) -> Task<Status> {
        for (std::string_view piece : {"one", "", "two"}) {
          if (Status written = co_await writer.write(piece); !written) co_return written;
        }
        co_return Status{};
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
    router.add("PUT", "/ignore", [](Request&, Response& response) -> Task<> {
      response.set_text(403, "no");
      co_return;
    });
    options.name = "test";
    server = std::make_unique<Server>(runtime, options, router.handler());
    auto listening = server->listen_tcp("127.0.0.1", 0);
    ASSERT_TRUE(listening);
    port = *listening;
    server->start();
  }

  ~ServerTest() override {
    if (server) server->stop();
  }

  std::string talk(std::vector<std::string> pieces, std::string until = "") {
    auto said = io::wait_on(runtime.loop(0), say(port, std::move(pieces), std::move(until)));
    return said ? *said : "error: " + said.error().text();
  }
  // One request that asks for a close, so that the whole answer is what comes.
  std::string once(std::string line, std::string headers = "", std::string body = "") {
    return talk(
        {line + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers + "\r\n" + body});
  }
};

std::string post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

TEST_F(ServerTest, a_request_is_answered_and_the_connection_kept) {
  start();
  std::string both = talk({post("/echo", "first"), post("/echo", "second!")}, "second!");
  EXPECT_EQ(count_of(both, "HTTP/1.1 200 OK\r\n"), 2U);
  EXPECT_NE(both.find("Content-Length: 5\r\n\r\nfirstHTTP/1.1"), std::string::npos) << both;
  EXPECT_TRUE(both.ends_with("Content-Length: 7\r\n\r\nsecond!"));
}

TEST_F(ServerTest, requests_split_at_every_byte_are_understood) {
  start();
  std::string request = post("/echo", "abc");
  std::vector<std::string> pieces;
  for (char c : request) pieces.emplace_back(1, c);
  EXPECT_TRUE(talk(pieces, "\r\n\r\nabc").ends_with("\r\n\r\nabc"));
}

TEST_F(ServerTest, pipelined_requests_are_answered_in_order) {
  start();
  std::string bytes;
  for (int i = 0; i < 500; ++i) bytes += post("/echo", "number " + std::to_string(i) + ";");
  std::string all = talk({bytes}, "number 499;");
  size_t at = 0;
  for (int i = 0; i < 500; ++i) {
    at = all.find("number " + std::to_string(i) + ";", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

TEST_F(ServerTest, a_collected_answer_does_not_wait_for_the_next_handler) {
  start();
  std::string all = talk({"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
                          "GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n"},
                         "hello");
  EXPECT_TRUE(all.ends_with("hello"));
  gate.set(1);
}

TEST_F(ServerTest, answers_after_an_early_one_come_in_order) {
  start();
  auto task = [](uint16_t to, io::OneShot<int>& open) -> Task<std::string> {
    auto stream = co_await io::connect_tcp("127.0.0.1", to, io::after(Millis(5000)));
    (*stream)->set_deadline(io::after(Millis(10'000)));
    (void)co_await (*stream)->write(
        "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
        "GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n"
        "GET /hello HTTP/1.1\r\nHost: localhost\r\n"
        "Connection: close\r\n\r\n");
    std::string all;
    std::array<char, 4096> buffer;
    while (true) {
      auto got = co_await (*stream)->read_some(buffer);
      if (!got || *got == 0) break;
      all.append(buffer.data(), *got);
      open.set(1);
    }
    co_return all;
  };
  std::string all = io::wait_on(runtime.loop(0), task(port, gate));
  size_t first = all.find("hello");
  size_t second = all.find("waited");
  EXPECT_LT(first, second);
  EXPECT_LT(second, all.rfind("hello"));
}

TEST_F(ServerTest, chunked_bodies_come_and_go) {
  start();
  std::string all = once("POST /echo", "Transfer-Encoding: chunked\r\n",
                         "5\r\nhello\r\n7;x=y\r\n there.\r\n0\r\n\r\n");
  EXPECT_TRUE(all.ends_with("Content-Length: 12\r\nConnection: close\r\n\r\nhello there.") ||
              all.ends_with("\r\n\r\nhello there."))
      << all;
  all = once("GET /pieces");
  EXPECT_NE(all.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_TRUE(all.ends_with("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")) << all;
  all = talk({"GET /pieces HTTP/1.0\r\n\r\n"});
  EXPECT_TRUE(all.ends_with("\r\n\r\nonetwo")) << all;
}

TEST_F(ServerTest, a_large_body_comes_back_whole) {
  start();
  std::string body(3'000'000, 'x');
  for (size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
  std::string all = once("POST /echo", "Content-Length: 3000000\r\n", body);
  EXPECT_TRUE(all.ends_with("\r\n\r\n" + body));
}

TEST_F(ServerTest, head_has_the_length_and_no_body) {
  start();
  std::string all = once("HEAD /hello");
  EXPECT_NE(all.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_TRUE(all.ends_with("\r\n\r\n")) << all;
}

TEST_F(ServerTest, every_limit_answers_with_its_status) {
  start({.head_bytes_max = 1000, .body_bytes_max = 100});
  struct Case {
    std::string bytes;
    int status;
  };
  std::string head = " HTTP/1.1\r\nHost: localhost\r\n";
  const std::vector<Case> cases = {
      {"GET /" + std::string(2000, 'a') + head + "\r\n", 414},
      {"GET /hello" + head + "X: " + std::string(2000, 'a') + "\r\n\r\n", 431},
      {"POST /echo" + head + "Content-Length: 101\r\n\r\n", 413},
      {"POST /echo" + head + "Content-Length: 101\r\n\r\n" + std::string(101, 'x'), 413},
      {"POST /echo" + head + "Transfer-Encoding: chunked\r\n\r\n65\r\n" + std::string(101, 'x') +
           "\r\n0\r\n\r\n",
       413},
      {"POST /echo" + head + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
      {"POST /echo" + head + "Transfer-Encoding: br\r\n\r\n", 501},
      {"POST /echo" + head + "Content-Length: 5\r\nExpect: miracles\r\n\r\nhello", 417},
      {"POST /echo" + head + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400},
      {"GET /hello HTTP/1.1\r\n\r\n", 400},
      {"GET /hello HTTP/3.0\r\nHost: localhost\r\n\r\n", 505},
      {"GET /hello HTTP/1.1\r\nHost: evil.org\r\n\r\n", 403},
      {"GET /hello" + head + "Origin: http://evil.org\r\n\r\n", 403},
      {"GET /hello" + head + "Origin: null\r\n\r\n", 403},
      {"nonsense\r\n\r\n", 400},
      {"GET /unknown" + head + "Connection: close\r\n\r\n", 404},
  };
  for (const Case& one : cases) {
    std::string all = talk({one.bytes});
    EXPECT_TRUE(all.starts_with("HTTP/1.1 " + std::to_string(one.status) + " "))
        << one.bytes.substr(0, 100) << "\n-> " << all;
    EXPECT_NE(all.find("Connection: close\r\n"), std::string::npos) << all;
  }
  EXPECT_NE(once("GET /hello", "Origin: http://localhost\r\n").find("200 OK"), std::string::npos);
}

TEST_F(ServerTest, a_body_far_too_large_still_reads_its_refusal) {
  start({.body_bytes_max = 100});
  std::string all = talk({post("/echo", std::string(600'000, 'x'))});
  EXPECT_TRUE(all.starts_with("HTTP/1.1 413 ")) << all;
}

TEST_F(ServerTest, refusals_take_the_doors_shape) {
  Server::Options options{.body_bytes_max = 10};
  options.shape_refusal = [](const Request& head, Response& refusal) {
    refusal.set_json(refusal.status, "{\"path\":\"" + std::string(head.path()) + "\"}");
  };
  start(options);
  EXPECT_TRUE(talk({post("/echo", "more than ten bytes")}).ends_with("{\"path\":\"/echo\"}"));
}

TEST_F(ServerTest, slow_clients_are_told_and_closed) {
  start({.head_timeout = Millis(30), .body_timeout = Millis(30), .idle_timeout = Millis(30)});
  EXPECT_TRUE(talk({"GET /hel"}).starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(talk({"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhel"})
                  .starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(talk({"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "5\r\nhel"})
                  .starts_with("HTTP/1.1 408 "));
  EXPECT_EQ(talk({""}), "");
}

TEST_F(ServerTest, expect_100_continue_is_answered_before_the_body_comes) {
  start({.body_bytes_max = 100});
  auto task = [](uint16_t to) -> Task<std::string> {
    auto stream = co_await io::connect_tcp("127.0.0.1", to, io::after(Millis(5000)));
    (*stream)->set_deadline(io::after(Millis(10'000)));
    (void)co_await (*stream)->write(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"
        "Connection: close\r\n\r\n");
    std::string all(25, '\0');
    for (size_t have = 0; have < all.size();) {
      auto got = co_await (*stream)->read_some(std::span(all).subspan(have));
      if (!got || *got == 0) co_return all;
      have += *got;
    }
    (void)co_await (*stream)->write("hello");
    std::array<char, 4096> buffer;
    while (true) {
      auto got = co_await (*stream)->read_some(buffer);
      if (!got || *got == 0) co_return all;
      all.append(buffer.data(), *got);
    }
  };
  std::string all = io::wait_on(runtime.loop(0), task(port));
  EXPECT_TRUE(all.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")) << all;
  EXPECT_TRUE(all.ends_with("hello"));
  // One that is too large is refused before it is sent.
  all =
      talk({"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n"
            "Expect: 100-continue\r\n\r\n"});
  EXPECT_TRUE(all.starts_with("HTTP/1.1 413 ")) << all;
}

TEST_F(ServerTest, gzip_is_undone_in_requests) {
  start({.body_bytes_max = 100'000});
  std::string plain(50'000, 'x');
  std::string packed = *codec::compress(codec::Codec::gzip, plain);
  std::string length = "Content-Length: " + std::to_string(packed.size()) + "\r\n";
  EXPECT_TRUE(once("POST /echo", "Content-Encoding: gzip\r\n" + length, packed)
                  .ends_with("\r\n\r\n" + plain));
  std::string bomb = *codec::compress(codec::Codec::gzip, std::string(100'001, 'x'));
  length = "Content-Length: " + std::to_string(bomb.size()) + "\r\n";
  EXPECT_TRUE(
      once("POST /echo", "Content-Encoding: gzip\r\n" + length, bomb).starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(once("POST /echo", "Content-Encoding: gzip\r\nContent-Length: 5\r\n", "hello")
                  .starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(once("POST /echo", "Content-Encoding: br\r\nContent-Length: 5\r\n", "hello")
                  .starts_with("HTTP/1.1 415 "));
}

TEST_F(ServerTest, bodies_can_be_read_piece_by_piece) {
  Server::Options options;
  options.plan_body = [](const Request&) { return BodyPlan{.bytes_max = 1 << 20, .stream = true}; };
  start(options);
  std::string all = once("PUT /upload", "Content-Length: 500000\r\n", std::string(500'000, 'x'));
  EXPECT_TRUE(all.ends_with("500000 bytes")) << all;
  all = once("PUT /upload", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n");
  EXPECT_TRUE(all.ends_with("5 bytes")) << all;
  all = once("PUT /upload", "Transfer-Encoding: chunked\r\n", "5\r\nhelloX");
  EXPECT_TRUE(all.starts_with("HTTP/1.1 400 ")) << all;
}

TEST_F(ServerTest, a_body_that_no_handler_read_does_not_become_the_next_request) {
  Server::Options options;
  options.plan_body = [](const Request&) { return BodyPlan{.bytes_max = 9 << 20, .stream = true}; };
  start(options);
  std::string request =
      "PUT /ignore HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" +
      std::string(100'000, 'x');
  std::string all = talk({request + "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"}, "hello");
  EXPECT_TRUE(all.starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(all.ends_with("hello"));
}

TEST_F(ServerTest, files_are_sent_whole) {
  kit::TemporaryDirectory directory;
  std::string path = directory.path() + "/f";
  std::string content(700'000, 'y');
  content[699'999] = 'z';
  std::ofstream(path) << content;
  struct Open {
    int descriptor;
    ~Open() { ::close(descriptor); }
  };
  router.add("GET", "/file", [path](Request&, Response& response) -> Task<> {
    auto open = std::make_shared<Open>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    response.file = FileBody{open, open->descriptor, 100'000, 600'000};
    co_return;
  });
  start();
  std::string all = once("GET /file");
  EXPECT_NE(all.find("Content-Length: 600000\r\n"), std::string::npos);
  EXPECT_TRUE(all.ends_with("\r\n\r\n" + content.substr(100'000)));
  EXPECT_TRUE(once("HEAD /file").ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, a_client_that_hangs_up_in_the_middle_leaves_nothing) {
  start();
  auto task = [](uint16_t to) -> Task<> {
    for (std::string_view bytes :
         {"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\nabc", "GET /he",
          "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nFF\r\n"}) {
      auto stream = co_await io::connect_tcp("127.0.0.1", to, io::after(Millis(5000)));
      (void)co_await (*stream)->write(bytes);
      (*stream)->close();
    }
  };
  io::run_on(runtime.loop(0), task(port));
  EXPECT_NE(once("GET /hello").find("hello"), std::string::npos);
  for (int i = 0; i < 1000 && server->connection_count() > 0; ++i) once("GET /hello");
  EXPECT_EQ(server->connection_count(), 0U);
}

size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

TEST_F(ServerTest, idle_connections_cost_little_memory) {
  start();
  constexpr size_t count = 400;  // each costs two descriptors here
  auto open = [](uint16_t to, std::vector<std::unique_ptr<io::Stream>>& streams) -> Task<> {
    for (size_t i = 0; i < count; ++i) {
      auto stream = co_await io::connect_tcp("127.0.0.1", to, io::after(Millis(5000)));
      if (!stream) co_return;
      (void)co_await (*stream)->write(post("/echo", std::string(600, 'x')));
      std::array<char, 2048> buffer;
      (void)co_await (*stream)->read_some(buffer);
      streams.push_back(std::move(*stream));
    }
  };
  std::vector<std::unique_ptr<io::Stream>> streams;
  size_t before = resident_bytes();
  io::run_on(runtime.loop(0), open(port, streams));
  ASSERT_EQ(streams.size(), count);
  size_t after = resident_bytes();
  size_t grown = after - std::min(before, after);
  // A sanitizer's own memory would be counted too.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
  constexpr size_t limit = 24'000;  // both ends together, at -O0
#else
  constexpr size_t limit = 400'000;
#endif
  EXPECT_LT(grown / count, limit);
  io::run_on(runtime.loop(0), [](std::vector<std::unique_ptr<io::Stream>>& all) -> Task<> {
    all.clear();
    co_return;
  }(streams));
}

}  // namespace
}  // namespace pinpipe::http
