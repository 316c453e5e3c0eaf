#include "jobs/clean_tables.h"

#include <gtest/gtest.h>

#include "kit/temporary_directory.h"

namespace pinpipe::jobs {
namespace {

struct CleanTablesTest : testing::Test {
  kit::TemporaryDirectory directory;
  CleanTables tables{io::posix_files(), directory.path() + "/tables"};
  std::unique_ptr<sql::Engine> engine;
  std::unique_ptr<sql::Connection> connection;

  void SetUp() override {
    auto opened = sql::Engine::open({.temp_root = directory.path(), .readable_directories = {}});
    ASSERT_TRUE(opened) << opened.error().text();
    engine = std::move(*opened);
    connection = std::move(*engine->connect());
  }

  CleanTable write(const std::string& run, int rows) {
    auto made = connection->create_table(
        {"clean", "pin"}, "SELECT range AS ind FROM range(" + std::to_string(rows) + ")");
    EXPECT_TRUE(made);
    auto table = tables.write(*connection, "pin", run);
    EXPECT_TRUE(table) << table.error().text();
    return *table;
  }
};

TEST_F(CleanTablesTest, nothing_is_current_before_the_first_publication) {
  EXPECT_EQ(tables.current()->run, "");
  write("one", 3);
  EXPECT_EQ(tables.current()->run, "");
}

TEST_F(CleanTablesTest, a_publication_replaces_the_last_and_spares_its_files_once) {
  auto first = write("one", 3);
  ASSERT_TRUE(tables.publish({.run = "one", .tables = {first}}));
  auto second = write("two", 5);
  ASSERT_TRUE(tables.publish({.run = "two", .tables = {second}}));
  EXPECT_EQ(tables.current()->tables[0].rows, 5);
  EXPECT_TRUE(io::posix_files().exists(first.files[0]));
  ASSERT_TRUE(tables.publish({.run = "three", .tables = {write("three", 1)}}));
  EXPECT_FALSE(io::posix_files().exists(first.files[0]));
  EXPECT_TRUE(io::posix_files().exists(second.files[0]));
}

TEST_F(CleanTablesTest, a_damaged_pointer_is_said_not_guessed) {
  ASSERT_TRUE(tables.publish({.run = "one", .tables = {write("one", 3)}}));
  ASSERT_TRUE(io::posix_files().replace(directory.path() + "/tables/current.json", "{\"run\":"));
  EXPECT_EQ(tables.current().error().code(), Code::corrupt);
}

}  // namespace
}  // namespace pinpipe::jobs
