#include "scheduler/run.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "kit/seed.h"

namespace pinpipe::scheduler {
namespace {

using project::DagSpec;
using project::TaskSpec;
using project::TriggerRule;

TaskSpec task(std::string id, std::vector<std::string> after = {}, int retries = 0,
              TriggerRule rule = TriggerRule::all_success) {
  TaskSpec spec;
  spec.id = std::move(id);
  spec.job = "job";
  spec.after = std::move(after);
  spec.retries = retries;
  spec.retry_delay_ms = 1000;
  spec.trigger_rule = rule;
  return spec;
}

class RunTest : public testing::Test {
 protected:
  void make(std::vector<TaskSpec> tasks, int64_t timeout_ms = 0) {
    DagSpec spec;
    spec.id = "dag";
    spec.tasks = std::move(tasks);
    spec.run_timeout_ms = timeout_ms;
    dag_ = std::make_shared<DagSpec>(std::move(spec));
    DagRun run;
    run.dag_id = "dag";
    run.run_id = "r";
    machine_.emplace(dag_, std::move(run));
    machine_->begin(now_);
  }
  void start(const std::string& id) { machine_->started(*machine_->find_task(id), now_); }
  // The process dies and another one reads what was stored.
  void restart(std::shared_ptr<DagSpec> dag) {
    DagRun stored = machine_->run();
    dag_ = std::move(dag);
    machine_.emplace(dag_, std::move(stored));
    machine_->recover(now_);
  }
  void finish(const std::string& id, Outcome::Kind kind) {
    machine_->finished(*machine_->find_task(id), {kind, "note"}, now_);
  }
  void run(const std::string& id, Outcome::Kind kind = Outcome::Kind::success) {
    start(id);
    finish(id, kind);
  }
  std::string startable() const {
    std::string ids;
    for (size_t i : machine_->startable(100)) ids += machine_->run().tasks[i].task_id + " ";
    return ids;
  }
  std::string state(const std::string& id) const {
    return std::string(name_of(machine_->run().tasks[*machine_->find_task(id)].state));
  }
  std::string run_state() const { return std::string(name_of(machine_->run().state)); }

  int64_t now_ = 1'000'000;
  std::shared_ptr<DagSpec> dag_;
  std::optional<RunMachine> machine_;
};

TEST_F(RunTest, tasks_start_when_those_before_have_succeeded) {
  make({task("load"), task("pin", {"load"}), task("geo", {"load"}), task("ask", {"pin", "geo"})});
  EXPECT_EQ(startable(), "load ");
  run("load");
  EXPECT_EQ(startable(), "pin geo ");
  run("pin");
  EXPECT_EQ(startable(), "geo ");
  run("geo");
  run("ask");
  EXPECT_EQ(run_state(), "success");
}

TEST_F(RunTest, a_failure_reaches_all_that_comes_after) {
  make({task("a"), task("b", {"a"}), task("c", {"b"}), task("d")});
  run("a", Outcome::Kind::failed);
  EXPECT_EQ(state("b"), "upstream_failed");
  EXPECT_EQ(state("c"), "upstream_failed");
  EXPECT_EQ(run_state(), "running");
  run("d");
  EXPECT_EQ(run_state(), "failed");
}

TEST_F(RunTest, a_failed_try_is_repeated_after_its_delay) {
  make({task("a", {}, 2)});
  run("a", Outcome::Kind::failed);
  EXPECT_EQ(state("a"), "up_for_retry");
  EXPECT_EQ(machine_->next_due_ms(), now_ + 1000);
  EXPECT_EQ(startable(), "");
  now_ += 1000;
  machine_->tick(now_);
  run("a", Outcome::Kind::failed);
  now_ += 1000;
  machine_->tick(now_);
  run("a", Outcome::Kind::failed);
  EXPECT_EQ(state("a"), "failed");
  EXPECT_EQ(machine_->run().tasks[0].try_number, 3);
  EXPECT_EQ(run_state(), "failed");
}

TEST_F(RunTest, a_failure_for_good_is_not_repeated) {
  make({task("a", {}, 2)});
  run("a", Outcome::Kind::failed_for_good);
  EXPECT_EQ(run_state(), "failed");
}

TEST_F(RunTest, back_off_doubles_to_its_maximum) {
  TaskSpec spec = task("a");
  EXPECT_EQ(retry_delay_ms(spec, 5), 1000);
  spec.exponential_backoff = true;
  spec.retry_delay_max_ms = 5000;
  EXPECT_EQ(retry_delay_ms(spec, 1), 1000);
  EXPECT_EQ(retry_delay_ms(spec, 3), 4000);
  EXPECT_EQ(retry_delay_ms(spec, 1000), 5000);
}

TEST_F(RunTest, trigger_rules_decide_as_airflow_does) {
  struct Case {
    TriggerRule rule;
    Outcome::Kind first, second;
    const char* expected;
  };
  using enum Outcome::Kind;
  const Case cases[] = {
      {TriggerRule::all_success, success, skipped, "skipped"},
      {TriggerRule::all_failed, failed, failed, "scheduled"},
      {TriggerRule::all_failed, failed, success, "skipped"},
      {TriggerRule::all_done, failed, skipped, "scheduled"},
      {TriggerRule::all_skipped, skipped, skipped, "scheduled"},
      {TriggerRule::all_skipped, skipped, failed, "skipped"},
      {TriggerRule::one_success, failed, success, "scheduled"},
      {TriggerRule::one_success, failed, skipped, "upstream_failed"},
      {TriggerRule::one_success, skipped, skipped, "skipped"},
      {TriggerRule::one_failed, failed, success, "scheduled"},
      {TriggerRule::one_failed, success, success, "skipped"},
      {TriggerRule::one_done, skipped, success, "scheduled"},
      {TriggerRule::one_done, skipped, skipped, "skipped"},
      {TriggerRule::none_failed, skipped, success, "scheduled"},
      {TriggerRule::none_failed, failed, success, "upstream_failed"},
      {TriggerRule::none_skipped, failed, success, "scheduled"},
      {TriggerRule::none_skipped, skipped, success, "skipped"},
      {TriggerRule::none_failed_min_one_success, skipped, success, "scheduled"},
      {TriggerRule::none_failed_min_one_success, skipped, skipped, "skipped"},
      {TriggerRule::always, failed, failed, "scheduled"},
  };
  for (const Case& c : cases) {
    make({task("a"), task("b"), task("c", {"a", "b"}, 0, c.rule)});
    run("a", c.first);
    run("b", c.second);
    EXPECT_EQ(state("c"), c.expected) << project::name_of(c.rule);
  }
}

TEST_F(RunTest, clearing_runs_a_task_and_what_follows_again) {
  make({task("a"), task("b", {"a"}, 1), task("c", {"b"})});
  run("a");
  run("b", Outcome::Kind::failed_for_good);
  EXPECT_EQ(run_state(), "failed");
  EXPECT_EQ(machine_->clear({1}, true, now_).size(), 2u);
  EXPECT_EQ(run_state(), "queued");
  machine_->begin(now_);
  EXPECT_EQ(startable(), "b ");
  run("b", Outcome::Kind::failed);
  EXPECT_EQ(state("b"), "up_for_retry");  // it has its retries again
  now_ += 1000;
  machine_->tick(now_);
  run("b");
  run("c");
  EXPECT_EQ(run_state(), "success");
  EXPECT_EQ(machine_->run().tasks[1].try_number, 3);
}

TEST_F(RunTest, a_cleared_try_must_end_before_the_next_starts) {
  make({task("a")});
  start("a");
  machine_->clear({0}, false, now_);
  EXPECT_EQ(state("a"), "restarting");
  EXPECT_EQ(machine_->to_stop().size(), 1u);
  EXPECT_EQ(startable(), "");
  finish("a", Outcome::Kind::success);
  EXPECT_EQ(startable(), "a ");
  run("a");
  EXPECT_EQ(run_state(), "success");
}

TEST_F(RunTest, cancelling_fails_the_run_and_stops_what_runs) {
  make({task("a", {}, 3), task("b", {"a"})});
  start("a");
  machine_->cancel("cancelled", now_);
  EXPECT_EQ(run_state(), "failed");
  EXPECT_EQ(state("a"), "failed");
  EXPECT_EQ(state("b"), "skipped");
  EXPECT_EQ(machine_->to_stop().size(), 1u);
  machine_->clear({0}, true, now_);
  machine_->begin(now_);
  EXPECT_EQ(startable(), "");  // the old try is still on its way out
  finish("a", Outcome::Kind::failed);
  EXPECT_EQ(startable(), "a ");
}

TEST_F(RunTest, a_run_that_takes_too_long_fails) {
  make({task("a")}, 5000);
  start("a");
  EXPECT_EQ(machine_->next_due_ms(), now_ + 5000);
  now_ += 5000;
  machine_->tick(now_);
  EXPECT_EQ(run_state(), "failed");
}

TEST_F(RunTest, tries_of_a_dead_process_have_failed_and_are_retried) {
  make({task("a", {}, 1), task("b"), task("c", {"a"})});
  start("a");
  start("b");
  restart(dag_);
  EXPECT_EQ(state("a"), "up_for_retry");
  EXPECT_EQ(state("b"), "failed");
  EXPECT_EQ(state("c"), "none");
  now_ += 1000;
  machine_->tick(now_);
  run("a");
  run("c");
  EXPECT_EQ(run_state(), "failed");
}

TEST_F(RunTest, follows_a_dag_that_changed) {
  make({task("a"), task("b")});
  run("a");
  DagSpec changed = *dag_;
  changed.tasks = {task("b"), task("c", {"b"})};
  restart(std::make_shared<DagSpec>(changed));
  EXPECT_EQ(startable(), "b ");
  run("b");
  run("c");
  EXPECT_EQ(run_state(), "success");
  EXPECT_EQ(machine_->run().tasks[2].state, TaskState::removed);
}

TEST_F(RunTest, a_run_without_tasks_succeeds_at_once) {
  make({});
  EXPECT_EQ(run_state(), "success");
}

TEST_F(RunTest, a_chain_of_ten_thousand_fails_without_deep_recursion) {
  std::vector<TaskSpec> tasks = {task("t0")};
  for (int i = 1; i < 10'000; ++i) {
    tasks.push_back(task("t" + std::to_string(i), {"t" + std::to_string(i - 1)}));
  }
  make(std::move(tasks));
  run("t0", Outcome::Kind::failed);
  EXPECT_EQ(state("t9999"), "upstream_failed");
  EXPECT_EQ(run_state(), "failed");
}

// Random DAGs, outcomes, clears, cancels and crashes: every run ends, no try starts while an older
// one of the same task has not ended, no task starts before its rule allows.
TEST_F(RunTest, random_histories_keep_the_promises) {
  Random random(kit::seed());
  for (int round = 0; round < 300; ++round) {
    std::vector<TaskSpec> tasks;
    size_t count = 1 + random.below(12);
    for (size_t i = 0; i < count; ++i) {
      TaskSpec spec = task("t" + std::to_string(i), {}, static_cast<int>(random.below(3)),
                           static_cast<TriggerRule>(random.below(11)));
      for (size_t k = 0; k < i; ++k) {
        if (random.below(3) == 0) spec.after.push_back("t" + std::to_string(k));
      }
      tasks.push_back(std::move(spec));
    }
    make(std::move(tasks));
    std::set<size_t> busy;
    int disturbances = 5;
    for (int step = 0; step < 2000; ++step) {
      now_ += static_cast<int64_t>(random.below(500));
      machine_->begin(now_);
      machine_->tick(now_);
      for (size_t i : machine_->startable(random.below(4))) {
        ASSERT_TRUE(busy.insert(i).second) << "a second try at once";
        machine_->started(i, now_);
      }
      ASSERT_EQ(machine_->busy_count(), busy.size());
      if (!busy.empty() && random.below(2) == 0) {
        size_t i = *std::next(busy.begin(), static_cast<long>(random.below(busy.size())));
        busy.erase(i);
        machine_->finished(i, {static_cast<Outcome::Kind>(random.below(4)), ""}, now_);
      }
      if (disturbances > 0 && random.below(20) == 0) {
        --disturbances;
        size_t what = random.below(3);
        if (what == 0) machine_->clear({random.below(count)}, random.below(2) == 0, now_);
        if (what == 1) machine_->cancel("cancelled", now_);
        if (what == 2) {
          restart(dag_);
          busy.clear();
        }
      }
      if (machine_->has_ended() && busy.empty() && disturbances == 0) break;
    }
    ASSERT_TRUE(machine_->has_ended()) << "seed " << kit::seed() << " round " << round;
    for (const TaskRun& t : machine_->run().tasks) ASSERT_TRUE(has_ended(t.state));
  }
}

}  // namespace
}  // namespace pinpipe::scheduler
