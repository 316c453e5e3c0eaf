# The course's gesture: a DAG file put into the bucket that MWAA watches.

start
rows into $GATEWAY/topics/$ID.user
  {"ind": 1, "first_name": "Ada", "last_name": "Byron", "age": 36, "date_joined": "2015-12-10T10:15:00"}
until 20s objects of $ID.user hold each record once
cli dag list -o csv
-> 0
  ~ ^0e90e0175553_dag,@daily,.*,.*dags/daily[.]yaml,,

# It appears within a second, takes the place of the project's DAG, and says so.
PUT $AWS/mwaa-dags-bucket/dags/0e90e0175553_dag.py
  Content-Type: text/x-python
  from airflow import DAG
  from airflow.providers.databricks.operators.databricks import DatabricksSubmitRunOperator
  from datetime import datetime, timedelta

  notebook_task = {
      'notebook_path': '/Users/somebody@example.com/pinterest_batch',
  }

  default_args = {
      'owner': '0e90e0175553',
      'depends_on_past': False,
      'email_on_failure': False,
      'retries': 0,
      'retry_delay': timedelta(minutes=2)
  }

  with DAG('0e90e0175553_dag',
      start_date=datetime(2024, 1, 1),
      schedule_interval='0 6 * * *',
      catchup=False,
      default_args=default_args
      ) as dag:

      opr_submit_run = DatabricksSubmitRunOperator(
          task_id='submit_run',
          databricks_conn_id='databricks_default',
          existing_cluster_id='1108-162752-8okw8dgg',
          notebook_task=notebook_task
      )
-> 200
until 1s cli dag list -o csv
-> 0
  ~ ^0e90e0175553_dag,0 6 [*] [*] [*],.*,s3://mwaa-dags-bucket/dags/0e90e0175553_dag[.]py,.*dags/daily[.]yaml,
cli dag errors -o csv
-> 0
  file,line,taken,reason

# A run of it runs the job that the notebook is mapped to, and its log says that no notebook ran.
cli dag run --wait -o csv
-> 0
  ~ ^submit_run,success,1,
cli dag runs --count 1 -o csv
keep RUN manual__[^,]+
cli task log $RUN submit_run
-> 0
  ~ pinterest_batch.* stands for job batch .*the notebook itself is not run

# The dates that have passed: which runs there would be, then the runs.
cli dag backfill --from 2024-01-01 --to 2024-01-03 --dry-run -o csv
-> 0
  run,logical_date,action
  backfill__2024-01-01T06:00:00+00:00,2024-01-01T06:00:00.000Z,new
  backfill__2024-01-02T06:00:00+00:00,2024-01-02T06:00:00.000Z,new
  backfill__2024-01-03T06:00:00+00:00,2024-01-03T06:00:00.000Z,new
cli dag backfill --from 2024-01-02 --to 2024-01-02 -o csv
-> 0
until 20s cli dag show backfill__2024-01-02T06:00:00+00:00 -o csv
-> 0
  ~ ^submit_run,success,1,
cli dag backfill --from 2024-01-02 --to 2024-01-02 -o csv
-> 0
  ~ ,kept$$
cli dag note $RUN "looked at"
-> 0
cli dag delete backfill__2024-01-02T06:00:00+00:00
-> 0
cli dag show backfill__2024-01-02T06:00:00+00:00
-> 5
  ! has no run

# What would have to run Python, and a DAG that would trigger itself, are refused with their lines.
PUT $AWS/mwaa-dags-bucket/dags/wrong.py
  Content-Type: text/x-python
  import os
  with DAG("loop_dag", schedule="@daily") as dag:
      TriggerDagRunOperator(task_id="again", trigger_dag_id="loop_dag")
  with DAG("python_dag", schedule="@daily") as dag:
      PythonOperator(task_id="work", python_callable=print)
  with DAG("when_dag", schedule=os.getenv("WHEN")) as dag:
      EmptyOperator(task_id="nothing")
-> 200
until 1s cli dag errors -o csv
-> 0
  ~ wrong[.]py,5,false,.*PythonOperator runs Python
  ~ wrong[.]py,6,false,.*os[.]getenv.* is not evaluated
  ~ wrong[.]py,,false,.*loop_dag would trigger itself
GET $CONSOLE/api/v2/importErrors
-> 200
  ~ line 5: PythonOperator runs Python
  ~ "total_entries":3

# The file is there after a restart, and without a server; when it goes, the project's DAG is back.
stop
cli dag list -o csv
-> 0
  ~ ^0e90e0175553_dag,0 6 [*] [*] [*],.*,s3://mwaa-dags-bucket/dags/0e90e0175553_dag[.]py,
start
cli dag list -o csv
-> 0
  ~ ^0e90e0175553_dag,0 6 [*] [*] [*],
DELETE $AWS/mwaa-dags-bucket/dags/0e90e0175553_dag.py
-> 204
until 1s cli dag list -o csv
-> 0
  ~ ^0e90e0175553_dag,@daily,.*,.*dags/daily[.]yaml,,
