// DAGs, runs and tasks as Airflow's API spells them. Fields of things that we do not have are null
// or empty, never invented; both 3.0's and later fields are there.
#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>

#include "codec/json.h"
#include "project/project.h"
#include "scheduler/run.h"
#include "scheduler/scheduler.h"

namespace pinpipe::airflow {

// RFC 3339 in UTC, or null.
codec::Json time_json(std::optional<int64_t> at_ms);

codec::Json dag_json(const scheduler::DagView& dag);
codec::Json dag_details_json(const scheduler::DagView& dag);
codec::Json run_json(const scheduler::DagRun& run);
// The tasks of a DAG by their ids; borrows the DAG.
using TaskIndex = std::unordered_map<std::string_view, const project::TaskSpec*>;
TaskIndex index_of(const project::DagSpec& dag);
// A task that the DAG does not have any more has no operator.
codec::Json task_instance_json(const scheduler::DagRun& run, const scheduler::TaskRun& task,
                               const TaskIndex& specs);
codec::Json tasks_json(const project::DagSpec& dag);
struct ImportError {
  std::string file;
  std::string text;
  int64_t at_ms = 0;
};
codec::Json import_error_json(const ImportError& error, int64_t number);
codec::Json pool_json(const scheduler::PoolView& pool);

}  // namespace pinpipe::airflow
