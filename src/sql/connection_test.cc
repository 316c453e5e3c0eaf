#include "sql/connection.h"

#include <gmock/gmock.h>
#include <thread>

#include "sql/engine_fixture.h"

namespace pinpipe::sql {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ConnectionTest : public EngineTest {};

TEST_F(ConnectionTest, every_type_comes_out_as_its_value) {
  auto table = connection_->query(
      "select true as a, 1::tinyint as b, 9223372036854775807 as c, "
      "170141183460469231731687303715884"
      "105727::hugeint as d, 1.5::double as e, -12.345::decimal(9,3) as f, 'Ünï' as g, "
      "timestamp '2022-05-27 11:30:59.25' as h, date '1969-12-31' as i, [1.5, null] as j, "
      "{'x': 1, 'y': 'z'} as k, map {'a': 1} as l, 'ab'::blob as m, null as n, "
      "'6f1c26ab-0f0e-4b8e-9f5c-7a5d8d3c2b1a'::uuid as o, sum(1) as p, 'v'::enum('u', 'v') as q, "
      "timestamptz '2022-05-27 11:30:59+02' as r, 0.05::decimal(3,2) as s, time '01:02:03' as t, "
      "[1, 2]::integer[2] as u, 'a text of more than twelve bytes' as v");
  ASSERT_TRUE(table) << table.error().text();
  std::vector<std::string> types;
  std::vector<std::string> texts;
  for (size_t i = 0; i < table->columns.size(); ++i) {
    types.push_back(table->columns[i].type);
    texts.push_back(to_text(table->rows[0][i]));
  }
  EXPECT_THAT(types, ElementsAre("BOOLEAN", "TINYINT", "BIGINT", "HUGEINT", "DOUBLE",
                                 "DECIMAL(9,3)", "VARCHAR", "TIMESTAMP", "DATE", "DECIMAL(2,1)[]",
                                 "STRUCT(x INTEGER, y VARCHAR)", "MAP(VARCHAR, INTEGER)", "BLOB",
                                 "INTEGER", "UUID", "HUGEINT", "ENUM", "TIMESTAMP WITH TIME ZONE",
                                 "DECIMAL(3,2)", "TIME", "INTEGER[2]", "VARCHAR"));
  EXPECT_THAT(
      texts,
      ElementsAre("true", "1", "9223372036854775807", "170141183460469231731687303715884105727",
                  "1.5", "-12.345", "Ünï", "2022-05-27 11:30:59.25", "1969-12-31", "[1.5, null]",
                  "{x: 1, y: z}", "{a: 1}", "6162", "", "6f1c26ab-0f0e-4b8e-9f5c-7a5d8d3c2b1a", "1",
                  "v", "2022-05-27 09:30:59", "0.05", "01:02:03", "[1, 2]",
                  "a text of more than twelve bytes"));
}

TEST_F(ConnectionTest, an_answer_is_cut_at_the_callers_bound_and_says_so) {
  auto table = connection_->query("select * from range(5000)", {.rows_max = 2500});
  ASSERT_TRUE(table);
  EXPECT_EQ(table->rows.size(), 2500u);
  EXPECT_TRUE(table->cut);
  auto whole = connection_->query("select * from range(2500)", {.rows_max = 2500});
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->rows.size(), 2500u);
  EXPECT_FALSE(whole->cut);
}

TEST_F(ConnectionTest, the_rows_are_those_of_the_last_statement) {
  EXPECT_EQ(answer("create table t(a int); insert into t values (1), (2); select sum(a) from t;"),
            "3");
}

TEST_F(ConnectionTest, streamed_rows_end_when_the_reader_has_enough) {
  size_t seen = 0;
  std::vector<std::string> names;
  auto streamed = connection_->stream(
      "select range as n from range(100000)",
      [&](std::span<const ColumnHead> columns) { names.push_back(columns[0].name); },
      [&](std::span<const Row> rows) {
        seen += rows.size();
        return seen < 5000;
      });
  ASSERT_TRUE(streamed) << streamed.error().text();
  EXPECT_THAT(names, ElementsAre("n"));
  EXPECT_GE(seen, 5000u);
  EXPECT_LT(seen, 8000u);
  EXPECT_EQ(answer("select 1"), "1");
}

TEST_F(ConnectionTest, errors_tell_the_place_in_the_text_as_it_was_written) {
  auto table = connection_->query("-- π\nselect `a b`,\n  foo from (select 1 as `a b`, 2 as food)");
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code(), Code::invalid);
  EXPECT_EQ(connection_->last_failure().position, (Position{3, 3}));
  EXPECT_THAT(table.error().text(), HasSubstr("line 3, column 3"));
  EXPECT_THAT(table.error().text(), HasSubstr("\"foo\" not found"));
  EXPECT_THAT(table.error().text(), HasSubstr("food"));
}

TEST_F(ConnectionTest, the_place_is_right_for_syntax_missing_tables_and_values) {
  for (auto [sql, position] : {std::pair{"select 1 +", Position{1, 11}},
                               {"selec 1", Position{1, 1}},
                               {"select 1;\nselect * from nosuch", Position{2, 15}},
                               {"select *\nfrom 0e90e0175553_pin_tabel", Position{2, 6}},
                               {"select array(1, 2),\n nope(3)", Position{2, 2}},
                               {"select 2,\n cast('é' || 'a' as int)", Position{2, 2}}}) {
    EXPECT_FALSE(connection_->query(sql)) << sql;
    EXPECT_EQ(connection_->last_failure().position, position)
        << sql << "\n"
        << connection_->last_failure().message;
  }
}

TEST_F(ConnectionTest, the_place_inside_a_table_s_select_is_a_place_in_that_select) {
  auto made = connection_->create_table({"clean", "pin"},
                                        "-- a comment\nselect x from range(3) as t(y); -- end");
  ASSERT_FALSE(made);
  EXPECT_EQ(connection_->last_failure().position, (Position{2, 8}));
}

TEST_F(ConnectionTest, tables_and_views_are_made_from_selects_and_replaced) {
  EXPECT_EQ(
      connection_->create_table({"clean", "user"}, "select 1 as a union all select 2; -- two"), 2);
  EXPECT_EQ(connection_->create_table({"clean", "user"}, "select 7 as a"), 1);
  ASSERT_TRUE(connection_->create_view({"clean", "twice"}, "select a * 2 as b from clean.user"));
  EXPECT_EQ(answer("select b from clean.twice"), "14");
}

TEST_F(ConnectionTest, names_that_begin_with_a_digit_work_in_every_spelling) {
  for (std::string name : {"0e90e0175553_pin_table", "123456789012_pin_table"}) {
    ASSERT_TRUE(connection_->create_table({"main", name}, "select 5 as ind"));
    EXPECT_EQ(answer("select ind from " + name), "5");
    EXPECT_EQ(answer("select " + name + ".ind from `" + name + "`"), "5");
    EXPECT_EQ(answer("select t.ind from \"" + name + "\" as t where 1e0 = 1"), "5");
  }
}

TEST_F(ConnectionTest, sessions_do_not_see_each_others_tables) {
  auto other = connect();
  ASSERT_TRUE(connection_->create_table({"clean", "pin"}, "select 1 as a"));
  EXPECT_FALSE(other->query("select * from clean.pin"));
  ASSERT_TRUE(other->create_table({"clean", "pin"}, "select 2 as a"));
  EXPECT_EQ(answer("select a from clean.pin"), "1");
}

TEST_F(ConnectionTest, a_query_ends_when_its_owner_gives_up) {
  std::stop_source source;
  // The function is slow per row and the range has no practical end.
  std::thread owner;
  auto streamed = connection_->stream(
      "select range from range(1000000000000)",
      [&](std::span<const ColumnHead>) { owner = std::thread([&] { source.request_stop(); }); },
      [](std::span<const Row>) { return true; }, source.get_token());
  owner.join();
  ASSERT_FALSE(streamed);
  EXPECT_EQ(streamed.error().code(), Code::cancelled);
  EXPECT_EQ(answer("select 1"), "1");
}

TEST_F(ConnectionTest, a_query_of_a_stopped_owner_does_not_begin) {
  std::stop_source source;
  source.request_stop();
  auto made = connection_->create_table(
      {"main", "t"}, "select max(sin(range)) from range(1000000000000)", source.get_token());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), Code::cancelled);
}

TEST_F(ConnectionTest, a_column_that_its_table_has_not_is_told_with_the_nearest) {
  ASSERT_TRUE(connection_->execute("create table rows (category text, follower_count bigint)"));
  ASSERT_TRUE(connection_->execute("create view pin as select * from rows"));
  for (const char* column : {"pin.categori", "p.categori", "p.\"categori\"", "`p`.`categori`"}) {
    auto table = connection_->query(
        fmt::format("select 1,\n  {} from pin {}", column, column[1] == 'i' ? "" : "as p"));
    ASSERT_FALSE(table);
    EXPECT_THAT(table.error().text(), HasSubstr("line 2, column 3")) << column;
    EXPECT_THAT(table.error().text(), HasSubstr("Candidate bindings: \"category\"")) << column;
  }
  auto answer = connection_->query("select p.followers_count as f from pin as p");
  EXPECT_THAT(answer.error().text(), HasSubstr("\"follower_count\""));
  // Where the name is another table's, there is nothing to tell.
  answer = connection_->query("select p.other from pin as p, (select 1 as other) as o");
  EXPECT_THAT(answer.error().text(), testing::Not(HasSubstr("Candidate")));
}

TEST_F(ConnectionTest, a_query_that_needs_too_much_fails_alone) {
  auto table =
      connection_->query("select len(list(repeat('x', 1000) || range)) from range(1000000)");
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code(), Code::busy);
  EXPECT_EQ(answer("select 1"), "1");
}

TEST_F(ConnectionTest, parquet_comes_back_as_it_went_with_its_statistics) {
  auto file = connection_->copy_to_parquet(
      "select range::int as ind, case when range < 3 then null else 'name ' || range end as name, "
      "array(range + 0.5, 1) as coordinates from range(10)",
      path("part.parquet"));
  ASSERT_TRUE(file) << file.error().text();
  EXPECT_EQ(file->rows, 10);
  EXPECT_EQ(static_cast<uintmax_t>(file->bytes), std::filesystem::file_size(path("part.parquet")));
  EXPECT_GT(file->footer_bytes, 0);
  ASSERT_EQ(file->columns.size(), 3u);
  for (const ParquetColumn& column : file->columns) {
    if (column.path[0] == "ind") {
      EXPECT_EQ(column.min, "0");
      EXPECT_EQ(column.max, "9");
      EXPECT_EQ(column.null_count, 0);
    } else if (column.path[0] == "name") {
      EXPECT_EQ(column.null_count, 3);
      EXPECT_EQ(column.max, "name 9");
    } else {
      EXPECT_EQ(column.path[0], "coordinates");
    }
  }
  std::vector<std::string> files = {path("part.parquet")};
  EXPECT_EQ(answer("select count(*), min(name), sum(coordinates[1]) from " + read_parquet(files)),
            "10|name 3|50.0");
}

TEST_F(ConnectionTest, parquet_does_not_overwrite) {
  write("there.parquet", "x");
  auto file = connection_->copy_to_parquet("select 1 as a", path("there.parquet"));
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code(), Code::conflict);
}

TEST_F(ConnectionTest, paths_with_quotes_are_paths) {
  std::vector<std::string> files = {path("it's here.parquet")};
  ASSERT_TRUE(connection_->copy_to_parquet("select 1 as a", files[0]));
  EXPECT_EQ(answer("select a from " + read_parquet(files, {.file_row_number = true})), "1");
}

TEST_F(ConnectionTest, the_temporary_directory_goes_with_the_engine) {
  answer(
      "select count(*) from (select distinct range, range::varchar || repeat('x', 50) from "
      "range(3000000))");
  connection_.reset();
  engine_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    EXPECT_EQ(entry.path().filename(), "lake") << entry.path();
  }
  engine_ = open({.temp_root = directory_.string(), .readable_directories = {}});
}

}  // namespace
}  // namespace pinpipe::sql
