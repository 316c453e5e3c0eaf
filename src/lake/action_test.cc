#include "lake/action.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "kit/seed.h"
#include "lake/conflict.h"

namespace pinpipe::lake {
namespace {

Result<Actions> decode(std::string_view bytes) {
  codec::JsonScanner scanner;
  return decode_commit(scanner, bytes);
}

AddFile some_add(std::string path) {
  AddFile add;
  add.path = std::move(path);
  add.partition_values = {{"day", "2024-01-01"}, {"null", std::nullopt}};
  add.size = 9'007'199'254'740'993;
  add.modified_ms = 1;
  add.stats = R"({"numRecords":3,"minValues":{"a":"\"\\\n\u0001"}})";
  add.tags = R"({"k":"v"})";
  return add;
}

TEST(ActionTest, what_is_written_is_read_back) {
  Protocol protocol{.min_reader_version = 3,
                    .min_writer_version = 7,
                    .reader_features = std::vector<std::string>{"deletionVectors"},
                    .writer_features = std::vector<std::string>{"deletionVectors", "appendOnly"}};
  Metadata metadata;
  metadata.id = "id";
  metadata.name = "näme \"x\"";
  metadata.schema_string = R"({"type":"struct","fields":[]})";
  metadata.partition_columns = {"day", "null"};
  metadata.configuration = {{"delta.appendOnly", "true"}, {"", "\n"}};
  metadata.created_ms = 5;
  AddFile add = some_add("part%20é");
  RemoveFile remove{
      .path = "old",
      .deleted_ms = 7,
      .data_change = false,
      .size = 3,
      .partition_values = {{"day", std::nullopt}},
      .deletion_vector = R"({"storageType":"u","pathOrInlineDv":"ab","offset":1,"sizeInBytes":4})",
      .deletion_vector_id = "uab@1"};
  Txn txn{.app_id = "app/\"0", .version = INT64_MAX, .updated_ms = 8};
  std::string bytes;
  encode(protocol, bytes);
  encode(metadata, bytes);
  encode(add, bytes);
  encode(remove, bytes);
  encode(txn, bytes);
  auto actions = decode(bytes);
  ASSERT_TRUE(actions) << actions.error().text();
  EXPECT_EQ(actions->protocol, protocol);
  EXPECT_EQ(actions->metadata, metadata);
  EXPECT_EQ(actions->adds, std::vector<AddFile>{add});
  EXPECT_EQ(actions->removes, std::vector<RemoveFile>{remove});
  EXPECT_EQ(actions->txns, std::vector<Txn>{txn});
}

TEST(ActionTest, commit_info_is_read_back_and_others_may_nest) {
  CommitInfo info;
  info.timestamp_ms = 5;
  info.operation = "WRITE";
  info.parameters = {{"mode", "Append"}};
  info.read_version = 4;
  info.isolation_level = "Serializable";
  info.is_blind_append = true;
  info.metrics = {{"numFiles", "1"}};
  info.user_metadata = "{}";
  info.engine = "pinpipe";
  info.txn_id = "uuid";
  info.positions = {{.source = "s", .from = "1", .to = "2"}};
  info.project_sql_sha256 = "ff";
  std::string bytes;
  encode(info, bytes);
  auto actions = decode(bytes);
  ASSERT_TRUE(actions) << actions.error().text();
  auto again = decode_commit_info(actions->commit_info);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, info);
  auto theirs = decode_commit_info(
      R"({"operationParameters":{"partitionBy":["a"],"n":1},"operationMetrics":{"rows":7}})");
  ASSERT_TRUE(theirs);
  EXPECT_EQ(theirs->parameters.at("partitionBy"), R"(["a"])");
  EXPECT_EQ(theirs->metrics.at("rows"), "7");
}

TEST(ActionTest, unknown_actions_and_members_are_ignored) {
  auto actions = decode(
      "{\"futureAction\":{\"a\":1}}\r\n\n"
      R"({"add":{"path":"p","size":1,"futureMember":[{}],"stats":null,"partitionValues":{"x":""}}})");
  ASSERT_TRUE(actions) << actions.error().text();
  ASSERT_EQ(actions->adds.size(), 1U);
  EXPECT_EQ(actions->adds[0].partition_values[0].second, std::nullopt) << "empty text means null";
}

TEST(ActionTest, malformed_commits_are_corrupt_and_say_where) {
  for (std::string_view bad :
       {"", "\n \n", "{", "[]", "{\"add\":{\"path\":\"p\"}}\n{\"add\":", R"({"add":{}})",
        R"({"add":{"path":5}})", R"({"add":{"path":"p","size":-1}})", R"({"txn":{"appId":"a"}})",
        R"({"txn":{"appId":"a","version":1.5}})", R"({"protocol":{"minReaderVersion":1}})",
        R"({"metaData":{"schemaString":7}})", R"({"remove":{"path":"a","deletionVector":{}}})",
        R"({"add":{"path":"p","partitionValues":[]}})"}) {
    auto actions = decode(bad);
    ASSERT_FALSE(actions) << bad;
    EXPECT_EQ(actions.error().code(), Code::corrupt) << bad;
  }
  auto second = decode("{\"txn\":{\"appId\":\"a\",\"version\":1}}\n{\"txn\":{}}");
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().text().find("line 2"), std::string::npos) << second.error().text();
}

TEST(ActionTest, one_commit_has_one_schema_and_one_protocol) {
  std::string twice;
  encode(Protocol{}, twice);
  encode(Protocol{}, twice);
  EXPECT_FALSE(decode(twice));
}

TEST(ActionTest, paths_are_decoded_once_and_stay_inside) {
  EXPECT_EQ(*decode_path("x=A%252FA/part-1%20b.parquet"), "x=A%2FA/part-1 b.parquet");
  EXPECT_EQ(*decode_path("x=\xF0\x9F\x98\x80/p"), "x=\xF0\x9F\x98\x80/p");
  for (auto bad : {"/etc/passwd", "%2Fetc", "../p", "a/../../p", "a/%2e%2e/p", "s3://b/p",
                   "file:/p", "a%2", "a%zz", "a%00b", ".."}) {
    EXPECT_FALSE(decode_path(bad)) << bad;
  }
  EXPECT_TRUE(decode_path("a..b/..c"));
}

TEST(ActionTest, every_byte_survives_path_encoding) {
  Random random(kit::seed());
  for (int round = 0; round < 2'000; ++round) {
    std::string path = "p";
    for (int i = 0; i < 20; ++i) path += static_cast<char>(1 + random.below(255));
    if (path.find("://") != std::string::npos) continue;
    auto back = decode_path(encode_path(path));
    if (path.find("..") == std::string::npos) {
      ASSERT_TRUE(back) << back.error().text();
      EXPECT_EQ(*back, path);
    }
  }
}

struct ConflictTest : testing::Test {
  static CommitPlan append() {
    CommitPlan plan;
    plan.adds.push_back(some_add("mine"));
    return plan;
  }
  static CommitPlan overwrite() {
    CommitPlan plan = append();
    plan.reads_all = true;
    plan.removes.push_back(RemoveFile{.path = "old"});
    return plan;
  }
  static CommitPlan compaction() {
    CommitPlan plan = append();
    plan.removes.push_back(RemoveFile{.path = "old", .data_change = false});
    return plan;
  }
  static bool allowed(const CommitPlan& plan, const Actions& winner) {
    auto checked = check_conflict(plan, winner, 5);
    if (!checked) EXPECT_EQ(checked.error().code(), Code::conflict);
    return checked.has_value();
  }
};

TEST_F(ConflictTest, appended_rows_conflict_only_with_who_read_the_table) {
  Actions winner;
  winner.adds.push_back(some_add("theirs"));
  EXPECT_TRUE(allowed(append(), winner));
  EXPECT_TRUE(allowed(compaction(), winner));
  EXPECT_FALSE(allowed(overwrite(), winner));
}

TEST_F(ConflictTest, removed_files_conflict_with_who_removes_them_too) {
  Actions winner;
  winner.removes.push_back(RemoveFile{.path = "old", .data_change = false});
  winner.adds.push_back(some_add("theirs"));
  winner.adds[0].data_change = false;
  EXPECT_TRUE(allowed(append(), winner));
  EXPECT_FALSE(allowed(compaction(), winner));
  EXPECT_FALSE(allowed(overwrite(), winner));
  winner.removes[0].path = "another";
  EXPECT_TRUE(allowed(compaction(), winner));
  EXPECT_TRUE(allowed(overwrite(), winner)) << "the same rows in other files";
}

TEST_F(ConflictTest, a_new_schema_or_protocol_conflicts_with_everybody) {
  Actions schema;
  schema.metadata = Metadata{};
  Actions protocol;
  protocol.protocol = Protocol{};
  for (const CommitPlan& plan : {append(), overwrite(), compaction()}) {
    EXPECT_FALSE(allowed(plan, schema));
    EXPECT_FALSE(allowed(plan, protocol));
  }
}

TEST_F(ConflictTest, only_the_same_application_conflicts_by_txn) {
  Actions winner;
  winner.txns.push_back({.app_id = "a", .version = 5, .updated_ms = {}});
  CommitPlan same = append();
  same.txns.push_back({.app_id = "a", .version = 9, .updated_ms = {}});
  CommitPlan other = append();
  other.txns.push_back({.app_id = "b", .version = 9, .updated_ms = {}});
  EXPECT_FALSE(allowed(same, winner));
  EXPECT_TRUE(allowed(other, winner));
}

}  // namespace
}  // namespace pinpipe::lake
