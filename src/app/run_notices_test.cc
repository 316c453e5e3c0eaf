// Notices at their ends: a webhook that is there, not there or wrong, and commands of every
// outcome.
#include "app/run_notices.h"

#include <fstream>
#include <gtest/gtest.h>
#include <mutex>
#include <sstream>

#include "codec/json.h"
#include "http/server.h"
#include "io/runtime.h"
#include "kit/temporary_directory.h"

namespace pinpipe::app {
namespace {

using codec::Json;

scheduler::Told failed_run() {
  scheduler::Told told;
  told.event = "failure";
  told.run.dag_id = "d";
  told.run.run_id = "manual__1";
  told.run.state = scheduler::RunState::failed;
  scheduler::TaskRun good, bad;
  good.task_id = "load";
  good.state = scheduler::TaskState::success;
  bad.task_id = "clean";
  bad.state = scheduler::TaskState::failed;
  bad.try_number = 3;
  bad.note = "no column ind";
  told.run.tasks = {good, bad};
  return told;
}

struct RunNoticesTest : testing::Test {
  Status tell(scheduler::Told told) {
    RunNotices notices;
    return io::wait_on(runtime.loop(0), notices.tell(std::move(told)));
  }
  // A server whose answers have these status codes, one after the other and then the last again.
  std::string serve(std::vector<int> codes) {
    server = std::make_unique<http::Server>(
        runtime, http::Server::Options{},
        [this, codes](http::Request& request, http::Response& response) -> io::Task<> {
          std::lock_guard lock(mutex);
          response.set_text(codes[std::min(bodies.size(), codes.size() - 1)], "");
          bodies.push_back(request.body);
          co_return;
        });
    auto port = server->listen_tcp("127.0.0.1", 0);
    EXPECT_TRUE(port);
    server->start();
    return "http://127.0.0.1:" + std::to_string(*port) + "/hook";
  }
  void TearDown() override {
    if (server) server->stop();
  }

  kit::TemporaryDirectory directory;
  io::Runtime runtime{{.loops = 1, .disk_threads = 1, .work_threads = 1}};
  std::unique_ptr<http::Server> server;
  std::mutex mutex;
  std::vector<std::string> bodies;
};

TEST_F(RunNoticesTest, a_webhook_gets_the_run_and_the_tasks_that_failed) {
  auto told = failed_run();
  told.to.webhook = serve({200});
  Status done = tell(told);
  ASSERT_TRUE(done) << done.error().text();
  ASSERT_EQ(bodies.size(), 1u);
  auto body = codec::parse_json(bodies[0]);
  ASSERT_TRUE(body) << bodies[0];
  EXPECT_EQ((*body)["event"].as_string(), "failure");
  EXPECT_EQ((*body)["run_id"].as_string(), "manual__1");
  EXPECT_EQ((*body)["state"].as_string(), "failed");
  EXPECT_TRUE((*body)["end_date"].is_null());
  ASSERT_EQ((*body)["failed_tasks"].elements().size(), 1u);
  const Json& task = (*body)["failed_tasks"].elements()[0];
  EXPECT_EQ(task["task_id"].as_string(), "clean");
  EXPECT_EQ(task["try_number"].as_int(), 3);
  EXPECT_EQ(task["note"].as_string(), "no column ind");
}

TEST_F(RunNoticesTest, a_busy_webhook_is_tried_again) {
  auto told = failed_run();
  told.to.webhook = serve({503, 503, 204});
  Status done = tell(told);
  EXPECT_TRUE(done) << done.error().text();
  EXPECT_EQ(bodies.size(), static_cast<size_t>(RunNotices::attempts_max));
}

TEST_F(RunNoticesTest, a_webhook_that_refuses_or_is_not_there_is_an_error_with_its_address) {
  auto told = failed_run();
  told.to.webhook = serve({404});
  Status done = tell(told);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().text().find("answered 404"), std::string::npos) << done.error().text();
  EXPECT_EQ(bodies.size(), 1u);
  server->stop();
  server.reset();
  done = tell(told);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().text().find(told.to.webhook), std::string::npos) << done.error().text();
}

TEST_F(RunNoticesTest, a_command_gets_the_same_on_its_standard_input) {
  auto told = failed_run();
  std::string got = directory.path() + "/got";
  told.to.command = "cat > " + got;
  Status done = tell(told);
  ASSERT_TRUE(done) << done.error().text();
  std::stringstream text;
  text << std::ifstream(got).rdbuf();
  EXPECT_EQ(text.str(), notice_json(told));
}

TEST_F(RunNoticesTest, a_command_that_fails_is_killed_or_hangs_says_so) {
  EXPECT_EQ(run_command("exit 7", "", Millis(20'000)).error().text(), "the command ended with 7");
  EXPECT_EQ(run_command("kill -9 $$", "", Millis(20'000)).error().text(), "the command was killed");
  std::string left = directory.path() + "/left";
  Status late = run_command("(sleep 1000; touch " + left + ") & sleep 1000", "", Millis(50));
  EXPECT_EQ(late.error().code(), Code::timeout);
  EXPECT_TRUE(run_command("exit 0", std::string(1 << 20, 'x'), Millis(20'000)));
}

}  // namespace
}  // namespace pinpipe::app
