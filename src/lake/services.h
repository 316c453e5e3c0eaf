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

struct Services {
  objects::Store& store;
  io::Pool& work;  // for what blocks and computes: Parquet, decoding
  Clock& clock;
  // A session of the jobs engine, opened on first use; called on the work pool.
  std::function<Result<std::unique_ptr<sql::Connection>>()> connect;
};

}  // namespace pinpipe::lake
