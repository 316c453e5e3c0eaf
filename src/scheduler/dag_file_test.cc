#include "scheduler/dag_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinpipe::scheduler {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

DagFile read(std::string_view source) {
  static const NotebookJobs jobs{.notebooks = {{"/Users/*/pinterest*", "batch"}},
                                 .fallback = "batch"};
  return read_dag_file("s3://dags/x.py", source, jobs);
}

std::vector<std::string> said(const DagFile& file) {
  std::vector<std::string> lines;
  for (const DagFileProblem& one : file.problems) {
    lines.push_back(std::to_string(one.line) + (one.refused ? "! " : ": ") + one.sentence);
  }
  return lines;
}

// As nearly all of the course's files are written.
constexpr std::string_view course = R"py(from airflow import DAG
from airflow.providers.databricks.operators.databricks import DatabricksSubmitRunOperator, DatabricksRunNowOperator
from datetime import datetime, timedelta

#Define params for Submit Run Operator
notebook_task = {
    'notebook_path': '/Users/somebody@example.com/pinterest_batch',
}

#Define params for Run Now Operator
notebook_params = {
    "Variable":5
}

default_args = {
    'owner': '0e90e0175553',
    'depends_on_past': False,
    'email_on_failure': False,
    'email_on_retry': False,
    'retries': 1,
    'retry_delay': timedelta(minutes=2)
}

with DAG('0e90e0175553_dag',
    start_date=datetime(2024, 1, 1),
    schedule_interval='@daily',
    catchup=False,
    default_args=default_args
    ) as dag:

    opr_submit_run = DatabricksSubmitRunOperator(
        task_id='submit_run',
        databricks_conn_id='databricks_default',
        existing_cluster_id='1108-162752-8okw8dgg',
        notebook_task=notebook_task
    )
    opr_submit_run
)py";

TEST(DagFile, the_course_s_file_is_read_whole) {
  DagFile file = read(course);
  EXPECT_THAT(said(file), IsEmpty());
  ASSERT_THAT(file.dags, SizeIs(1));
  const project::DagSpec& dag = file.dags[0];
  EXPECT_EQ(dag.id, "0e90e0175553_dag");
  EXPECT_EQ(dag.schedule, "@daily");
  EXPECT_EQ(dag.start_date, "2024-01-01T00:00:00");
  EXPECT_FALSE(dag.catchup);
  EXPECT_EQ(dag.file, "s3://dags/x.py");
  ASSERT_THAT(dag.tasks, SizeIs(1));
  EXPECT_EQ(dag.tasks[0].id, "submit_run");
  EXPECT_EQ(dag.tasks[0].job, "batch");
  EXPECT_EQ(dag.tasks[0].retries, 1);
  EXPECT_EQ(dag.tasks[0].retry_delay_ms, 120'000);
  EXPECT_EQ(dag.tasks[0].params.at("notebook_path"), "/Users/somebody@example.com/pinterest_batch");
  EXPECT_THAT(dag.tasks[0].note, HasSubstr("the notebook itself is not run"));
}

TEST(DagFile, links_lists_and_chains_are_followed) {
  DagFile file = read(R"py(
import datetime as dt
from airflow.models.baseoperator import chain
dag = DAG(dag_id="a.b-c", schedule=dt.timedelta(minutes=5), start_date=dt.datetime(2024, 1, 1, 6))
load = EmptyOperator(task_id="load", dag=dag)
pin, = [1],
clean_pin = EmptyOperator(task_id='clean' '_pin', dag=dag)
clean_geo = EmptyOperator(task_id="clean_geo", dag=dag, trigger_rule="all_done")
ask = DummyOperator(task_id="ask", dag=dag)
tell = EmptyOperator(task_id="tell", dag=dag)
load >> [clean_pin, clean_geo] >> ask
tell << ask
end = EmptyOperator(task_id="end")
tell.set_downstream(end)
last = EmptyOperator(task_id="last")
chain(end, last)
)py");
  ASSERT_THAT(file.dags, SizeIs(1)) << testing::PrintToString(said(file));
  const project::DagSpec& dag = file.dags[0];
  EXPECT_EQ(dag.schedule, "@every 300s");
  EXPECT_EQ(dag.start_date, "2024-01-01T06:00:00");
  ASSERT_THAT(dag.tasks, SizeIs(7));
  EXPECT_EQ(dag.tasks[1].id, "clean_pin");
  EXPECT_THAT(dag.tasks[1].after, ElementsAre("load"));
  EXPECT_EQ(dag.tasks[2].trigger_rule, project::TriggerRule::all_done);
  EXPECT_THAT(dag.tasks[3].after, ElementsAre("clean_pin", "clean_geo"));
  EXPECT_THAT(dag.tasks[4].after, ElementsAre("ask"));
  EXPECT_THAT(dag.tasks[5].after, ElementsAre("tell"));
  EXPECT_THAT(dag.tasks[6].after, ElementsAre("end"));
}

TEST(DagFile, known_values_are_put_together) {
  DagFile file = read(R"py(
USER: str = "0e90e0175553"
BASE = dict(retries=1 + 2, retry_delay=timedelta(minutes=2) * 2)
with DAG(f"{USER}_dag", schedule=None, default_args={**{}} if False else None) as d, open("x") as f:
    pass
with DAG(dag_id=f'{USER}_two', schedule="0 6 * * *", default_args=BASE, tags=["a", "b"],
         max_active_runs=1, params={"n": 5}) as d2:
    DatabricksSubmitRunOperator(task_id="x", json={
        "notebook_task": {"notebook_path": "/Repos/" + "me", "base_parameters": {"USER_ID": USER, "n": 1}}})
)py");
  ASSERT_THAT(file.dags, SizeIs(1)) << testing::PrintToString(said(file));
  const project::DagSpec& dag = file.dags[0];
  EXPECT_EQ(dag.id, "0e90e0175553_two");
  EXPECT_THAT(dag.tags, ElementsAre("a", "b"));
  EXPECT_EQ(dag.params.at("n"), "5");
  EXPECT_EQ(dag.tasks[0].retries, 3);
  EXPECT_EQ(dag.tasks[0].retry_delay_ms, 240'000);
  EXPECT_EQ(dag.tasks[0].params.at("USER_ID"), "0e90e0175553");
  EXPECT_EQ(dag.tasks[0].params.at("n"), "1");
  EXPECT_THAT(dag.tasks[0].note, HasSubstr("\"/Repos/me\" is not mapped"));
}

TEST(DagFile, what_is_not_evaluated_is_named_with_its_line) {
  DagFile file = read(R"py(import os
from airflow import DAG
with DAG("a_dag", schedule="@daily", description=os.getenv("WHAT"), on_failure_callback=tell) as dag:
    DatabricksSubmitRunOperator(task_id="x", notebook_task={"notebook_path": os.environ["P"]})
with DAG("b_dag", schedule=os.getenv("WHEN")) as dag:
    DatabricksSubmitRunOperator(task_id="x", notebook_task={"notebook_path": "/a"})
)py");
  ASSERT_THAT(file.dags, SizeIs(1));
  EXPECT_EQ(file.dags[0].id, "a_dag");
  EXPECT_THAT(
      said(file),
      ElementsAre("3: `os.getenv(…)` is not evaluated; write the value of description itself",
                  HasSubstr("3: on_failure_callback is Python and is not called"),
                  "4: `os.environ[…]` is not evaluated; write the value of notebook_path itself",
                  "5! `os.getenv(…)` is not evaluated; write the value of schedule itself"));
}

TEST(DagFile, code_that_is_not_run_refuses_its_dag) {
  DagFile file = read(R"py(from airflow import DAG
def work():
    return 1
with DAG("python_dag", schedule=None) as dag:
    PythonOperator(task_id="x", python_callable=work)
with DAG("shell_dag", schedule=None) as dag:
    t = BashOperator(task_id="x", bash_command="rm -rf /")
with DAG("loop_dag", schedule=None) as dag:
    for i in range(3):
        EmptyOperator(task_id=f"t{i}")
with DAG("good_dag", schedule=None) as dag:
    EmptyOperator(task_id="t")
if __name__ == "__main__":
    dag.test()
)py");
  ASSERT_THAT(file.dags, SizeIs(1));
  EXPECT_EQ(file.dags[0].id, "good_dag");
  EXPECT_THAT(said(file), ElementsAre("5! PythonOperator runs Python, which is not done here",
                                      HasSubstr("7! BashOperator runs a shell command"),
                                      HasSubstr("9! `for` is not followed")));
}

TEST(DagFile, the_year_24_is_noticed) {
  DagFile file = read(R"py(
with DAG("a", schedule="@daily", start_date=datetime(24, 7, 29)):
    EmptyOperator(task_id="t")
)py");
  ASSERT_THAT(file.dags, SizeIs(1));
  EXPECT_EQ(file.dags[0].start_date, "");
  EXPECT_THAT(said(file),
              ElementsAre(HasSubstr("2: start_date lies in the year 24; was 2024 meant?")));
}

TEST(DagFile, imports_for_several_versions_are_no_control_flow) {
  DagFile file = read(R"py(
try:
    from airflow.sdk import DAG
except ImportError:
    from airflow import DAG
with DAG("a", schedule="@daily", start_date=pendulum.datetime(2024, 1, 1, tz="Europe/Berlin")) as dag:
    TriggerDagRunOperator(task_id="t", trigger_dag_id="b", conf={"a": [1, None]})
)py");
  EXPECT_THAT(said(file), IsEmpty());
  ASSERT_THAT(file.dags, SizeIs(1));
  EXPECT_EQ(file.dags[0].timezone, "Europe/Berlin");
  EXPECT_EQ(file.dags[0].tasks[0].job, trigger_job);
  EXPECT_EQ(file.dags[0].tasks[0].params.at("dag_id"), "b");
  EXPECT_EQ(file.dags[0].tasks[0].params.at("conf"), R"({"a":[1,null]})");
}

TEST(DagFile, circles_doubles_and_bad_names_are_refused) {
  DagFile file = read(R"py(
with DAG("circle", schedule=None):
    a = EmptyOperator(task_id="a")
    b = EmptyOperator(task_id="b")
    a >> b >> a
with DAG("double", schedule=None):
    EmptyOperator(task_id="a")
    EmptyOperator(task_id="a")
with DAG("bad name", schedule="61 * * * *"):
    EmptyOperator(task_id="a")
)py");
  EXPECT_THAT(file.dags, IsEmpty());
  EXPECT_THAT(said(file), ElementsAre(HasSubstr("2! tasks of DAG circle wait for each other"),
                                      HasSubstr("8! there are two tasks named a"),
                                      HasSubstr("9! \"bad name\" is no name for a DAG"),
                                      HasSubstr("9! schedule: ")));
}

TEST(DagFile, what_is_no_python_says_where) {
  struct Case {
    std::string_view source, wanted;
  };
  for (const Case& one : {Case{"x = 'open\n", "1! this is no Python: a string is not closed"},
                          Case{"\n\nx = (1,\n", "4! this is no Python: \"(\" is never closed"},
                          Case{"if True:\n    x = 1\n  y = 2\n", "fits no block"},
                          Case{"with DAG('a') as dag\n  x\n", "\":\" is missing"},
                          Case{"x = = 1\n", "1! this is no Python: \"=\" is not expected here"},
                          Case{"a)\n", "closes nothing"}, Case{"x = 1 $ 2\n", "does not belong"},
                          Case{"", "0: no DAG is defined in this file"}}) {
    DagFile file = read(one.source);
    EXPECT_THAT(said(file), ElementsAre(HasSubstr(one.wanted))) << one.source;
    EXPECT_THAT(file.dags, IsEmpty());
  }
}

// Whatever the bytes, the reader ends, within its bounds.
TEST(DagFile, every_cut_and_every_changed_byte_is_survived) {
  for (size_t cut = 0; cut < course.size(); cut += 3) {
    (void)read(course.substr(0, cut));
    std::string changed(course);
    for (char c : {'(', '\'', '\n', '{', '\\', ':', '='}) {
      changed[cut] = c;
      (void)read(changed);
    }
  }
  (void)read(std::string(5000, '('));
  (void)read("x = " + std::string(5000, '-') + "1");
  (void)read("x = a" + std::string(5000, '.') + "b");
}

}  // namespace
}  // namespace pinpipe::scheduler
