#include "doors/web/door.h"

#include <gtest/gtest.h>

#include "doors/web/assets.h"
#include "io/runtime.h"
#include "io/scope.h"

namespace pinpipe::web {
namespace {

struct WebDoorTest : testing::Test {
  io::Runtime runtime{{.loops = 1, .disk_threads = 1, .work_threads = 1}};
  int snapshots = 0;
  Door door{{.snapshot = [this]() -> io::Task<codec::Json> {
               co_return codec::Json::object({{"n", std::min(++snapshots, 2)}});
             },
             .period = Millis(1)}};
  http::Router router;

  WebDoorTest() { door.add_routes(router); }

  http::Response get(std::string target, std::string if_none_match = "") {
    http::Request request;
    request.method = "GET";
    request.target = std::move(target);
    if (!if_none_match.empty()) request.headers.set("If-None-Match", if_none_match);
    http::Response response;
    io::run_on(runtime.loop(0), router.handle(request, response));
    return response;
  }
};

struct CollectingWriter final : http::BodyWriter {
  std::vector<std::string> pieces;
  io::Task<Status> write(std::string_view bytes) override {
    pieces.emplace_back(bytes);
    if (pieces.size() == 3) co_return Error(Code::unavailable, "the page was closed");
    co_return Status{};
  }
};

TEST_F(WebDoorTest, the_page_comes_with_a_strict_policy_and_an_etag) {
  auto response = get("/");
  EXPECT_EQ(response.status, 200);
  EXPECT_NE(response.body.find("<!doctype html>"), std::string::npos);
  EXPECT_TRUE(response.headers.find("Content-Security-Policy")->starts_with("default-src 'self'"));
  auto etag = std::string(*response.headers.find("ETag"));
  EXPECT_EQ(get("/", etag).status, 304);
}

TEST_F(WebDoorTest, the_first_load_is_small_and_asks_nobody_else) {
  size_t bytes = 0;
  for (const Asset& asset : assets()) {
    bytes += asset.bytes.size();
    EXPECT_EQ(asset.bytes.find("https://"), std::string_view::npos) << asset.path;
  }
  EXPECT_LT(bytes, 60U * 1024);
}

TEST_F(WebDoorTest, events_send_the_state_and_only_its_changes) {
  auto response = get("/events");
  EXPECT_EQ(*response.headers.find("Content-Type"), "text/event-stream");
  CollectingWriter writer;
  Status ended = io::wait_on(runtime.loop(0), response.stream(writer));
  EXPECT_FALSE(ended);
  ASSERT_EQ(writer.pieces.size(), 3U);
  EXPECT_EQ(writer.pieces[0], "data: {\"n\":1}\n\n");
  EXPECT_EQ(writer.pieces[1], "data: {\"n\":2}\n\n");
  EXPECT_EQ(writer.pieces[2], ":\n\n");
}

}  // namespace
}  // namespace pinpipe::web
