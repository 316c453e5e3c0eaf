#include "scheduler/run_store.h"

#include <array>

namespace pinpipe::scheduler {
namespace {

constexpr std::array<std::string_view, 2> migrations = {R"sql(
  CREATE TABLE dags (
    dag_id TEXT PRIMARY KEY, paused INTEGER NOT NULL, first_seen_ms INTEGER NOT NULL,
    last_fired_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, dag_id TEXT NOT NULL, run_id TEXT NOT NULL,
    type TEXT NOT NULL, state TEXT NOT NULL, logical_ms INTEGER, run_after_ms INTEGER NOT NULL,
    queued_ms INTEGER NOT NULL, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,
    conf TEXT NOT NULL, note TEXT NOT NULL, triggered_by TEXT NOT NULL, UNIQUE (dag_id, run_id));
  CREATE INDEX open_runs ON runs (state) WHERE state IN ('queued', 'running');
  CREATE TABLE tasks (
    dag_id TEXT NOT NULL, run_id TEXT NOT NULL, task_id TEXT NOT NULL, state TEXT NOT NULL,
    try_number INTEGER NOT NULL, tries_max INTEGER NOT NULL, queued_ms INTEGER NOT NULL,
    start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, retry_at_ms INTEGER NOT NULL,
    note TEXT NOT NULL, PRIMARY KEY (dag_id, run_id, task_id)) WITHOUT ROWID;
  CREATE TABLE logs (
    dag_id TEXT NOT NULL, run_id TEXT NOT NULL, task_id TEXT NOT NULL, try_number INTEGER NOT NULL,
    part INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL);
  CREATE INDEX logs_of_try ON logs (dag_id, run_id, task_id, try_number);
)sql",
                                                        R"sql(
  ALTER TABLE runs ADD COLUMN deadline_told INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE runs ADD COLUMN timeout_ms INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX ended_runs ON runs (dag_id, end_ms) WHERE state IN ('success', 'failed');
  CREATE INDEX runs_by_date ON runs (dag_id, logical_ms);
)sql"};

constexpr std::string_view run_columns =
    "dag_id, run_id, type, state, logical_ms, run_after_ms, queued_ms, start_ms, end_ms, conf, "
    "note, triggered_by, number, deadline_told, timeout_ms";

DagRun run_of(const state::Rows& rows) {
  DagRun run;
  run.dag_id = rows.text(0);
  run.run_id = rows.text(1);
  run.type = run_type_named(rows.text(2)).value_or(RunType::manual);
  run.state = run_state_named(rows.text(3)).value_or(RunState::failed);
  run.logical_ms = rows.maybe_integer(4);
  run.run_after_ms = rows.integer(5);
  run.queued_ms = rows.integer(6);
  run.start_ms = rows.integer(7);
  run.end_ms = rows.integer(8);
  run.conf = rows.text(9);
  run.note = rows.text(10);
  run.triggered_by = rows.text(11);
  run.number = rows.integer(12);
  run.deadline_told = rows.integer(13) != 0;
  run.timeout_ms = rows.integer(14);
  return run;
}

Result<std::vector<DagRun>> runs_from(state::Rows rows) {
  std::vector<DagRun> runs;
  while (rows.next()) runs.push_back(run_of(rows));
  if (!rows.status()) return rows.status().error();
  return runs;
}

Status add_tasks(state::Connection& connection, DagRun& run) {
  auto rows = connection.query(
      "SELECT task_id, state, try_number, tries_max, queued_ms, start_ms, end_ms, retry_at_ms, "
      "note FROM tasks WHERE dag_id = ? AND run_id = ?",
      {run.dag_id, run.run_id});
  while (rows.next()) {
    TaskRun task;
    task.task_id = rows.text(0);
    task.state = task_state_named(rows.text(1)).value_or(TaskState::failed);
    task.try_number = static_cast<int>(rows.integer(2));
    task.tries_max = static_cast<int>(rows.integer(3));
    task.queued_ms = rows.integer(4);
    task.start_ms = rows.integer(5);
    task.end_ms = rows.integer(6);
    task.retry_at_ms = rows.integer(7);
    task.note = rows.text(8);
    run.tasks.push_back(std::move(task));
  }
  return rows.status();
}

Status write_run(state::Connection& connection, const DagRun& run) {
  return connection.run(
      "INSERT INTO runs (dag_id, run_id, type, state, logical_ms, run_after_ms, queued_ms, "
      "start_ms, end_ms, conf, note, triggered_by, deadline_told, timeout_ms) "
      "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
      "ON CONFLICT (dag_id, run_id) DO UPDATE SET state = excluded.state, "
      "queued_ms = excluded.queued_ms, start_ms = excluded.start_ms, end_ms = excluded.end_ms, "
      "note = excluded.note, deadline_told = excluded.deadline_told",
      {run.dag_id, run.run_id, name_of(run.type), name_of(run.state), run.logical_ms,
       run.run_after_ms, run.queued_ms, run.start_ms, run.end_ms, run.conf, run.note,
       run.triggered_by, run.deadline_told, run.timeout_ms});
}

Status delete_run(state::Connection& connection, const RunName& run) {
  for (std::string_view sql : {"DELETE FROM logs WHERE dag_id = ? AND run_id = ?",
                               "DELETE FROM tasks WHERE dag_id = ? AND run_id = ?",
                               "DELETE FROM runs WHERE dag_id = ? AND run_id = ?"}) {
    Status done = connection.run(sql, {run.dag_id, run.run_id});
    if (!done) return done;
  }
  return {};
}

Status forget(state::Connection& connection, const Forgetting& what) {
  std::vector<RunName> runs;
  {
    auto rows = connection.query(
        "SELECT run_id FROM runs WHERE dag_id = ? AND state IN ('success', 'failed') "
        "AND end_ms < ? LIMIT ?",
        {what.dag_id, what.ended_before_ms, Forgetting::runs_max});
    while (rows.next()) runs.push_back({what.dag_id, rows.text(0)});
    if (!rows.status()) return rows.status();
  }
  for (const RunName& run : runs) {
    Status done = delete_run(connection, run);
    if (!done) return done;
  }
  return {};
}

Status write_task(state::Connection& connection, const TaskRow& row) {
  const TaskRun& task = row.task;
  return connection.run(
      "INSERT OR REPLACE INTO tasks (dag_id, run_id, task_id, state, try_number, tries_max, "
      "queued_ms, start_ms, end_ms, retry_at_ms, note) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
      {row.dag_id, row.run_id, task.task_id, name_of(task.state), task.try_number, task.tries_max,
       task.queued_ms, task.start_ms, task.end_ms, task.retry_at_ms, task.note});
}

}  // namespace

Result<std::unique_ptr<RunStore>> RunStore::open(const std::string& path) {
  auto database = state::Database::open(path, migrations);
  if (!database) return database.error();
  return std::unique_ptr<RunStore>(new RunStore(std::move(*database)));
}

Status RunStore::write(const StoreBatch& batch) {
  return database_->write([&](state::Connection& connection) -> Status {
    for (const DagRow& dag : batch.dags) {
      Status done = connection.run(
          "INSERT OR REPLACE INTO dags (dag_id, paused, first_seen_ms, last_fired_ms) "
          "VALUES (?,?,?,?)",
          {dag.dag_id, dag.paused, dag.first_seen_ms, dag.last_fired_ms});
      if (!done) return done;
    }
    for (const DagRun& run : batch.runs) {
      Status done = write_run(connection, run);
      if (!done) return done;
    }
    for (const TaskRow& task : batch.tasks) {
      Status done = write_task(connection, task);
      if (!done) return done;
    }
    for (const LogRow& log : batch.logs) {
      Status done = connection.run(
          "INSERT INTO logs (dag_id, run_id, task_id, try_number, text) VALUES (?,?,?,?,?)",
          {log.dag_id, log.run_id, log.task_id, log.try_number, log.text});
      if (!done) return done;
    }
    for (const RunName& run : batch.deleted) {
      Status done = delete_run(connection, run);
      if (!done) return done;
    }
    for (const Forgetting& what : batch.forgotten) {
      Status done = forget(connection, what);
      if (!done) return done;
    }
    return {};
  });
}

Result<std::vector<DagRow>> RunStore::dags() {
  return database_->read([](state::Connection& connection) -> Result<std::vector<DagRow>> {
    std::vector<DagRow> dags;
    auto rows = connection.query("SELECT dag_id, paused, first_seen_ms, last_fired_ms FROM dags");
    while (rows.next()) {
      dags.push_back({rows.text(0), rows.integer(1) != 0, rows.integer(2), rows.integer(3)});
    }
    if (!rows.status()) return rows.status().error();
    return dags;
  });
}

Result<std::vector<DagRun>> RunStore::open_runs() {
  return database_->read([](state::Connection& connection) -> Result<std::vector<DagRun>> {
    static const std::string sql = "SELECT " + std::string(run_columns) +
                                   " FROM runs WHERE state IN ('queued', 'running')"
                                   " ORDER BY number";
    auto runs = runs_from(connection.query(sql));
    if (!runs) return runs;
    for (DagRun& run : *runs) {
      Status done = add_tasks(connection, run);
      if (!done) return done.error();
    }
    return runs;
  });
}

Result<RunPage> RunStore::runs(const RunFilter& filter) {
  return database_->read([&](state::Connection& connection) -> Result<RunPage> {
    static const std::string where =
        " FROM runs WHERE (? = '' OR dag_id = ?)"
        " AND (? = '' OR state = ?)";
    static const std::string page =
        "SELECT " + std::string(run_columns) + where + " ORDER BY number DESC LIMIT ? OFFSET ?";
    static const std::string count = "SELECT count(*)" + where;
    std::string_view state = filter.state ? name_of(*filter.state) : std::string_view();
    auto runs = runs_from(connection.query(
        page, {filter.dag_id, filter.dag_id, state, state, filter.limit, filter.offset}));
    if (!runs) return runs.error();
    auto total = connection.query(count, {filter.dag_id, filter.dag_id, state, state});
    if (!total.next()) return total.status().error();
    return RunPage{std::move(*runs), total.integer(0)};
  });
}

Result<DagRun> RunStore::run(const std::string& dag_id, const std::string& run_id) {
  return database_->read([&](state::Connection& connection) -> Result<DagRun> {
    static const std::string sql =
        "SELECT " + std::string(run_columns) + " FROM runs WHERE dag_id = ? AND run_id = ?";
    auto runs = runs_from(connection.query(sql, {dag_id, run_id}));
    if (!runs) return runs.error();
    if (runs->empty()) return Error(Code::not_found, "DAG " + dag_id + " has no run " + run_id);
    Status done = add_tasks(connection, runs->front());
    if (!done) return done.error();
    return std::move(runs->front());
  });
}

Result<RunState> RunStore::state_of(const std::string& dag_id, const std::string& run_id) {
  return database_->read([&](state::Connection& connection) -> Result<RunState> {
    auto rows = connection.query("SELECT state FROM runs WHERE dag_id = ? AND run_id = ?",
                                 {dag_id, run_id});
    if (rows.next()) return run_state_named(rows.text(0)).value_or(RunState::failed);
    if (!rows.status()) return rows.status().error();
    return Error(Code::not_found, "DAG " + dag_id + " has no run " + run_id);
  });
}

Result<DagRun> RunStore::run_numbered(int64_t number) {
  return database_->read([&](state::Connection& connection) -> Result<DagRun> {
    static const std::string sql =
        "SELECT " + std::string(run_columns) + " FROM runs WHERE number = ?";
    auto runs = runs_from(connection.query(sql, {number}));
    if (!runs) return runs.error();
    if (runs->empty()) return Error(Code::not_found, "there is no run " + std::to_string(number));
    Status done = add_tasks(connection, runs->front());
    if (!done) return done.error();
    return std::move(runs->front());
  });
}

Result<std::vector<DagRun>> RunStore::runs_dated(const std::string& dag_id, int64_t from_ms,
                                                 int64_t to_ms) {
  return database_->read([&](state::Connection& connection) -> Result<std::vector<DagRun>> {
    static const std::string sql =
        "SELECT " + std::string(run_columns) +
        " FROM runs WHERE dag_id = ? AND logical_ms BETWEEN ? AND ? ORDER BY number";
    auto runs = runs_from(connection.query(sql, {dag_id, from_ms, to_ms}));
    if (!runs) return runs;
    for (DagRun& run : *runs) {
      Status done = add_tasks(connection, run);
      if (!done) return done.error();
    }
    return runs;
  });
}

Result<bool> RunStore::has_logical_date(const std::string& dag_id, int64_t logical_ms) {
  return database_->read([&](state::Connection& connection) -> Result<bool> {
    auto rows = connection.query("SELECT 1 FROM runs WHERE dag_id = ? AND logical_ms = ? LIMIT 1",
                                 {dag_id, logical_ms});
    bool found = rows.next();
    if (!rows.status()) return rows.status().error();
    return found;
  });
}

Result<std::string> RunStore::log(const std::string& dag_id, const std::string& run_id,
                                  const std::string& task_id, int try_number) {
  return database_->read([&](state::Connection& connection) -> Result<std::string> {
    std::string text;
    auto rows = connection.query(
        "SELECT text FROM logs WHERE dag_id = ? AND run_id = ? AND task_id = ? "
        "AND try_number = ? ORDER BY part",
        {dag_id, run_id, task_id, try_number});
    while (rows.next()) text += rows.text(0);
    if (!rows.status()) return rows.status().error();
    return text;
  });
}

}  // namespace pinpipe::scheduler
