#include "app/sql_shell.h"

#include <gtest/gtest.h>

#include "app/line_editor.h"

namespace pinpipe::app {
namespace {

using Statements = std::vector<std::string>;

TEST(StatementReader, a_statement_ends_at_its_semicolon_however_many_lines_it_takes) {
  StatementReader reader;
  EXPECT_EQ(reader.add("select 1,"), Statements{});
  EXPECT_FALSE(reader.is_empty());
  EXPECT_EQ(reader.add("  2; select 3"), Statements{"select 1,\n  2"});
  EXPECT_EQ(reader.rest(), " select 3\n");
  EXPECT_TRUE(reader.is_empty());
  EXPECT_EQ(reader.add("a; b; c;"), (Statements{"a", " b", " c"}));
  EXPECT_TRUE(reader.is_empty());
}

TEST(StatementReader, semicolons_in_texts_and_comments_end_nothing) {
  StatementReader reader;
  EXPECT_EQ(reader.add("select ';' -- ; no"), Statements{});
  EXPECT_EQ(reader.add(", \"a;b\" /* ; */;"), Statements{"select ';' -- ; no\n, \"a;b\" /* ; */"});
  EXPECT_EQ(reader.add("select 'open"), Statements{});
  EXPECT_EQ(reader.add("; closed';").size(), 1U);
}

TEST(StatementReader, lines_without_a_statement_are_none) {
  StatementReader reader;
  EXPECT_EQ(reader.add(";;"), Statements{});
  EXPECT_EQ(reader.add("-- only a remark"), Statements{});
  EXPECT_EQ(reader.rest(), "");
}

TEST(Shell, a_statement_is_remembered_on_one_line_without_its_comments) {
  EXPECT_EQ(on_one_line("select 1, -- one\n\n  2 /* two\n */ from t"), "select 1, 2 from t");
  EXPECT_EQ(on_one_line("select '--', \"a--b\"||x"), "select '--', \"a--b\"||x");
  EXPECT_EQ(on_one_line("-- nothing"), "");
}

TEST(Shell, words_are_completed_however_they_are_written) {
  const std::vector<std::string> words = {"clean.pin", "count(*)", "select", "post_Year"};
  EXPECT_EQ(completions(words, "sel"), std::vector<std::string>{"select"});
  EXPECT_EQ(completions(words, "SEL"), std::vector<std::string>{"SELECT"});
  EXPECT_EQ(completions(words, "Sel"), std::vector<std::string>{"select"});
  EXPECT_EQ(completions(words, "CLEAN"), std::vector<std::string>{"clean.pin"});
  EXPECT_EQ(completions(words, "post_y"), std::vector<std::string>{"post_Year"});
  EXPECT_EQ(completions(words, "x"), std::vector<std::string>{});
}

TEST(LineEditor, words_that_begin_alike_are_completed_as_far_as_they_do) {
  EXPECT_EQ(common_beginning({"clean.pin", "clean.geo"}), "clean.");
  EXPECT_EQ(common_beginning({"select"}), "select");
  EXPECT_EQ(common_beginning({}), "");
  EXPECT_EQ(common_beginning({"a", "b"}), "");
}

}  // namespace
}  // namespace pinpipe::app
