#include "doors/databricks/door.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/runtime.h"
#include "io/scope.h"
#include "kit/fake_clock.h"
#include "kit/temporary_directory.h"

namespace pinpipe::databricks {
namespace {

using codec::Json;
using testing::HasSubstr;

class DatabricksDoorTest : public testing::Test {
 protected:
  DatabricksDoorTest() {
    project::DagSpec daily;
    daily.id = "daily";
    daily.tasks.resize(2);
    daily.tasks[0].id = "load";
    daily.tasks[0].job = "note";
    daily.tasks[1].id = "ask";
    daily.tasks[1].job = "wrong";
    daily.tasks[1].after = {"load"};
    auto opened =
        scheduler::Scheduler::open(directory_.path() + "/scheduler.db",
                                   {runtime_.loop(0), runtime_.disk(), io::posix_files(), clock_},
                                   {dag_of_submitted_runs(), daily});
    EXPECT_TRUE(opened) << opened.error().text();
    scheduler_ = std::move(*opened);
    scheduler_->register_job("note", [](scheduler::JobContext& c) -> io::Task<Status> {
      c.log.info("noted");
      co_return Status{};
    });
    scheduler_->register_job("wrong", [](scheduler::JobContext&) -> io::Task<Status> {
      co_return Error(Code::invalid, "a wrong query");
    });
    scheduler_->register_job(std::string(notebook_job),
                             [](scheduler::JobContext& c) -> io::Task<Status> {
                               c.log.info("conf " + c.conf);
                               if (c.conf.find("/hang") != std::string::npos)
                                 co_return co_await io::sleep_until(io::never);
                               co_return Status{};
                             });
    in_loop([](DatabricksDoorTest* self) -> io::Task<> {
      self->scope_ = std::make_unique<io::Scope>(self->runtime_.loop(0));
      self->scope_->spawn("scheduler", self->scheduler_->run());
      co_return;
    }(this));
    door_ = std::make_unique<Door>(
        Door::Options{.scheduler = scheduler_.get(),
                      .notebooks = {.notebooks = {{"/Users/*", "batch"}}, .fallback = "batch"},
                      .token = "sesame"});
    door_->add_routes(router_);
  }
  ~DatabricksDoorTest() override {
    in_loop([](DatabricksDoorTest* self) -> io::Task<> {
      self->scope_->cancel();
      co_await self->scope_->join();
      self->scope_.reset();
    }(this));
  }

  void in_loop(io::Task<> work) { io::run_on(runtime_.loop(0), std::move(work)); }

  struct Said {
    int status = 0;
    Json body;
  };
  Said call(std::string method, const std::string& path, std::string body = "",
            std::string token = "sesame") {
    http::Request request;
    request.method = std::move(method);
    request.target = "/api/" + path;
    request.body = std::move(body);
    request.peer = "127.0.0.1:50000";
    request.headers.set("Host", "localhost:4580");
    if (!token.empty()) request.headers.set("Authorization", "Bearer " + token);
    http::Response response;
    io::run_on(runtime_.loop(1), router_.handle(request, response));
    auto parsed = codec::parse_json(response.body);
    return {response.status, parsed ? *parsed : Json(response.body)};
  }
  int64_t submit(const std::string& body) {
    Said said = call("POST", "2.2/jobs/runs/submit", body);
    EXPECT_EQ(said.status, 200) << codec::to_json(said.body);
    return said.body["run_id"].as_int().value_or(0);
  }
  Json until_terminated(int64_t id) {
    auto run = io::wait_on(runtime_.loop(1), scheduler_->find_run_numbered(id));
    EXPECT_TRUE(run);
    EXPECT_TRUE(io::wait_on(runtime_.loop(1), scheduler_->wait_run(run->dag_id, run->run_id,
                                                                   io::after(Millis(20'000)))));
    return call("GET", "2.1/jobs/runs/get?run_id=" + std::to_string(id)).body;
  }

  kit::TemporaryDirectory directory_;
  kit::FakeClock clock_;
  io::Runtime runtime_{{.loops = 2, .disk_threads = 2, .work_threads = 1}};
  std::unique_ptr<scheduler::Scheduler> scheduler_;
  std::unique_ptr<io::Scope> scope_;
  std::unique_ptr<Door> door_;
  http::Router router_;
};

TEST_F(DatabricksDoorTest, a_submitted_notebook_becomes_a_run) {
  int64_t id = submit(R"({"run_name":"course","existing_cluster_id":"1108-162752-8okw8dgg",
      "notebook_task":{"notebook_path":"/Users/me/pin","base_parameters":{"n":1}}})");
  Json run = until_terminated(id);
  EXPECT_EQ(run["state"]["life_cycle_state"], Json("TERMINATED"));
  EXPECT_EQ(run["state"]["result_state"], Json("SUCCESS"));
  EXPECT_THAT(std::string(*run["state"]["state_message"].as_string()),
              HasSubstr("stands for job batch"));
  EXPECT_EQ(run["run_name"], Json("course"));
  EXPECT_EQ(run["tasks"].elements()[0]["task_key"], Json("notebook"));
  int64_t task = *run["tasks"].elements()[0]["run_id"].as_int();
  // The deferrable client sends parameters of GET as a body.
  Said output =
      call("GET", "2.0/jobs/runs/get-output", R"({"run_id":)" + std::to_string(task) + "}");
  EXPECT_EQ(output.status, 200);
  EXPECT_THAT(std::string(*output.body["logs"].as_string()), HasSubstr("notebook_path"));
  EXPECT_EQ(output.body.find("error"), nullptr);
}

TEST_F(DatabricksDoorTest, a_token_is_one_run) {
  std::string body = R"({"idempotency_token":"t 1","notebook_task":{"notebook_path":"/a"}})";
  EXPECT_EQ(submit(body), submit(body));
}

TEST_F(DatabricksDoorTest, jobs_are_dags_and_their_failures_are_told) {
  Said jobs = call("GET", "2.2/jobs/list?name=daily");
  ASSERT_EQ(jobs.body["jobs"].size(), 1u);
  Json id = jobs.body["jobs"].elements()[0]["job_id"];
  Said run = call("POST", "2.2/jobs/run-now",
                  R"({"job_id":)" + codec::to_json(id) + R"(,"notebook_params":{"a":"b"}})");
  ASSERT_EQ(run.status, 200);
  int64_t number = *run.body["run_id"].as_int();
  Json ended = until_terminated(number);
  EXPECT_EQ(ended["job_id"], id);
  EXPECT_EQ(ended["state"]["result_state"], Json("FAILED"));
  EXPECT_EQ(ended["state"]["state_message"], Json("task ask: a wrong query"));
  Json ask = ended["tasks"].elements()[0];
  EXPECT_EQ(ask["task_key"], Json("ask"));
  EXPECT_EQ(ask["state"]["result_state"], Json("FAILED"));
  std::string get = "2.2/jobs/runs/get-output?run_id=";
  EXPECT_EQ(call("GET", get + codec::to_json(ask["run_id"])).body["error"], Json("a wrong query"));
  EXPECT_EQ(call("GET", get + std::to_string(number)).status, 400);  // which task's?
  std::string same = R"({"run_id":)" + std::to_string(number) + "}";
  EXPECT_EQ(call("POST", "2.2/jobs/runs/repair", same).status, 200);
  until_terminated(number);
  EXPECT_EQ(call("POST", "2.2/jobs/runs/delete", same).status, 200);
  EXPECT_EQ(call("GET", "2.2/jobs/runs/get", same).status, 400);
}

TEST_F(DatabricksDoorTest, runs_are_cancelled) {
  int64_t id = submit(R"({"tasks":[{"task_key":"x","notebook_task":{"notebook_path":"/hang"}}]})");
  std::string same = R"({"run_id":)" + std::to_string(id) + "}";
  EXPECT_EQ(call("POST", "2.2/jobs/runs/cancel", same).status, 200);
  EXPECT_EQ(until_terminated(id)["state"]["result_state"], Json("CANCELED"));
  EXPECT_EQ(call("POST", "2.2/jobs/runs/cancel", same).status, 200);
}

TEST_F(DatabricksDoorTest, what_is_wrong_is_said_in_its_own_shape) {
  EXPECT_EQ(call("GET", "2.1/clusters/spark-versions", "", "").status, 403);
  EXPECT_EQ(call("GET", "2.1/clusters/spark-versions", "", "wrong").body["error_code"],
            Json("PERMISSION_DENIED"));
  EXPECT_EQ(call("GET", "2.1/clusters/spark-versions").body["versions"].size(), 1u);
  EXPECT_EQ(call("GET", "2.1/clusters/get?cluster_id=x").body["state"], Json("RUNNING"));
  EXPECT_EQ(call("POST", "2.2/jobs/runs/submit", "{").body["error_code"],
            Json("MALFORMED_REQUEST"));
  for (const char* body : {"{}", R"({"spark_jar_task":{}})", R"({"tasks":[]})",
                           R"({"tasks":[{"notebook_task":{}},{"notebook_task":{}}]})"}) {
    EXPECT_EQ(call("POST", "2.2/jobs/runs/submit", body).body["error_code"],
              Json("INVALID_PARAMETER_VALUE"))
        << body;
  }
  EXPECT_EQ(call("GET", "2.2/jobs/runs/get?run_id=99").status, 400);
  EXPECT_EQ(call("GET", "2.2/jobs/runs/get").status, 400);
  EXPECT_EQ(call("POST", "2.2/jobs/run-now", R"({"job_id":1})").status, 400);
  EXPECT_EQ(call("GET", "2.0/pipelines").body["error_code"], Json("ENDPOINT_NOT_FOUND"));
}

}  // namespace
}  // namespace pinpipe::databricks
