// The state of the pipeline as the console shows it: counts at each hop of both paths, what is
// behind.
#pragma once

#include "codec/json.h"
#include "io/task.h"

namespace pinpipe::app {

class House;

io::Task<codec::Json> take_snapshot(House& house);

}  // namespace pinpipe::app
