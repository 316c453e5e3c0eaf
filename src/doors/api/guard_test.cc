#include "doors/api/guard.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "io/runtime.h"
#include "io/scope.h"

namespace pinpipe::api {
namespace {

struct GuardTest : testing::Test {
  io::Runtime runtime{{.loops = 1, .disk_threads = 1, .work_threads = 1}};
  http::Handler handler = guarded_by_token(
      [](http::Request& request, http::Response& response) -> io::Task<> {
        response.set_text(200, request.headers.find("Authorization").value_or("nothing"));
        co_return;
      },
      "sesame");

  http::Response ask(std::string target, std::string authorization) {
    http::Request request;
    request.target = std::move(target);
    if (!authorization.empty()) request.headers.set("Authorization", authorization);
    http::Response response;
    io::run_on(runtime.loop(0), handler(request, response));
    return response;
  }
};

TEST_F(GuardTest, the_token_comes_as_a_bearer_or_as_a_password) {
  EXPECT_EQ(ask("/api/v1", "Bearer sesame").body, "Bearer sesame");
  EXPECT_EQ(ask("/", "Basic " + to_base64("anybody:sesame")).body, "Bearer sesame");
}

TEST_F(GuardTest, nobody_passes_without_it) {
  for (std::string given : {"", "Bearer wrong", "Bearer ", "Bearer sesame2", "Basic !!!",
                            "Basic c2VzYW1l", "sesame", "Digest sesame"}) {
    auto response = ask("/api/v1", given);
    EXPECT_EQ(response.status, 401) << given;
    EXPECT_EQ(response.headers.find("WWW-Authenticate"), "Basic realm=\"pinpipe\"");
  }
  EXPECT_EQ(ask("/livez/../api/v1", "").status, 401);
}

TEST_F(GuardTest, health_and_the_way_to_a_token_are_open) {
  EXPECT_EQ(ask("/livez", "").status, 200);
  EXPECT_EQ(ask("/readyz?x=1", "").status, 200);
  EXPECT_EQ(ask("/auth/token", "").status, 200);
}

}  // namespace
}  // namespace pinpipe::api
