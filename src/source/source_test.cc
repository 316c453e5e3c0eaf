#include "source/source.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "io/files.h"
#include "kit/temporary_directory.h"
#include "source/datetime.h"
#include "source/sqlite.h"

namespace pinpipe::source {
namespace {

constexpr Generator::Options small = {.rows = 3'000, .seed = 5};

std::string text_of(const Row& row) {
  std::string text(row.schema().name);
  for (size_t i = 0; i < row.size(); ++i) {
    bool number = row.kind(i) == Kind::integer || row.kind(i) == Kind::datetime;
    text += "|" + (number ? std::to_string(row.integer(i)) : std::string(row.text(i)));
  }
  return text;
}

class SqliteSourceTest : public testing::Test {
 protected:
  std::string path() const { return directory_.path() + "/deep/source.db"; }
  std::unique_ptr<SqliteSource> opened(Generator::Options rows = small) {
    auto source = SqliteSource::open_or_create(files_, path(), rows);
    EXPECT_TRUE(source) << source.error().text();
    return std::move(*source);
  }
  // The texts of the first column of every row that `sql` gives.
  std::vector<std::string> ask(const std::string& sql) {
    sqlite3* database = nullptr;
    sqlite3_open(path().c_str(), &database);
    std::vector<std::string> texts;
    auto collect = [](void* into, int, char** values, char**) {
      static_cast<std::vector<std::string>*>(into)->emplace_back(values[0] ? values[0] : "NULL");
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), collect, &texts, nullptr), SQLITE_OK);
    sqlite3_close(database);
    return texts;
  }

  kit::TemporaryDirectory directory_;
  io::Files& files_ = io::posix_files();
};

TEST_F(SqliteSourceTest, holds_the_generated_rows_value_for_value) {
  auto source = opened();
  GeneratedSource generated(small);
  Row stored, made;
  for (Table table : all_tables) {
    EXPECT_EQ(*source->count(table), 3'000U);
    for (uint64_t index = 0; index < 3'000; index += 7) {
      ASSERT_TRUE(source->read(table, index, stored));
      ASSERT_TRUE(generated.read(table, index, made));
      ASSERT_EQ(text_of(stored), text_of(made));
    }
  }
}

TEST_F(SqliteSourceTest, ranges_come_in_index_order_and_end_with_the_table) {
  auto source = opened();
  std::vector<int64_t> indexes;
  Row row;
  auto collect = [&](const Row& found) {
    indexes.push_back(found.integer(0));
    return true;
  };
  ASSERT_TRUE(source->read_range(Table::geo, 2'998, 100, row, collect));
  EXPECT_EQ(indexes, (std::vector<int64_t>{2'998, 2'999}));
  indexes.clear();
  ASSERT_TRUE(source->read_range(Table::user, 10, 3, row, collect));
  EXPECT_EQ(indexes, (std::vector<int64_t>{10, 11, 12}));
  ASSERT_TRUE(source->read_range(Table::user, UINT64_MAX - 1, 3, row, collect));
  EXPECT_EQ(indexes.size(), 3U);
}

TEST_F(SqliteSourceTest, a_row_beyond_the_end_is_not_found) {
  auto source = opened();
  Row row;
  EXPECT_EQ(source->read(Table::pin, 3'000, row).error().code(), Code::not_found);
  GeneratedSource generated(small);
  EXPECT_EQ(generated.read(Table::pin, 3'000, row).error().code(), Code::not_found);
}

TEST_F(SqliteSourceTest, limit_without_order_by_gives_the_index_as_the_scripts_expect) {
  opened();
  EXPECT_EQ(ask("SELECT `index` FROM pinterest_data LIMIT 2863, 1"),
            std::vector<std::string>{"2863"});
  EXPECT_EQ(ask("SELECT ind FROM geolocation_data LIMIT 731, 1"), std::vector<std::string>{"731"});
  EXPECT_EQ(ask("SELECT count(*) FROM user_data"), std::vector<std::string>{"3000"});
}

TEST_F(SqliteSourceTest, columns_have_their_declared_types) {
  // SQLite itself spells the standard type names in capitals.
  opened();
  EXPECT_EQ(ask("SELECT type FROM pragma_table_info('geolocation_data')"),
            (std::vector<std::string>{"INTEGER", "datetime", "float", "float", "TEXT"}));
  EXPECT_EQ(ask("SELECT DISTINCT typeof(latitude) FROM geolocation_data"),
            std::vector<std::string>{"real"});
  EXPECT_EQ(ask("SELECT DISTINCT typeof(date_joined) FROM user_data"),
            std::vector<std::string>{"text"});
}

TEST_F(SqliteSourceTest, an_existing_file_is_opened_as_it_is) {
  opened({.rows = 40, .seed = 1});
  EXPECT_EQ(*opened({.rows = 99, .seed = 2})->count(Table::pin), 40U);
  EXPECT_EQ(SqliteSource::create(files_, path(), small).error().code(), Code::conflict);
}

TEST_F(SqliteSourceTest, a_part_that_a_crash_left_is_replaced) {
  ASSERT_TRUE(files_.make_directories(directory_.path() + "/deep"));
  ASSERT_TRUE(files_.replace(path() + ".part", "half a database"));
  EXPECT_EQ(*opened()->count(Table::user), 3'000U);
  EXPECT_FALSE(files_.exists(path() + ".part"));
}

TEST_F(SqliteSourceTest, a_file_that_is_something_else_is_refused_by_name) {
  ASSERT_TRUE(files_.make_directories(directory_.path() + "/deep"));
  ASSERT_TRUE(files_.replace(path(), "this is no database, it is a sentence in a file of its own"));
  auto source = SqliteSource::open(files_, path());
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code(), Code::invalid);
  EXPECT_NE(source.error().text().find(path()), std::string::npos);
  EXPECT_EQ(SqliteSource::open(files_, path() + "x").error().code(), Code::not_found);
}

TEST_F(SqliteSourceTest, progress_ends_with_all_rows) {
  uint64_t last = 0, total = 0;
  ASSERT_TRUE(
      SqliteSource::create(files_, path(), {.rows = 8'000}, [&](uint64_t done, uint64_t all) {
        EXPECT_GT(done, last);
        last = done;
        total = all;
      }));
  EXPECT_EQ(last, 24'000U);
  EXPECT_EQ(total, 24'000U);
}

TEST(Schema, tables_are_known_by_both_names) {
  EXPECT_EQ(table_named("pin"), Table::pin);
  EXPECT_EQ(table_named("geolocation_data"), Table::geo);
  EXPECT_EQ(table_named("users"), std::nullopt);
  EXPECT_EQ(schema_of(Table::pin).columns.size(), 12U);
}

TEST(Datetime, reads_back_what_it_writes) {
  std::string text;
  append_datetime(text, 1'598'586'767, DatetimeStyle::blank);
  EXPECT_EQ(text, "2020-08-28 03:52:47");
  EXPECT_EQ(parse_datetime(text), 1'598'586'767);
  EXPECT_EQ(parse_datetime("2020-08-28T03:52:47"), 1'598'586'767);
  for (std::string_view bad :
       {"", "2020-08-28", "2020-13-28 03:52:47", "2020-02-30 03:52:47", "2020-08-28 24:00:00",
        "2020-08-28 03:52:4x", "2020/08/28 03:52:47"}) {
    EXPECT_EQ(parse_datetime(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace pinpipe::source
