#!/usr/bin/env python3
"""Airflow's own Python client drives our scheduler: reads, triggers, watches, clears, cancels.

usage: client.py AIRFLOW_SAMPLE      (the program built from sample.cc)
Needs `pip install apache-airflow-client` (3.x). Prints one line per check and ends non-zero on a
failure. The client's models are strict: an answer that lacks a field or has another type raises.
"""
import contextlib
import datetime
import json
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.pop(0)  # this file's directory: it has the name of the package we want
import airflow_client.client as airflow
from airflow_client.client.exceptions import ApiException
from airflow_client.client.models import (ClearTaskInstancesBody,
                                          ClearTaskInstancesBodyTaskIdsInner, DAGPatchBody,
                                          DAGRunClearBody, DAGRunPatchBody, DAGRunsBatchBody,
                                          PatchTaskInstanceBody,
                                          TriggerDAGRunPostBody)

failures = 0
DAG = "0e90e0175553_dag"
RUN = "by:client+1"
DAY = datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)


def check(name, good, detail=""):
    global failures
    failures += not good
    shown = f": {detail}" if detail and not good else ""
    print(("ok      " if good else "FAILED  ") + name + shown)


def refused(name, status, call):
    """The call fails with this status and a `detail`."""
    try:
        check(name, False, call())
    except ApiException as error:
        body = json.loads(error.body)
        check(name, error.status == status and "detail" in body, f"{error.status} {error.body}")


@contextlib.contextmanager
def served(program):
    with tempfile.TemporaryDirectory() as directory:
        server = subprocess.Popen([program, directory, "sesame"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.stdin.close()
            check("the server ends by itself", server.wait(timeout=30) == 0)


def token_of(base):
    body = json.dumps({"username": "me", "password": "sesame"}).encode()
    request = urllib.request.Request(base + "/auth/token", data=body,
                                     headers={"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))["access_token"]


def order(field):
    """The client of 3.0 takes one field, later ones a list."""
    return field if airflow.__version__.startswith("3.0.") else [field]


def named(task_id):
    return ClearTaskInstancesBodyTaskIdsInner(task_id)


def until_ended(runs, run_id):
    deadline = time.monotonic() + 30
    while True:
        run = runs.get_dag_run(DAG, run_id)
        if run.state in ("success", "failed") or time.monotonic() > deadline:
            return run
        time.sleep(0.05)


def check_reading(client):
    check("version", airflow.VersionApi(client).get_version().version == "3.1.0")
    health = airflow.MonitorApi(client).get_health()
    states = [health.scheduler.status, health.metadatabase.status]
    check("health", states == ["healthy"] * 2, health)
    dags = airflow.DAGApi(client)
    page = dags.get_dags(dag_id_pattern="%_DAG", tags=["pinterest"], paused=False, limit=10,
                         order_by=order("-dag_id"))
    check("dags", [d.dag_id for d in page.dags] == [DAG] and page.total_entries == 1, page)
    details = dags.get_dag_details(DAG)
    check("details", details.dag_run_timeout and details.start_date.year == 2026, details)
    check("dag", dags.get_dag("endless").timetable_summary == "None")
    check("import errors", airflow.ImportErrorApi(client).get_import_errors().total_entries == 0)
    check("warnings", airflow.DagWarningApi(client).list_dag_warnings().dag_warnings == [])
    pools = airflow.PoolApi(client).get_pools().pools
    check("pools", [(p.name, p.slots) for p in pools] == [("default_pool", 128)], pools)
    check("variables", airflow.VariableApi(client).get_variables().variables == [])
    check("connections", airflow.ConnectionApi(client).get_connections().connections == [])
    refused("an unknown DAG is 404", 404, lambda: dags.get_dag("nothing"))
    refused("an ignored filter would lie", 422, lambda: dags.get_dags(owners=["me"]))


def check_tasks(client):
    if airflow.__version__.startswith(("3.0.", "3.1.")):
        print("left out: this client takes retry_exponential_backoff for a flag, 3.2 for a number")
        return
    tasks = airflow.TaskApi(client).get_tasks(DAG)
    check("tasks", [t.task_id for t in tasks.tasks] == ["ask", "clean", "load"], tasks)
    load = airflow.TaskApi(client).get_task(DAG, "load")
    check("task", load.downstream_task_ids == ["clean"] and load.execution_timeout.seconds == 3600)


def check_running(client):
    dags, runs = airflow.DAGApi(client), airflow.DagRunApi(client)
    tasks = airflow.TaskInstanceApi(client)
    check("pause", dags.patch_dag(DAG, DAGPatchBody(is_paused=True)).is_paused)
    check("resume", not dags.patch_dag(DAG, DAGPatchBody(is_paused=False)).is_paused)
    body = TriggerDAGRunPostBody(logical_date=DAY, dag_run_id=RUN, note="a note",
                                 conf={"from": "client"})
    run = runs.trigger_dag_run(DAG, body)
    check("trigger", (run.logical_date, run.note, run.conf) == (DAY, "a note", body.conf), run)
    refused("a duplicate is 409", 409, lambda: runs.trigger_dag_run(DAG, body))
    undated = runs.trigger_dag_run(DAG, TriggerDAGRunPostBody())
    check("trigger without a date", undated.logical_date is None, undated)
    run = until_ended(runs, RUN)
    check("the run succeeds", run.state == "success" and run.end_date >= run.start_date, run)
    until_ended(runs, undated.dag_run_id)

    page = runs.get_dag_runs(DAG, state=["success"], order_by=order("-logical_date"), limit=5,
                             logical_date_gte=DAY)
    check("runs", [r.dag_run_id for r in page.dag_runs] == [RUN], page)
    page = runs.get_list_dag_runs_batch("~", DAGRunsBatchBody(dag_ids=[DAG], page_limit=1))
    check("runs by body", len(page.dag_runs) == 1 and page.total_entries == 2, page)

    page = tasks.get_task_instances(DAG, RUN)
    check("task instances", [t.state for t in page.task_instances] == ["success"] * 3, page)
    clean = tasks.get_task_instance(DAG, RUN, "clean")
    check("a task was tried twice", clean.try_number == 2 and clean.max_tries == 1, clean)
    log = tasks.get_log(DAG, RUN, "load", 1)
    lines = log.content.actual_instance
    check("log", "client" in str(lines[0]) and log.continuation_token is None, lines)
    refused("no such try is 404", 404, lambda: tasks.get_log(DAG, RUN, "load", 7))
    return runs, tasks


def check_changing(client, runs, tasks):
    would = tasks.post_clear_task_instances(
        DAG, ClearTaskInstancesBody(dag_run_id=RUN, only_failed=False, task_ids=[named("clean")],
                                    include_downstream=True))
    check("clearing is a dry run", would.total_entries == 2, would)
    check("and changed nothing", runs.get_dag_run(DAG, RUN).state == "success")
    tasks.post_clear_task_instances(
        DAG, ClearTaskInstancesBody(dag_run_id=RUN, only_failed=False, task_ids=[named("ask")],
                                    dry_run=False))
    check("a cleared task runs again", until_ended(runs, RUN).state == "success")
    check("as another try", tasks.get_task_instance(DAG, RUN, "ask").try_number == 2)
    # Client 3.3's model of this answer takes a task instance for two things at once.
    raw = runs.clear_dag_run_without_preload_content(DAG, RUN, DAGRunClearBody())
    check("so is clearing a run", json.loads(raw.read())["total_entries"] == 3)
    again = runs.clear_dag_run(DAG, RUN, DAGRunClearBody(dry_run=False))
    check("a whole run is cleared", again.actual_instance.dag_run_id == RUN, again)
    check("and succeeds again", until_ended(runs, RUN).state == "success")

    endless = runs.trigger_dag_run("endless", TriggerDAGRunPostBody())
    failed = runs.patch_dag_run("endless", endless.dag_run_id, DAGRunPatchBody(state="failed"))
    check("a run is cancelled", failed.state == "failed", failed)
    marked = runs.patch_dag_run("endless", endless.dag_run_id, DAGRunPatchBody(state="success"))
    check("a run is marked as successful", marked.state == "success", marked)
    noted = runs.patch_dag_run("endless", endless.dag_run_id, DAGRunPatchBody(note="looked at"))
    check("a note is written later", noted.note == "looked at", noted)
    task = tasks.get_task_instances("endless", endless.dag_run_id).task_instances[0].task_id
    body = PatchTaskInstanceBody(new_state="failed")
    would = tasks.patch_task_instance_dry_run("endless", endless.dag_run_id, task, body)
    check("marking may be tried", would.total_entries == 1, would)
    done = tasks.patch_task_instance("endless", endless.dag_run_id, task, body)
    check("a task is marked as failed", done.task_instances[0].state == "failed", done)
    failed = runs.get_dag_run("endless", endless.dag_run_id)
    check("and its run has failed", failed.state == "failed", failed)
    runs.delete_dag_run("endless", endless.dag_run_id)
    refused("a deleted run is gone", 404,
            lambda: runs.get_dag_run("endless", endless.dag_run_id))


def main(program):
    with served(program) as base:
        configuration = airflow.Configuration(host=base)
        with airflow.ApiClient(configuration) as stranger:
            refused("writing needs the token", 401, lambda: airflow.DagRunApi(
                stranger).trigger_dag_run(DAG, TriggerDAGRunPostBody()))
        configuration.access_token = token_of(base)
        with airflow.ApiClient(configuration) as client:
            check_reading(client)
            check_tasks(client)
            check_changing(client, *check_running(client))
    return failures != 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
