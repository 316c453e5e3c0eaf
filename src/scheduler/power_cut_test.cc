// The power goes at any moment of the scheduler's life, and the disk fills up: what was answered
// holds, what ran is tried again, and what had ended does not run again.
#include <gmock/gmock.h>

#include "kit/seed.h"
#include "kit/sqlite_disk.h"
#include "scheduler/scheduler_fixture.h"

namespace pinpipe::scheduler {
namespace {

class PowerCutTest : public SchedulerTest {
 protected:
  ~PowerCutTest() override { stop(); }  // before the disk goes

  void begin(uint64_t seed) {
    disk_.reset();
    disk_files_ = std::make_unique<kit::MemoryFiles>(seed);
    ASSERT_TRUE(disk_files_->make_directories("/data"));
    ASSERT_TRUE(disk_files_->sync_directory("/"));
    disk_ = std::make_unique<kit::SqliteDisk>(*disk_files_);
    path_ = "/data/scheduler.db";
    triggered_.clear();
    ended_.clear();
  }

  std::vector<project::DagSpec> dags() {
    return {dag("d", {task("a", "note", {}, 9), task("b", "fail_twice", {"a"}, 9),
                      task("c", "note", {"a", "b"}, 9)})};
  }

  // Triggers runs one after the other and waits for every other one, until it is stopped.
  io::Task<> drive() {
    for (int i = 0; !co_await io::cancelled(); ++i) {
      auto run = co_await scheduler_->trigger({.dag_id = "d", .run_id = "run" + std::to_string(i)});
      if (!run) co_return;
      triggered_.push_back(run->run_id);
      if (i % 2 == 0) continue;
      auto ended = co_await scheduler_->wait_run("d", run->run_id, io::never);
      if (!ended) co_return;
      ended_.push_back(run->run_id);
    }
  }

  // The scheduler lives until the power goes.
  void live_until_power_cut() {
    io::run_on(runtime_.loop(1), [](PowerCutTest& test) -> io::Task<> {
      io::Scope driver(io::Loop::current());
      driver.spawn("driver", test.drive());
      while (test.disk_->has_power()) (void)co_await io::sleep_for(Millis(1));
      driver.cancel();
      co_await driver.join();
    }(*this));
    stop();
  }

  // A run that is asked for while the disk is full, and then it is not full any more.
  void trigger_into_full_disk() {
    io::run_on(runtime_.loop(1), [](PowerCutTest& test) -> io::Task<> {
      io::Scope asking(io::Loop::current());
      uint64_t before = test.disk_->operations();
      test.disk_files_->set_capacity(0);
      asking.spawn("trigger", test.trigger_held());
      while (test.disk_->operations() == before) (void)co_await io::sleep_for(Millis(1));
      EXPECT_TRUE(test.triggered_.empty());
      test.disk_files_->set_capacity(std::nullopt);
      co_await asking.join();
    }(*this));
  }

  io::Task<> trigger_held() {
    auto run = co_await scheduler_->trigger({.dag_id = "d", .run_id = "held"});
    EXPECT_TRUE(run) << run.error().text();
    triggered_.push_back("held");
  }

  DagRun finish_named(std::string id) {
    DagRun run;
    run.dag_id = "d";
    run.run_id = std::move(id);
    return finish(run);
  }

  std::unique_ptr<kit::MemoryFiles> disk_files_;
  std::unique_ptr<kit::SqliteDisk> disk_;
  std::vector<std::string> triggered_;  // and answered
  std::vector<std::string> ended_;
};

TEST_F(PowerCutTest, what_was_answered_holds_and_ends_and_nothing_ended_runs_again) {
  size_t answered = 0;
  for (uint64_t seed = kit::seed(); seed < kit::seed() + 40; ++seed) {
    begin(seed);
    Random random(seed);
    start(dags());
    disk_->cut_power_after(random.below(200));
    live_until_power_cut();
    answered += triggered_.size();
    disk_->power_on();
    order_.clear();
    start(dags());
    for (const std::string& id : ended_) {
      auto run = call(scheduler_->find_run("d", id));
      ASSERT_TRUE(run) << id << ", seed " << seed;
      EXPECT_EQ(run->state, RunState::success) << id << ", seed " << seed;
    }
    for (const std::string& id : triggered_) {
      EXPECT_EQ(states(finish_named(id)), "success a:success b:success c:success")
          << id << ", seed " << seed;
    }
    stop();
    // Each task of what had not ended runs at most: b three times, the others once.
    size_t open = triggered_.size() + 1 - ended_.size();
    EXPECT_LE(order_.size(), open * 5) << "seed " << seed;
  }
  EXPECT_GT(answered, 40u);
}

TEST_F(PowerCutTest, a_full_disk_holds_runs_back_until_there_is_room) {
  begin(kit::seed());
  start(dags());
  DagRun before = finish(trigger("d"));
  EXPECT_EQ(before.state, RunState::success);
  trigger_into_full_disk();
  EXPECT_EQ(triggered_, std::vector<std::string>{"held"});
  EXPECT_EQ(finish_named("held").state, RunState::success);
}

}  // namespace
}  // namespace pinpipe::scheduler
