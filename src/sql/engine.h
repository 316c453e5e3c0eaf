// The SQL engine: one DuckDB instance in memory, made from Options, and Connections to it.
//
// Two roles (design decision 10): `jobs` runs the project's own SQL and writes files; `user`
// answers questions of people and doors: it reads files only below readable_directories, writes
// none, and its settings are locked. Two engines never share a temporary directory.
//
// Every session speaks the portable subset of Spark SQL (prelude.h, rewrite.h), is in UTC, and
// sorts nulls first when ascending and last when descending.
//
// Bounds: memory_bytes and temp_bytes_max per engine; a query that needs more fails alone with
// `busy`. All calls block and belong on the work pool. An engine may be used from several threads,
// a Connection from one at a time. An engine keeps memory after heavy work until it is closed, and
// what it remembers of every page that it has read: one in steady use is given up after `life`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace pinpipe::sql {

class Connection;

enum class Role : uint8_t { jobs, user };

class Engine {
 public:
  // Some ten thousand pages are read in it by the busiest of our users; each costs 200 bytes that
  // hold on to a page of memory around them.
  static constexpr Millis life{60'000};
  static bool is_worn(int64_t opened_ms, int64_t now_ms) {
    return now_ms - opened_ms >= life.count();
  }

  struct Options {
    Role role = Role::jobs;
    int threads = 0;  // 0: one per core
    uint64_t memory_bytes = uint64_t{1} << 30;
    uint64_t temp_bytes_max = uint64_t{10} << 30;
    // An existing directory; the engine makes duckdb-<pid>-<n> in it when it has to spill and
    // removes that when it is closed.
    std::string temp_root;
    std::vector<std::string> readable_directories;  // role user
  };

  // Loads libduckdb when nobody has yet.
  static Result<std::unique_ptr<Engine>> open(const Options& options);
  ~Engine();
  Engine(const Engine&) = delete;

  // A session with a catalog of its own: tables and views that it makes are seen by it alone and go
  // when it is closed. It keeps the database open, even beyond the Engine.
  Result<std::unique_ptr<Connection>> connect();

 private:
  friend class Connection;
  struct State;
  explicit Engine(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace pinpipe::sql
