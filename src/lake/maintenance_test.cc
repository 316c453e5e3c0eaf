// Optimize, restore, vacuum and the cleaning of the log.
#include <gmock/gmock.h>

#include "kit/lake_fixture.h"
#include "lake/history.h"
#include "lake/optimize.h"
#include "lake/vacuum.h"

namespace pinpipe::lake {
namespace {

constexpr int64_t day_ms = 86'400'000;

struct MaintenanceTest : LakeTest {
  void advance_days(int days) { clock.advance(Millis(days * day_ms)); }
  std::vector<std::string> data_files() const {
    std::vector<std::string> files;
    for (const std::string& key : store.keys_now()) {
      if (key.find("_delta_log") == std::string::npos) files.push_back(key);
    }
    return files;
  }
};

TEST_F(MaintenanceTest, optimize_keeps_the_rows_and_the_past) {
  auto table = create();
  for (int i = 0; i < 8; ++i) append(*table, i * 10, i * 10 + 10, with_txn("p", i));
  auto outcome = wait(optimize(*table));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(outcome->files_removed, 8);
  EXPECT_EQ(outcome->files_added, 1);
  EXPECT_EQ(outcome->version, 9);
  auto snapshot = open()->snapshot();
  EXPECT_EQ(snapshot->files().size(), 1U);
  EXPECT_EQ(rows_of(*snapshot), from_to(0, 80));
  EXPECT_EQ(snapshot->rows(), 80);
  EXPECT_EQ(snapshot->txn_version("p"), 7);
  EXPECT_EQ(rows_of(**wait(table->at_version(5))), from_to(0, 50));
  auto again = wait(optimize(*table));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->version, 9) << "nothing left to do, no commit";
}

TEST_F(MaintenanceTest, optimize_fills_bins_up_to_their_target) {
  auto table = create();
  for (int i = 0; i < 6; ++i) append(*table, i * 10, i * 10 + 10);
  int64_t bytes = (*table->snapshot()->files().begin())->size;
  OptimizeOptions options;
  options.target_bytes = bytes * 3 + bytes / 2;
  auto outcome = wait(optimize(*table, options));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(outcome->files_added, 2);
  EXPECT_EQ(rows_of(*table->snapshot()), from_to(0, 60));
}

TEST_F(MaintenanceTest, optimize_and_appends_do_not_hinder_each_other) {
  auto table = create();
  auto twin = open();
  for (int i = 0; i < 4; ++i) append(*table, i * 10, i * 10 + 10);
  bool raced = false;
  store.before = [&](const kit::MemoryStore::Operation& operation) {
    if (raced || operation.key != "t/_delta_log/00000000000000000005.json") return;
    raced = true;
    store.put_now(operation.key, R"({"txn":{"appId":"other","version":1}})"
                                 "\n");
  };
  auto outcome = wait(optimize(*table));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(raced);
  EXPECT_EQ(outcome->version, 6);
  append(*twin, 40, 50);
  EXPECT_EQ(rows_of(*open()->snapshot()), from_to(0, 50));
}

TEST_F(MaintenanceTest, an_optimize_that_meets_an_overwrite_starts_again) {
  auto table = create();
  auto twin = open();
  for (int i = 0; i < 4; ++i) append(*table, i * 10, i * 10 + 10);
  std::string overwrite = "{\"commitInfo\":{}}\n";
  for (const FilePtr& file : table->snapshot()->files()) {
    encode(RemoveFile{.path = file->path, .deleted_ms = 1}, overwrite);
  }
  bool raced = false;
  store.before = [&](const kit::MemoryStore::Operation& operation) {
    if (!raced && operation.key == "t/_delta_log/00000000000000000005.json") {
      raced = true;
      store.put_now(operation.key, overwrite);
    }
  };
  auto outcome = wait(optimize(*table));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(outcome->version, 5) << "what the other left needs no optimizing";
  EXPECT_TRUE(open()->snapshot()->files().empty());
}

TEST_F(MaintenanceTest, restore_brings_back_rows_and_schema) {
  auto table = create();
  append(*table, 0, 10);
  CommitFacts facts;
  facts.schema_change = SchemaChange::replace;
  ASSERT_TRUE(wait(table->write(WriteMode::overwrite, encoded("SELECT 1.5 AS price"), facts)));
  auto version = wait(restore(*table, 1));
  ASSERT_TRUE(version) << version.error().text();
  EXPECT_EQ(*version, 3);
  auto snapshot = open()->snapshot();
  EXPECT_EQ(rows_of(*snapshot), from_to(0, 10));
  EXPECT_EQ(snapshot->schema(), number_schema());
}

TEST_F(MaintenanceTest, restore_refuses_a_table_that_is_only_appended_to) {
  TableOptions options;
  options.properties["delta.appendOnly"] = "true";
  auto made = wait(Table::create(services, {"lake", "t"}, number_schema(), options));
  ASSERT_TRUE(made) << made.error().text();
  append(**made, 0, 10);
  auto version = wait(restore(**made, 0));
  ASSERT_FALSE(version);
  EXPECT_THAT(version.error().text(), testing::HasSubstr("append-only"));
  EXPECT_EQ(rows_of(*open()->snapshot()), from_to(0, 10));
}

TEST_F(MaintenanceTest, restore_refuses_a_version_whose_files_are_gone) {
  auto table = create();
  append(*table, 0, 10);
  ASSERT_TRUE(wait(table->write(WriteMode::overwrite, numbers(10, 20), {})));
  advance_days(8);
  ASSERT_TRUE(wait(vacuum(*table)));
  auto version = wait(restore(*table, 1));
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code(), Code::not_found);
  EXPECT_EQ(rows_of(*open()->snapshot()), from_to(10, 20));
}

TEST_F(MaintenanceTest, vacuum_deletes_removed_files_only_after_their_retention) {
  auto table = create();
  append(*table, 0, 10);
  advance_days(30);
  ASSERT_TRUE(wait(table->write(WriteMode::overwrite, numbers(10, 20), {})));
  auto early = wait(vacuum(*table));
  ASSERT_TRUE(early) << early.error().text();
  EXPECT_TRUE(early->files.empty()) << "removed now, however old the file is";
  advance_days(8);
  VacuumOptions dry;
  dry.dry_run = true;
  EXPECT_EQ(wait(vacuum(*table, dry))->files.size(), 1U);
  EXPECT_EQ(data_files().size(), 2U);
  EXPECT_EQ(wait(vacuum(*table))->files.size(), 1U);
  EXPECT_EQ(data_files().size(), 1U);
  EXPECT_EQ(rows_of(*open()->snapshot()), from_to(10, 20));
}

TEST_F(MaintenanceTest, vacuum_finds_orphans_but_never_a_running_writers_file) {
  auto table = create();
  append(*table, 0, 10);
  store.put_now("t/part-00000-orphan.parquet", "x");
  store.put_now("t/_hidden/part.parquet", "x");
  store.put_now("t/day=1/.part.crc", "x");
  VacuumOptions none;
  none.retention_ms = 0;
  auto refused = wait(vacuum(*table, none));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::invalid);
  none.allow_short_retention = true;
  EXPECT_TRUE(wait(vacuum(*table, none))->files.empty()) << "just written";
  advance_days(8);
  auto outcome = wait(vacuum(*table));
  ASSERT_TRUE(outcome);
  EXPECT_THAT(outcome->files, testing::ElementsAre("part-00000-orphan.parquet"));
  EXPECT_EQ(rows_of(*open()->snapshot()), from_to(0, 10));
}

TEST_F(MaintenanceTest, old_commits_go_and_everything_younger_stays_readable) {
  auto table = create();
  for (int i = 0; i < 25; ++i) {
    append(*table, i, i + 1, with_txn("p", i));
    advance_days(2);
  }
  ASSERT_TRUE(wait(table->checkpoint()));
  auto removed = wait(clean_log(*table));
  ASSERT_TRUE(removed) << removed.error().text();
  EXPECT_GT(*removed, 0);
  auto fresh = open();
  EXPECT_EQ(rows_of(*fresh->snapshot()), from_to(0, 25));
  EXPECT_EQ(fresh->snapshot()->txn_version("p"), 24);
  // Version v was made 2 * (26 - v) days ago: 11 and later lie within 30 days.
  for (Version version = 11; version <= 25; ++version) {
    auto loaded = wait(fresh->at_version(version));
    ASSERT_TRUE(loaded) << version << ": " << loaded.error().text();
    EXPECT_EQ((*loaded)->rows(), version);
  }
  EXPECT_FALSE(wait(fresh->at_version(2)));
  EXPECT_EQ(wait(clean_log(*table)), 0);
}

TEST_F(MaintenanceTest, a_log_without_a_checkpoint_is_left_alone) {
  auto table = create();
  for (int i = 0; i < 5; ++i) append(*table, i, i + 1);
  advance_days(100);
  EXPECT_EQ(wait(clean_log(*table)), 0);
}

TEST_F(MaintenanceTest, a_snapshot_that_slept_through_a_cleaning_does_not_reuse_a_version) {
  auto table = create();
  auto sleeper = open();
  for (int i = 0; i < 25; ++i) append(*table, i, i + 1);
  advance_days(40);
  append(*table, 25, 26);
  ASSERT_TRUE(wait(table->checkpoint()));
  ASSERT_GT(*wait(clean_log(*table)), 0);
  ASSERT_FALSE(store.get_now("t/_delta_log/00000000000000000001.json"));
  EXPECT_EQ(append(*sleeper, 26, 27), 27);
  EXPECT_EQ(rows_of(*open()->snapshot()), from_to(0, 27));
}

}  // namespace
}  // namespace pinpipe::lake
