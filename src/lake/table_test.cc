#include "lake/table.h"

#include <gmock/gmock.h>

#include "kit/lake_fixture.h"
#include "lake/history.h"

namespace pinpipe::lake {
namespace {

using kit::MemoryStore;

class TableTest : public LakeTest {};

TEST_F(TableTest, a_new_table_is_version_0_of_the_oldest_protocol) {
  auto table = create();
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->snapshot()->version(), 0);
  EXPECT_EQ(table->snapshot()->protocol(), Protocol{});
  EXPECT_EQ(table->snapshot()->schema(), number_schema());
  auto again = wait(Table::create(services, {"lake", "t"}, number_schema()));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::conflict);
}

TEST_F(TableTest, a_place_without_a_log_is_not_a_table) {
  auto table = wait(Table::open(services, {"lake", "nothing"}));
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code(), Code::not_found);
}

TEST_F(TableTest, appended_rows_are_read_by_another_that_opens_the_table) {
  auto table = create();
  EXPECT_EQ(append(*table, 0, 100), 1);
  EXPECT_EQ(append(*table, 100, 150), 2);
  auto other = open();
  EXPECT_EQ(other->snapshot()->version(), 2);
  EXPECT_EQ(other->snapshot()->rows(), 150);
  EXPECT_EQ(rows_of(*other->snapshot()), from_to(0, 150));
}

TEST_F(TableTest, an_open_table_sees_new_versions_when_refreshed) {
  auto table = create();
  auto other = open();
  append(*table, 0, 10);
  EXPECT_EQ(other->snapshot()->version(), 0);
  auto newest = wait(other->refresh());
  ASSERT_TRUE(newest);
  EXPECT_EQ((*newest)->version(), 1);
  auto same = wait(other->refresh());
  EXPECT_EQ(*same, *newest) << "nothing happened: the same object";
}

TEST_F(TableTest, an_overwrite_replaces_all_rows_and_the_past_stays_readable) {
  auto table = create();
  append(*table, 0, 10);
  append(*table, 10, 20);
  auto version = wait(table->write(WriteMode::overwrite, numbers(50, 55), {}));
  ASSERT_TRUE(version) << version.error().text();
  EXPECT_EQ(rows_of(*open()->snapshot()), from_to(50, 55));
  EXPECT_EQ(table->snapshot()->tombstones().size(), 2U);
  auto before = wait(table->at_version(2));
  ASSERT_TRUE(before);
  EXPECT_EQ(rows_of(**before), from_to(0, 20));
}

TEST_F(TableTest, an_overwrite_without_rows_empties_the_table) {
  auto table = create();
  append(*table, 0, 10);
  auto version = wait(table->write(WriteMode::overwrite, numbers(5, 5), {}));
  ASSERT_TRUE(version) << version.error().text();
  EXPECT_TRUE(open()->snapshot()->files().empty());
}

TEST_F(TableTest, an_overwrite_may_replace_the_schema_when_asked) {
  auto table = create();
  append(*table, 0, 10);
  auto refused = wait(table->write(WriteMode::overwrite, encoded("SELECT 1.5 AS price"), {}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::invalid);
  CommitFacts facts;
  facts.schema_change = SchemaChange::replace;
  auto version = wait(table->write(WriteMode::overwrite, encoded("SELECT 1.5 AS price"), facts));
  ASSERT_TRUE(version) << version.error().text();
  EXPECT_EQ(open()->snapshot()->schema().fields[0].name, "price");
}

TEST_F(TableTest, new_columns_are_added_nullable_when_asked) {
  auto table = create();
  append(*table, 0, 10);
  std::string select = "SELECT 10::BIGINT AS n, 'x' AS text, true AS extra";
  auto refused = wait(table->write(WriteMode::append, encoded(select), {}));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("\"extra\""), std::string::npos);
  CommitFacts facts;
  facts.schema_change = SchemaChange::add_columns;
  auto version = wait(table->write(WriteMode::append, encoded(select), facts));
  ASSERT_TRUE(version) << version.error().text();
  Schema schema = open()->snapshot()->schema();
  ASSERT_EQ(schema.fields.size(), 3U);
  EXPECT_TRUE(schema.fields[2].nullable);
}

TEST_F(TableTest, a_null_where_none_may_be_is_refused) {
  Schema schema = number_schema();
  schema.fields[0].nullable = false;
  auto table = wait(Table::create(services, {"lake", "strict"}, schema));
  ASSERT_TRUE(table);
  auto refused = wait(
      (*table)->write(WriteMode::append, encoded("SELECT NULL::BIGINT AS n, 'a' AS text"), {}));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(wait((*table)->write(WriteMode::append, numbers(0, 3), {})));
}

TEST_F(TableTest, positions_ride_in_the_same_commit_and_must_rise) {
  auto table = create();
  append(*table, 0, 10, with_txn("pipeline/0", 9));
  EXPECT_EQ(open()->snapshot()->txn_version("pipeline/0"), 9);
  auto again = wait(table->write(WriteMode::append, numbers(0, 10), with_txn("pipeline/0", 9)));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::conflict);
  append(*table, 10, 20, with_txn("pipeline/0", 19));
  EXPECT_EQ(open()->snapshot()->txn_version("pipeline/0"), 19);
  EXPECT_EQ(open()->snapshot()->txn_version("pipeline/1"), std::nullopt);
}

TEST_F(TableTest, a_batch_without_good_rows_still_commits_its_position) {
  auto table = create();
  EXPECT_EQ(append(*table, 5, 5, with_txn("p", 41)), 1);
  EXPECT_EQ(open()->snapshot()->txn_version("p"), 41);
  EXPECT_TRUE(open()->snapshot()->files().empty());
}

TEST_F(TableTest, an_expected_position_is_compared_before_it_is_set) {
  auto table = create();
  CommitFacts first;
  first.txns.push_back({.app_id = "p", .version = 5, .expected = -1});
  append(*table, 0, 1, first);
  CommitFacts stale;
  stale.txns.push_back({.app_id = "p", .version = 9, .expected = 4});
  auto refused = wait(table->write(WriteMode::append, numbers(1, 2), stale));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::conflict);
}

TEST_F(TableTest, two_instances_of_one_pipeline_meet_in_the_log) {
  auto table = create();
  auto twin = open();
  append(*twin, 0, 10, with_txn("p", 9));
  auto refused = wait(table->write(WriteMode::append, numbers(0, 10), with_txn("p", 9)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::conflict);
  EXPECT_NE(refused.error().text().find("ConcurrentTransaction"), std::string::npos);
  auto newest = wait(table->refresh());
  EXPECT_EQ((*newest)->txn_version("p"), 9);
  EXPECT_EQ(rows_of(**newest), from_to(0, 10));
}

TEST_F(TableTest, a_lost_race_leaves_no_files_behind) {
  auto table = create();
  auto twin = open();
  append(*twin, 0, 10, with_txn("p", 9));
  size_t before = store.keys_now().size();
  EXPECT_FALSE(wait(table->write(WriteMode::append, numbers(0, 10), with_txn("p", 9))));
  EXPECT_EQ(store.keys_now().size(), before);
}

TEST_F(TableTest, appends_of_two_writers_both_stand) {
  auto table = create();
  auto twin = open();
  append(*twin, 0, 10, with_txn("a", 1));
  append(*table, 10, 20, with_txn("b", 1));
  append(*twin, 20, 30, with_txn("a", 2));
  EXPECT_EQ(open()->snapshot()->version(), 3);
  EXPECT_EQ(rows_of(*open()->snapshot()), from_to(0, 30));
}

TEST_F(TableTest, a_commit_whose_reply_was_lost_is_not_made_twice) {
  auto table = create();
  bool lost = false;
  store.fault = [&](const MemoryStore::Operation& operation) -> std::optional<MemoryStore::Fault> {
    if (lost || operation.verb != MemoryStore::Verb::put) return std::nullopt;
    lost = true;
    return MemoryStore::Fault{.code = Code::timeout, .happens_first = true};
  };
  EXPECT_EQ(append(*table, 0, 10), 1);
  EXPECT_TRUE(lost);
  EXPECT_EQ(rows_of(*open()->snapshot()), from_to(0, 10));
  EXPECT_EQ(open()->snapshot()->version(), 1);
}

TEST_F(TableTest, a_commit_whose_request_was_lost_is_made_again) {
  auto table = create();
  bool lost = false;
  store.fault = [&](const MemoryStore::Operation& operation) -> std::optional<MemoryStore::Fault> {
    if (lost || operation.verb != MemoryStore::Verb::put) return std::nullopt;
    lost = true;
    return MemoryStore::Fault{.code = Code::unavailable};
  };
  EXPECT_EQ(append(*table, 0, 10), 1);
  EXPECT_TRUE(lost);
  EXPECT_EQ(open()->snapshot()->version(), 1);
}

TEST_F(TableTest, commit_facts_come_back_from_history) {
  auto table = create();
  CommitFacts facts = with_txn("p", 9);
  facts.positions.push_back({.source = "topic/uuid/0", .from = "0", .to = "9"});
  facts.project_sql_sha256 = "abc";
  facts.metrics["numQuarantinedRows"] = "2";
  append(*table, 0, 10, facts);
  auto entries = wait(history(*table, 10));
  ASSERT_TRUE(entries) << entries.error().text();
  ASSERT_EQ(entries->size(), 2U);
  const CommitInfo& info = entries->front().info;
  EXPECT_EQ(entries->front().version, 1);
  EXPECT_EQ(info.operation, "STREAMING UPDATE");
  EXPECT_EQ(info.parameters.at("queryId"), "p");
  EXPECT_EQ(info.metrics.at("numOutputRows"), "10");
  EXPECT_EQ(info.metrics.at("numQuarantinedRows"), "2");
  EXPECT_EQ(info.positions, facts.positions);
  EXPECT_EQ(info.project_sql_sha256, "abc");
  EXPECT_EQ(info.read_version, 0);
  EXPECT_EQ(entries->back().info.operation, "CREATE TABLE");
}

TEST_F(TableTest, time_travel_finds_the_version_of_a_moment_even_when_clocks_ran_back) {
  auto table = create();
  int64_t start_ms = clock.wall_ms();
  clock.advance(Millis(1000));
  append(*table, 0, 1);
  clock.set_wall_ms(start_ms - 3'600'000);
  append(*table, 1, 2);
  EXPECT_EQ((*wait(table->at_time(start_ms)))->version(), 0);
  EXPECT_EQ((*wait(table->at_time(start_ms + 1000)))->version(), 1);
  EXPECT_EQ((*wait(table->at_time(start_ms + 1001)))->version(), 2);
  auto too_early = wait(table->at_time(start_ms - 1));
  ASSERT_FALSE(too_early);
  EXPECT_EQ(too_early.error().code(), Code::not_found);
}

TEST_F(TableTest, commits_that_tell_their_own_time_are_believed) {
  int64_t start_ms = clock.wall_ms();
  auto table = create();
  append(*table, 0, 1);
  // From version 2 on; versions 3 to 8 follow, one each second, and all files are of one moment.
  Metadata metadata = table->snapshot()->metadata();
  metadata.configuration["delta.enableInCommitTimestamps"] = "true";
  metadata.configuration["delta.inCommitTimestampEnablementVersion"] = "2";
  for (Version version = 2; version <= 8; ++version) {
    std::string commit = fmt::format("{{\"commitInfo\":{{\"inCommitTimestamp\":{}}}}}\n",
                                     start_ms + 10'000 + version * 1000);
    if (version == 2) encode(metadata, commit);
    store.put_now("t/" + fmt::format("_delta_log/{:020}.json", version), commit);
  }
  auto fresh = open();
  auto at = [&](int64_t after_ms) {
    return (*wait(fresh->at_time(start_ms + after_ms)))->version();
  };
  EXPECT_EQ(at(0), 0);
  EXPECT_EQ(at(11'999), 1);
  EXPECT_EQ(at(12'000), 2);
  EXPECT_EQ(at(15'999), 5);
  EXPECT_EQ(at(18'000), 8);
  EXPECT_EQ(at(1'000'000), 8);
  store.put_now("t/_delta_log/00000000000000000009.json", "{\"commitInfo\":{}}\n");
  auto lost = wait(open()->at_time(start_ms + 1'000'000));
  ASSERT_FALSE(lost);
  EXPECT_THAT(lost.error().text(), testing::HasSubstr("00000000000000000009.json"));
}

TEST_F(TableTest, an_append_only_table_is_not_overwritten) {
  TableOptions options;
  options.properties["delta.appendOnly"] = "true";
  auto table = wait(Table::create(services, {"lake", "log"}, number_schema(), options));
  ASSERT_TRUE(table);
  EXPECT_TRUE(wait((*table)->write(WriteMode::append, numbers(0, 3), {})));
  EXPECT_FALSE(wait((*table)->write(WriteMode::overwrite, numbers(0, 3), {})));
}

}  // namespace
}  // namespace pinpipe::lake
