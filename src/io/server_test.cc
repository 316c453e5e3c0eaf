#include "io/server.h"

#include <gtest/gtest.h>

#include "io/files.h"
#include "kit/temporary_directory.h"

namespace pinpipe::io {
namespace {

Task<> echo(std::unique_ptr<Stream> stream) {
  std::array<char, 4096> buffer;
  while (true) {
    auto got = co_await stream->read_some(buffer);
    if (!got || *got == 0) co_return;
    if (!co_await stream->write(std::string_view(buffer.data(), *got))) co_return;
  }
}

Task<Result<std::string>> say(std::unique_ptr<Stream> stream, std::string text) {
  Status sent = co_await stream->write(text);
  if (!sent) co_return sent.error();
  std::string back(text.size(), '\0');
  size_t filled = 0;
  while (filled < back.size()) {
    auto got = co_await stream->read_some(std::span(back).subspan(filled));
    if (!got) co_return got.error();
    if (*got == 0) break;
    filled += *got;
  }
  co_return back;
}

struct ServerTest : testing::Test {
  Runtime runtime{{.loops = 2}};
  Server server{runtime, {.name = "echo"}, echo};
  ~ServerTest() override { server.stop(); }
};

TEST_F(ServerTest, serves_both_families_of_localhost) {
  auto port = server.listen_tcp("localhost", 0);
  ASSERT_TRUE(port);
  server.start();
  for (std::string host : {"127.0.0.1", "::1", "localhost"}) {
    auto task = [](std::string name, uint16_t to) -> Task<Result<std::string>> {
      auto stream = co_await connect_tcp(name, to, after(Millis(5000)));
      if (!stream) co_return stream.error();
      co_return co_await say(std::move(*stream), std::string(300'000, 'x'));
    };
    auto back = wait_on(runtime.loop(0), task(host, *port));
    if (host == "::1" && !back) continue;  // a machine without IPv6
    ASSERT_TRUE(back) << host << ": " << back.error().text();
    EXPECT_EQ(back->size(), 300'000U);
  }
}

TEST_F(ServerTest, a_taken_port_is_a_conflict_that_names_the_address) {
  auto port = server.listen_tcp("127.0.0.1", 0);
  ASSERT_TRUE(port);
  Server second(runtime, {.name = "second"}, echo);
  auto again = second.listen_tcp("127.0.0.1", *port);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::conflict);
  EXPECT_NE(again.error().text().find("127.0.0.1"), std::string::npos);
}

TEST_F(ServerTest, a_local_socket_serves_and_goes_away) {
  kit::TemporaryDirectory directory;
  std::string path = directory.path() + "/s.sock";
  ASSERT_TRUE(server.listen_local(path));
  server.start();
  auto task = [](std::string at) -> Task<Result<std::string>> {
    auto stream = co_await connect_local(at, after(Millis(5000)));
    if (!stream) co_return stream.error();
    co_return co_await say(std::move(*stream), "hello");
  };
  EXPECT_EQ(*wait_on(runtime.loop(0), task(path)), "hello");
  server.stop();
  EXPECT_FALSE(posix_files().exists(path));
}

TEST_F(ServerTest, a_read_past_its_deadline_times_out_and_can_go_on) {
  auto port = server.listen_tcp("127.0.0.1", 0);
  ASSERT_TRUE(port);
  server.start();
  auto task = [](uint16_t to) -> Task<bool> {
    auto stream = co_await connect_tcp("127.0.0.1", to, after(Millis(5000)));
    if (!stream) co_return false;
    (*stream)->set_deadline(after(Millis(20)));
    std::array<char, 8> buffer;
    auto got = co_await (*stream)->read_some(buffer);
    if (got || got.error().code() != Code::timeout) co_return false;
    (*stream)->set_deadline(after(Millis(5000)));
    auto back = co_await say(std::move(*stream), "again");
    co_return back && *back == "again";
  };
  EXPECT_TRUE(wait_on(runtime.loop(0), task(*port)));
}

TEST_F(ServerTest, after_the_end_of_writes_the_answer_still_comes) {
  auto port = server.listen_tcp("127.0.0.1", 0);
  ASSERT_TRUE(port);
  server.start();
  auto task = [](uint16_t to) -> Task<std::string> {
    auto stream = co_await connect_tcp("127.0.0.1", to, after(Millis(5000)));
    (void)co_await (*stream)->write(std::string_view("last words"));
    (*stream)->end_writes();
    std::string all;
    std::array<char, 64> buffer;
    while (true) {
      auto got = co_await (*stream)->read_some(buffer);
      if (!got || *got == 0) co_return all;
      all.append(buffer.data(), *got);
    }
  };
  EXPECT_EQ(wait_on(runtime.loop(0), task(*port)), "last words");
}

TEST_F(ServerTest, stopping_ends_idle_connections) {
  auto port = server.listen_tcp("127.0.0.1", 0);
  ASSERT_TRUE(port);
  server.start();
  auto task = [](uint16_t to) -> Task<std::unique_ptr<Stream>> {
    auto stream = co_await connect_tcp("127.0.0.1", to, after(Millis(5000)));
    (void)co_await (*stream)->write(std::string_view("x"));
    std::array<char, 1> one;
    (void)co_await (*stream)->read_some(one);
    co_return std::move(*stream);
  };
  auto stream = wait_on(runtime.loop(0), task(*port));
  EXPECT_EQ(server.connection_count(), 1U);
  server.stop();
  EXPECT_EQ(server.connection_count(), 0U);
  run_on(runtime.loop(0), [](std::unique_ptr<Stream> s) -> Task<> {
    s->close();
    co_return;
  }(std::move(stream)));
}

TEST_F(ServerTest, nobody_listening_is_unavailable) {
  auto task = []() -> Task<Code> {
    auto stream = co_await connect_tcp("127.0.0.1", 1, after(Millis(5000)));
    co_return stream ? Code::internal : stream.error().code();
  };
  EXPECT_EQ(wait_on(runtime.loop(0), task()), Code::unavailable);
}

}  // namespace
}  // namespace pinpipe::io
