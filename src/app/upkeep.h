// What a house does now and then, until it is cancelled.
#pragma once

#include "io/task.h"
#include "objects/uploads.h"

namespace pinpipe::app {

// A client that began an upload in parts and never came back leaves nothing for ever.
io::Task<> sweep_uploads(objects::Uploads& uploads);

}  // namespace pinpipe::app
