// The folder that MWAA watches: s3://mwaa-dags-bucket/dags/*.py. What is put there becomes DAGs,
// what is removed takes them away. Promise: a change is seen within the wait, however it came
// about. Bounds: files of scheduler::source_bytes_max bytes; Scheduler::files_max of them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "objects/store.h"
#include "scheduler/dag_file.h"
#include "scheduler/scheduler.h"

namespace pinpipe::app {

class DagFolder {
 public:
  static constexpr std::string_view bucket = "mwaa-dags-bucket";
  static constexpr std::string_view prefix = "dags/";
  static constexpr Millis poll_wait{400};
  static constexpr Millis remote_poll_wait{5'000};  // of a store where each look is paid for

  // The store has to live longer.
  DagFolder(objects::Store& store, scheduler::NotebookJobs notebooks, Millis wait = poll_wait)
      : store_(store), notebooks_(std::move(notebooks)), wait_(wait) {}

  // What is there now; watch() goes on from it.
  io::Task<Result<std::vector<scheduler::DagFile>>> read_all();
  // Until cancelled.
  io::Task<> watch(scheduler::Scheduler& scheduler);

 private:
  using Seen = std::map<std::string, std::string>;  // ETags by key

  io::Task<Result<Seen>> list();
  io::Task<Result<scheduler::DagFile>> read(std::string key, uint64_t size);
  io::Task<Status> take_changes(scheduler::Scheduler& scheduler);

  objects::Store& store_;
  scheduler::NotebookJobs notebooks_;
  Millis wait_;
  Seen seen_;
  std::map<std::string, uint64_t> sizes_;  // as listed last
};

}  // namespace pinpipe::app
