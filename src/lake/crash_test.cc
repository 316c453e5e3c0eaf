// Power for one process ends at any change that it makes to the store: what the next one finds is
// one of the states that were promised.
#include <gmock/gmock.h>

#include "base/random.h"
#include "kit/lake_fixture.h"
#include "kit/seed.h"

namespace pinpipe::lake {
namespace {

struct CrashTest : LakeTest {
  // A pipeline that, like the stream job, asks the table where it is and goes on from there.
  // Gives up when the store is dead; true when all input is in.
  bool run_pipeline(int batches) {
    auto table = wait(Table::open(services, {"lake", "t"}));
    if (!table) return false;
    while (true) {
      int64_t done = (*table)->snapshot()->txn_version("p").value_or(-1) + 1;
      if (done == batches * 10) return true;
      auto first = static_cast<int>(done);
      CommitFacts facts = with_txn("p", done + 9);
      auto version = wait((*table)->write(WriteMode::append, numbers(first, first + 10), facts));
      if (store.is_dead()) return false;
      // An outcome that is unknown is asked of the table.
      if (!version && !wait((*table)->refresh())) return false;
    }
  }

  void expect_exactly_once(int batches) {
    auto table = open();
    ASSERT_NE(table, nullptr);
    EXPECT_EQ(rows_of(*table->snapshot()), from_to(0, batches * 10));
    EXPECT_EQ(table->snapshot()->version(), batches);
  }
};

TEST_F(CrashTest, a_stream_killed_at_every_single_change_is_exactly_once) {
  constexpr int batches = 4;
  TableOptions options;
  options.properties["delta.checkpointInterval"] = "2";
  for (bool happens : {false, true}) {
    for (uint64_t change = 1;; ++change) {
      for (const std::string& key : store.keys_now()) store.remove_now(key);
      ASSERT_TRUE(wait(Table::create(services, {"lake", "t"}, number_schema(), options)));
      store.crash_at(change, happens);
      bool finished = run_pipeline(batches);
      store.revive();
      if (finished) {
        EXPECT_GT(change, 2U * batches + 2) << "a checkpoint is among them";
        break;
      }
      ASSERT_TRUE(run_pipeline(batches)) << "after change " << change;
      expect_exactly_once(batches);
      if (HasFailure()) FAIL() << "change " << change << ", happens " << happens;
    }
  }
}

TEST_F(CrashTest, an_overwrite_killed_anywhere_leaves_the_old_rows_or_the_new) {
  for (bool happens : {false, true}) {
    for (uint64_t change = 1;; ++change) {
      for (const std::string& key : store.keys_now()) store.remove_now(key);
      auto table = create();
      append(*table, 0, 20);
      store.crash_at(change, happens);
      auto version = wait(table->write(WriteMode::overwrite, numbers(100, 130), {}));
      bool survived = !store.is_dead();
      store.revive();
      auto rows = rows_of(*open()->snapshot());
      if (survived) {
        ASSERT_TRUE(version);
        EXPECT_EQ(rows, from_to(100, 130));
        break;
      }
      EXPECT_THAT(rows, testing::AnyOf(from_to(0, 20), from_to(100, 130)));
      // The job runs again, as it does after a restart.
      auto again = open();
      ASSERT_TRUE(wait(again->write(WriteMode::overwrite, numbers(100, 130), {})));
      EXPECT_EQ(rows_of(*open()->snapshot()), from_to(100, 130));
    }
  }
}

TEST_F(CrashTest, a_store_that_loses_requests_and_replies_at_random_is_exactly_once) {
  constexpr int batches = 30;
  Random random(kit::seed());
  ASSERT_NE(create(), nullptr);
  store.fault = [&](const kit::MemoryStore::Operation&) -> std::optional<kit::MemoryStore::Fault> {
    if (random.below(10) != 0) return std::nullopt;
    return kit::MemoryStore::Fault{.code = random.below(2) == 0 ? Code::unavailable : Code::timeout,
                                   .happens_first = random.below(2) == 0};
  };
  for (int attempt = 0; attempt < 200 && !run_pipeline(batches); ++attempt) {
  }
  store.fault = nullptr;
  expect_exactly_once(batches);
}

TEST_F(CrashTest, many_writers_on_one_table_lose_nothing) {
  constexpr int writers = 6;
  constexpr int appends = 8;
  ASSERT_NE(create(), nullptr);
  auto write_all = [this](int writer, std::vector<Encoded> batches) -> io::Task<> {
    auto table = co_await Table::open(services, {"lake", "t"});
    EXPECT_TRUE(table);
    int64_t txn = 0;
    for (Encoded& batch : batches) {
      CommitFacts facts = with_txn(fmt::format("writer {}", writer), ++txn);
      auto version = co_await (*table)->write(WriteMode::append, std::move(batch), facts);
      EXPECT_TRUE(version) << version.error().text();
    }
  };
  std::vector<std::vector<Encoded>> data(writers);
  for (int writer = 0; writer < writers; ++writer) {
    for (int i = 0; i < appends; ++i) {
      int first = (writer * appends + i) * 10;
      data[static_cast<size_t>(writer)].push_back(numbers(first, first + 10));
    }
  }
  auto race = [&]() -> io::Task<> {
    io::Scope scope(io::Loop::current());
    for (int writer = 0; writer < writers; ++writer) {
      scope.spawn("writer", write_all(writer, std::move(data[static_cast<size_t>(writer)])));
    }
    co_await scope.join();
  };
  io::run_on(runtime.loop(0), race());
  auto table = open();
  EXPECT_EQ(table->snapshot()->version(), writers * appends);
  EXPECT_EQ(rows_of(*table->snapshot()), from_to(0, writers * appends * 10));
}

}  // namespace
}  // namespace pinpipe::lake
