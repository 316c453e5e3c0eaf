// What a table needs from outside. All of it outlives every table.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "io/pool.h"
#include "objects/store.h"
#include "sql/connection.h"

namespace pinpipe::lake {

// Opens a session of the jobs engine; called on the work pool.
using Connect = std::function<Result<std::unique_ptr<sql::Connection>>()>;

struct Services {
  objects::Store& store;
  io::Pool& work;  // for what blocks and computes: Parquet, decoding
  Clock& clock;
  Connect connect;
};

}  // namespace pinpipe::lake
