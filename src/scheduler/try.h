// A try under way; shared by the files that start, watch and end tries.
#pragma once

#include <memory>
#include <string>

#include "scheduler/scheduler.h"

namespace pinpipe::scheduler {

// One try under way: what its job reads and how it is stopped.
struct Scheduler::Try {
  explicit Try(Clock& clock) : log(clock), context{.log = log} {}

  RunKey key;
  size_t task = 0;
  std::string job;
  std::string pool;
  int slots = 1;
  int64_t timeout_ms = 0;
  TaskLog log;
  JobContext context;
  io::OneShot<Outcome> done;
  io::Scope* scope = nullptr;  // while the job runs
  bool stopping = false;
  bool ended = false;
};

}  // namespace pinpipe::scheduler
