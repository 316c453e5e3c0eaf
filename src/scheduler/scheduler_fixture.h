// A scheduler over a temporary file with jobs that note, fail and hang, for its tests.
#pragma once

#include <gtest/gtest.h>

#include "io/runtime.h"
#include "kit/fake_clock.h"
#include "kit/temporary_directory.h"
#include "scheduler/scheduler.h"

namespace pinpipe::scheduler {

inline project::TaskSpec task(std::string id, std::string job, std::vector<std::string> after = {},
                              int retries = 0) {
  project::TaskSpec spec;
  spec.id = std::move(id);
  spec.job = std::move(job);
  spec.after = std::move(after);
  spec.retries = retries;
  spec.retry_delay_ms = 0;
  return spec;
}

inline project::DagSpec dag(std::string id, std::vector<project::TaskSpec> tasks,
                            std::string schedule = "") {
  project::DagSpec spec;
  spec.id = std::move(id);
  spec.tasks = std::move(tasks);
  spec.schedule = std::move(schedule);
  return spec;
}

class SchedulerTest : public testing::Test {
 protected:
  ~SchedulerTest() override { stop(); }

  void start(std::vector<project::DagSpec> dags, bool only_answers = false) {
    dags_ = std::move(dags);
    auto opened = Scheduler::open(
        path_, {loop(), runtime_.disk(), io::posix_files(), clock_, pools_}, dags_, files_);
    ASSERT_TRUE(opened) << opened.error().text();
    scheduler_ = std::move(*opened);
    scheduler_->set_teller([this](Told told) -> io::Task<Status> {
      told_.push_back(told.event + " " + told.run.run_id + " " + told.to.webhook);
      tells_.notify_all();
      co_return Status{};
    });
    scheduler_->register_job("note", [this](JobContext& c) -> io::Task<Status> {
      order_.push_back(c.task_id);
      c.log.info("hello from " + c.task_id);
      co_return Status{};
    });
    scheduler_->register_job("fail_twice", [this](JobContext& c) -> io::Task<Status> {
      order_.push_back(c.task_id + std::to_string(c.try_number));
      if (c.try_number <= 2) co_return Error(Code::unavailable, "not yet");
      co_return Status{};
    });
    scheduler_->register_job("wrong", [this](JobContext&) -> io::Task<Status> {
      if (mended_) co_return Status{};
      co_return Error(Code::invalid, "a wrong query");
    });
    scheduler_->register_job("hang", [this](JobContext&) -> io::Task<Status> {
      ++hanging_;
      hangs_.notify_all();
      Status waited = co_await io::sleep_until(io::never);
      --hanging_;
      co_return waited;
    });
    in_loop([](SchedulerTest* self, bool only) -> io::Task<> {
      self->scope_ = std::make_unique<io::Scope>(self->loop());
      Scheduler& scheduler = *self->scheduler_;
      self->scope_->spawn("scheduler", only ? scheduler.answer_requests() : scheduler.run());
      co_return;
    }(this, only_answers));
  }

  void stop() {
    if (scope_ == nullptr) return;
    in_loop([](SchedulerTest* self) -> io::Task<> {
      self->scope_->cancel();
      co_await self->scope_->join();
      self->scope_.reset();
    }(this));
    scheduler_.reset();
  }

  // As after a crash: another scheduler over the same file.
  void restart() {
    stop();
    start(dags_);
  }

  io::Loop& loop() { return runtime_.loop(0); }
  void in_loop(io::Task<> work) { io::run_on(loop(), std::move(work)); }

  // From another loop than the scheduler's.
  template <class T>
  T call(io::Task<T> work) {
    return io::wait_on(runtime_.loop(1), std::move(work));
  }

  DagRun trigger(const std::string& id) {
    auto run = call(scheduler_->trigger({.dag_id = id}));
    EXPECT_TRUE(run) << run.error().text();
    return run ? *run : DagRun{};
  }
  DagRun finish(const DagRun& run) {
    auto ended = call(scheduler_->wait_run(run.dag_id, run.run_id, io::after(Millis(20'000))));
    EXPECT_TRUE(ended) << ended.error().text();
    return ended ? *ended : DagRun{};
  }
  // "a:success b:failed"
  static std::string states(const DagRun& run) {
    std::string text(name_of(run.state));
    for (const TaskRun& t : run.tasks) {
      text += " " + t.task_id + ":" + std::string(name_of(t.state));
    }
    return text;
  }
  void mend() {
    in_loop([](SchedulerTest* self) -> io::Task<> {
      self->mended_ = true;
      co_return;
    }(this));
  }
  void until_told(size_t count) {
    in_loop([](SchedulerTest* self, size_t wanted) -> io::Task<> {
      while (self->told_.size() < wanted) {
        (void)co_await self->tells_.wait_beyond(self->tells_.version(), io::after(Millis(50)));
      }
    }(this, count));
  }
  void until_hanging(int count = 1) {
    in_loop([](SchedulerTest* self, int wanted) -> io::Task<> {
      while (self->hanging_ < wanted) {
        (void)co_await self->hangs_.wait_beyond(self->hangs_.version(), io::after(Millis(50)));
      }
    }(this, count));
  }

  kit::TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/scheduler.db";
  kit::FakeClock clock_;
  io::Runtime runtime_{{.loops = 2, .disk_threads = 2, .work_threads = 1}};
  std::vector<project::DagSpec> dags_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<io::Scope> scope_;
  std::vector<std::string> order_;
  io::Signal hangs_;
  int hanging_ = 0;
  std::map<std::string, int> pools_;
  std::vector<DagFile> files_;  // there at the start
  std::vector<std::string> told_;
  io::Signal tells_;
  bool mended_ = false;  // the job `wrong` works now
};

}  // namespace pinpipe::scheduler
