#include "http/client.h"

#include <gtest/gtest.h>

#include "auth/sigv4.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "http/router.h"
#include "http/server.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "io/stream.h"
#include "io/tls.h"
#include "kit/certificates.h"
#include "kit/temporary_directory.h"

namespace pinpipe::http {
namespace {

using io::Task;

TEST(Url, parts_are_found_and_nonsense_is_refused) {
  auto url = Url::parse("http://127.0.0.1:8082/test?x=1#top");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "127.0.0.1");
  EXPECT_EQ(url->port, 8082);
  EXPECT_EQ(url->target, "/test?x=1");
  EXPECT_EQ(url->authority(), "127.0.0.1:8082");
  EXPECT_EQ(Url::parse("http://[::1]:80")->host, "::1");
  EXPECT_EQ(Url::parse("http://[::1]:81")->authority(), "[::1]:81");
  EXPECT_EQ(Url::parse("https://a.b")->port, 443);
  EXPECT_EQ(Url::parse("http://a?x")->target, "/?x");
  auto local = Url::parse("unix:/run/p.sock:/api/v1");
  ASSERT_TRUE(local);
  EXPECT_EQ(local->socket_path, "/run/p.sock");
  EXPECT_EQ(local->target, "/api/v1");
  for (std::string_view wrong : {"", "localhost", "ftp://a", "http://", "http://a:0", "http://a:x",
                                 "http://a:99999", "http://u:p@a", "unix:", "http://a/b c"}) {
    EXPECT_FALSE(Url::parse(wrong)) << wrong;
  }
}

struct ClientTest : testing::Test {
  io::Runtime runtime{{.loops = 2}};
  Client client{{.connections_per_authority_max = 2}};
  int served = 0;

  Result<Response> fetch(std::string url, Request request = {}, Client::Retry retry = {}) {
    return fetch_with(client, std::move(url), std::move(request), retry);
  }
  Result<Response> fetch_with(Client& by, std::string url, Request request,
                              Client::Retry retry = {}) {
    if (request.method.empty()) request.method = "GET";
    auto task = [](Client& with, std::string to, Request what,
                   Client::Retry when) -> Task<Result<Response>> {
      auto parsed = Url::parse(to);
      if (!parsed) co_return parsed.error();
      co_return co_await with.fetch(*parsed, what, io::after(Millis(5'000)), when);
    };
    return io::wait_on(runtime.loop(0), task(by, std::move(url), std::move(request), retry));
  }
};

// A server that answers each connection's requests from a list of raw bytes, then closes it. An
// empty entry closes without an answer.
struct RawServer {
  explicit RawServer(io::Runtime& runtime, std::vector<std::vector<std::string>> connections)
      : answers(std::move(connections)),
        server(runtime, {.name = "raw"},
               [this](std::unique_ptr<io::Stream> stream) { return serve(std::move(stream)); }) {
    port = *server.listen_tcp("127.0.0.1", 0);
    server.start();
  }
  ~RawServer() { server.stop(); }

  Task<> serve(std::unique_ptr<io::Stream> stream) {
    size_t mine = accepted++;
    if (mine >= answers.size()) co_return;
    std::array<char, 65536> buffer;
    for (const std::string& answer : answers[mine]) {
      auto got = co_await stream->read_some(buffer);
      if (!got || *got == 0) co_return;
      ++requests;
      if (answer.empty()) co_return;
      (void)co_await stream->write(answer);
    }
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port) + "/x"; }

  std::vector<std::vector<std::string>> answers;
  std::atomic<size_t> accepted{0};
  std::atomic<size_t> requests{0};
  io::Server server;
  uint16_t port = 0;
};

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

Request posting(std::string body) {
  Request request;
  request.method = "POST";
  request.body = std::move(body);
  return request;
}

TEST_F(ClientTest, answers_of_every_framing_are_read) {
  RawServer server(runtime,
                   {{"HTTP/1.1 100 Continue\r\n\r\n" + ok,
                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
                     "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nuntil the end"}});
  EXPECT_EQ(fetch(server.url())->body, "ok");
  EXPECT_EQ(fetch(server.url())->body, "abcde");
  EXPECT_EQ(fetch(server.url())->status, 204);
  EXPECT_EQ(fetch(server.url())->body, "until the end");
  EXPECT_EQ(server.accepted, 1U);
  EXPECT_EQ(client.connection_count(), 0U);
}

TEST_F(ClientTest, an_idempotent_request_on_a_dead_kept_connection_goes_out_again) {
  RawServer server(runtime, {{ok, ""}, {ok}});
  EXPECT_EQ(fetch(server.url())->body, "ok");
  EXPECT_EQ(fetch(server.url())->body, "ok");
  EXPECT_EQ(server.requests, 3U);
}

TEST_F(ClientTest, a_post_whose_fate_is_unknown_is_not_sent_again) {
  RawServer server(runtime, {{ok, ""}, {ok}});
  EXPECT_EQ(fetch(server.url())->body, "ok");
  auto lost = fetch(server.url(), posting("x"));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code(), Code::internal);
  EXPECT_EQ(server.requests, 2U);
}

TEST_F(ClientTest, a_put_may_be_a_record_and_is_not_sent_again_either) {
  RawServer server(runtime, {{ok, ""}, {ok}});
  EXPECT_EQ(fetch(server.url())->body, "ok");
  Request put = posting("x");
  put.method = "PUT";
  auto lost = fetch(server.url(), put);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code(), Code::internal);
  EXPECT_EQ(server.requests, 2U);
}

TEST_F(ClientTest, a_kept_connection_that_was_closed_at_rest_is_not_used) {
  RawServer server(runtime, {{ok}, {ok}});
  EXPECT_EQ(fetch(server.url(), posting("x"))->body, "ok");
  while (server.server.connection_count() > 0)  // its end is under way then
    io::run_on(runtime.loop(0), []() -> Task<> { co_return; }());
  auto second = fetch(server.url(), posting("y"));
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_EQ(server.requests, 2U);
}

TEST_F(ClientTest, https_is_verified_and_kept_alive) {
  kit::Certificates certificates, other;
  auto tls = io::TlsContext::for_server({.certificate_file = certificates.certificate_file(),
                                         .key_file = certificates.key_file(),
                                         .protocols = protocols});
  ASSERT_TRUE(tls);
  Router router;
  router.add("POST", "/echo", [](Request& request, Response& response) -> Task<> {
    response.set_text(200, request.body + (request.secure ? " in secret" : ""));
    co_return;
  });
  Server server(runtime, {.tls = *tls}, router.handler());
  uint16_t port = *server.listen_tcp("127.0.0.1", 0);
  server.start();
  std::string url = "https://localhost:" + std::to_string(port) + "/echo";
  Client trusting({.ca_file = certificates.authority_file()});
  for (std::string body : {"one", "two"}) {
    auto answer = fetch_with(trusting, url, posting(body));
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(answer->body, body + " in secret");
  }
  EXPECT_EQ(trusting.connection_count(), 1U);
  std::string large(700'000, 'x');
  EXPECT_EQ(fetch_with(trusting, url, posting(large))->body, large + " in secret");

  Client wary({.ca_file = other.authority_file()});
  auto refused = fetch_with(wary, url, posting("x"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::denied) << refused.error().text();
  Client careless({.ca_file = other.authority_file(), .verify_tls = false});
  EXPECT_TRUE(fetch_with(careless, url, posting("x")));
  Client lost({.ca_file = "/nowhere.pem"});
  EXPECT_EQ(fetch_with(lost, url, posting("x")).error().code(), Code::invalid);
  EXPECT_EQ(lost.connection_count(), 0U);
  server.stop();
}

TEST_F(ClientTest, a_handshake_has_a_deadline) {
  io::Server silent(runtime, {.name = "silent"}, [](std::unique_ptr<io::Stream> stream) -> Task<> {
    std::array<char, 4096> buffer;
    while (true) {
      auto got = co_await stream->read_some(buffer);
      if (!got || *got == 0) co_return;
    }
  });
  uint16_t port = *silent.listen_tcp("127.0.0.1", 0);
  silent.start();
  Client hasty({.connect_timeout = Millis(30)});
  auto late = fetch_with(hasty, "https://127.0.0.1:" + std::to_string(port) + "/", posting("x"));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::unavailable);
  silent.stop();
}

TEST_F(ClientTest, signed_requests_are_verified_on_the_other_side) {
  auth::Credential credential{.access_key = "AKIDEXAMPLE",
                              .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                              .session_token = "",
                              .principal = auth::local_principal()};
  auth::Credentials known;
  ASSERT_TRUE(known.add(credential));
  Handler handler = [&](Request& request, Response& response) -> Task<> {
    auth::RequestView view{.method = request.method,
                           .path = request.path(),
                           .query = request.query(),
                           .headers = {},
                           .payload_hash = to_hex(sha256(request.body))};
    for (const auto& [name, value] : request.headers.lines())
      view.headers.emplace_back(name, value);
    auto verified = auth::verify_sigv4(view, known, {}, system_clock().wall_ms());
    response.set_text(verified ? 200 : 403,
                      verified ? verified->service : verified.error().canonical_request);
    co_return;
  };
  Server server(runtime, {}, handler);
  std::string url = "http://127.0.0.1:" + std::to_string(*server.listen_tcp("127.0.0.1", 0)) +
                    "/a%20bucket/key?list-type=2&prefix=a%2Fb";
  server.start();
  for (std::string service : {"kinesis", "s3"}) {
    Client signing({.signing = Signing{.credential = credential,
                                       .target = {.region = "us-east-1", .service = service}}});
    Request request = posting("{}");
    request.headers.set("X-Amz-Target", "Kinesis_20131202.ListStreams");
    auto answer = fetch_with(signing, url, request);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200) << answer->body;
    EXPECT_EQ(answer->body, service);
  }
  server.stop();
}

TEST_F(ClientTest, retries_follow_the_rule_they_are_given) {
  RawServer server(runtime, {{"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", ""}, {ok}});
  auto outcome = fetch(server.url(), posting("x"),
                       {.attempts_max = 5, .delay = Millis(1), .when_maybe_done = true});
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(outcome->body, "ok");
  EXPECT_EQ(server.requests, 3U);
}

TEST_F(ClientTest, a_cut_answer_is_an_error) {
  RawServer server(runtime, {{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"}});
  auto outcome = fetch(server.url());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), Code::internal);
}

TEST_F(ClientTest, nobody_there_is_unavailable) {
  auto outcome = fetch("http://127.0.0.1:1/");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), Code::unavailable);
  EXPECT_EQ(client.connection_count(), 0U);
}

TEST_F(ClientTest, connections_are_shared_up_to_their_maximum) {
  Router router;
  router.add("POST", "/n", [](Request& request, Response& response) -> Task<> {
    (void)co_await io::sleep_for(Millis(1));
    response.set_text(200, request.body);
  });
  Server server(runtime, {}, router.handler());
  auto port = server.listen_tcp("127.0.0.1", 0);
  server.start();
  auto task = [](io::Loop& loop, Client& with, uint16_t to, int& good) -> Task<> {
    io::Scope scope(loop);
    auto url = *Url::parse("http://127.0.0.1:" + std::to_string(to) + "/n");
    for (int i = 0; i < 50; ++i) {
      scope.spawn("post", [](Client& c, Url u, int n, int& count) -> Task<> {
        Request request = posting(std::to_string(n));
        auto answer = co_await c.fetch(u, request, io::after(Millis(5000)));
        if (answer && answer->body == std::to_string(n)) ++count;
      }(with, url, i, good));
    }
    co_await scope.join();
  };
  int good = 0;
  io::run_on(runtime.loop(0), task(runtime.loop(0), client, *port, good));
  EXPECT_EQ(good, 50);
  EXPECT_LE(client.connection_count(), 2U);
  server.stop();
}

TEST_F(ClientTest, the_local_socket_serves_without_a_host_check) {
  kit::TemporaryDirectory directory;
  Router router;
  router.add("GET", "/who", [](Request& request, Response& response) -> Task<> {
    response.set_text(200, request.by_local_socket ? "local" : "remote");
    co_return;
  });
  Server server(runtime, {}, router.handler());
  ASSERT_TRUE(server.listen_local(directory.path() + "/s"));
  server.start();
  EXPECT_EQ(fetch("unix:" + directory.path() + "/s:/who")->body, "local");
  server.stop();
}

}  // namespace
}  // namespace pinpipe::http
