# As course_dag.py, with two notebooks in one submitted run: pinpipe refuses it, and the task fails with the reason.
from datetime import datetime

from airflow import DAG
from airflow.providers.databricks.operators.databricks import DatabricksSubmitRunOperator

with DAG('broken_dag', start_date=datetime(2024, 1, 1), schedule=None, catchup=False) as dag:
    DatabricksSubmitRunOperator(
        task_id='submit_run',
        tasks=[{'task_key': 'one', 'notebook_task': {'notebook_path': '/one'}},
               {'task_key': 'two', 'notebook_task': {'notebook_path': '/two'}}],
    )
