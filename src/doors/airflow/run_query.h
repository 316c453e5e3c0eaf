// Which runs somebody asks for, and finding them.
// Bounds: a question that the store answers by itself (one DAG or all, one state or any, in the
// order they were made) has none; any other looks at up to scanned_runs_max runs and keeps up to
// kept_bytes_max of them, and is refused beyond that.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "doors/airflow/input.h"
#include "scheduler/scheduler.h"

namespace pinpipe::airflow {

inline constexpr int64_t scanned_runs_max = 20'000;
inline constexpr size_t kept_bytes_max = 64 << 20;

struct Bounds {
  std::optional<int64_t> from;   // inclusive
  std::optional<int64_t> until;  // inclusive
  bool empty() const { return !from && !until; }
};

struct RunQuery {
  std::vector<std::string> dag_ids;  // empty: of all DAGs
  std::vector<scheduler::RunState> states;
  std::vector<scheduler::RunType> types;
  Bounds run_after, logical_date, start_date, end_date;
  std::string run_id_pattern;         // empty: any
  std::vector<std::string> order_by;  // empty: as they were made
  Page page;
};

// What GET …/dagRuns has in its query, but for the DAG.
RunQuery read_run_query(Query& query);
// What POST …/dagRuns/list has in its body.
RunQuery read_run_query(Body& body);

struct FoundRuns {
  std::vector<scheduler::DagRun> runs;
  int64_t total = 0;
};
// `invalid` for an order that is not supported, or when too many runs would have to be looked at.
io::Task<Result<FoundRuns>> find_runs(scheduler::Scheduler& scheduler, const RunQuery& query);

}  // namespace pinpipe::airflow
