#include "scheduler/dag_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinpipe::scheduler {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

project::DagSpec sample() {
  project::DagSpec dag;
  dag.id = "0e90_dag";
  dag.description = "say \"it\"";
  dag.schedule = "@every 5m";
  dag.start_date = "2026-01-02T06:30:00";
  dag.timezone = "Europe/Berlin";
  dag.max_active_runs = 1;
  dag.tags = {"pinterest"};
  for (const char* id : {"load", "clean-pin", "ask"}) {
    project::TaskSpec task;
    task.id = id;
    task.job = "batch";
    task.retries = 2;
    task.retry_delay_ms = 60'000;
    if (!dag.tasks.empty()) task.after = {dag.tasks.back().id};
    dag.tasks.push_back(std::move(task));
  }
  dag.tasks.back().trigger_rule = project::TriggerRule::all_done;
  return dag;
}

const NotebookJobs notebooks{.notebooks = {{"/Users/*/pin*", "batch"}}, .fallback = "batch"};

TEST(DagExport, what_goes_out_by_databricks_comes_back) {
  auto text = airflow_dag(sample(), {.flavor = 3, .via = DagExport::Via::databricks}, notebooks);
  ASSERT_TRUE(text);
  EXPECT_TRUE(text->starts_with(export_begin));
  DagFile file = read_dag_file("x.py", *text, notebooks);
  EXPECT_THAT(file.problems, IsEmpty()) << file.problems.front().sentence;
  ASSERT_EQ(file.dags.size(), 1u);
  const project::DagSpec& dag = file.dags[0];
  EXPECT_EQ(dag.id, "0e90_dag");
  EXPECT_EQ(dag.description, "say \"it\"");
  EXPECT_EQ(dag.schedule, "@every 300s");
  EXPECT_EQ(dag.start_date, "2026-01-02T06:30:00");
  EXPECT_EQ(dag.timezone, "Europe/Berlin");
  EXPECT_THAT(dag.tags, ElementsAre("pinpipe", "pinterest"));
  ASSERT_EQ(dag.tasks.size(), 3u);
  EXPECT_EQ(dag.tasks[0].job, "batch");
  EXPECT_EQ(dag.tasks[0].retries, 2);
  EXPECT_EQ(dag.tasks[0].retry_delay_ms, 60'000);
  EXPECT_THAT(dag.tasks[2].after, ElementsAre("clean-pin"));
  EXPECT_EQ(dag.tasks[2].trigger_rule, project::TriggerRule::all_done);
}

TEST(DagExport, each_flavor_imports_what_it_has) {
  auto two = airflow_dag(sample(), {.flavor = 2, .via = DagExport::Via::bash}, notebooks);
  EXPECT_THAT(*two, HasSubstr("from airflow import DAG"));
  EXPECT_THAT(*two, HasSubstr("dag run --dag 0e90_dag --wait"));
  auto three = airflow_dag(sample(), {.flavor = 3, .via = DagExport::Via::http}, notebooks);
  EXPECT_THAT(*three, HasSubstr("from airflow.sdk import DAG"));
  EXPECT_THAT(*three, HasSubstr("\"api/v2/dags/0e90_dag/dagRuns\""));
  EXPECT_THAT(*three, HasSubstr("\"dag_run_id\": \"airflow__{{ run_id }}__{{ ti.try_number }}\""));
}

TEST(DagExport, a_job_without_a_notebook_is_refused) {
  project::DagSpec dag = sample();
  dag.tasks[1].job = "report";
  auto text = airflow_dag(dag, {.flavor = 3, .via = DagExport::Via::databricks}, notebooks);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().text(), HasSubstr("no notebook is mapped to job report"));
}

}  // namespace
}  // namespace pinpipe::scheduler
