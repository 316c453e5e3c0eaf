// What the log's reader does with logs that others left: torn, with gaps, with odd or corrupt
// checkpoints, with features that we do not know.
#include "lake/log_reader.h"

#include <gmock/gmock.h>

#include "kit/lake_fixture.h"

namespace pinpipe::lake {
namespace {

struct LogReaderTest : LakeTest {
  static constexpr Version last = 14;

  LogReaderTest() {
    table = create();
    for (int i = 0; i < last; ++i) append(*table, i * 10, i * 10 + 10, with_txn("p", i));
  }
  std::string commit(Version version) const { return Location{"lake", "t"}.commit_key(version); }
  Result<std::shared_ptr<const Snapshot>> load(std::optional<Version> version = {}) {
    return wait(LogReader(services, {"lake", "t"}).load(version));
  }
  Code code_of_load(std::optional<Version> version = {}) {
    auto loaded = load(version);
    return loaded ? Code::internal : loaded.error().code();
  }
  void put(Version version, const std::string& line) { store.put_now(commit(version), line); }

  std::unique_ptr<Table> table;
};

TEST_F(LogReaderTest, a_checkpoint_was_made_by_itself_and_is_used) {
  EXPECT_TRUE(store.get_now("t/_delta_log/00000000000000000010.checkpoint.parquet"));
  auto hint = parse_last_checkpoint(*store.get_now("t/_delta_log/_last_checkpoint"));
  ASSERT_TRUE(hint);
  EXPECT_EQ(hint->version, 10);
  EXPECT_EQ(hint->files, 10);
  for (Version version = 0; version < 10; ++version) store.remove_now(commit(version));
  auto loaded = load();
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ((*loaded)->checkpoint_version(), 10);
  EXPECT_EQ((*loaded)->txn_version("p"), last - 1);
  EXPECT_EQ(rows_of(**loaded), from_to(0, last * 10));
}

TEST_F(LogReaderTest, every_kind_of_hint_is_survived) {
  std::string key = "t/_delta_log/_last_checkpoint";
  for (std::string hint : {"", "{", "[]", R"({"version":-1})", R"({"version":"10"})",
                           R"({"version":3,"size":1})", R"({"version":9000,"size":1})"}) {
    store.put_now(key, hint);
    auto loaded = load();
    ASSERT_TRUE(loaded) << hint << ": " << loaded.error().text();
    EXPECT_EQ((*loaded)->version(), last) << hint;
    EXPECT_EQ((*loaded)->rows(), last * 10) << hint;
  }
  store.remove_now(key);
  EXPECT_EQ((*load())->version(), last);
}

TEST_F(LogReaderTest, a_corrupt_checkpoint_costs_time_and_not_truth) {
  std::string key = "t/_delta_log/00000000000000000010.checkpoint.parquet";
  std::string good = *store.get_now(key);
  for (std::string bad :
       {std::string(), std::string("PAR1PAR1"), good.substr(0, good.size() / 2)}) {
    store.put_now(key, bad);
    auto loaded = load();
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_EQ((*loaded)->rows(), last * 10);
    EXPECT_EQ((*loaded)->checkpoint_version(), -1);
  }
  store.remove_now(commit(0));
  EXPECT_EQ(code_of_load(), Code::corrupt);
}

TEST_F(LogReaderTest, an_incomplete_multi_part_checkpoint_is_not_one) {
  std::string whole = "t/_delta_log/00000000000000000010.checkpoint.parquet";
  std::string part = "t/_delta_log/00000000000000000010.checkpoint.0000000001.000000000{}.parquet";
  std::string bytes = *store.get_now(whole);
  store.remove_now(whole);
  store.put_now(fmt::format(fmt::runtime(part), 2), bytes);
  EXPECT_EQ((*load())->checkpoint_version(), -1);
  store.put_now(fmt::format(fmt::runtime(part), 1), bytes);
  auto loaded = load();
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ((*loaded)->checkpoint_version(), 10);
  EXPECT_EQ((*loaded)->rows(), last * 10);
}

TEST_F(LogReaderTest, a_torn_last_commit_is_named_and_never_passed) {
  std::string good = *store.get_now(commit(last));
  for (std::string torn :
       {std::string(), std::string("{\"add\":{\"pa"), good.substr(0, good.size() - 5)}) {
    store.put_now(commit(last), torn);
    auto loaded = load();
    ASSERT_FALSE(loaded) << torn;
    EXPECT_EQ(loaded.error().code(), Code::corrupt);
    EXPECT_NE(loaded.error().text().find(commit(last)), std::string::npos);
  }
  store.put_now(commit(last + 1), "");
  store.put_now(commit(last), good);
  auto refused = wait(table->write(WriteMode::append, numbers(0, 1), {}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::corrupt);
  EXPECT_EQ(store.get_now(commit(last + 1)), "") << "not overwritten";
}

TEST_F(LogReaderTest, a_gap_is_an_error_and_names_the_missing_version) {
  store.remove_now(commit(12));
  auto loaded = load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), Code::corrupt);
  EXPECT_NE(loaded.error().text().find("commit 12"), std::string::npos);
}

TEST_F(LogReaderTest, versions_beyond_the_log_are_not_found) {
  EXPECT_EQ(code_of_load(last + 1), Code::not_found);
  EXPECT_EQ(code_of_load(-1), Code::not_found);
  for (Version version = 0; version < 5; ++version) store.remove_now(commit(version));
  EXPECT_EQ(code_of_load(7), Code::not_found) << "neither a checkpoint nor all commits";
  EXPECT_TRUE(load(11));
}

TEST_F(LogReaderTest, every_version_is_what_it_was) {
  for (Version version = 0; version <= last; ++version) {
    auto loaded = load(version);
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_EQ((*loaded)->rows(), version * 10);
  }
}

TEST_F(LogReaderTest, litter_in_the_log_directory_is_ignored) {
  for (auto name : {"_tmp", "00000000000000000014.json.tmp", ".00000000000000000014.json.crc",
                    "00000000000000000014.crc", "99999999999999999999.json.part", "a.json",
                    "00000000000000000012.checkpoint.4ab1.parquet", "-0000000000000000001.json"}) {
    store.put_now(std::string("t/_delta_log/") + name, "litter");
  }
  EXPECT_EQ((*load())->version(), last);
}

TEST_F(LogReaderTest, unknown_reader_features_are_refused_by_name) {
  put(last + 1, R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,)"
                R"("readerFeatures":["variantType","deletionVectors"],"writerFeatures":[]}})");
  auto loaded = load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), Code::invalid);
  EXPECT_NE(loaded.error().text().find("variantType"), std::string::npos);
  EXPECT_EQ(loaded.error().text().find("deletionVectors"), std::string::npos);
}

TEST_F(LogReaderTest, a_table_with_unknown_writer_features_is_read_but_not_written) {
  put(last + 1, R"({"protocol":{"minReaderVersion":1,"minWriterVersion":7,)"
                R"("writerFeatures":["appendOnly","rowTracking"]}})");
  ASSERT_TRUE(wait(table->refresh()));
  auto refused = wait(table->write(WriteMode::append, numbers(0, 1), {}));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("rowTracking"), std::string::npos);
}

TEST_F(LogReaderTest, a_checksum_that_counts_other_files_is_believed) {
  std::string key = Location{"lake", "t"}.checksum_key(10);
  std::string good = *store.get_now(key);
  EXPECT_NE(good.find(R"("numFiles":10)"), std::string::npos) << good;
  EXPECT_EQ((*load())->checkpoint_version(), 10);
  store.put_now(key, R"({"numFiles":9})");
  auto loaded = load();
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ((*loaded)->checkpoint_version(), -1) << "the commits tell it without the checkpoint";
  EXPECT_EQ(code_of_load(10), Code::corrupt);
  store.put_now(key, "torn {");
  EXPECT_EQ((*load())->checkpoint_version(), 10);
}

TEST_F(LogReaderTest, a_log_compaction_stands_in_for_its_commits) {
  std::string lines;
  for (Version version = 11; version <= 13; ++version) {
    std::string commit_lines = *store.get_now(commit(version));
    lines += commit_lines.substr(commit_lines.find('\n') + 1);  // without commitInfo
    store.remove_now(commit(version));
  }
  std::string key = "t/_delta_log/00000000000000000011.00000000000000000013.compacted.json";
  // Each commit has a txn of the same application: a compaction has the last one alone.
  size_t txn = lines.find(R"({"txn")");
  store.put_now(key, lines.substr(0, txn) + lines.substr(lines.find('\n', txn) + 1));
  auto loaded = load();
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ((*loaded)->version(), last);
  EXPECT_EQ((*loaded)->rows(), last * 10);
  EXPECT_EQ(code_of_load(12), Code::not_found);
  store.put_now(key, "{");
  EXPECT_NE(code_of_load(), Code::internal) << "without its commits it was needed";
}

TEST_F(LogReaderTest, v2_checkpoints_are_read_with_their_sidecars) {
  std::string classic = "t/_delta_log/00000000000000000010.checkpoint.parquet";
  std::string rows = *store.get_now(classic);
  store.remove_now(classic);
  for (Version version = 0; version < 10; ++version) store.remove_now(commit(version));
  store.put_now("t/_delta_log/_sidecars/side.parquet", rows);
  std::string own;
  encode((*table->snapshot()).protocol(), own);
  encode((*table->snapshot()).metadata(), own);
  std::string uuid = "00000000-0000-4000-8000-000000000001";
  store.put_now("t/_delta_log/00000000000000000010.checkpoint." + uuid + ".json",
                own + R"({"checkpointMetadata":{"version":10}})" + "\n" +
                    R"({"sidecar":{"path":"side.parquet","sizeInBytes":1,"modificationTime":1}})" +
                    "\n");
  auto loaded = load();
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ((*loaded)->checkpoint_version(), 10);
  EXPECT_EQ((*loaded)->rows(), last * 10);
  store.remove_now("t/_delta_log/_sidecars/side.parquet");
  EXPECT_NE(code_of_load(), Code::internal);
}

TEST_F(LogReaderTest, a_thousand_commits_are_read_in_order) {
  std::string lines;
  for (Version version = last + 1; version <= 1014; ++version) {
    put(version, fmt::format(R"({{"txn":{{"appId":"p","version":{}}}}})", version));
  }
  EXPECT_EQ((*load())->txn_version("p"), 1014);
}

}  // namespace
}  // namespace pinpipe::lake
