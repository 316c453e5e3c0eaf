#include "app/answer.h"

#include <gtest/gtest.h>

namespace pinpipe::app {
namespace {

using codec::Json;

Answer two_rows() {
  Answer answer;
  answer.columns = {"country", "count"};
  answer.add_row({"Côte d'Ivoire", 12});
  answer.add_row({"a,\"b\"", Json()});
  return answer;
}

TEST(Answer, a_table_aligns_text_left_and_numbers_right) {
  EXPECT_EQ(render(two_rows(), Form::table),
            "┌───────────────┬───────┐\n"
            "│ country       │ count │\n"
            "├───────────────┼───────┤\n"
            "│ Côte d'Ivoire │    12 │\n"
            "│ a,\"b\"         │       │\n"
            "└───────────────┴───────┘\n");
}

TEST(Answer, csv_quotes_what_needs_it_and_leaves_null_empty) {
  EXPECT_EQ(render(two_rows(), Form::csv), "country,count\nCôte d'Ivoire,12\n\"a,\"\"b\"\"\",\n");
}

TEST(Answer, ndjson_is_an_object_a_line) {
  EXPECT_EQ(render(two_rows(), Form::ndjson),
            "{\"country\":\"Côte "
            "d'Ivoire\",\"count\":12}\n{\"country\":\"a,\\\"b\\\"\",\"count\":null}\n");
}

TEST(Answer, long_cells_are_cut_to_the_width_and_rows_to_the_count) {
  Answer answer;
  answer.columns = {"text"};
  for (int i = 0; i < 3; ++i) answer.add_row({std::string(200, 'x')});
  std::string table = render(answer, Form::table, 40, 2);
  EXPECT_NE(table.find("…"), std::string::npos);
  EXPECT_NE(table.find("first 2 of 3 rows"), std::string::npos);
  EXPECT_LE(display_width(table.substr(0, table.find('\n'))), 40U);
}

TEST(Answer, wide_characters_count_twice) {
  EXPECT_EQ(display_width("aé"), 2U);
  EXPECT_EQ(display_width("日本"), 4U);
  EXPECT_EQ(display_width("🎄"), 2U);
}

TEST(Answer, comes_back_from_json) {
  Answer answer = two_rows();
  answer.notes = {"a note"};
  auto back = answer_from_json(to_json(answer));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->rows, answer.rows);
  EXPECT_EQ(back->notes, answer.notes);
  EXPECT_FALSE(answer_from_json(Json("x")));
}

}  // namespace
}  // namespace pinpipe::app
