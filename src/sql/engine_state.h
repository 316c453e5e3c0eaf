// What an Engine and its Connections share. Inside this room only.
#pragma once

#include <atomic>
#include <cstdint>
#include <duckdb.h>

#include "sql/engine.h"
#include "sql/json_table.h"
#include "sql/memory_fence.h"
#include "sql/row_table.h"

namespace pinpipe::sql {

struct Engine::State {
  State(Role engine_role, int threads, uint64_t memory_bytes)
      : role(engine_role), fence(memory_bytes), json_tables(threads) {}
  ~State() { library().close(&database); }
  State(const State&) = delete;

  const Role role;
  const MemoryFence fence;
  JsonTables json_tables;  // outlives the database, whose functions point to it
  RowTables row_tables;    // likewise
  duckdb_database database = nullptr;
  std::atomic<uint64_t> sessions{0};
};

}  // namespace pinpipe::sql
