#include "http/content_coding.h"

#include <gtest/gtest.h>

#include "codec/compression.h"

namespace pinpipe::http {
namespace {

Response answer_to(const std::string& peer, const std::string& accepts, std::string body,
                   const std::string& type = "application/json") {
  Request request;
  request.peer = peer;
  request.headers.set("Accept-Encoding", accepts);
  Response response;
  response.headers.set("Content-Type", type);
  response.body = std::move(body);
  compress_body(request, response);
  return response;
}

TEST(ContentCodingTest, an_answer_is_compressed_where_it_is_worth_it) {
  const std::string other = "203.0.113.7:4711";
  const std::string body(50'000, 'x');
  Response packed = answer_to(other, "gzip, deflate", body);
  EXPECT_EQ(packed.headers.find("Content-Encoding"), "gzip");
  EXPECT_EQ(packed.headers.find("Vary"), "Accept-Encoding");
  EXPECT_EQ(*codec::decompress(codec::Codec::gzip, packed.body, 100'000), body);
  EXPECT_EQ(answer_to(other, "br, gzip;q=0", body).body, body);
  EXPECT_EQ(answer_to(other, "gzip", "short").body, "short");
  EXPECT_EQ(answer_to(other, "gzip", body, "image/png").body, body);
  for (const char* near : {"127.0.0.1:4711", "[::1]:4711", "[::ffff:127.0.0.1]:4711", "local"})
    EXPECT_EQ(answer_to(near, "gzip, deflate", body).body, body) << near;
}

}  // namespace
}  // namespace pinpipe::http
