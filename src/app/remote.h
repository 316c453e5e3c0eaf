// Talks to the server that holds the data directory, over its local socket.
#pragma once

#include <string>

#include "app/answer.h"
#include "app/data_directory.h"
#include "app/operation.h"
#include "io/task.h"

namespace pinpipe::app {

// Runs the operation there. `unavailable` when the server does not answer.
io::Task<Result<Answer>> call_server(const Endpoints& endpoints, const Operation& operation,
                                     const codec::Json& arguments);

}  // namespace pinpipe::app
