// Airflow's REST API v2 over our scheduler, on the console's port, so that Airflow's clients and
// scripts read, trigger, clear and watch our DAGs:
//   /auth/token  /api/v2/version  /api/v2/monitor/health  /api/v2/importErrors  …
//   /api/v2/dags[/{dag_id}[/details|/tasks[/{task_id}]|/clearTaskInstances]]
//   /api/v2/dags/{dag_id}/dagRuns[/{run_id}[/clear|/taskInstances[/{task_id}[/logs/{try}]]]]
// Names, types and error shapes are Airflow 3's: {"detail": …} with 400 401 404 405 409 422.
// What there is not here (variables, connections, warnings) is an empty list.
// Who may: the local socket's file permission is authority; over TCP a call that writes needs the
// token ("Authorization: Bearer …"), reading needs none on loopback.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "doors/airflow/answer.h"
#include "http/message.h"
#include "http/router.h"
#include "scheduler/scheduler.h"

namespace pinpipe::airflow {

class Door {
 public:
  struct Options {
    scheduler::Scheduler* scheduler = nullptr;
    Clock* clock = nullptr;
    std::string token = {};
    std::string version = {};      // of pinpipe, at /api/v2/version
    std::string git_version = {};  // may be empty
  };

  // What Options point to has to outlive the door.
  explicit Door(Options options);
  Door(const Door&) = delete;

  // Adds the door's routes; the router must not outlive the door.
  void add_routes(http::Router& router);

 private:
  enum class Access { open, read, write };
  using Handler = io::Task<Answer> (Door::*)(const http::Request&) const;
  struct Route {
    std::string_view method;
    std::string_view path;
    Access access;
    Handler handler;
  };
  static const std::vector<Route>& routes();

  io::Task<> serve(const std::vector<Route>& by_method, http::Request& request,
                   http::Response& response) const;
  io::Task<Answer> answer(const std::vector<Route>& by_method, const http::Request& request) const;
  bool has_token(const http::Request& request) const;
  bool may(Access access, const http::Request& request) const;

  // door.cc
  io::Task<Answer> create_token(const http::Request& request) const;
  io::Task<Answer> show_token(const http::Request& request) const;
  io::Task<Answer> version(const http::Request& request) const;
  io::Task<Answer> health(const http::Request& request) const;
  io::Task<Answer> nothing_known(const http::Request& request) const;

  // dags.cc
  io::Task<Answer> list_dags(const http::Request& request) const;
  io::Task<Answer> show_dag(const http::Request& request) const;
  io::Task<Answer> show_dag_details(const http::Request& request) const;
  io::Task<Answer> change_dag(const http::Request& request) const;
  io::Task<Answer> list_tasks(const http::Request& request) const;
  io::Task<Answer> show_task(const http::Request& request) const;
  io::Task<Answer> list_import_errors(const http::Request& request) const;
  io::Task<Answer> list_pools(const http::Request& request) const;

  // runs.cc
  io::Task<Answer> trigger(const http::Request& request) const;
  io::Task<Answer> list_runs(const http::Request& request) const;
  io::Task<Answer> list_runs_by_body(const http::Request& request) const;
  io::Task<Answer> show_run(const http::Request& request) const;
  io::Task<Answer> change_run(const http::Request& request) const;
  io::Task<Answer> delete_run(const http::Request& request) const;
  io::Task<Status> set_run_state(scheduler::DagRun run, std::string wanted) const;

  // task_instances.cc
  io::Task<Answer> list_task_instances(const http::Request& request) const;
  io::Task<Answer> show_task_instance(const http::Request& request) const;
  io::Task<Answer> change_task_instance(const http::Request& request) const;
  io::Task<Answer> would_change_task_instance(const http::Request& request) const;
  io::Task<Answer> mark_task(const http::Request& request, bool dry_run) const;
  io::Task<Answer> show_log(const http::Request& request) const;
  io::Task<Answer> list_xcoms(const http::Request& request) const;

  // clear.cc
  io::Task<Answer> clear_run(const http::Request& request) const;
  io::Task<Answer> clear_task_instances(const http::Request& request) const;

  Options options_;
};

}  // namespace pinpipe::airflow
