// tidy: long because it is one list, a test for each call.
#include "doors/airflow/door.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/percent.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/fake_clock.h"
#include "kit/temporary_directory.h"

namespace pinpipe::airflow {
namespace {

using codec::Json;
using testing::HasSubstr;

project::TaskSpec task(std::string id, std::string job, std::vector<std::string> after = {}) {
  project::TaskSpec spec;
  spec.id = std::move(id);
  spec.job = std::move(job);
  spec.after = std::move(after);
  spec.retry_delay_ms = 0;
  return spec;
}

std::vector<project::DagSpec> sample_dags() {
  project::DagSpec batch;
  batch.id = "0e90_dag";
  batch.description = "the daily batch";
  batch.schedule = "@daily";
  batch.tags = {"pinterest", "batch"};
  batch.file = "dags/batch.yaml";
  batch.params = {{"day", "today"}};
  batch.tasks = {task("load", "note"), task("clean", "note", {"load"}),
                 task("ask", "wrong", {"clean"}), task("tell", "note", {"ask"})};
  project::DagSpec hang;
  hang.id = "hang_dag";
  hang.tasks = {task("wait", "hang"), task("later", "note", {"wait"})};
  project::DagSpec broken;
  broken.id = "broken_dag";
  broken.schedule = "every now and then";
  broken.file = "dags/broken.yaml";
  broken.tasks = {task("a", "note")};
  return {batch, hang, broken};
}

class AirflowDoorTest : public testing::Test {
 protected:
  AirflowDoorTest() {
    auto opened = scheduler::Scheduler::open(
        directory_.path() + "/scheduler.db",
        {runtime_.loop(0), runtime_.disk(), io::posix_files(), clock_}, sample_dags());
    EXPECT_TRUE(opened) << opened.error().text();
    scheduler_ = std::move(*opened);
    scheduler_->register_job("note", [](scheduler::JobContext& c) -> io::Task<Status> {
      c.log.info("hello from " + c.task_id);
      co_return Status{};
    });
    scheduler_->register_job("wrong", [this](scheduler::JobContext&) -> io::Task<Status> {
      if (mended_.load()) co_return Status{};
      co_return Error(Code::invalid, "a wrong query");
    });
    scheduler_->register_job("hang", [](scheduler::JobContext&) -> io::Task<Status> {
      co_return co_await io::sleep_until(io::never);
    });
    in_loop([](AirflowDoorTest* self) -> io::Task<> {
      self->scope_ = std::make_unique<io::Scope>(self->runtime_.loop(0));
      self->scope_->spawn("scheduler", self->scheduler_->run());
      co_return;
    }(this));
    door_ = std::make_unique<Door>(Door::Options{
        .scheduler = scheduler_.get(), .clock = &clock_, .token = "sesame", .version = "1.2.3"});
    door_->add_routes(router_);
  }
  ~AirflowDoorTest() override {
    in_loop([](AirflowDoorTest* self) -> io::Task<> {
      self->scope_->cancel();
      co_await self->scope_->join();
      self->scope_.reset();
    }(this));
  }

  void in_loop(io::Task<> work) { io::run_on(runtime_.loop(0), std::move(work)); }

  struct Said {
    int status = 0;
    Json body;
    std::string text;
    http::Headers headers;
  };
  Said send(http::Request request) {
    http::Response response;
    io::run_on(runtime_.loop(1), router_.handle(request, response));
    auto parsed = codec::parse_json(response.body);
    return {response.status, parsed ? *parsed : Json(), response.body, response.headers};
  }
  http::Request request_for(std::string method, std::string target, std::string body = "") {
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    request.peer = "127.0.0.1:50000";
    request.headers.set("Authorization", "Bearer sesame");
    return request;
  }
  Said get(const std::string& path) { return send(request_for("GET", "/api/v2" + path)); }
  Said post(const std::string& path, const std::string& body) {
    return send(request_for("POST", "/api/v2" + path, body));
  }
  Said patch(const std::string& path, const std::string& body) {
    return send(request_for("PATCH", "/api/v2" + path, body));
  }

  // Starts a run and gives its path.
  std::string triggered(const std::string& dag_id, const std::string& run_id) {
    auto said = post("/dags/" + dag_id + "/dagRuns",
                     R"({"logical_date":null,"dag_run_id":")" + run_id + R"("})");
    EXPECT_EQ(said.status, 200) << said.text;
    return "/dags/" + dag_id + "/dagRuns/" + run_id;
  }
  void until_ended(const std::string& dag_id, const std::string& run_id) {
    auto ended = io::wait_on(runtime_.loop(1),
                             scheduler_->wait_run(dag_id, run_id, io::after(Millis(20'000))));
    ASSERT_TRUE(ended) << ended.error().text();
  }
  std::string ended(const std::string& run_id) {
    std::string path = triggered("0e90_dag", run_id);
    until_ended("0e90_dag", run_id);
    return path;
  }
  static std::string names(const Json& list, std::string_view key) {
    std::string text;
    for (const Json& element : list.elements()) {
      text += (text.empty() ? "" : " ") + std::string(element[key].as_string().value_or("?"));
    }
    return text;
  }

  kit::TemporaryDirectory directory_;
  kit::FakeClock clock_;
  io::Runtime runtime_{{.loops = 2, .disk_threads = 2, .work_threads = 1}};
  std::atomic<bool> mended_ = false;
  std::unique_ptr<scheduler::Scheduler> scheduler_;
  std::unique_ptr<io::Scope> scope_;
  std::unique_ptr<Door> door_;
  http::Router router_;
};

TEST_F(AirflowDoorTest, reading_needs_no_token_on_loopback_and_writing_does) {
  auto read = request_for("GET", "/api/v2/dags");
  read.headers.clear();
  EXPECT_EQ(send(read).status, 200);
  read.peer = "192.0.2.1:1000";
  EXPECT_EQ(send(read).status, 401);
  read.headers.set("Authorization", "Bearer sesame");
  EXPECT_EQ(send(read).status, 200);

  auto write = request_for("PATCH", "/api/v2/dags/0e90_dag", R"({"is_paused":true})");
  write.headers.set("Authorization", "Bearer wrong");
  auto refused = send(write);
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.headers.find("www-authenticate"), "Bearer");
  EXPECT_THAT(std::string(*refused.body["detail"].as_string()), HasSubstr("Not authenticated"));
  write.by_local_socket = true;
  EXPECT_EQ(send(write).status, 200);
}

TEST_F(AirflowDoorTest, a_token_is_given_for_the_password_only) {
  auto given = send(request_for("POST", "/auth/token", R"({"username":"me","password":"sesame"})"));
  EXPECT_EQ(given.status, 201);
  EXPECT_EQ(given.text, R"({"access_token":"sesame"})");
  EXPECT_EQ(send(request_for("POST", "/auth/token", R"({"username":"me","password":"x"})")).status,
            401);
  EXPECT_EQ(send(request_for("POST", "/auth/token", R"({"username":"me"})")).status, 422);
  auto bare = request_for("GET", "/auth/token");
  bare.headers.clear();
  EXPECT_EQ(send(bare).status, 403);
  bare.by_local_socket = true;
  EXPECT_EQ(send(bare).text, R"({"access_token":"sesame"})");
}

TEST_F(AirflowDoorTest, version_and_health_are_told) {
  EXPECT_EQ(get("/version").text, R"({"version":"1.2.3","git_version":null})");
  auto health = get("/monitor/health");
  EXPECT_EQ(health.body["metadatabase"]["status"], Json("healthy"));
  EXPECT_EQ(health.body["scheduler"]["status"], Json("healthy"));
  EXPECT_EQ(health.body["scheduler"]["latest_scheduler_heartbeat"],
            Json(to_rfc3339(clock_.wall_ms())));
  EXPECT_TRUE(health.body["triggerer"]["status"].is_null());
}

TEST_F(AirflowDoorTest, dags_are_listed_filtered_and_paged) {
  auto all = get("/dags");
  EXPECT_EQ(names(all.body["dags"], "dag_id"), "0e90_dag broken_dag hang_dag");
  EXPECT_EQ(all.body["total_entries"], Json(3));
  EXPECT_EQ(names(get("/dags?limit=1&offset=1").body["dags"], "dag_id"), "broken_dag");
  EXPECT_EQ(get("/dags?limit=1&offset=1").body["total_entries"], Json(3));
  EXPECT_EQ(names(get("/dags?dag_id_pattern=%25HANG%25").body["dags"], "dag_id"), "hang_dag");
  EXPECT_EQ(names(get("/dags?tags=batch&tags=x").body["dags"], "dag_id"), "0e90_dag");
  EXPECT_EQ(get("/dags?tags=batch&tags=x&tags_match_mode=all").body["total_entries"], Json(0));
  EXPECT_EQ(names(get("/dags?order_by=-dag_id").body["dags"], "dag_id"),
            "hang_dag broken_dag 0e90_dag");
  EXPECT_EQ(names(get("/dags?order_by=next_dagrun").body["dags"], "dag_id"),
            "0e90_dag broken_dag hang_dag");
  EXPECT_EQ(get("/dags?order_by=colour").status, 400);
  EXPECT_EQ(get("/dags?owners=me").status, 422);
}

TEST_F(AirflowDoorTest, a_dag_says_what_it_is) {
  auto dag = get("/dags/0e90_dag").body;
  EXPECT_EQ(dag["is_paused"], Json(false));
  EXPECT_EQ(dag["timetable_summary"], Json("@daily"));
  EXPECT_EQ(dag["timetable_periodic"], Json(true));
  EXPECT_EQ(dag["fileloc"], Json("dags/batch.yaml"));
  EXPECT_EQ(names(dag["tags"], "name"), "pinterest batch");
  EXPECT_EQ(dag["next_dagrun_logical_date"], Json("2026-01-03T00:00:00.000Z"));
  EXPECT_EQ(get("/dags/hang_dag").body["timetable_summary"], Json("None"));
  auto details = get("/dags/0e90_dag/details").body;
  EXPECT_EQ(details["catchup"], Json(false));
  EXPECT_EQ(details["params"]["day"]["value"], Json("today"));
  auto missing = get("/dags/0e91_dag");
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.text, HasSubstr("0e90_dag"));
  EXPECT_EQ(get("/dags/nothing/details").status, 404);
}

TEST_F(AirflowDoorTest, a_dag_is_paused_and_resumed) {
  EXPECT_EQ(patch("/dags/0e90_dag", R"({"is_paused":true})").body["is_paused"], Json(true));
  EXPECT_EQ(names(get("/dags?paused=true").body["dags"], "dag_id"), "0e90_dag");
  EXPECT_EQ(patch("/dags/0e90_dag", R"({"is_paused":false})").body["is_paused"], Json(false));
  EXPECT_EQ(patch("/dags/0e90_dag", R"({"is_paused":"no"})").status, 422);
  EXPECT_EQ(patch("/dags/0e90_dag", R"({})").status, 422);
  EXPECT_EQ(patch("/dags/nothing", R"({"is_paused":true})").status, 404);
}

TEST_F(AirflowDoorTest, tasks_are_listed_with_what_follows_them) {
  auto tasks = get("/dags/0e90_dag/tasks").body;
  EXPECT_EQ(names(tasks["tasks"], "task_id"), "ask clean load tell");
  EXPECT_EQ(tasks["total_entries"], Json(4));
  auto load = get("/dags/0e90_dag/tasks/load").body;
  EXPECT_EQ(load["downstream_task_ids"], Json::array({"clean"}));
  EXPECT_EQ(load["class_ref"]["class_name"], Json("note"));
  EXPECT_EQ(get("/dags/0e90_dag/tasks/nothing").status, 404);
}

TEST_F(AirflowDoorTest, a_trigger_needs_the_logical_date_to_be_there_though_null) {
  auto missing = post("/dags/0e90_dag/dagRuns", R"({"conf":{}})");
  EXPECT_EQ(missing.status, 422);
  const Json& entry = missing.body["detail"].elements().at(0);
  EXPECT_EQ(entry["type"], Json("missing"));
  EXPECT_EQ(entry["loc"], Json::array({"body", "logical_date"}));
  EXPECT_THAT(std::string(*entry["ctx"]["hint"].as_string()), HasSubstr("\"logical_date\": null"));

  auto run =
      post("/dags/0e90_dag/dagRuns", R"({"logical_date":null,"conf":{"a":[1]},"note":"by hand"})");
  EXPECT_EQ(run.status, 200) << run.text;
  EXPECT_THAT(std::string(*run.body["dag_run_id"].as_string()), HasSubstr("manual__"));
  EXPECT_TRUE(run.body["logical_date"].is_null());
  EXPECT_EQ(run.body["conf"], Json::object({{"a", Json::array({1})}}));
  EXPECT_EQ(run.body["note"], Json("by hand"));
  EXPECT_EQ(run.body["run_type"], Json("manual"));
  EXPECT_EQ(run.body["triggered_by"], Json("rest_api"));
}

TEST_F(AirflowDoorTest, a_trigger_refuses_what_it_does_not_know) {
  auto is_422 = [&](const std::string& more) {
    auto said = post("/dags/0e90_dag/dagRuns", R"({"logical_date":null,)" + more + "}");
    EXPECT_EQ(said.status, 422) << more << said.text;
  };
  is_422(R"("execution_date":null)");
  is_422(R"("conf":[])");
  is_422(R"("dag_run_id":"a/b")");
  is_422(R"("dag_run_id":"scheduled__2026-01-01T00:00:00+00:00")");
  is_422(R"("data_interval_start":"2026-01-01T00:00:00Z")");
  is_422(R"("partition_key":"x")");
  EXPECT_EQ(post("/dags/0e90_dag/dagRuns", R"({"logical_date":"2026-01-01"})").status, 422);
  EXPECT_EQ(post("/dags/0e90_dag/dagRuns", "[]").status, 422);
  EXPECT_EQ(post("/dags/nothing/dagRuns", R"({"logical_date":null})").status, 404);
  EXPECT_EQ(get("/dags/0e90_dag/dagRuns").body["total_entries"], Json(0));
}

TEST_F(AirflowDoorTest, a_second_run_of_the_same_id_or_date_is_a_conflict) {
  std::string first = R"({"logical_date":"2026-01-01T00:00:00Z","dag_run_id":"one"})";
  EXPECT_EQ(post("/dags/0e90_dag/dagRuns", first).status, 200);
  EXPECT_EQ(post("/dags/0e90_dag/dagRuns", R"({"logical_date":null,"dag_run_id":"one"})").status,
            409);
  auto date = post("/dags/0e90_dag/dagRuns", R"({"logical_date":"2026-01-01T01:00:00+01:00"})");
  EXPECT_EQ(date.status, 409);
  EXPECT_TRUE(date.body["detail"].is_string());
}

TEST_F(AirflowDoorTest, a_run_is_shown_with_its_times) {
  std::string path = ended("manual__2026-01-02T00:00:00+00:00");
  std::string escaped =
      "/dags/0e90_dag/dagRuns/" + codec::percent_encode("manual__2026-01-02T00:00:00+00:00");
  auto run = get(escaped).body;
  EXPECT_EQ(run, get(path).body);
  EXPECT_EQ(run["state"], Json("failed"));
  EXPECT_EQ(run["start_date"], Json(to_rfc3339(clock_.wall_ms())));
  EXPECT_EQ(run["duration"], Json(0.0));
  EXPECT_EQ(get("/dags/0e90_dag/dagRuns/nothing").status, 404);
}

TEST_F(AirflowDoorTest, runs_are_listed_oldest_first_and_filtered) {
  ended("a");
  ended("b");
  triggered("hang_dag", "c");
  auto runs_of = [&](const std::string& path) {
    return names(get(path).body["dag_runs"], "dag_run_id");
  };
  EXPECT_EQ(runs_of("/dags/0e90_dag/dagRuns"), "a b");
  EXPECT_EQ(runs_of("/dags/~/dagRuns"), "a b c");
  EXPECT_EQ(runs_of("/dags/~/dagRuns?limit=2&offset=1"), "b c");
  EXPECT_EQ(runs_of("/dags/~/dagRuns?limit=5&offset=2"), "c");
  EXPECT_EQ(runs_of("/dags/~/dagRuns?offset=9"), "");
  EXPECT_EQ(runs_of("/dags/~/dagRuns?order_by=-id&limit=2"), "c b");
  EXPECT_EQ(runs_of("/dags/~/dagRuns?order_by=dag_id&order_by=-run_id"), "b a c");
  EXPECT_EQ(runs_of("/dags/~/dagRuns?state=failed"), "a b");
  EXPECT_EQ(runs_of("/dags/~/dagRuns?state=failed&state=running&state=queued"), "a b c");
  EXPECT_EQ(runs_of("/dags/~/dagRuns?run_type=scheduled"), "");
  EXPECT_EQ(runs_of("/dags/~/dagRuns?run_id_pattern=B"), "b");
  EXPECT_EQ(runs_of("/dags/~/dagRuns?run_after_gt=2100-01-01T00:00:00Z"), "");
  EXPECT_EQ(runs_of("/dags/~/dagRuns?run_after_lte=2100-01-01T00:00:00Z"), "a b c");
  EXPECT_EQ(get("/dags/~/dagRuns?state=purple").status, 422);
  EXPECT_EQ(get("/dags/~/dagRuns?order_by=purple").status, 400);
  EXPECT_EQ(get("/dags/nothing/dagRuns").status, 404);

  auto batch = post("/dags/~/dagRuns/list",
                    R"({"dag_ids":["hang_dag","0e90_dag"],"states":["failed"],"page_limit":1})");
  EXPECT_EQ(names(batch.body["dag_runs"], "dag_run_id"), "a") << batch.text;
  EXPECT_EQ(batch.body["total_entries"], Json(2));
  EXPECT_EQ(post("/dags/~/dagRuns/list", R"({"colour":1})").status, 422);
}

TEST_F(AirflowDoorTest, a_run_is_cancelled_by_setting_it_failed) {
  std::string path = triggered("hang_dag", "x");
  auto failed = patch(path, R"({"state":"failed"})");
  EXPECT_EQ(failed.status, 200) << failed.text;
  EXPECT_EQ(failed.body["state"], Json("failed"));
  EXPECT_EQ(patch(path, R"({"state":"failed"})").status, 200);
  EXPECT_EQ(patch(path, R"({"state":"running"})").status, 422);
  EXPECT_EQ(patch(path, R"({"note":"later"})").body["note"], Json("later"));
  EXPECT_EQ(patch(path + "?update_mask=state", R"({"state":"failed","note":"x"})").status, 200);
}

TEST_F(AirflowDoorTest, runs_and_tasks_are_marked_and_deleted) {
  std::string path = ended("m");
  EXPECT_EQ(get(path).body["state"], Json("failed"));
  auto would = patch(path + "/taskInstances/ask/dry_run", R"({"new_state":"success"})");
  EXPECT_EQ(would.body["total_entries"], Json(1)) << would.text;
  EXPECT_EQ(get(path).body["state"], Json("failed"));
  auto marked = patch(path + "/taskInstances/ask", R"({"new_state":"success"})");
  ASSERT_EQ(marked.status, 200) << marked.text;
  EXPECT_EQ(marked.body["task_instances"].elements()[0]["state"], Json("success"));
  until_ended("0e90_dag", "m");
  EXPECT_EQ(get(path).body["state"], Json("success"));
  EXPECT_EQ(patch(path + "/taskInstances/ask", R"({"new_state":"success"})").status, 409);
  EXPECT_EQ(patch(path + "/taskInstances/ask", R"({"new_state":"running"})").status, 422);
  EXPECT_EQ(patch(path + "/taskInstances/none", R"({"new_state":"failed"})").status, 404);
  EXPECT_EQ(patch(path, R"({"state":"failed"})").body["state"], Json("failed"));
  EXPECT_EQ(patch(path, R"({"state":"success"})").body["state"], Json("success"));
  EXPECT_EQ(send(request_for("DELETE", "/api/v2" + path)).status, 204);
  EXPECT_EQ(get(path).status, 404);
  EXPECT_EQ(send(request_for("DELETE", "/api/v2" + path)).status, 404);
  std::string open = triggered("hang_dag", "open");
  EXPECT_EQ(send(request_for("DELETE", "/api/v2" + open)).status, 409);
}

TEST_F(AirflowDoorTest, lines_that_no_dag_came_of_are_import_errors) {
  scheduler::DagFile file = scheduler::read_dag_file("s3://dags/x.py", "with DAG('a' as b:\n", {});
  ASSERT_TRUE(io::wait_on(runtime_.loop(1), scheduler_->put_file(std::move(file))));
  auto errors = get("/importErrors?filename_pattern=x.py").body;
  ASSERT_EQ(errors["total_entries"], Json(1));
  EXPECT_THAT(std::string(*errors["import_errors"].elements()[0]["stack_trace"].as_string()),
              HasSubstr("line 2: this is no Python"));
}

TEST_F(AirflowDoorTest, a_failed_run_set_to_queued_retries_what_failed) {
  std::string path = ended("again");
  mended_ = true;
  EXPECT_EQ(patch(path, R"({"state":"queued"})").status, 200);
  until_ended("0e90_dag", "again");
  EXPECT_EQ(get(path).body["state"], Json("success"));
  EXPECT_EQ(get(path + "/taskInstances/load").body["try_number"], Json(1));
  EXPECT_EQ(get(path + "/taskInstances/ask").body["try_number"], Json(2));
  EXPECT_EQ(patch(path, R"({"state":"queued"})").status, 409);
}

TEST_F(AirflowDoorTest, task_instances_are_listed_and_shown) {
  std::string path = ended("a");
  auto list = get(path + "/taskInstances").body;
  EXPECT_EQ(list["total_entries"], Json(4));
  EXPECT_EQ(
      names(get(path + "/taskInstances?state=success&order_by=-task_id").body["task_instances"],
            "task_id"),
      "load clean");
  EXPECT_EQ(
      names(get(path + "/taskInstances?limit=1&offset=1&order_by=task_id").body["task_instances"],
            "task_id"),
      "clean");
  EXPECT_EQ(get(path + "/taskInstances?state=purple").status, 422);
  auto ask = get(path + "/taskInstances/ask").body;
  EXPECT_EQ(ask["state"], Json("failed"));
  EXPECT_EQ(ask["map_index"], Json(-1));
  EXPECT_EQ(ask["operator"], Json("wrong"));
  EXPECT_EQ(ask["note"], Json("a wrong query"));
  EXPECT_EQ(ask["max_tries"], Json(0));
  EXPECT_EQ(get(path + "/taskInstances/tell").body["state"], Json("upstream_failed"));
  EXPECT_EQ(ask["id"], get(path + "/taskInstances/ask").body["id"]);
  EXPECT_EQ(get(path + "/taskInstances/nothing").status, 404);
  EXPECT_EQ(get("/dags/0e90_dag/dagRuns/~/taskInstances").status, 400);
  EXPECT_EQ(get(path + "/taskInstances/ask/xcomEntries").body["total_entries"], Json(0));
}

TEST_F(AirflowDoorTest, logs_come_as_json_or_as_lines) {
  std::string path = ended("a") + "/taskInstances/load/logs/";
  auto log = get(path + "1");
  EXPECT_TRUE(log.body["continuation_token"].is_null());
  EXPECT_EQ(names(log.body["content"], "event"), "hello from load");
  EXPECT_EQ(names(log.body["content"], "level"), "info");
  auto lines = request_for("GET", "/api/v2" + path + "1?full_content=true&map_index=-1");
  lines.headers.set("Accept", "application/x-ndjson");
  auto said = send(lines);
  EXPECT_EQ(said.headers.find("content-type"), "application/x-ndjson");
  EXPECT_TRUE(said.text.ends_with("\n"));
  EXPECT_EQ(said.body, log.body["content"].elements().at(0));
  EXPECT_EQ(get(path + "2").status, 404);
  EXPECT_EQ(get(path + "0").status, 404);
  EXPECT_EQ(get(path + "x").status, 404);
  EXPECT_EQ(get(path + "1?map_index=3").status, 404);
  EXPECT_EQ(get(path + "1?token=abc").status, 422);
}

TEST_F(AirflowDoorTest, clearing_tasks_is_a_dry_run_unless_told_otherwise) {
  std::string path = ended("a");
  auto clear = [&](const std::string& more) {
    return post("/dags/0e90_dag/clearTaskInstances", R"({"dag_run_id":"a")" + more + "}");
  };
  auto would = clear("");
  EXPECT_EQ(would.status, 200) << would.text;
  EXPECT_EQ(would.body["total_entries"], Json(2));  // ask has failed, tell could not start
  EXPECT_EQ(clear(R"(,"only_failed":false)").body["total_entries"], Json(4));
  EXPECT_EQ(clear(R"(,"task_ids":["load"])").body["total_entries"], Json(0));
  auto tree = R"(,"only_failed":false,"task_ids":[["clean",-1]])";
  EXPECT_EQ(clear(tree).body["total_entries"], Json(1));
  EXPECT_EQ(clear(std::string(tree) + R"(,"include_downstream":true)").body["total_entries"],
            Json(3));
  EXPECT_EQ(clear(std::string(tree) + R"(,"include_upstream":true)").body["total_entries"],
            Json(2));
  EXPECT_EQ(clear(R"(,"task_ids":["nothing"])").status, 404);
  EXPECT_EQ(clear(R"(,"include_past":true)").status, 422);
  EXPECT_EQ(clear(R"(,"what":true)").status, 422);
  EXPECT_EQ(post("/dags/0e90_dag/clearTaskInstances", R"({"dry_run":false})").status, 422);
  EXPECT_EQ(get(path).body["state"], Json("failed"));
}

TEST_F(AirflowDoorTest, cleared_tasks_run_again) {
  std::string path = ended("a");
  mended_ = true;
  auto none = post("/dags/0e90_dag/clearTaskInstances",
                   R"({"dag_run_id":"a","dry_run":false,"task_ids":["load"]})");
  EXPECT_EQ(none.body["total_entries"], Json(0));  // it has not failed; nothing is not everything
  auto cleared = post("/dags/0e90_dag/clearTaskInstances", R"({"dag_run_id":"a","dry_run":false})");
  EXPECT_EQ(cleared.status, 200) << cleared.text;
  EXPECT_EQ(cleared.body["total_entries"], Json(2));
  until_ended("0e90_dag", "a");
  EXPECT_EQ(get(path).body["state"], Json("success"));
  EXPECT_EQ(get(path + "/taskInstances/load").body["try_number"], Json(1));
}

TEST_F(AirflowDoorTest, a_run_is_cleared_whole_or_where_it_failed) {
  std::string path = ended("a");
  EXPECT_EQ(post(path + "/clear", "{}").body["total_entries"], Json(4));
  EXPECT_EQ(post(path + "/clear", R"({"only_failed":true})").body["total_entries"], Json(2));
  EXPECT_EQ(get(path).body["state"], Json("failed"));
  mended_ = true;
  auto run = post(path + "/clear", R"({"dry_run":false})");
  EXPECT_EQ(run.body["dag_run_id"], Json("a")) << run.text;
  until_ended("0e90_dag", "a");
  EXPECT_EQ(get(path).body["state"], Json("success"));
  EXPECT_EQ(get(path + "/taskInstances/load").body["try_number"], Json(2));
}

TEST_F(AirflowDoorTest, what_is_not_here_says_so) {
  for (std::string_view noun : {"variables", "connections"}) {
    auto list = get("/" + std::string(noun));
    EXPECT_TRUE(list.body[noun].is_array());
    EXPECT_EQ(list.body["total_entries"], Json(0));
  }
  EXPECT_TRUE(get("/dagWarnings").body["dag_warnings"].is_array());
  auto errors = get("/importErrors").body;
  EXPECT_EQ(errors["total_entries"], Json(1));
  EXPECT_EQ(names(errors["import_errors"], "filename"), "dags/broken.yaml");

  EXPECT_EQ(get("/backfills").text, R"({"detail":"Not Found"})");
  EXPECT_EQ(get("/dags/0e90_dag/nothing").status, 404);
  EXPECT_EQ(names(get("/pools").body["pools"], "name"), "default_pool");
  auto refused = send(request_for("DELETE", "/api/v2/dags/0e90_dag"));
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.headers.find("allow"), "GET, PATCH");
  EXPECT_TRUE(refused.body["detail"].is_string());
  EXPECT_EQ(post("/variables", R"({"key":"a","value":"b"})").status, 405);
  EXPECT_EQ(send(request_for("HEAD", "/api/v2/dags")).status, 200);
}

}  // namespace
}  // namespace pinpipe::airflow
