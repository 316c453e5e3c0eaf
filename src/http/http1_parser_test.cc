#include "http/http1_parser.h"

#include <gtest/gtest.h>

namespace pinpipe::http {
namespace {

HeadParser::Progress parse(HeadParser& parser, Request& request, std::string_view bytes,
                           size_t step = std::string_view::npos) {
  request.clear();
  parser.begin(request);
  HeadParser::Progress last;
  size_t total = 0;
  while (total < bytes.size()) {
    last = parser.feed(bytes.substr(total, step));
    total += last.consumed;
    if (last.state != HeadParser::State::partial) break;
  }
  last.consumed = total;
  return last;
}

TEST(HeadParser, a_head_is_the_same_in_whatever_pieces_it_comes) {
  std::string_view bytes =
      "POST /topics/a%2Fb?x=1 HTTP/1.1\r\nHost:  localhost \r\nX-Empty:\r\n"
      "Content-Length: 5\r\n\r\nhello";
  HeadParser parser;
  for (size_t step = 1; step <= bytes.size(); ++step) {
    Request request;
    auto progress = parse(parser, request, bytes, step);
    ASSERT_EQ(progress.state, HeadParser::State::complete) << step;
    EXPECT_EQ(progress.consumed, bytes.size() - 5);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/topics/a%2Fb?x=1");
    EXPECT_EQ(request.headers.find("host"), "localhost");
    EXPECT_EQ(request.headers.find("x-empty"), "");
    EXPECT_EQ(parser.framing().kind, Framing::Kind::length);
    EXPECT_EQ(parser.framing().length, 5U);
    EXPECT_TRUE(parser.keeps_alive());
  }
}

TEST(HeadParser, empty_lines_before_a_head_are_dropped_in_whatever_pieces_they_come) {
  std::string_view bytes = "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
  HeadParser parser;
  for (size_t step = 1; step <= bytes.size(); ++step) {
    Request request;
    auto progress = parse(parser, request, bytes, step);
    ASSERT_EQ(progress.state, HeadParser::State::complete) << step;
    EXPECT_EQ(progress.consumed, bytes.size()) << step;
    EXPECT_EQ(parser.bytes_seen(), bytes.size()) << step;
    EXPECT_EQ(request.target, "/") << step;
  }
}

TEST(HeadParser, what_could_be_read_two_ways_is_refused) {
  struct Case {
    std::string_view lines;
    int status;
  };
  const Case cases[] = {
      {"Content-Length: 5\r\nContent-Length: 6\r\n", 400},
      {"Content-Length: 5\r\nContent-Length: 5\r\n", 400},
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400},
      {"Transfer-Encoding : chunked\r\n", 400},
      {"Content-Length : 5\r\n", 400},
      {"Content-Length: +5\r\n", 400},
      {"Content-Length: 5, 5\r\n", 400},
      {"Content-Length: 0x5\r\n", 400},
      {"Content-Length: 99999999999999999999\r\n", 400},
      {"Content-Length: -1\r\n", 400},
      {"Transfer-Encoding: gzip\r\n", 501},
      {"Transfer-Encoding: gzip, chunked\r\n", 501},
      {"Transfer-Encoding: chunked, identity\r\n", 501},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", 501},
      {"Bad Name: x\r\n", 400},
      {"X: a\x01z\r\n", 400},
      {"no colon\r\n", 400},
      {"A: b\r\n folded: c\r\n", 400},
      {"A: b\nC: d\r\n", 400},
      {"A: b\rC: d\r\n", 400},
      {": b\r\n", 400},
      {"Host: b\r\n", 400},
  };
  HeadParser parser;
  for (const Case& one : cases) {
    Request request;
    std::string bytes = "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(one.lines) + "\r\n";
    auto progress = parse(parser, request, bytes);
    EXPECT_EQ(progress.state, HeadParser::State::refused) << one.lines;
    EXPECT_EQ(progress.status, one.status) << one.lines << progress.why;
  }
}

TEST(HeadParser, first_lines_that_are_not_ours_are_named_as_such) {
  struct Case {
    std::string_view line;
    int status;
  };
  const Case cases[] = {
      {"GET / HTTP/2.0", 505},     {"GET / HTTP/1.9", 505},     {"GET / HTTX/1.1", 400},
      {"GET / HTTP/1.1 x", 400},   {"GET  HTTP/1.1", 400},      {"GET /a b HTTP/1.1", 400},
      {"GET /\x7f HTTP/1.1", 400}, {"\x16\x03\x01 hello", 400}, {"GET", 400},
      {"GET a HTTP/1.1", 400},     {"G(T / HTTP/1.1", 400},     {" / HTTP/1.1", 400},
  };
  HeadParser parser;
  Request request;
  for (const Case& one : cases) {
    auto progress = parse(parser, request, std::string(one.line) + "\r\n\r\n");
    EXPECT_EQ(progress.state, HeadParser::State::refused) << one.line;
    EXPECT_EQ(progress.status, one.status) << one.line;
  }
  parse(parser, request, "\r\n\r\nFROB http://a.b:80/c?d HTTP/1.1\r\n\r\n");
  EXPECT_EQ(request.method, "FROB");
  EXPECT_EQ(request.target, "/c?d");
}

TEST(HeadParser, too_many_lines_are_431) {
  std::string bytes = "GET / HTTP/1.1\r\n";
  for (size_t i = 0; i <= HeadParser::header_lines_max; ++i) bytes += "A: b\r\n";
  HeadParser parser;
  Request request;
  EXPECT_EQ(parse(parser, request, bytes + "\r\n").status, 431);
}

TEST(HeadParser, keeping_alive_follows_version_and_connection) {
  HeadParser parser;
  Request request;
  parse(parser, request, "GET / HTTP/1.0\r\n\r\n");
  EXPECT_FALSE(parser.keeps_alive());
  parse(parser, request, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
  EXPECT_TRUE(parser.keeps_alive());
  parse(parser, request, "GET / HTTP/1.1\r\nConnection: foo, close\r\n\r\n");
  EXPECT_FALSE(parser.keeps_alive());
}

std::string decode(std::string_view bytes, size_t in_step, size_t out_step, bool& done) {
  ChunkedDecoder decoder;
  std::string body;
  while (!bytes.empty() && !decoder.done()) {
    std::string out(out_step, '\0');
    auto step = decoder.decode(bytes.substr(0, in_step), out);
    if (!step) return "refused";
    body += out.substr(0, step->produced);
    bytes.remove_prefix(step->consumed);
  }
  done = decoder.done();
  return done ? body + "|" + std::string(bytes) : body;
}

TEST(ChunkedDecoder, bodies_are_the_same_in_whatever_pieces_they_come) {
  std::string_view bytes = "5\r\nhello\r\nA;x=\"y\"\r\n, world...\r\n0\r\nX: y\r\n\r\nGET";
  for (size_t in_step = 1; in_step < 12; ++in_step) {
    for (size_t out_step = 1; out_step < 7; ++out_step) {
      bool done = false;
      EXPECT_EQ(decode(bytes, in_step, out_step, done), "hello, world...|GET");
      EXPECT_TRUE(done);
    }
  }
}

TEST(ChunkedDecoder, loose_ends_are_refused) {
  for (std::string_view bytes :
       {"x\r\n", "\r\n", "5\nhello", "5\r\nhelloX", "5\r\nhello\rX", "5\r\nhello\n", "0\r\n\n",
        "1111111111111111\r\n", "5;a\nhello", "-1\r\n", "0x5\r\nhello"}) {
    bool done = false;
    EXPECT_EQ(decode(bytes, 1, 100, done), "refused") << bytes;
  }
  bool done = false;
  EXPECT_EQ(decode("5;" + std::string(2000, 'x'), 100, 100, done), "refused");
  EXPECT_EQ(decode("0\r\n" + std::string(20'000, 'x'), 100, 100, done), "refused");
}

}  // namespace
}  // namespace pinpipe::http
