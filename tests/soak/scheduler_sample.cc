// A scheduler that is made to be killed; driven by scheduler_kill.
//   scheduler_sample DIRECTORY work [FILE_BYTES_MAX]   triggers runs until it is killed; no file
//                                                      grows beyond the bytes
//   scheduler_sample DIRECTORY finish                  waits until all runs have ended
// Prints "ack run" for each acknowledged run, "begin run task try" and "end run task try" for each
// job, and at the finish "run run state task=state:try …". A line is one write: none is cut.
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

#include "base/random.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "scheduler/scheduler.h"

namespace {

namespace io = pinpipe::io;
namespace project = pinpipe::project;
namespace scheduler = pinpipe::scheduler;
using pinpipe::Millis;

project::DagSpec sample_dag() {
  project::DagSpec dag;
  dag.id = "d";
  for (const char* id : {"load", "pin", "geo", "user", "ask"}) {
    project::TaskSpec task;
    task.id = id;
    task.job = "work";
    task.retries = 1000;  // each kill costs a try
    task.retry_delay_ms = 1;
    if (dag.tasks.size() == 4)
      task.after = {"pin", "geo", "user"};
    else if (!dag.tasks.empty())
      task.after = {"load"};
    dag.tasks.push_back(std::move(task));
  }
  return dag;
}

class Sample {
 public:
  explicit Sample(const std::string& directory) {
    auto opened = scheduler::Scheduler::open(
        directory + "/scheduler.db",
        {runtime_.loop(0), runtime_.disk(), io::posix_files(), pinpipe::system_clock()},
        {sample_dag()});
    if (!opened) {
      std::fprintf(stderr, "%s\n", opened.error().text().c_str());
      ::_exit(2);
    }
    scheduler_ = std::move(*opened);
    scheduler_->register_job("work", [this](scheduler::JobContext& c) -> io::Task<pinpipe::Status> {
      std::string what = fmt::format("{} {} {}", c.run_id, c.task_id, c.try_number);
      say("begin " + what);
      (void)co_await io::sleep_for(Millis(1 + static_cast<int64_t>(dice_.below(5))));
      say("end " + what);
      co_return pinpipe::Status{};
    });
    io::run_on(runtime_.loop(0), [](Sample* self) -> io::Task<> {
      self->scope_ = std::make_unique<io::Scope>(self->runtime_.loop(0));
      self->scope_->spawn("scheduler", self->scheduler_->run());
      co_return;
    }(this));
  }
  ~Sample() {
    io::run_on(runtime_.loop(0), [](Sample* self) -> io::Task<> {
      self->scope_->cancel();
      co_await self->scope_->join();
      self->scope_.reset();
    }(this));
  }

  void work() {
    while (true) {
      auto run = io::wait_on(runtime_.loop(1), scheduler_->trigger({.dag_id = "d"}));
      if (!run) continue;
      say("ack " + run->run_id);
      io::run_on(runtime_.loop(1),
                 []() -> io::Task<> { (void)co_await io::sleep_for(Millis(3)); }());
    }
  }

  int finish() {
    for (int64_t offset = 0;; offset += 100) {
      auto page =
          io::wait_on(runtime_.loop(1), scheduler_->list_runs({.dag_id = "d", .offset = offset}));
      if (!page) return 1;
      if (page->runs.empty()) return 0;
      for (const scheduler::DagRun& one : page->runs) {
        auto run = io::wait_on(runtime_.loop(1),
                               scheduler_->wait_run("d", one.run_id, io::after(Millis(120'000))));
        if (!run) return 1;
        std::string text = fmt::format("run {} {}", run->run_id, name_of(run->state));
        for (const scheduler::TaskRun& task : run->tasks) {
          text += fmt::format(" {}={}:{}", task.task_id, name_of(task.state), task.try_number);
        }
        say(std::move(text));
      }
    }
  }

 private:
  static void say(std::string line) {
    line += '\n';
    (void)!::write(STDOUT_FILENO, line.data(), line.size());
  }

  pinpipe::Random dice_{static_cast<uint64_t>(::getpid())};  // on the scheduler's loop
  io::Runtime runtime_{{.loops = 2, .disk_threads = 2, .work_threads = 1}};
  std::unique_ptr<scheduler::Scheduler> scheduler_;
  std::unique_ptr<io::Scope> scope_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: scheduler_sample DIRECTORY work|finish [FILE_BYTES_MAX]\n", stderr);
    return 2;
  }
  if (argc > 3) {
    std::signal(SIGXFSZ, SIG_IGN);  // a write beyond the limit fails, as on a full disk
    rlimit limit{};
    limit.rlim_cur = limit.rlim_max = std::stoul(argv[3]);
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  Sample sample(argv[1]);
  if (std::string(argv[2]) == "finish") return sample.finish();
  sample.work();
}
