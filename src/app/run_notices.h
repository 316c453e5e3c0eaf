// Tells of runs by the project's `notify`: a JSON object to a webhook, or to a shell command's
// standard input.
// Promise: a webhook is tried attempts_max times; a command ends within command_wait or is killed.
// A notice is not repeated after a crash. Bounds: one command at a time.
#pragma once

#include <memory>
#include <string>

#include "http/client.h"
#include "io/pool.h"
#include "scheduler/scheduler.h"

namespace pinpipe::app {

class RunNotices {
 public:
  static constexpr int attempts_max = 3;
  static constexpr Millis webhook_wait{30'000};
  static constexpr Millis command_wait{60'000};

  RunNotices() : commands_("notices", 1) {}

  // On one loop only.
  io::Task<Status> tell(scheduler::Told told);

 private:
  io::ThreadPool commands_;
  http::Client client_;
};

// What is told: {"event", "dag_id", "run_id", "state", …, "tasks": those that failed}.
std::string notice_json(const scheduler::Told& told);
// Runs `command` with the text as its standard input. Blocks.
Status run_command(const std::string& command, const std::string& input, Millis wait);

}  // namespace pinpipe::app
