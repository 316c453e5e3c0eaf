#include "doors/api/door.h"

#include <gtest/gtest.h>

#include "io/runtime.h"
#include "io/scope.h"

namespace pinpipe::api {
namespace {

using codec::Json;

struct ApiDoorTest : testing::Test {
  io::Runtime runtime{{.loops = 1, .disk_threads = 1, .work_threads = 1}};
  bool broker_ready = true;
  Door door{{.token = "sesame",
             .calls = {{.noun = "topic",
                        .verb = "list",
                        .summary = "the topics",
                        .run = [](Json arguments) -> io::Task<Result<Json>> {
                          co_return Json::object({{"echo", std::move(arguments)}});
                        }},
                       {.noun = "topic",
                        .verb = "delete",
                        .summary = "remove a topic",
                        .writes = true,
                        .run = [](Json) -> io::Task<Result<Json>> {
                          co_return Error(Code::not_found, "topic orders does not exist");
                        }}},
             .readiness = [this]() -> io::Task<std::map<std::string, Readiness>> {
               co_return std::map<std::string, Readiness>{{"broker", {broker_ready, "recovering"}}};
             }}};
  http::Router router;
  struct Peer : http::PeerWatch {
    bool is_watched = false;
    void end_with_peer() override { is_watched = true; }
  } peer;

  ApiDoorTest() { door.add_routes(router); }

  http::Response ask(std::string method, std::string target, std::string body = "",
                     std::string authorization = "", bool local = false) {
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    request.by_local_socket = local;
    request.peer_watch = &peer;
    if (!authorization.empty()) request.headers.set("Authorization", authorization);
    http::Response response;
    io::run_on(runtime.loop(0), router.handle(request, response));
    return response;
  }
};

TEST_F(ApiDoorTest, a_call_gets_its_arguments_and_answers_json) {
  auto response = ask("POST", "/api/v1/topic/list", R"({"a":1})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"echo":{"a":1}})");
}

TEST_F(ApiDoorTest, who_did_not_bring_the_token_is_not_told_it) {
  const std::string with_it = R"({"a":"sesame and sesame"})";
  EXPECT_EQ(ask("POST", "/api/v1/topic/list", with_it).body, R"({"echo":{"a":" and "}})");
  EXPECT_EQ(ask("POST", "/api/v1/topic/list", with_it, "Bearer sesame").body,
            R"({"echo":)" + with_it + "}");
  EXPECT_EQ(ask("POST", "/api/v1/topic/list", with_it, "", true).body,
            R"({"echo":)" + with_it + "}");
}

TEST_F(ApiDoorTest, a_writing_call_needs_the_token_or_the_local_socket) {
  EXPECT_EQ(ask("POST", "/api/v1/topic/delete").status, 403);
  EXPECT_EQ(ask("POST", "/api/v1/topic/delete", "", "Bearer wrong").status, 403);
  EXPECT_EQ(ask("POST", "/api/v1/topic/delete", "", "Bearer sesame").status, 404);
  EXPECT_EQ(ask("POST", "/api/v1/topic/delete", "", "", true).status, 404);
}

TEST_F(ApiDoorTest, a_reading_call_ends_with_its_client_and_a_writing_one_is_carried_out) {
  ask("POST", "/api/v1/topic/delete", "", "", true);
  EXPECT_FALSE(peer.is_watched);
  ask("POST", "/api/v1/topic/list");
  EXPECT_TRUE(peer.is_watched);
}

TEST_F(ApiDoorTest, an_error_says_its_code_and_sentence) {
  EXPECT_EQ(ask("POST", "/api/v1/topic/delete", "", "", true).body,
            R"({"error":{"code":"not_found","message":"topic orders does not exist"}})");
  EXPECT_EQ(ask("POST", "/api/v1/topic/list", "[1]").status, 400);
  EXPECT_EQ(ask("POST", "/api/v1/topic/list", "{").status, 400);
}

TEST_F(ApiDoorTest, readiness_names_the_part_that_waits) {
  EXPECT_EQ(ask("GET", "/readyz").body, "ready\n");
  broker_ready = false;
  auto response = ask("GET", "/readyz");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, R"({"broker":{"status":"waiting","reason":"recovering"}})");
  EXPECT_EQ(ask("GET", "/livez").status, 200);
}

TEST_F(ApiDoorTest, the_calls_and_metrics_are_listed) {
  EXPECT_NE(ask("GET", "/api/v1").body.find("/api/v1/topic/list"), std::string::npos);
  EXPECT_EQ(ask("GET", "/metrics").status, 200);
}

}  // namespace
}  // namespace pinpipe::api
