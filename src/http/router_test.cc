#include "http/router.h"

#include <gtest/gtest.h>

#include "io/runtime.h"
#include "io/scope.h"

namespace pinpipe::http {
namespace {

// Answers with its own name and the route's parameters.
Handler named(std::string name) {
  return [name](Request& request, Response& response) -> io::Task<> {
    std::string text = name;
    for (const auto& [key, value] : request.params) text += " " + key + "=" + value;
    response.set_text(200, text);
    co_return;
  };
}

struct RouterTest : testing::Test {
  io::Runtime runtime{{.loops = 1}};
  Router router;
  Request request;
  Response response;

  std::string ask(std::string method, std::string target) {
    request.clear();
    response.clear();
    request.method = std::move(method);
    request.target = std::move(target);
    io::run_on(runtime.loop(0), router.handle(request, response));
    return response.body;
  }
};

TEST_F(RouterTest, literals_win_over_parameters_and_parameters_over_the_rest) {
  router.add("GET", "/topics", named("list"));
  router.add("GET", "/topics/{topic}", named("one"));
  router.add("GET", "/topics/special", named("special"));
  router.add("GET", "/topics/{topic}/partitions/{p}", named("partition"));
  router.add("GET", "/{bucket}/{key...}", named("object"));
  EXPECT_EQ(ask("GET", "/topics"), "list");
  EXPECT_EQ(ask("GET", "/topics/a.pin?x=/y"), "one topic=a.pin");
  EXPECT_EQ(ask("GET", "/topics/special"), "special");
  EXPECT_EQ(ask("GET", "/topics/a/partitions/0"), "partition topic=a p=0");
  EXPECT_EQ(ask("GET", "/topics/a/b//c/"), "object bucket=topics key=a/b//c/");
  EXPECT_EQ(ask("GET", "/b/"), "object bucket=b key=");
}

TEST_F(RouterTest, parameters_are_decoded_and_a_broken_one_is_a_bad_request) {
  router.add("GET", "/t/{topic}", named("one"));
  EXPECT_EQ(ask("GET", "/t/a%2Fb%20c+d"), "one topic=a/b c+d");
  ask("GET", "/t/a%2");
  EXPECT_EQ(response.status, 400);
}

TEST_F(RouterTest, a_known_path_under_another_method_is_405_with_allow) {
  router.add("GET", "/a/{x}", named("get"));
  router.add("POST", "/a/{x}", named("post"));
  router.add("POST", "/a/b", named("post b"));
  ask("DELETE", "/a/b");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.find("Allow"), "GET, HEAD, POST");
  EXPECT_EQ(ask("GET", "/a/b"), "get x=b");
  EXPECT_EQ(ask("HEAD", "/a/b"), "get x=b");
}

TEST_F(RouterTest, unknown_paths_reach_the_fallback) {
  router.add("GET", "/a", named("a"));
  ask("GET", "/b");
  EXPECT_EQ(response.status, 404);
  ask("GET", "/a/");
  EXPECT_EQ(response.status, 404);
  ask("GET", std::string(200, '/'));
  EXPECT_EQ(response.status, 404);
  router.set_fallback(named("else"));
  EXPECT_EQ(ask("GET", "/b"), "else");
}

TEST_F(RouterTest, lenient_slashes_drop_empty_segments) {
  router.set_lenient_slashes(true);
  router.add("POST", "/topics/{topic}", named("post"));
  router.add("GET", "/", named("root"));
  EXPECT_EQ(ask("POST", "//topics///a.pin/"), "post topic=a.pin");
  EXPECT_EQ(ask("GET", "/"), "root");
  EXPECT_EQ(ask("GET", "///"), "root");
}

}  // namespace
}  // namespace pinpipe::http
