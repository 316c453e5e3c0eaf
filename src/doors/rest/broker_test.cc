// The door over the embedded broker: what was answered with 200 is there after a restart.
#include "broker/broker.h"

#include <gtest/gtest.h>

#include "doors/rest/door.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/temporary_directory.h"

namespace pinpipe::rest {
namespace {

struct RestOverBrokerTest : testing::Test {
  kit::TemporaryDirectory directory;
  io::Runtime runtime{{.loops = 1, .disk_threads = 2, .work_threads = 1}};
  std::unique_ptr<broker::Broker> broker;
  std::unique_ptr<broker::Topics> topics;
  Door door{{}, [this](const http::Request&) -> Result<broker::Topics*> { return topics.get(); }};
  http::Handler handler = door.handler();

  void open() {
    broker::Broker::Options options;
    options.log_directory = directory.path() + "/log";
    options.state_path = directory.path() + "/broker.db";
    auto opened = broker::Broker::open(options, io::posix_files(), runtime.disk(), system_clock(),
                                       auth::Policy::open_for_local());
    ASSERT_TRUE(opened) << opened.error().text();
    broker = std::move(*opened);
    topics = broker->as(auth::local_principal());
  }
  void close() {
    (void)io::wait_on(runtime.loop(0), broker->close());
    topics.reset();
    broker.reset();
  }

  std::string ask(std::string method, std::string target, std::string body = "") {
    http::Request request;
    http::Response response;
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers.add("Content-Type", "application/vnd.kafka.json.v2+json");
    request.body = std::move(body);
    io::run_on(runtime.loop(0), handler(request, response));
    return std::to_string(response.status) + " " + response.body;
  }
};

TEST_F(RestOverBrokerTest, posted_records_are_there_after_a_restart) {
  open();
  EXPECT_EQ(ask("POST", "/topics/0e90e0175553.pin",
                R"({"records": [{"value": {"index": 1, "title": "caf\u00e9"}}, {"value": null}]})"),
            "200 {\"offsets\":[{\"partition\":0,\"offset\":0,\"error_code\":null,\"error\":null},"
            "{\"partition\":0,\"offset\":1,\"error_code\":null,\"error\":null}],"
            "\"key_schema_id\":null,\"value_schema_id\":null}");
  close();
  open();
  EXPECT_EQ(ask("GET", "/topics"), "200 [\"0e90e0175553.pin\"]");
  EXPECT_EQ(ask("GET", "/topics/0e90e0175553.pin/partitions/0/offsets"),
            "200 {\"beginning_offset\":0,\"end_offset\":2}");
  auto fetched = io::wait_on(
      runtime.loop(0), topics->fetch("0e90e0175553.pin", 0, 0, 1 << 20, io::after(Millis(5000))));
  ASSERT_TRUE(fetched) << fetched.error().text();
  ASSERT_EQ(fetched->records.size(), 2U);
  EXPECT_EQ(fetched->records[0].value, "{\"index\":1,\"title\":\"caf\u00e9\"}");
  EXPECT_EQ(fetched->records[1].value, std::nullopt);
  close();
}

TEST_F(RestOverBrokerTest, unknown_partitions_and_internal_topics_are_refused) {
  open();
  ask("POST", "/topics/a.pin", R"({"records":[{"value":1}]})");
  std::string answer = ask("POST", "/topics/a.pin", R"({"records":[{"value":1,"partition":7}]})");
  EXPECT_NE(answer.find("\"error_code\":50002"), std::string::npos) << answer;
  EXPECT_TRUE(ask("POST", "/topics/a.pin/partitions/7", R"({"records":[{"value":1}]})")
                  .starts_with("404 {\"error_code\":40402,"));
  answer = ask("GET", "/topics/a.pim");
  EXPECT_TRUE(answer.starts_with("404 {\"error_code\":40401,\"message\":\"Topic not found. "));
  EXPECT_NE(answer.find("a.pin"), std::string::npos) << answer;
  close();
}

}  // namespace
}  // namespace pinpipe::rest
