// What people decide about DAGs and runs: files, marks, notes, deletion, dates that have passed,
// who is told.
#include <gmock/gmock.h>

#include "scheduler/scheduler_fixture.h"

namespace pinpipe::scheduler {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

DagFile file(std::string name, std::vector<project::DagSpec> dags) {
  for (project::DagSpec& dag : dags) dag.file = name;
  return {.name = std::move(name), .dags = std::move(dags), .problems = {}};
}

std::string problems(const DagFileView& view) {
  std::string text;
  for (const DagFileProblem& one : view.problems) text += one.sentence + "\n";
  return text;
}

TEST_F(SchedulerTest, a_file_takes_the_place_of_the_project_s_dag_and_gives_it_back) {
  project::DagSpec own = dag("d", {task("a", "note")});
  own.file = "dags/d.yaml";
  start({own});
  auto view = call(scheduler_->put_file(file("s3://dags/d.py", {dag("d", {task("z", "note")})})));
  ASSERT_TRUE(view);
  EXPECT_THAT(view->dags, ElementsAre("d"));
  EXPECT_EQ(states(finish(trigger("d"))), "success z:success");
  EXPECT_EQ(call(scheduler_->dag("d"))->replaces, "dags/d.yaml");
  EXPECT_EQ(call(scheduler_->dag("d"))->spec.file, "s3://dags/d.py");
  ASSERT_TRUE(call(scheduler_->drop_file("s3://dags/d.py")));
  EXPECT_EQ(states(finish(trigger("d"))), "success a:success");
  EXPECT_EQ(call(scheduler_->dag("d"))->replaces, "");
  EXPECT_EQ(call(scheduler_->drop_file("s3://dags/d.py")).error().code(), Code::not_found);
}

TEST_F(SchedulerTest, a_dag_goes_with_its_file_and_keeps_its_past) {
  start({});
  ASSERT_TRUE(call(scheduler_->put_file(file("f", {dag("d", {task("a", "hang")})}))));
  DagRun run = trigger("d");
  until_hanging();
  ASSERT_TRUE(call(scheduler_->set_paused("d", true)));
  ASSERT_TRUE(call(scheduler_->put_file(file("f", {dag("other", {task("a", "note")})}))));
  EXPECT_EQ(call(scheduler_->dag("d")).error().code(), Code::not_found);
  EXPECT_EQ(states(finish(run)), "failed a:failed");
  ASSERT_TRUE(call(scheduler_->put_file(file("g", {dag("d", {task("a", "note")})}))));
  EXPECT_TRUE(call(scheduler_->dag("d"))->paused);
  EXPECT_EQ(call(scheduler_->list_runs({.dag_id = "d"}))->total, 1);
}

TEST_F(SchedulerTest, what_a_file_may_not_define_is_said) {
  pools_ = {{"slow", 1}};
  start({dag("own", {task("a", "note")})});
  auto trigger_of = [](const std::string& id) {
    project::TaskSpec spec = task("t", std::string(trigger_job));
    spec.params["dag_id"] = id;
    return spec;
  };
  scheduler_->register_job(std::string(trigger_job),
                           [](JobContext&) -> io::Task<Status> { co_return Status{}; });
  auto self = call(scheduler_->put_file(file("a", {dag("x", {trigger_of("x")})})));
  EXPECT_THAT(problems(*self), HasSubstr("DAG x would trigger itself"));
  EXPECT_THAT(self->dags, IsEmpty());
  ASSERT_THAT(call(scheduler_->put_file(file("b", {dag("y", {trigger_of("x")})})))->dags,
              SizeIs(1));
  auto round = call(scheduler_->put_file(file("a", {dag("x", {trigger_of("y")})})));
  EXPECT_THAT(problems(*round), HasSubstr("DAG x would trigger itself"));
  auto job = call(scheduler_->put_file(file("c", {dag("z", {task("t", "notes")})})));
  EXPECT_THAT(problems(*job), HasSubstr("there is no job notes; did you mean \"note\"?"));
  auto twice = call(scheduler_->put_file(file("d", {dag("y", {task("t", "note")})})));
  EXPECT_THAT(problems(*twice), HasSubstr("DAG y is defined by b already"));
  project::TaskSpec pooled = task("t", "note");
  pooled.pool = "fast";
  auto pool = call(scheduler_->put_file(file("e", {dag("p", {pooled})})));
  EXPECT_THAT(problems(*pool), HasSubstr("there is no pool fast"));
  EXPECT_THAT(*call(scheduler_->files()), SizeIs(5));
}

TEST_F(SchedulerTest, runs_of_imported_dags_go_on_after_a_restart) {
  files_ = {file("f", {dag("d", {task("a", "hang", {}, 1)})})};
  start({});
  DagRun run = trigger("d");
  until_hanging();
  files_ = {file("f", {dag("d", {task("a", "note", {}, 1)})})};
  restart();
  EXPECT_EQ(states(finish(run)), "success a:success");
}

TEST_F(SchedulerTest, a_pool_has_room_for_so_many) {
  pools_ = {{"one", 1}};
  project::TaskSpec first = task("a", "hang"), second = task("b", "hang"), free = task("c", "note");
  first.pool = second.pool = "one";
  second.pool_slots = 5;  // more than there are: runs alone
  start({dag("d", {first, second, free})});
  DagRun run = trigger("d");
  until_hanging();
  std::string now = states(*call(scheduler_->find_run("d", run.run_id)));
  EXPECT_THAT(now, HasSubstr("a:running b:scheduled"));
  ASSERT_TRUE(call(scheduler_->mark({.dag_id = "d", .run_id = run.run_id, .task_ids = {"a"}})));
  std::string now_then;
  while (now_then.find("a:success b:running") == std::string::npos) {
    ASSERT_TRUE(call(scheduler_->set_note("d", run.run_id, "another round")));
    now_then = states(*call(scheduler_->find_run("d", run.run_id)));
  }
}

TEST_F(SchedulerTest, marks_end_tasks_and_open_what_waited_for_them) {
  start({dag("d", {task("a", "wrong"), task("b", "note", {"a"}), task("c", "note")})});
  DagRun run = finish(trigger("d"));
  EXPECT_EQ(states(run), "failed a:failed b:upstream_failed c:success");
  Scheduler::MarkRequest mark{.dag_id = "d", .run_id = run.run_id, .task_ids = {"a"}};
  mark.dry_run = true;
  EXPECT_THAT(*call(scheduler_->mark(mark)), ElementsAre("a"));
  EXPECT_EQ(states(*call(scheduler_->find_run("d", run.run_id))),
            "failed a:failed b:upstream_failed c:success");
  mark.dry_run = false;
  ASSERT_TRUE(call(scheduler_->mark(mark)));
  EXPECT_EQ(states(finish(run)), "success a:success b:success c:success");
  mark.state = TaskState::failed;
  ASSERT_TRUE(call(scheduler_->mark(mark)));
  EXPECT_EQ(states(finish(run)), "success a:failed b:success c:success");  // its last tasks decide
  ASSERT_TRUE(call(scheduler_->mark({.dag_id = "d", .run_id = run.run_id})));
  EXPECT_EQ(states(finish(run)), "success a:success b:success c:success");
  mark.task_ids = {"nothing"};
  EXPECT_EQ(call(scheduler_->mark(mark)).error().code(), Code::not_found);
}

TEST_F(SchedulerTest, a_marked_task_s_try_is_stopped) {
  start({dag("d", {task("a", "hang"), task("b", "note", {"a"})})});
  DagRun run = trigger("d");
  until_hanging();
  ASSERT_TRUE(call(scheduler_->mark({.dag_id = "d", .run_id = run.run_id, .task_ids = {"a"}})));
  EXPECT_EQ(states(finish(run)), "success a:success b:success");
}

TEST_F(SchedulerTest, notes_are_set_and_runs_deleted) {
  start({dag("d", {task("a", "note")})});
  DagRun run = finish(trigger("d"));
  ASSERT_TRUE(call(scheduler_->set_note("d", run.run_id, "looked at")));
  DagRun stored = *call(scheduler_->find_run("d", run.run_id));
  EXPECT_EQ(stored.note, "looked at");
  EXPECT_EQ(stored.state, RunState::success);
  EXPECT_GT(stored.number, 0);
  EXPECT_EQ(call(scheduler_->find_run_numbered(stored.number))->run_id, run.run_id);
  ASSERT_TRUE(call(scheduler_->delete_run("d", run.run_id)));
  EXPECT_EQ(call(scheduler_->find_run("d", run.run_id)).error().code(), Code::not_found);
  EXPECT_EQ(*call(scheduler_->task_log("d", run.run_id, "a", 1)), "");
}

TEST_F(SchedulerTest, a_run_under_way_is_not_deleted) {
  start({dag("d", {task("a", "hang")})});
  DagRun run = trigger("d");
  until_hanging();
  EXPECT_EQ(call(scheduler_->delete_run("d", run.run_id)).error().code(), Code::conflict);
}

TEST_F(SchedulerTest, a_backfill_makes_the_runs_of_past_dates_once) {
  project::DagSpec daily = dag("d", {task("a", "wrong")}, "@daily");
  daily.start_date = "2025-12-30";
  start({daily});
  auto day = [](const char* text) { return *from_rfc3339(std::string(text) + "T00:00:00Z"); };
  BackfillRequest request{
      .dag_id = "d", .from_ms = day("2025-12-28"), .to_ms = day("2026-01-01"), .dry_run = true};
  auto would = call(scheduler_->backfill(request));
  ASSERT_TRUE(would) << would.error().text();
  ASSERT_THAT(*would, SizeIs(3));
  EXPECT_EQ(would->front().run_id, "backfill__2025-12-30T00:00:00+00:00");
  EXPECT_EQ(call(scheduler_->list_runs({.dag_id = "d"}))->total, 0);
  request.dry_run = false;
  ASSERT_TRUE(call(scheduler_->backfill(request)));
  for (const BackfillRun& one : *would) {
    auto run = call(scheduler_->wait_run("d", one.run_id, io::after(Millis(20'000))));
    EXPECT_EQ(states(*run), "failed a:failed");
    EXPECT_EQ(run->type, RunType::backfill);
  }
  auto again = call(scheduler_->backfill(request));
  for (const BackfillRun& one : *again) EXPECT_EQ(one.action, "kept");
  mend();
  request.failed_too = true;
  request.backwards = true;
  again = call(scheduler_->backfill(request));
  EXPECT_EQ(again->front().logical_ms, day("2026-01-01"));
  for (const BackfillRun& one : *again) {
    EXPECT_EQ(one.action, "again");
    auto run = call(scheduler_->wait_run("d", one.run_id, io::after(Millis(20'000))));
    EXPECT_EQ(states(*run), "success a:success");
  }
  request.from_ms = request.to_ms + 1;
  EXPECT_EQ(call(scheduler_->backfill(request)).error().code(), Code::invalid);
}

TEST_F(SchedulerTest, who_wants_to_know_is_told_once) {
  project::DagSpec watched = dag("d", {task("a", "wrong")});
  watched.notify = {{.on = {"failure"}, .webhook = "w1", .command = ""},
                    {.on = {"success", "failure"}, .webhook = "w2", .command = ""}};
  start({watched});
  DagRun run = finish(trigger("d"));
  until_told(2);
  ASSERT_TRUE(call(scheduler_->set_note("d", run.run_id, "seen")));
  mend();
  ASSERT_TRUE(call(scheduler_->clear({.dag_id = "d", .run_id = run.run_id})));
  finish(run);
  until_told(3);
  EXPECT_THAT(told_, ElementsAre("failure " + run.run_id + " w1", "failure " + run.run_id + " w2",
                                 "success " + run.run_id + " w2"));
}

TEST_F(SchedulerTest, a_late_run_is_told_of_once_also_over_a_restart) {
  project::DagSpec slow = dag("d", {task("a", "hang", {}, 3)});
  slow.deadline_ms = 60'000;
  slow.notify = {{.on = {"deadline"}, .webhook = "w", .command = ""}};
  start({slow});
  DagRun run = trigger("d");
  until_hanging();
  clock_.advance(Millis(59'000));
  ASSERT_TRUE(call(scheduler_->set_note("d", run.run_id, "a round")));
  EXPECT_THAT(told_, IsEmpty());
  clock_.advance(Millis(2'000));
  ASSERT_TRUE(call(scheduler_->set_note("d", run.run_id, "another")));
  until_told(1);
  restart();
  ASSERT_TRUE(call(scheduler_->set_note("d", run.run_id, "a third")));
  EXPECT_THAT(told_, SizeIs(1));
}

TEST_F(SchedulerTest, old_runs_are_forgotten) {
  project::DagSpec kept = dag("d", {task("a", "note")});
  kept.history_ms = 86'400'000;
  start({kept});
  DagRun old = finish(trigger("d"));
  clock_.advance(Millis(86'400'000 + 3'600'000));
  DagRun fresh = finish(trigger("d"));
  EXPECT_EQ(call(scheduler_->find_run("d", old.run_id)).error().code(), Code::not_found);
  EXPECT_TRUE(call(scheduler_->find_run("d", fresh.run_id)));
}

TEST_F(SchedulerTest, what_is_asked_without_running_is_stored_all_the_same) {
  start({dag("d", {task("a", "note")})}, true);
  ASSERT_TRUE(call(scheduler_->set_paused("d", true)));
  DagRun run = trigger("d");
  EXPECT_EQ(states(*call(scheduler_->find_run("d", run.run_id))), "queued a:none");
  restart();
  EXPECT_TRUE(call(scheduler_->dag("d"))->paused);
  ASSERT_TRUE(call(scheduler_->set_paused("d", false)));
  EXPECT_EQ(states(finish(run)), "success a:success");
}

}  // namespace
}  // namespace pinpipe::scheduler
