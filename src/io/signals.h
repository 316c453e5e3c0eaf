// The operating system's requests to end. The first SIGINT or SIGTERM completes the wait; a second
// one ends the process at once with 128 + its number.
#pragma once

#include "base/result.h"
#include "io/task.h"

namespace pinpipe::io {

// The number of the signal, or `cancelled`. One at a time in a process.
Task<Result<int>> wait_for_signal();

// Until Ctrl-C (SIGINT) is pressed, which ends nothing else meanwhile, or `cancelled`.
Task<Status> wait_for_interrupt();

}  // namespace pinpipe::io
