// How late runs start when 10,000 schedules are spread over a minute, and what a task costs in a
// wide DAG and in a chain, beside the disk's own sync in the same run.
//   scheduler_bench [DIRECTORY]      takes about 90 seconds
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <fstream>
#include <string>

#include "base/clock.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/temporary_directory.h"
#include "scheduler/scheduler.h"

namespace {

namespace io = pinpipe::io;
namespace project = pinpipe::project;
namespace scheduler = pinpipe::scheduler;
using pinpipe::Millis;

constexpr int schedules = 10'000;
constexpr int tasks = 1'000;

double ms_since(int64_t start_ns) {
  return static_cast<double>(pinpipe::system_clock().steady_ns() - start_ns) / 1e6;
}

template <class T>
T at(std::vector<T> values, double part) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(part * static_cast<double>(values.size() - 1))];
}

long resident_mb() {
  std::ifstream status("/proc/self/status");
  std::string word;
  long kb = 0;
  while (status >> word) {
    if (word == "VmRSS:") status >> kb;
  }
  return kb / 1024;
}

double sync_ms(const std::string& directory) {
  auto file = io::posix_files().open(directory + "/sync", io::OpenMode::create);
  if (!file) return 0;
  std::string block(4096, 'x');
  std::vector<double> all;
  for (uint64_t i = 0; i < 300; ++i) {
    int64_t start = pinpipe::system_clock().steady_ns();
    (void)(*file)->write_at(block, i * block.size());
    (void)(*file)->sync();
    all.push_back(ms_since(start));
  }
  return at(all, 0.5);
}

project::DagSpec dag_of(const std::string& id, bool chain) {
  project::DagSpec dag;
  dag.id = id;
  for (int i = 0; i < tasks; ++i) {
    project::TaskSpec task;
    task.id = fmt::format("t{}", i);
    task.job = "nothing";
    if (chain && i > 0) task.after = {fmt::format("t{}", i - 1)};
    dag.tasks.push_back(std::move(task));
  }
  return dag;
}

struct Running {
  explicit Running(const std::string& path, const std::vector<project::DagSpec>& dags) {
    auto opened = scheduler::Scheduler::open(
        path, {runtime.loop(0), runtime.disk(), io::posix_files(), pinpipe::system_clock()}, dags);
    if (!opened) std::exit(1);
    self = std::move(*opened);
    self->register_job("nothing", [](scheduler::JobContext&) -> io::Task<pinpipe::Status> {
      co_return pinpipe::Status{};
    });
    io::run_on(runtime.loop(0), [](Running* r) -> io::Task<> {
      r->scope = std::make_unique<io::Scope>(r->runtime.loop(0));
      r->scope->spawn("scheduler", r->self->run());
      co_return;
    }(this));
  }
  ~Running() {
    io::run_on(runtime.loop(0), [](Running* r) -> io::Task<> {
      r->scope->cancel();
      co_await r->scope->join();
      r->scope.reset();
    }(this));
  }
  io::Runtime runtime{{.loops = 2, .disk_threads = 2, .work_threads = 1}};
  std::unique_ptr<scheduler::Scheduler> self;
  std::unique_ptr<io::Scope> scope;
};

double task_ms(const std::string& path, bool chain) {
  Running running(path, {dag_of("d", chain)});
  int64_t start = pinpipe::system_clock().steady_ns();
  auto run = io::wait_on(running.runtime.loop(1), running.self->trigger({.dag_id = "d"}));
  if (!run) std::exit(1);
  auto ended = io::wait_on(running.runtime.loop(1),
                           running.self->wait_run("d", run->run_id, io::after(Millis(120'000))));
  if (!ended || ended->state != scheduler::RunState::success) std::exit(1);
  return ms_since(start) / tasks;
}

// Every schedule fires once; its second of the minute is its own.
void many_schedules(const std::string& path) {
  std::vector<project::DagSpec> dags;
  for (int i = 0; i < schedules; ++i) {
    project::DagSpec dag;
    dag.id = fmt::format("dag{}", i);
    dag.schedule = "@every 60s";
    dag.start_date = fmt::format("2026-01-01T00:00:{:02}", i % 60);
    project::TaskSpec task;
    task.id = "t";
    task.job = "nothing";
    dag.tasks.push_back(std::move(task));
    dags.push_back(std::move(dag));
  }
  int64_t opening = pinpipe::system_clock().steady_ns();
  Running running(path, dags);
  std::printf("open 10,000 DAGs           %8.0f ms\n", ms_since(opening));
  io::run_on(running.runtime.loop(1),
             []() -> io::Task<> { (void)co_await io::sleep_for(Millis(63'000)); }());
  std::vector<int64_t> delays;
  for (int64_t offset = 0;; offset += 1000) {
    auto page =
        io::wait_on(running.runtime.loop(1),
                    running.self->list_runs({.dag_id = "", .limit = 1000, .offset = offset}));
    if (!page || page->runs.empty()) break;
    for (const scheduler::DagRun& run : page->runs) {
      auto whole =
          io::wait_on(running.runtime.loop(1), running.self->find_run(run.dag_id, run.run_id));
      if (!whole || whole->tasks.empty() || whole->tasks[0].start_ms == 0) continue;
      delays.push_back(whole->tasks[0].start_ms - run.run_after_ms);
    }
  }
  std::printf("runs in a minute           %8zu\n", delays.size());
  std::printf("delay of a task's start    %8lld ms p50 %8lld ms p99 %8lld ms max (bar: p99 100)\n",
              static_cast<long long>(at(delays, 0.5)), static_cast<long long>(at(delays, 0.99)),
              static_cast<long long>(at(delays, 1)));
  std::printf("resident                   %8ld MB (bar: 200)\n", resident_mb());
}

}  // namespace

int main(int argc, char** argv) {
  pinpipe::kit::TemporaryDirectory temporary;
  std::string directory = argc > 1 ? argv[1] : temporary.path();
  double sync = sync_ms(directory);
  std::printf("append 4 KiB and sync      %8.3f ms median\n", sync);
  for (int round = 0; round < 3; ++round) {
    std::string number = std::to_string(round);
    std::printf("a task of a wide DAG       %8.3f ms (bar: 1)\n",
                task_ms(directory + "/wide" + number + ".db", false));
    std::printf("a task of a chain          %8.3f ms (bar: one sync + 0.5 = %.3f)\n",
                task_ms(directory + "/chain" + number + ".db", true), sync + 0.5);
  }
  many_schedules(directory + "/many.db");
  return 0;
}
