// What a house does now and then, until it is cancelled.
#pragma once

#include "io/pool.h"
#include "io/task.h"
#include "objects/uploads.h"

namespace pinpipe::app {

// A client that began an upload in parts and never came back leaves nothing for ever.
io::Task<> sweep_uploads(objects::Uploads& uploads);

// Freed memory goes back to the system. glibc keeps it in a heap of each thread, and records that
// come on one thread and go on another let all of them grow. On the pool, for it takes
// milliseconds.
io::Task<> give_memory_back(io::Pool& work);

}  // namespace pinpipe::app
