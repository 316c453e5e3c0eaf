#include "state/database.h"

#include <gtest/gtest.h>

#include "kit/temporary_directory.h"

namespace pinpipe::state {
namespace {

constexpr std::string_view first_version[] = {
    "CREATE TABLE facts (name TEXT PRIMARY KEY, size INTEGER, note TEXT, bytes BLOB)"};
constexpr std::string_view second_version[] = {first_version[0],
                                               "ALTER TABLE facts ADD COLUMN weight REAL;"
                                               "CREATE INDEX facts_size ON facts (size)"};

class DatabaseTest : public testing::Test {
 protected:
  std::unique_ptr<Database> open(std::span<const std::string_view> migrations = first_version) {
    auto opened = Database::open(directory_.path() + "/facts.db", migrations);
    EXPECT_TRUE(opened) << opened.error().text();
    return std::move(*opened);
  }

  static Status put(Database& database, std::string name, int64_t size) {
    return database.write([&](Connection& c) {
      return c.run("INSERT INTO facts (name, size, note, bytes) VALUES (?, ?, ?, ?)",
                   {name, size, nullptr, Blob{std::string_view("\0\1", 2)}});
    });
  }

  static std::vector<std::string> names(Database& database) {
    auto found = database.read([](Connection& c) -> Result<std::vector<std::string>> {
      std::vector<std::string> names;
      Rows rows = c.query("SELECT name FROM facts ORDER BY name");
      while (rows.next()) names.push_back(rows.text(0));
      if (!rows.status()) return rows.status().error();
      return names;
    });
    EXPECT_TRUE(found);
    return *found;
  }

  kit::TemporaryDirectory directory_;
};

TEST_F(DatabaseTest, what_was_written_is_there_after_opening_again) {
  ASSERT_TRUE(put(*open(), "a", 7));
  auto database = open();
  auto found = database->read([](Connection& c) -> Result<bool> {
    Rows rows = c.query("SELECT size, note, bytes FROM facts WHERE name = ?", {"a"});
    if (!rows.next()) return Error(Code::not_found, "no row");
    return rows.integer(0) == 7 && rows.is_null(1) && !rows.maybe_text(1) &&
           rows.text(2) == std::string_view("\0\1", 2);
  });
  ASSERT_TRUE(found);
  EXPECT_TRUE(*found);
}

TEST_F(DatabaseTest, a_failed_transaction_leaves_nothing) {
  auto database = open();
  Status failed = database->write([&](Connection& c) -> Status {
    Status done = c.run("INSERT INTO facts (name) VALUES (?)", {"a"});
    EXPECT_TRUE(done);
    return Error(Code::invalid, "changed my mind");
  });
  EXPECT_EQ(failed.error().code(), Code::invalid);
  EXPECT_TRUE(names(*database).empty());
}

TEST_F(DatabaseTest, a_broken_constraint_is_a_conflict) {
  auto database = open();
  ASSERT_TRUE(put(*database, "a", 1));
  EXPECT_EQ(put(*database, "a", 2).error().code(), Code::conflict);
  EXPECT_TRUE(put(*database, "b", 2));
}

TEST_F(DatabaseTest, an_older_schema_is_brought_forward_and_a_newer_one_is_refused) {
  ASSERT_TRUE(put(*open(), "a", 1));
  {
    auto database = open(second_version);
    Status set =
        database->write([](Connection& c) { return c.run("UPDATE facts SET weight = ?", {1.5}); });
    EXPECT_TRUE(set);
    EXPECT_EQ(names(*database), std::vector<std::string>{"a"});
  }
  auto refused = Database::open(directory_.path() + "/facts.db", first_version);
  EXPECT_EQ(refused.error().code(), Code::invalid);
  EXPECT_NE(refused.error().text().find("newer"), std::string::npos);
}

TEST_F(DatabaseTest, a_file_that_is_no_database_is_corrupt) {
  ASSERT_TRUE(io::posix_files().replace(directory_.path() + "/facts.db", std::string(4096, 'x')));
  auto opened = Database::open(directory_.path() + "/facts.db", first_version);
  EXPECT_EQ(opened.error().code(), Code::corrupt);
}

TEST_F(DatabaseTest, bad_sql_is_an_error_with_sqlites_words) {
  auto database = open();
  Status failed =
      database->write([](Connection& c) { return c.run("INSERT INTO nowhere VALUES (1)"); });
  EXPECT_NE(failed.error().text().find("no such table"), std::string::npos);
}

}  // namespace
}  // namespace pinpipe::state
