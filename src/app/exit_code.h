// What the process's exit code says. Frozen: scripts and schedulers decide by it.
#pragma once

#include "base/result.h"

namespace pinpipe::app {

enum class ExitCode : int {
  ok = 0,
  failed = 1,       // the work failed: task, test, data check, query
  usage = 2,        // the command line is wrong
  project = 3,      // configuration or project files are invalid
  unreachable = 4,  // the server does not answer
  not_found = 5,    // the named thing does not exist
  timed_out = 6,    // --wait or --timeout ran out
  conflict = 7,     // it exists already, or the data directory is locked
  denied = 8,       // not allowed
  internal = 70,    // a bug in pinpipe
};

ExitCode exit_code_of(Code code);
// The inverse as far as it goes: for a client that got an error over HTTP.
std::string_view text_of(ExitCode code);

}  // namespace pinpipe::app
