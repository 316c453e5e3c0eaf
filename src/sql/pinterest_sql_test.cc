// The cleaning SQL of the Pinterest project, row by row: what becomes null, a number, a time, a
// refusal.
#include <gmock/gmock.h>
#include <sstream>

#include "sql/engine_fixture.h"

namespace pinpipe::sql {
namespace {

class PinterestSqlTest : public EngineTest {
 protected:
  static std::string file(const std::string& path) {
    std::ifstream stream(std::filesystem::path(PINPIPE_SOURCE_DIR) / "projects/pinterest/sql" /
                         path);
    EXPECT_TRUE(stream) << path;
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
  }

  // What cleaning makes of one post whose `column` holds the SQL expression `value`.
  std::string cleaned(const std::string& column, const std::string& value) {
    std::string row = "select 1 as \"index\"";
    for (const char* name :
         {"unique_id", "title", "description", "poster_name", "follower_count", "tag_list",
          "is_image_or_video", "image_src", "save_location", "category"}) {
      row += std::string(", ") + (column == name ? value : "'x'") + " as " + name;
    }
    EXPECT_TRUE(connection_->create_table({"raw", "pin"}, row + ", 1 as downloaded"));
    auto table = connection_->query(file("clean/pin.sql"));
    EXPECT_TRUE(table) << table.error().text();
    if (!table || table->rows.empty()) return "no row";
    const Value& cell = table->rows[0][static_cast<size_t>(table->column(column))];
    return cell.is_null() ? "null" : to_text(cell);
  }

  std::string types_of(const std::string& sql) {
    std::string types;
    auto table = connection_->query(sql);
    EXPECT_TRUE(table) << table.error().text();
    if (!table) return types;
    for (const ColumnHead& head : table->columns) types += head.name + " " + head.type + ", ";
    return types;
  }
};

TEST_F(PinterestSqlTest, placeholders_become_null_each_in_its_own_column) {
  for (auto [column, placeholder] : {std::pair{"title", "No Title Data Available"},
                                     {"description", "No description available Story format"},
                                     {"description", "No description available"},
                                     {"description", "Untitled"},
                                     {"poster_name", "User Info Error"},
                                     {"follower_count", "User Info Error"},
                                     {"tag_list", "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e"},
                                     {"image_src", "Image src error."}}) {
    EXPECT_EQ(cleaned(column, quoted_text(placeholder)), "null") << column;
  }
  EXPECT_EQ(cleaned("title", "'Untitled'"), "Untitled");
  EXPECT_EQ(cleaned("poster_name", "'Mujer de 10 '"), "Mujer de 10 ");
}

TEST_F(PinterestSqlTest, empty_and_blank_entries_become_null_everywhere) {
  for (const char* column :
       {"unique_id", "title", "description", "poster_name", "follower_count", "tag_list",
        "is_image_or_video", "image_src", "save_location", "category"}) {
    for (const char* value :
         {"''", "'  '", "chr(9) || ' ' || chr(10) || chr(13)", "null::varchar"}) {
      EXPECT_EQ(cleaned(column, value), "null") << column << " " << value;
    }
  }
  EXPECT_EQ(cleaned("title", "' a'"), " a");
  EXPECT_EQ(cleaned("title", "chr(10) || 'a'"), "\na");
}

TEST_F(PinterestSqlTest, follower_counts_become_whole_numbers) {
  for (auto [text, number] : {std::pair{"124k", "124000"},
                              {"5M", "5000000"},
                              {"437", "437"},
                              {"0", "0"},
                              {"1.2k", "1200"},
                              {"4.35M", "4350000"},
                              {"1.2345k", "1234"},
                              {"0.5", "0"},
                              {"2147483647", "2147483647"},
                              {"2147M", "2147000000"},
                              {"12,5k", "null"},
                              {"k", "null"},
                              {"124K", "null"},
                              {"-5", "null"},
                              {"1e3", "null"}}) {
    EXPECT_EQ(cleaned("follower_count", quoted_text(text)), number) << text;
  }
}

TEST_F(PinterestSqlTest, a_count_beyond_int_is_refused_and_found_by_the_quarantine) {
  for (const char* text : {"2147483648", "2148M", "99999999999999999999k", "3000000k"}) {
    EXPECT_EQ(cleaned("follower_count", quoted_text(text)), "no row") << text;
    ASSERT_TRUE(connection_->create_view(
        {"raw", "pin_records"},
        "select *, 'object' as _source, 1 as _line, '{}' as _bytes from raw.pin"));
    EXPECT_EQ(answer(file("quarantine/pin.sql")), "object|1|{}|follower_count is beyond int")
        << text;
  }
  cleaned("follower_count", "'2147483647'");
  EXPECT_EQ(answer(file("quarantine/pin.sql")), "");
  cleaned("follower_count", "null::varchar");
  EXPECT_EQ(answer(file("quarantine/pin.sql")), "");
}

TEST_F(PinterestSqlTest, save_location_keeps_the_path) {
  EXPECT_EQ(cleaned("save_location", "'Local save in /data/art'"), "/data/art");
  EXPECT_EQ(cleaned("save_location", "'/data/art'"), "/data/art");
}

TEST_F(PinterestSqlTest, times_are_read_in_all_four_spellings) {
  for (auto [text, time] : {std::pair{"2022-05-27 11:30:59", "2022-05-27 11:30:59"},
                            {"2022-05-27T11:30:59", "2022-05-27 11:30:59"},
                            {"2022:05:27 11:30:59", "2022-05-27 11:30:59"},
                            {"05/27/2022, 11:30:59", "2022-05-27 11:30:59"},
                            {"yesterday", ""},
                            {"", ""}}) {
    ASSERT_TRUE(connection_->create_table({"raw", "geo"},
                                          "select 1 as ind, " + quoted_text(text) +
                                              " as \"timestamp\", 1.5::double as latitude, "
                                              "-2.5::double as longitude, 'Aruba' as country"));
    EXPECT_EQ(answer(file("clean/geo.sql")), std::string("1|Aruba|[1.5, -2.5]|") + time);
    ASSERT_TRUE(connection_->create_table(
        {"raw", "user"},
        "select 1 as ind, 'Abigail' as first_name, 'Ali' as last_name, 20 as age, " +
            quoted_text(text) + " as date_joined"));
    EXPECT_EQ(answer(file("clean/user.sql")), std::string("1|Abigail Ali|20|") + time);
  }
}

TEST_F(PinterestSqlTest, clean_columns_have_the_agreed_names_order_and_types) {
  cleaned("title", "'a'");
  EXPECT_EQ(
      types_of(file("clean/pin.sql")),
      "ind INTEGER, unique_id VARCHAR, title VARCHAR, description VARCHAR, follower_count INTEGER, "
      "poster_name VARCHAR, tag_list VARCHAR, is_image_or_video VARCHAR, image_src VARCHAR, "
      "save_location VARCHAR, category VARCHAR, ");
  ASSERT_TRUE(
      connection_->create_table({"raw", "geo"},
                                "select 1 as ind, '' as \"timestamp\", 1.5::double as latitude, "
                                "2.5::double as longitude, '' as country"));
  EXPECT_EQ(types_of(file("clean/geo.sql")),
            "ind INTEGER, country VARCHAR, coordinates DOUBLE[], timestamp TIMESTAMP, ");
  ASSERT_TRUE(connection_->create_table(
      {"raw", "user"},
      "select 1 as ind, '' as first_name, '' as last_name, 20 as age, '' as date_joined"));
  EXPECT_EQ(types_of(file("clean/user.sql")),
            "ind INTEGER, user_name VARCHAR, age INTEGER, date_joined TIMESTAMP, ");
}

}  // namespace
}  // namespace pinpipe::sql
