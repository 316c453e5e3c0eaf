#include "http/message.h"

#include <gtest/gtest.h>

#include "http/admission.h"
#include "http/answer_head.h"

namespace pinpipe::http {
namespace {

TEST(Headers, names_compare_without_case_and_the_first_line_counts) {
  Headers headers;
  headers.add("X-One", "1");
  headers.add("x-one", "2");
  EXPECT_EQ(headers.find("X-ONE"), "1");
  EXPECT_FALSE(headers.find("X-On"));
}

TEST(Headers, set_replaces_all_lines_and_remove_takes_all_away) {
  Headers headers;
  headers.add("A", "1");
  headers.add("B", "2");
  headers.add("a", "3");
  headers.add("C", "4");
  headers.set("A", "5");
  ASSERT_EQ(headers.size(), 3U);
  std::string all;
  for (auto [name, value] : headers.lines()) all.append(name).append(value).append(" ");
  EXPECT_EQ(all, "A5 B2 C4 ");
  headers.remove("b");
  EXPECT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers.find("C"), "4");
}

TEST(Headers, lists_finds_a_token_among_commas_and_lines) {
  Headers headers;
  headers.add("Connection", "keep-alive, Close");
  headers.add("Accept-Encoding", "gzip;q=1");
  headers.add("Connection", "upgrade");
  EXPECT_TRUE(headers.lists("connection", "close"));
  EXPECT_TRUE(headers.lists("connection", "UPGRADE"));
  EXPECT_FALSE(headers.lists("connection", "keep"));
}

TEST(Request, query_parameters_are_decoded) {
  Request request;
  request.target = "/a?x=1%202&flag&y=a+b&x=3&bad=%zz";
  EXPECT_EQ(request.path(), "/a");
  EXPECT_EQ(request.query_param("x"), "1 2");
  EXPECT_EQ(request.query_param("y"), "a b");
  EXPECT_EQ(request.query_param("flag"), "");
  EXPECT_FALSE(request.query_param("z"));
  EXPECT_FALSE(request.query_param("bad"));
}

TEST(Admission, loopback_names_pass_and_others_only_when_listed) {
  std::vector<std::string> hosts = {"pins.example.org", "*.amazonaws.com"};
  for (std::string_view host :
       {"localhost", "LOCALHOST:80", "127.0.0.1:8082", "127.8.9.1", "[::1]", "[::1]:80",
        "bucket.localhost:4566", "Pins.Example.org:443", "x.execute-api.us-east-1.amazonaws.com"}) {
    EXPECT_TRUE(is_allowed_host(host, hosts)) << host;
  }
  for (std::string_view host : {"", "evil.org", "127.0.0.1.evil.org", "localhost.evil.org", "[::2]",
                                "192.168.0.1", "evilamazonaws.com", "pins.example.org.evil.org"}) {
    EXPECT_FALSE(is_allowed_host(host, hosts)) << host;
  }
  EXPECT_TRUE(is_allowed_host("evil.org", std::vector<std::string>{"*"}));
}

TEST(AnswerHead, a_handler_cannot_split_an_answer_nor_write_the_servers_own_lines) {
  Response response;
  response.headers.add("X-Echo", "a\r\nSet-Cookie: b");
  response.headers.add("content-length", "7");
  response.headers.add("Connection", "close");
  std::string head;
  append_answer_head(head, response, {.length = 3});
  EXPECT_NE(head.find("X-Echo: a  Set-Cookie: b\r\n"), std::string::npos);
  EXPECT_NE(head.find("Content-Length: 3\r\n"), std::string::npos);
  EXPECT_EQ(head.find("content-length"), std::string::npos);
  EXPECT_EQ(head.find("close"), std::string::npos);
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\nDate: "));
}

TEST(AnswerHead, dates_look_like_http) {
  EXPECT_EQ(http_date(784'111'777'000), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace pinpipe::http
