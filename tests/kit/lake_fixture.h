// For tests of lake and above: a store in memory, one loop, a fake clock, and a SQL engine that is
// shared by all tests of the program.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "io/runtime.h"
#include "io/scope.h"
#include "kit/fake_clock.h"
#include "kit/memory_store.h"
#include "lake/table.h"
#include "sql/engine.h"

namespace pinpipe::lake {

class LakeTest : public testing::Test {
 protected:
  LakeTest() { EXPECT_TRUE(wait(store.create_bucket("lake"))); }

  static void TearDownTestSuite() { engine().reset(); }

  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(runtime.loop(0), std::move(task));
  }

  static std::unique_ptr<sql::Engine>& engine() {
    static std::unique_ptr<sql::Engine> shared;
    return shared;
  }
  static Result<std::unique_ptr<sql::Connection>> connect() {
    static kit::TemporaryDirectory directory;
    if (!engine()) {
      auto opened = sql::Engine::open({.threads = 2,
                                       .memory_bytes = 400 << 20,
                                       .temp_root = directory.path(),
                                       .readable_directories = {}});
      if (!opened) return opened.error();
      engine() = std::move(*opened);
    }
    return engine()->connect();
  }

  Encoded encoded(const std::string& select, const Schema* table = nullptr) {
    auto connection = connect();
    EXPECT_TRUE(connection) << connection.error().text();
    auto data = encode(**connection, select, store.new_temporary(), {.table = table, .stop = {}});
    EXPECT_TRUE(data) << data.error().text() << "\n" << select;
    return data ? std::move(*data) : Encoded{};
  }
  // Rows with the numbers first … last-1 in a column n.
  Encoded numbers(int first, int last) {
    return encoded(
        fmt::format("SELECT i AS n, 'row ' || i AS text FROM range({}, {}) AS r(i)", first, last));
  }
  static Schema number_schema() {
    return {{Field{.name = "n", .type = *type_of_sql("BIGINT")},
             Field{.name = "text", .type = *type_of_sql("VARCHAR")}}};
  }
  static CommitFacts with_txn(std::string app_id, int64_t version) {
    CommitFacts facts;
    facts.txns.push_back({.app_id = std::move(app_id), .version = version});
    return facts;
  }

  std::unique_ptr<Table> create(const std::string& name = "t") {
    auto table = wait(Table::create(services, {"lake", name}, number_schema()));
    EXPECT_TRUE(table) << table.error().text();
    return table ? std::move(*table) : nullptr;
  }
  std::unique_ptr<Table> open(const std::string& name = "t") {
    auto table = wait(Table::open(services, {"lake", name}));
    EXPECT_TRUE(table) << table.error().text();
    return table ? std::move(*table) : nullptr;
  }
  Version append(Table& table, int first, int last, CommitFacts facts = {}) {
    auto version = wait(table.write(WriteMode::append, numbers(first, last), std::move(facts)));
    EXPECT_TRUE(version) << version.error().text();
    return version ? *version : -1;
  }

  // All numbers in the files of a snapshot, sorted, as Parquet says.
  std::vector<int64_t> rows_of(const Snapshot& snapshot, const std::string& name = "t") {
    std::vector<int64_t> rows;
    auto connection = connect();
    for (const FilePtr& file : snapshot.files()) {
      auto pinned = wait(store.materialize("lake", name + "/" + file->path));
      EXPECT_TRUE(pinned) << pinned.error().text();
      if (!pinned) continue;
      auto answer = (*connection)
                        ->query("SELECT n FROM " + sql::read_parquet(std::span(&pinned->path, 1)),
                                {.rows_max = 1'000'000});
      EXPECT_TRUE(answer) << answer.error().text();
      for (const sql::Row& row : answer->rows) rows.push_back(*row[0].get_if<int64_t>());
    }
    std::ranges::sort(rows);
    return rows;
  }
  static std::vector<int64_t> from_to(int64_t first, int64_t last) {
    std::vector<int64_t> rows;
    for (int64_t n = first; n < last; ++n) rows.push_back(n);
    return rows;
  }

  io::Runtime runtime{{.loops = 1, .disk_threads = 2, .work_threads = 2}};
  kit::FakeClock clock;
  kit::MemoryStore store{runtime.disk(), clock};
  Services services{
      .store = store, .work = runtime.work(), .clock = clock, .connect = [] { return connect(); }};
};

}  // namespace pinpipe::lake
