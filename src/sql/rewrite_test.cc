#include "sql/rewrite.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "kit/seed.h"
#include "sql/lexer.h"

namespace pinpipe::sql {
namespace {

std::string rewritten(std::string_view sql) {
  return Rewritten(sql).text();
}

TEST(Rewrite, spark_spellings_become_the_databases) {
  EXPECT_EQ(rewritten("select `a``b\"c` from t"), "select \"a`b\"\"c\" from t");
  EXPECT_EQ(rewritten("select Array (1), array_agg(x), t.array"),
            "select list_value (1), array_agg(x), t.array");
  EXPECT_EQ(rewritten("from 0e90e0175553_pin_table t"), "from \"0e90e0175553_pin_table\" t");
  EXPECT_EQ(rewritten("lake.123456789012_pin_table.ind"), "lake.\"123456789012_pin_table\".ind");
  EXPECT_EQ(rewritten("select 12L + 3BD"), "select 12 + 3");
}

TEST(Rewrite, numbers_texts_and_comments_stay) {
  for (const char* sql :
       {"select 12, 1.5, 1e5, .5, 1e-5, 0x1F, 1_000, 0e90, 1.5e3", "select '`a` array(1) 1_a'",
        "-- `a` array(\nselect 1", "/* `a` /* 1_a */ array( */ select 1", "select \"1_a `b`\"",
        "select $$`a`$$, $x$ 1_a $$ $x$", "select e'\\'`a`'", "select 'it''s `x`'"}) {
    EXPECT_EQ(rewritten(sql), sql);
  }
}

TEST(Rewrite, places_lead_back_to_the_text_as_it_was_written) {
  std::string_view sql = "select `a`, array(1_x, 12L), zzz from 0e9_t where nope";
  Rewritten result(sql);
  for (std::string_view word : {"zzz", "where", "nope", "from"}) {
    EXPECT_EQ(result.original_offset(result.text().find(word)), sql.find(word)) << word;
  }
  EXPECT_EQ(result.original_offset(result.text().find("\"0e9_t\"")), sql.find("0e9_t"));
  EXPECT_EQ(result.original_offset(result.text().size()), sql.size());
}

TEST(Rewrite, positions_count_characters_from_one) {
  EXPECT_EQ(position_of("abc", 0), (Position{1, 1}));
  EXPECT_EQ(position_of("é\nüx", 5), (Position{2, 2}));
  EXPECT_EQ(position_of("a", 99), (Position{1, 2}));
}

TEST(Rewrite, any_bytes_are_taken_apart_without_loss) {
  Random random(kit::seed());
  constexpr std::string_view alphabet = "'\"`$-/*\\\n a1_e.;(é";
  for (int round = 0; round < 20'000; ++round) {
    std::string sql;
    for (uint64_t i = random.below(30); i > 0; --i) sql += alphabet[random.below(alphabet.size())];
    size_t end = 0;
    for (const Token& token : tokens_of(sql)) {
      ASSERT_GE(token.offset, end);
      ASSERT_FALSE(token.text.empty());
      end = token.offset + token.text.size();
      ASSERT_LE(end, sql.size());
      name_of(token);
    }
    Rewritten result(sql);
    for (size_t i = 0; i <= result.text().size(); ++i)
      ASSERT_LE(result.original_offset(i), sql.size());
  }
}

}  // namespace
}  // namespace pinpipe::sql
