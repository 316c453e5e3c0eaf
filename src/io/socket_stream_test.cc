#include "io/socket_stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "base/check.h"
#include "io/runtime.h"
#include "io/scope.h"

namespace pinpipe::io {
namespace {

// A pair of sockets: one for a stream, the other in the test's own hands.
struct SocketStreamTest : testing::Test {
  Runtime runtime{{.loops = 1}};
  int ours = -1;
  int peer = -1;

  void SetUp() override {
    std::array<int, 2> pair;
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
    ours = pair[0];
    peer = pair[1];
  }
  void TearDown() override { hang_up(); }

  void say(std::string_view text) const {
    ASSERT_EQ(::send(peer, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  void hang_up() {
    if (peer >= 0) ::close(peer);
    peer = -1;
  }
};

std::unique_ptr<Stream> stream_over(int socket) {
  return std::make_unique<SocketStream>(socket, SocketStream::Kind::tcp);
}

Task<std::string> read_all(int socket) {
  auto stream = stream_over(socket);
  std::string all;
  std::array<char, 64> buffer;
  while (true) {
    auto got = co_await stream->read_some(buffer);
    if (!got) co_return all + " and " + got.error().text();
    if (*got == 0) co_return all;
    all.append(buffer.data(), *got);
  }
}

TEST_F(SocketStreamTest, an_end_that_came_with_the_last_bytes_is_read_behind_them) {
  say("last words");
  hang_up();
  EXPECT_EQ(wait_on(runtime.loop(0), read_all(ours)), "last words");
}

TEST_F(SocketStreamTest, bytes_and_an_end_wake_a_reader_that_has_read_all_there_was) {
  std::thread talker([this] {
    for (const char* word : {"one ", "two ", "three"}) {
      say(word);
      std::this_thread::yield();
    }
    hang_up();
  });
  EXPECT_EQ(wait_on(runtime.loop(0), read_all(ours)), "one two three");
  talker.join();
}

TEST_F(SocketStreamTest, a_reader_of_a_flood_leaves_the_loop_to_others) {
  say(std::string(64'000, 'x'));
  hang_up();
  auto task = [](int socket) -> Task<size_t> {
    auto stream = stream_over(socket);
    bool had_turn = false;
    Loop::current().post([&] { had_turn = true; });
    std::array<char, 16> buffer;
    size_t before = 0;
    while (true) {
      auto got = co_await stream->read_some(buffer);
      if (!got || *got == 0) co_return before;
      if (!had_turn) before += *got;
    }
  };
  size_t read_before_others = wait_on(runtime.loop(0), task(ours));
  EXPECT_GT(read_before_others, 0U);
  EXPECT_LT(read_before_others, 1'000U);
}

TEST_F(SocketStreamTest, a_write_that_does_not_fit_goes_on_when_there_is_room) {
  constexpr size_t size = 8 << 20;
  std::string received;
  std::thread reader([&] {
    std::array<char, 65536> buffer;
    for (ssize_t got; (got = ::recv(peer, buffer.data(), buffer.size(), 0)) > 0;)
      received.append(buffer.data(), static_cast<size_t>(got));
  });
  auto task = [](int socket) -> Task<uint64_t> {
    auto stream = stream_over(socket);
    std::string first(size / 2, 'a'), second(size / 2, 'b');
    std::array<std::string_view, 3> pieces = {first, "", second};
    Status written = co_await stream->write(pieces);
    co_return written ? stream->bytes_taken() : 0;
  };
  EXPECT_EQ(wait_on(runtime.loop(0), task(ours)), size);
  reader.join();
  EXPECT_EQ(received, std::string(size / 2, 'a') + std::string(size / 2, 'b'));
}

TEST_F(SocketStreamTest, a_cancellation_and_a_close_end_a_wait) {
  auto task = [](int socket) -> Task<std::string> {
    auto stream = stream_over(socket);
    std::string ends;
    auto reader = [](Stream& from, std::string& into) -> Task<> {
      std::array<char, 8> buffer;
      auto got = co_await from.read_some(buffer);
      into += got ? "?" : name_of(got.error().code());
      into += ' ';
    };
    Scope cancelled(Loop::current());
    cancelled.spawn("reader", reader(*stream, ends));
    (void)co_await sleep_until(now());
    cancelled.cancel();
    co_await cancelled.join();
    Scope closed(Loop::current());
    closed.spawn("reader", reader(*stream, ends));
    (void)co_await sleep_until(now());
    stream->close();
    co_await closed.join();
    co_return ends;
  };
  EXPECT_EQ(wait_on(runtime.loop(0), task(ours)), "cancelled cancelled ");
}

TEST_F(SocketStreamTest, a_hang_up_is_told_and_what_comes_instead_is_left_to_be_read) {
  auto task = [](int socket, const SocketStreamTest& test) -> Task<std::string> {
    auto stream = stream_over(socket);
    std::string seen;
    Scope scope(Loop::current());
    auto watcher = [](Stream& of, std::string& into) -> Task<> {
      into += co_await of.hung_up() ? "gone " : "more ";
    };
    scope.spawn("watch", watcher(*stream, seen));
    (void)co_await sleep_until(now());
    test.say("hello");
    co_await scope.join();
    std::array<char, 8> buffer;
    auto got = co_await stream->read_some(buffer);
    seen += got ? std::to_string(*got) + " " : "?";
    scope.spawn("watch", watcher(*stream, seen));
    (void)co_await sleep_until(now());
    ::shutdown(test.peer, SHUT_WR);
    co_await scope.join();
    co_return seen;
  };
  EXPECT_EQ(wait_on(runtime.loop(0), task(ours, *this)), "more 5 gone ");
}

}  // namespace
}  // namespace pinpipe::io
