// A server with one real scheduler and two DAGs, for tests/clients/airflow/client.py.
//   airflow_sample DIRECTORY TOKEN      prints its port, serves until its input ends
#include <cstdio>
#include <fmt/format.h>

#include "base/clock.h"
#include "doors/airflow/door.h"
#include "http/server.h"
#include "io/runtime.h"
#include "io/scope.h"

namespace pinpipe {
namespace {

project::TaskSpec task(std::string id, std::string job, std::vector<std::string> after = {}) {
  project::TaskSpec spec;
  spec.id = std::move(id);
  spec.job = std::move(job);
  spec.after = std::move(after);
  spec.retries = 1;
  spec.retry_delay_ms = 10;
  spec.execution_timeout_ms = 3'600'000;
  return spec;
}

std::vector<project::DagSpec> sample_dags() {
  project::DagSpec daily;
  daily.id = "0e90e0175553_dag";
  daily.description = "load, clean, ask";
  daily.schedule = "@daily";
  daily.tags = {"pinterest"};
  daily.file = "dags/daily.yaml";
  daily.start_date = "2026-01-01";
  daily.run_timeout_ms = 7'200'000;
  daily.params = {{"questions", "all"}};
  daily.tasks = {task("load", "say"), task("clean", "second_time", {"load"}),
                 task("ask", "say", {"clean"})};
  project::DagSpec endless;
  endless.id = "endless";
  endless.file = "dags/endless.yaml";
  endless.tasks = {task("wait", "wait")};
  return {daily, endless};
}

void register_jobs(scheduler::Scheduler& scheduler) {
  scheduler.register_job("say", [](scheduler::JobContext& context) -> io::Task<Status> {
    context.log.info("conf is " + context.conf);
    co_return Status{};
  });
  scheduler.register_job("second_time", [](scheduler::JobContext& context) -> io::Task<Status> {
    if (context.try_number % 2 == 1) co_return Error(Code::unavailable, "not the first time");
    co_return Status{};
  });
  scheduler.register_job("wait", [](scheduler::JobContext&) -> io::Task<Status> {
    co_return co_await io::sleep_until(io::never);
  });
}

int serve(const std::string& directory, const std::string& token) {
  io::Runtime runtime{{.loops = 2, .disk_threads = 2, .work_threads = 1}};
  auto scheduler = scheduler::Scheduler::open(
      directory + "/scheduler.db",
      {runtime.loop(0), runtime.disk(), io::posix_files(), system_clock()}, sample_dags());
  if (!scheduler) {
    std::fprintf(stderr, "airflow_sample: %s\n", scheduler.error().text().c_str());
    return 1;
  }
  register_jobs(**scheduler);
  std::unique_ptr<io::Scope> scope;
  io::run_on(
      runtime.loop(0),
      [](io::Loop& loop, scheduler::Scheduler& what, std::unique_ptr<io::Scope>& in) -> io::Task<> {
        in = std::make_unique<io::Scope>(loop);
        in->spawn("scheduler", what.run());
        co_return;
      }(runtime.loop(0), **scheduler, scope));

  airflow::Door door({.scheduler = scheduler->get(),
                      .clock = &system_clock(),
                      .token = token,
                      .version = "3.1.0"});
  http::Router router;
  door.add_routes(router);
  http::Server server(runtime, {.name = "sample"}, router.handler());
  auto port = server.listen_tcp("127.0.0.1", 0);
  if (!port) return 1;
  server.start();
  std::puts(std::to_string(*port).c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  server.stop();
  io::run_on(runtime.loop(0), [](std::unique_ptr<io::Scope>& in) -> io::Task<> {
    in->cancel();
    co_await in->join();
    in.reset();
  }(scope));
  return 0;
}

}  // namespace
}  // namespace pinpipe

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: airflow_sample DIRECTORY TOKEN\n", stderr);
    return 2;
  }
  return pinpipe::serve(argv[1], argv[2]);
}
