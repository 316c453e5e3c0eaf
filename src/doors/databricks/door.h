// As much of the Databricks Jobs API as Airflow's Databricks operators use, on the console's port,
// so that a DAG with DatabricksSubmitRunOperator runs our jobs through a connection that points
// here:
//   POST /api/2.x/jobs/runs/submit|cancel|cancel-all|delete|repair   /api/2.x/jobs/run-now
//   GET  /api/2.x/jobs/runs/get|get-output   /api/2.x/jobs/list
//   GET  /api/2.x/clusters/spark-versions|get                        x is 0, 1 or 2
// A submitted run is a run of the DAG `databricks_runs`, whose one task runs the job that the
// notebook's path is mapped to and says so in its log: no notebook runs here. run-now triggers a
// DAG. Parameters may come in the query or in a JSON body, for GET too: both kinds of clients
// exist. Every call needs the token ("Authorization: Bearer …") or the local socket.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "codec/json.h"
#include "http/message.h"
#include "http/router.h"
#include "scheduler/scheduler.h"

namespace pinpipe::databricks {

// The DAG that submitted runs belong to; its one task's job is `notebook_job`, which finds the path
// in the run's conf.
inline constexpr std::string_view dag_id = "databricks_runs";
inline constexpr std::string_view notebook_job = "notebook";
inline constexpr std::string_view path_key = "notebook_path";
project::DagSpec dag_of_submitted_runs();

struct Answer {
  int status = 200;
  codec::Json body = codec::Json::object();
};
Answer answer_error(const Error& error);

class Door {
 public:
  struct Options {
    scheduler::Scheduler* scheduler = nullptr;
    scheduler::NotebookJobs notebooks = {};
    std::string token = {};
  };

  // What Options point to has to outlive the door.
  explicit Door(Options options);
  Door(const Door&) = delete;

  // Adds the door's routes; the router must not outlive the door.
  void add_routes(http::Router& router);

 private:
  // What a call was given: the query and the body as one object.
  struct Call {
    const http::Request& request;
    codec::Json given;
  };
  using Handler = io::Task<Answer> (Door::*)(const Call&) const;

  void add(http::Router& router, std::string_view method, std::string_view path, Handler handler);
  io::Task<Answer> answer(const http::Request& request, Handler handler) const;
  bool may(const http::Request& request) const;

  io::Task<Answer> submit(const Call& call) const;
  io::Task<Answer> run_now(const Call& call) const;
  io::Task<Answer> get_run(const Call& call) const;
  io::Task<Answer> get_output(const Call& call) const;
  io::Task<Answer> cancel(const Call& call) const;
  io::Task<Answer> cancel_all(const Call& call) const;
  io::Task<Answer> delete_run(const Call& call) const;
  io::Task<Answer> repair(const Call& call) const;
  io::Task<Answer> list_jobs(const Call& call) const;
  io::Task<Answer> spark_versions(const Call& call) const;
  io::Task<Answer> get_cluster(const Call& call) const;

  // The run, and which of its tasks, when the id is a task's.
  struct Found {
    scheduler::DagRun run;
    std::optional<size_t> task;
  };
  io::Task<Result<Found>> find(const Call& call) const;

  Options options_;
};

}  // namespace pinpipe::databricks
