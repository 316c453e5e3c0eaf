#include "lake/scan.h"

#include <gmock/gmock.h>

#include "kit/lake_fixture.h"
#include "lake/catalog.h"

namespace pinpipe::lake {
namespace {

struct ScanTest : LakeTest {
  // The answer's cells, '|' between columns and newlines between rows.
  std::string answer(const Snapshot& snapshot, const std::string& columns,
                     const std::string& name = "t") {
    auto scanned = wait(scan(services, {"lake", name}, std::make_shared<const Snapshot>(snapshot)));
    EXPECT_TRUE(scanned) << scanned.error().text();
    if (!scanned) return "";
    auto connection = connect();
    auto table =
        (*connection)
            ->query("SELECT " + columns + " FROM (" + scanned->select + ") AS t ORDER BY 1, 2");
    EXPECT_TRUE(table) << table.error().text();
    std::string text;
    if (!table) return text;
    for (const sql::Row& row : table->rows) {
      for (const sql::Value& cell : row) text += sql::to_text(cell) + "|";
      text += "\n";
    }
    return text;
  }
};

TEST_F(ScanTest, a_table_without_rows_still_has_its_columns) {
  auto table = create();
  EXPECT_EQ(answer(*table->snapshot(), "count(n), max(text)"), "0||\n");
}

TEST_F(ScanTest, columns_that_older_files_lack_are_null) {
  auto table = create();
  append(*table, 0, 2);
  CommitFacts facts;
  facts.schema_change = SchemaChange::add_columns;
  auto more = encoded("SELECT 7::BIGINT AS n, 'x' AS text, [1.5::DOUBLE] AS coordinates");
  ASSERT_TRUE(wait(table->write(WriteMode::append, std::move(more), facts)));
  EXPECT_EQ(answer(*table->snapshot(), "n, coordinates"), "0||\n1||\n7|[1.5]|\n");
}

TEST_F(ScanTest, partition_columns_come_from_the_log) {
  auto table = create();
  append(*table, 0, 2);
  std::string path = (*table->snapshot()->files().begin())->path;
  std::string schema =
      R"({\"type\":\"struct\",\"fields\":[)"
      R"({\"name\":\"n\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},)"
      R"({\"name\":\"day\",\"type\":\"date\",\"nullable\":true,\"metadata\":{}},)"
      R"({\"name\":\"tag\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}]})";
  store.put_now("p/_delta_log/00000000000000000000.json",
                R"({"protocol":{"minReaderVersion":1,"minWriterVersion":2}})"
                "\n" +
                    fmt::format(R"({{"metaData":{{"id":"i","schemaString":"{}",)"
                                R"("partitionColumns":["day","tag"]}}}})",
                                schema) +
                    "\n" +
                    R"({"add":{"path":"day=1/a%20b","size":1,"partitionValues":)"
                    R"({"day":"2024-01-02","tag":"it's"}}})" +
                    "\n" +
                    R"({"add":{"path":"c","size":1,"partitionValues":)"
                    R"({"day":null,"tag":""}}})" +
                    "\n");
  store.put_now("p/day=1/a b", *store.get_now("t/" + path));
  store.put_now("p/c", *store.get_now("t/" + path));
  auto other = open("p");
  ASSERT_NE(other, nullptr);
  EXPECT_EQ(answer(*other->snapshot(), "n, day, tag", "p"),
            "0|||\n0|2024-01-02|it's|\n1|||\n1|2024-01-02|it's|\n");
}

TEST_F(ScanTest, a_missing_data_file_is_named) {
  auto table = create();
  append(*table, 0, 2);
  std::string path = (*table->snapshot()->files().begin())->path;
  store.remove_now("t/" + path);
  auto scanned = wait(scan(services, {"lake", "t"}, table->snapshot()));
  ASSERT_FALSE(scanned);
  EXPECT_EQ(scanned.error().code(), Code::not_found);
  EXPECT_NE(scanned.error().text().find(path), std::string::npos);
}

TEST_F(ScanTest, tables_are_found_and_described) {
  auto table = create("b");
  append(*table, 0, 5, with_txn("p", 4));
  create("a");
  store.put_now("no_table/file", "x");
  auto tables = wait(list_tables(services, "lake"));
  ASSERT_TRUE(tables);
  EXPECT_EQ(*tables, (std::vector<Location>{{"lake", "a"}, {"lake", "b"}}));
  TableDetails details = describe(table->location(), *table->snapshot());
  EXPECT_EQ(details.rows, 5);
  EXPECT_EQ(details.files, 1);
  EXPECT_EQ(details.version, 1);
  EXPECT_EQ(details.txns.at("p"), 4);
  EXPECT_EQ(details.modified_ms, clock.wall_ms());
}

}  // namespace
}  // namespace pinpipe::lake
