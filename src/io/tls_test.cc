#include "io/tls.h"

#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include "io/runtime.h"
#include "io/scope.h"
#include "io/server.h"
#include "kit/certificates.h"
#include "kit/loopback.h"
#include "kit/seed.h"

namespace pinpipe::io {
namespace {

using Streams = std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>>;

struct Ends {
  Result<std::unique_ptr<Stream>> client = Error(Code::internal, "not begun");
  Result<std::unique_ptr<Stream>> server = Error(Code::internal, "not begun");
};

struct TlsTest : testing::Test {
  Runtime runtime{{.loops = 1, .disk_threads = 1, .work_threads = 1}};
  kit::Certificates certificates;
  std::string host = "localhost";
  std::vector<std::string> client_protocols, server_protocols;

  std::shared_ptr<const TlsContext> server_context(const kit::Certificates& of) {
    auto made = TlsContext::for_server({.certificate_file = of.certificate_file(),
                                        .key_file = of.key_file(),
                                        .protocols = server_protocols});
    EXPECT_TRUE(made) << made.error().text();
    return *made;
  }
  std::shared_ptr<const TlsContext> client_context(const kit::Certificates& of) {
    auto made =
        TlsContext::for_client({.ca_file = of.authority_file(), .protocols = client_protocols});
    EXPECT_TRUE(made) << made.error().text();
    return *made;
  }

  // Both sides' handshakes over a loopback.
  static Task<Ends> agree(Loop& loop, Streams streams, std::shared_ptr<const TlsContext> client,
                          std::shared_ptr<const TlsContext> server, std::string name) {
    Ends ends;
    Scope scope(loop);
    scope.spawn("server",
                [](Ends& out, std::unique_ptr<Stream> stream,
                   std::shared_ptr<const TlsContext> context) -> Task<> {
                  out.server = co_await tls_accept(std::move(stream), std::move(context),
                                                   after(Millis(10'000)));
                }(ends, std::move(streams.second), std::move(server)));
    ends.client = co_await tls_connect(std::move(streams.first), std::move(client), std::move(name),
                                       after(Millis(10'000)));
    co_await scope.join();
    co_return ends;
  }
  Ends agree(std::shared_ptr<const TlsContext> client, std::shared_ptr<const TlsContext> server) {
    return wait_on(runtime.loop(0),
                   agree(runtime.loop(0), kit::make_loopback({.seed = kit::seed()}),
                         std::move(client), std::move(server), host));
  }
  Ends agree() { return agree(client_context(certificates), server_context(certificates)); }

  // Streams live and die on their loop.
  template <class F>
  void on_loop(F body) {
    run_on(runtime.loop(0), body());
  }
  void drop(Ends& ends) {
    on_loop([&]() -> Task<> {
      ends.client = Error(Code::internal, "dropped");
      ends.server = Error(Code::internal, "dropped");
      co_return;
    });
  }
};

Task<std::string> read_all(Stream& stream, std::string& failure) {
  std::string all;
  std::array<char, 5000> buffer;
  while (true) {
    auto got = co_await stream.read_some(buffer);
    if (!got) failure = got.error().text();
    if (!got || *got == 0) co_return all;
    all.append(buffer.data(), *got);
  }
}

TEST_F(TlsTest, bytes_go_both_ways_at_once_and_the_end_is_orderly) {
  Ends ends = agree();
  ASSERT_TRUE(ends.client) << ends.client.error().text();
  ASSERT_TRUE(ends.server) << ends.server.error().text();
  EXPECT_TRUE((*ends.client)->is_secure());
  std::string there(300'000, 'a'), back(200'000, 'b');
  for (size_t i = 0; i < there.size(); i += 7) there[i] = static_cast<char>('A' + i % 26);
  std::string got_there, got_back, failure;
  auto talk = [&]() -> Task<> {
    Scope scope(runtime.loop(0));
    auto send = [](Stream& stream, const std::string& bytes) -> Task<> {
      std::array<std::string_view, 3> pieces = {std::string_view(bytes).substr(0, 10),
                                                std::string_view(bytes).substr(10, 20),
                                                std::string_view(bytes).substr(30)};
      EXPECT_TRUE(co_await stream.write(pieces));
      stream.end_writes();
    };
    auto receive = [](Stream& stream, std::string& into, std::string& why) -> Task<> {
      into = co_await read_all(stream, why);
    };
    scope.spawn("there", send(**ends.client, there));
    scope.spawn("back", send(**ends.server, back));
    scope.spawn("got there", receive(**ends.server, got_there, failure));
    scope.spawn("got back", receive(**ends.client, got_back, failure));
    co_await scope.join();
  };
  on_loop(talk);
  EXPECT_EQ(failure, "");
  EXPECT_EQ(got_there, there);
  EXPECT_EQ(got_back, back);
  drop(ends);
}

TEST_F(TlsTest, a_cut_is_no_end) {
  Streams streams = kit::make_loopback({.seed = kit::seed()});
  Stream* below = streams.first.get();
  Ends ends = wait_on(runtime.loop(0),
                      agree(runtime.loop(0), std::move(streams), client_context(certificates),
                            server_context(certificates), host));
  ASSERT_TRUE(ends.client && ends.server);
  std::string failure;
  on_loop([&]() -> Task<> {
    below->end_writes();  // the transport ends, TLS has said nothing
    (void)co_await read_all(**ends.server, failure);
  });
  EXPECT_EQ(failure, "the peer closed the connection without ending TLS");
  drop(ends);
}

TEST_F(TlsTest, a_certificate_must_be_trusted_name_the_host_and_be_valid) {
  kit::Certificates other;
  Ends ends = agree(client_context(other), server_context(certificates));
  ASSERT_FALSE(ends.client);
  EXPECT_EQ(ends.client.error().code(), Code::denied) << ends.client.error().text();
  EXPECT_FALSE(ends.server);

  host = "elsewhere.example";
  ends = agree();
  ASSERT_FALSE(ends.client);
  EXPECT_NE(ends.client.error().text().find("ostname"), std::string::npos)
      << ends.client.error().text();

  host = "127.0.0.2";
  ends = agree();
  ASSERT_FALSE(ends.client);
  EXPECT_EQ(ends.client.error().code(), Code::denied);

  host = "127.0.0.1";
  ends = agree();
  EXPECT_TRUE(ends.client);
  drop(ends);

  kit::Certificates old({.valid_days = -1});
  host = "localhost";
  ends = agree(client_context(old), server_context(old));
  ASSERT_FALSE(ends.client);
  EXPECT_NE(ends.client.error().text().find("expired"), std::string::npos)
      << ends.client.error().text();
}

TEST_F(TlsTest, without_verification_anybody_may_answer) {
  auto trusting = TlsContext::for_client({.ca_file = "", .verify = false});
  ASSERT_TRUE(trusting);
  host = "elsewhere.example";
  Ends ends = agree(*trusting, server_context(certificates));
  EXPECT_TRUE(ends.client) << ends.client.error().text();
  drop(ends);
}

TEST_F(TlsTest, the_servers_first_protocol_that_both_speak_is_chosen) {
  server_protocols = {"h2", "http/1.1"};
  client_protocols = {"http/1.1", "h2"};
  Ends ends = agree();
  ASSERT_TRUE(ends.client && ends.server);
  EXPECT_EQ((*ends.client)->protocol(), "h2");
  EXPECT_EQ((*ends.server)->protocol(), "h2");
  drop(ends);
  client_protocols = {"spdy/3"};
  ends = agree();
  ASSERT_TRUE(ends.client && ends.server);
  EXPECT_EQ((*ends.client)->protocol(), "");
  drop(ends);
}

TEST_F(TlsTest, files_that_do_not_do_are_named) {
  auto missing = TlsContext::for_server({.certificate_file = "/nowhere.pem", .key_file = ""});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::invalid);
  EXPECT_NE(missing.error().text().find("/nowhere.pem"), std::string::npos);
  kit::Certificates other;
  auto mixed = TlsContext::for_server(
      {.certificate_file = certificates.certificate_file(), .key_file = other.key_file()});
  ASSERT_FALSE(mixed);
  EXPECT_NE(mixed.error().text().find(other.key_file()), std::string::npos);
  EXPECT_FALSE(TlsContext::for_client({.ca_file = "/nowhere.pem"}));
}

TEST_F(TlsTest, a_peer_that_does_not_speak_tls_or_says_nothing_is_unavailable) {
  auto task = [&](std::string says, Instant deadline) -> Task<Result<std::unique_ptr<Stream>>> {
    auto [near, far] = kit::make_loopback({.seed = kit::seed()});
    (void)far->write_now(says);
    co_return co_await tls_connect(std::move(near), client_context(certificates), host, deadline);
  };
  auto refused = wait_on(runtime.loop(0), task("HTTP/1.1 400 Bad Request\r\n\r\n", never));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::unavailable) << refused.error().text();
  auto hold = kit::make_loopback({.seed = kit::seed()});
  auto silent = [&](std::unique_ptr<Stream> near) -> Task<Result<std::unique_ptr<Stream>>> {
    co_return co_await tls_connect(std::move(near), client_context(certificates), host,
                                   after(Millis(20)));
  };
  auto late = wait_on(runtime.loop(0), silent(std::move(hold.first)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::timeout);
}

TEST_F(TlsTest, a_connection_is_upgraded_in_the_middle) {
  auto task = [&]() -> Task<std::string> {
    auto [near, far] = kit::make_loopback({.seed = kit::seed()});
    // In plain text first; the server has read into the handshake when it upgrades.
    (void)near->write_now("SSL please\n");
    Scope scope(runtime.loop(0));
    std::string heard, failure;
    auto serve = [](std::unique_ptr<Stream> plain, std::shared_ptr<const TlsContext> context,
                    std::string& into, std::string& why) -> Task<> {
      std::string received;
      std::array<char, 100> piece;
      while (received.size() < 11 + 50) {
        auto got = co_await plain->read_some(piece);
        received.append(piece.data(), *got);
      }
      EXPECT_EQ(received.substr(0, 11), "SSL please\n");
      auto secured =
          co_await tls_accept(std::move(plain), std::move(context), never, received.substr(11));
      EXPECT_TRUE(secured) << secured.error().text();
      if (secured) into = co_await read_all(**secured, why);
    };
    scope.spawn("server", serve(std::move(far), server_context(certificates), heard, failure));
    auto secured = co_await tls_connect(std::move(near), client_context(certificates), host, never);
    EXPECT_TRUE(secured) << secured.error().text();
    EXPECT_TRUE(co_await (*secured)->write("in secret"));
    (*secured)->end_writes();
    co_await scope.join();
    co_return heard + failure;
  };
  EXPECT_EQ(wait_on(runtime.loop(0), task()), "in secret");
}

TEST_F(TlsTest, files_deadlines_and_hang_ups_work_over_real_sockets) {
  std::string path = certificates.certificate_file();
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  auto size = static_cast<uint64_t>(::lseek(file, 0, SEEK_END));
  bool saw_hang_up = false, saw_news = true;
  Server server(runtime, {.name = "tls"}, [&](std::unique_ptr<Stream> plain) -> Task<> {
    auto secured =
        co_await tls_accept(std::move(plain), server_context(certificates), after(Millis(10'000)));
    EXPECT_TRUE(secured) << secured.error().text();
    if (!secured) co_return;
    EXPECT_TRUE(co_await (*secured)->send_file(file, 0, size));
    std::array<char, 10> buffer;
    (*secured)->set_deadline(std::chrono::steady_clock::now());
    auto nothing = co_await (*secured)->read_some(buffer);
    EXPECT_TRUE(!nothing && nothing.error().code() == Code::timeout);
    (*secured)->set_deadline(never);
    saw_news = (*secured)->has_news();
    EXPECT_TRUE(co_await (*secured)->write("go"));
    saw_hang_up = co_await (*secured)->hung_up();
  });
  uint16_t port = *server.listen_tcp("127.0.0.1", 0);
  server.start();
  auto task = [&]() -> Task<std::string> {
    auto plain = co_await connect_tcp("127.0.0.1", port, after(Millis(10'000)));
    auto secured = co_await tls_connect(std::move(*plain), client_context(certificates), host,
                                        after(Millis(10'000)));
    std::string all;
    std::array<char, 1000> buffer;
    while (all.size() < size + 2) {
      auto got = co_await (*secured)->read_some(buffer);
      if (!got || *got == 0) break;
      all.append(buffer.data(), *got);
    }
    (*secured)->close();
    co_return all;
  };
  std::string all = wait_on(runtime.loop(0), task());
  std::ifstream read(path);
  std::string content((std::istreambuf_iterator<char>(read)), {});
  EXPECT_EQ(all, content + "go");
  for (int i = 0; i < 100'000 && server.connection_count() > 0; ++i)
    run_on(runtime.loop(0), []() -> Task<> { co_return; }());
  server.stop();
  EXPECT_FALSE(saw_news);
  EXPECT_TRUE(saw_hang_up);
  ::close(file);
}

}  // namespace
}  // namespace pinpipe::io
