#include "scheduler/scheduler.h"

#include <gmock/gmock.h>

#include "scheduler/scheduler_fixture.h"

namespace pinpipe::scheduler {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(SchedulerTest, runs_tasks_in_order_and_keeps_their_logs) {
  start({dag("d", {task("a", "note"), task("b", "note", {"a"}), task("c", "note", {"b"})})});
  DagRun run = trigger("d");
  EXPECT_THAT(run.run_id, HasSubstr("manual__2026-01-02T10:15:00+00:00_"));
  EXPECT_EQ(states(finish(run)), "success a:success b:success c:success");
  EXPECT_THAT(order_, ElementsAre("a", "b", "c"));
  auto log = call(scheduler_->task_log("d", run.run_id, "b", 1));
  ASSERT_TRUE(log);
  EXPECT_EQ(*log,
            "{\"timestamp\":\"2026-01-02T10:15:00.000Z\",\"level\":\"info\","
            "\"event\":\"hello from b\"}\n");
}

TEST_F(SchedulerTest, repeats_failed_tries_and_gives_up_on_hopeless_ones) {
  start({dag("d", {task("a", "fail_twice", {}, 2), task("b", "wrong", {}, 5), task("c", "nothing"),
                   task("e", "note", {"b"})})});
  DagRun ended = finish(trigger("d"));
  EXPECT_EQ(states(ended), "failed a:success b:failed c:failed e:upstream_failed");
  EXPECT_THAT(order_, ElementsAre("a1", "a2", "a3"));
  EXPECT_EQ(ended.tasks[1].note, "a wrong query");
  EXPECT_EQ(ended.tasks[1].try_number, 1);
  EXPECT_THAT(ended.tasks[2].note, HasSubstr("there is no job nothing"));
}

TEST_F(SchedulerTest, a_try_that_takes_too_long_is_stopped_and_fails) {
  auto spec = dag("d", {task("a", "hang")});
  spec.tasks[0].execution_timeout_ms = 20;
  start({spec});
  DagRun ended = finish(trigger("d"));
  EXPECT_EQ(states(ended), "failed a:failed");
  EXPECT_THAT(ended.tasks[0].note, HasSubstr("took longer than 0.02 seconds"));
  EXPECT_EQ(hanging_, 0);
}

TEST_F(SchedulerTest, a_cancelled_run_stops_its_tries) {
  start({dag("d", {task("a", "hang"), task("b", "note", {"a"})})});
  DagRun run = trigger("d");
  until_hanging();
  EXPECT_TRUE(call(scheduler_->cancel("d", run.run_id)));
  EXPECT_EQ(states(finish(run)), "failed a:failed b:skipped");
  EXPECT_EQ(call(scheduler_->cancel("d", run.run_id)).error().code(), Code::conflict);
}

TEST_F(SchedulerTest, what_ran_when_the_process_died_has_failed_and_is_retried) {
  start({dag("d", {task("a", "hang", {}, 1), task("b", "hang")})});
  DagRun run = trigger("d");
  until_hanging();
  restart();
  until_hanging();  // a's second try
  auto now = call(scheduler_->find_run("d", run.run_id));
  ASSERT_TRUE(now);
  EXPECT_EQ(states(*now), "running a:running b:failed");
  EXPECT_EQ(now->tasks[0].try_number, 2);
  EXPECT_EQ(now->tasks[1].note, "the process ended while the task ran");
}

TEST_F(SchedulerTest, clearing_runs_again_and_a_dry_run_only_tells) {
  start({dag("d", {task("a", "note"), task("b", "wrong", {"a"}), task("c", "note", {"b"})})});
  DagRun run = trigger("d");
  EXPECT_EQ(states(finish(run)), "failed a:success b:failed c:upstream_failed");
  auto told = call(scheduler_->clear(
      {.dag_id = "d", .run_id = run.run_id, .only_failed = true, .dry_run = true}));
  ASSERT_TRUE(told);
  EXPECT_THAT(*told, ElementsAre("b", "c"));
  mend();
  auto cleared = call(scheduler_->clear({.dag_id = "d", .run_id = run.run_id, .task_ids = {"b"}}));
  ASSERT_TRUE(cleared) << cleared.error().text();
  EXPECT_EQ(states(finish(run)), "success a:success b:success c:success");
  EXPECT_THAT(order_, ElementsAre("a", "c"));
  EXPECT_EQ(call(scheduler_->clear({.dag_id = "d", .run_id = run.run_id, .task_ids = {"x"}}))
                .error()
                .code(),
            Code::not_found);
}

TEST_F(SchedulerTest, starts_by_schedule_once_for_all_that_was_missed) {
  start({dag("d", {task("a", "note")}, "@hourly")});
  auto view = call(scheduler_->dag("d"));
  ASSERT_TRUE(view);
  EXPECT_EQ(to_rfc3339(*view->next_ms), "2026-01-02T11:00:00.000Z");
  clock_.advance(Millis(5 * 3'600'000));  // 15:15
  view = call(scheduler_->dag("d"));
  auto runs = call(scheduler_->list_runs({.dag_id = "d"}));
  ASSERT_TRUE(runs);
  ASSERT_EQ(runs->total, 1);
  EXPECT_EQ(runs->runs[0].run_id, "scheduled__2026-01-02T15:00:00+00:00");
  EXPECT_EQ(states(finish(runs->runs[0])), "success a:success");
  clock_.set_wall_ms(clock_.wall_ms() - 10 * 3'600'000);  // a clock that jumps back fires nothing
  ASSERT_TRUE(call(scheduler_->dag("d")));
  EXPECT_EQ(call(scheduler_->list_runs({.dag_id = "d"}))->total, 1);
}

TEST_F(SchedulerTest, who_only_looks_is_answered_and_starts_nothing) {
  start({dag("d", {task("a", "note")}, "@hourly")});
  DagRun run = finish(trigger("d"));
  stop();
  clock_.advance(Millis(5 * 3'600'000));
  start(dags_, true);
  auto views = call(scheduler_->list_dags());
  ASSERT_TRUE(views) << views.error().text();
  EXPECT_EQ(views->size(), 1u);
  auto log = call(scheduler_->task_log("d", run.run_id, "a", 1));
  ASSERT_TRUE(log) << log.error().text();
  EXPECT_THAT(*log, HasSubstr("hello from a"));
  EXPECT_THAT(order_, ElementsAre("a"));
}

TEST_F(SchedulerTest, catches_up_one_by_one_when_told_to) {
  auto spec = dag("d", {task("a", "note")}, "@daily");
  spec.start_date = "2025-12-30";
  spec.catchup = true;
  spec.max_active_runs = 1;
  start({spec});
  for (const char* day : {"2025-12-30", "2025-12-31", "2026-01-01", "2026-01-02"}) {
    DagRun run;
    run.dag_id = "d";
    run.run_id = std::string("scheduled__") + day + "T00:00:00+00:00";
    while (!call(scheduler_->find_run(run.dag_id, run.run_id))) (void)call(scheduler_->dag("d"));
    EXPECT_EQ(states(finish(run)), "success a:success");
  }
  EXPECT_EQ(call(scheduler_->list_runs({}))->total, 4);
}

TEST_F(SchedulerTest, a_paused_dag_waits) {
  start({dag("d", {task("a", "note")}, "@hourly")});
  ASSERT_TRUE(call(scheduler_->set_paused("d", true)));
  clock_.advance(Millis(3'600'000));
  DagRun run = trigger("d");
  ASSERT_TRUE(call(scheduler_->dag("d")));
  EXPECT_EQ(states(*call(scheduler_->find_run("d", run.run_id))), "queued a:none");
  restart();
  EXPECT_TRUE(call(scheduler_->dag("d"))->paused);
  ASSERT_TRUE(call(scheduler_->set_paused("d", false)));
  EXPECT_EQ(states(finish(run)), "success a:success");
}

TEST_F(SchedulerTest, no_more_runs_at_once_than_allowed) {
  auto spec = dag("d", {task("a", "hang")});
  spec.max_active_runs = 1;
  start({spec});
  DagRun first = trigger("d"), second = trigger("d");
  until_hanging();
  EXPECT_EQ(call(scheduler_->find_run("d", second.run_id))->state, RunState::queued);
  ASSERT_TRUE(call(scheduler_->cancel("d", first.run_id)));
  (void)finish(first);
  until_hanging();
  EXPECT_EQ(call(scheduler_->find_run("d", second.run_id))->state, RunState::running);
}

TEST_F(SchedulerTest, refuses_what_makes_no_sense) {
  start({dag("pin_dag", {task("a", "note")})});
  auto missing = call(scheduler_->trigger({.dag_id = "pni_dag"}));
  EXPECT_EQ(missing.error().code(), Code::not_found);
  EXPECT_THAT(missing.error().text(), HasSubstr("did you mean \"pin_dag\"?"));
  auto conf = call(scheduler_->trigger({.dag_id = "pin_dag", .conf = "[1]"}));
  EXPECT_EQ(conf.error().code(), Code::invalid);
  TriggerRequest request{.dag_id = "pin_dag", .run_id = "mine", .logical_ms = 1'000};
  ASSERT_TRUE(call(scheduler_->trigger(request)));
  EXPECT_EQ(call(scheduler_->trigger(request)).error().code(), Code::conflict);
  request.run_id = "other";
  EXPECT_EQ(call(scheduler_->trigger(request)).error().code(), Code::conflict);
  EXPECT_EQ(call(scheduler_->find_run("pin_dag", "none")).error().code(), Code::not_found);
}

TEST_F(SchedulerTest, a_wide_dag_and_a_chain_get_done) {
  std::vector<project::TaskSpec> wide, chain;
  for (int i = 0; i < 1000; ++i) wide.push_back(task("w" + std::to_string(i), "note"));
  for (int i = 0; i < 50; ++i) {
    std::vector<std::string> after;
    if (i > 0) after.push_back("c" + std::to_string(i - 1));
    chain.push_back(task("c" + std::to_string(i), "note", after));
  }
  start({dag("wide", wide), dag("chain", chain)});
  EXPECT_EQ(finish(trigger("wide")).state, RunState::success);
  EXPECT_EQ(finish(trigger("chain")).state, RunState::success);
}

}  // namespace
}  // namespace pinpipe::scheduler
