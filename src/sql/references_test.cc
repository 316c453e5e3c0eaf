#include "sql/references.h"

#include <gtest/gtest.h>

#include "sql/rewrite.h"

namespace pinpipe::sql {
namespace {

std::vector<Reference> found(std::string_view sql) {
  auto references = references_of(sql, {"topic", "objects"});
  EXPECT_TRUE(references) << references.error().text();
  return references ? std::move(*references) : std::vector<Reference>{};
}

TEST(References, names_functions_and_versions_are_found_with_their_places) {
  std::string sql =
      "SELECT a FROM clean.pin VERSION AS OF 3 AS p, Topic('it''s'), \"x\".`y` AT (VERSION => 12)";
  auto all = found(sql);
  ASSERT_EQ(all.size(), 8U);
  EXPECT_EQ(all[3].parts, (std::vector<std::string>{"clean", "pin"}));
  EXPECT_EQ(all[3].version, 3);
  EXPECT_EQ(sql.substr(all[3].offset, all[3].length), "clean.pin VERSION AS OF 3");
  EXPECT_EQ(all[6].kind, Reference::Kind::function);
  EXPECT_EQ(all[6].argument, "it's");
  EXPECT_EQ(all[7].parts, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(all[7].version, 12);
}

TEST(References, a_moment_is_kept_as_it_was_written) {
  EXPECT_EQ(found("from t TIMESTAMP AS OF '2026-01-02'")[1].moment, "2026-01-02");
  EXPECT_EQ(found("from t for timestamp as of 'x'")[1].moment, "x");
  EXPECT_EQ(found("from t AT (TIMESTAMP => TIMESTAMP '2026-01-02')")[1].moment, "2026-01-02");
}

TEST(References, texts_comments_and_other_functions_are_no_references) {
  for (const Reference& reference : found("select 'topic(1)', count(*) -- topic(\n from t as at"))
    EXPECT_EQ(reference.kind, Reference::Kind::name);
  EXPECT_FALSE(found("select t.version from t")[1].has_version());
}

TEST(References, what_cannot_be_meant_is_told_with_its_place) {
  for (auto [sql, place] : {std::pair{"select 1\nfrom topic(x)", "line 2, column 6"},
                            {"from objects('a', 'b')", "line 1, column 6"},
                            {"from t version as of x", "line 1, column 22"},
                            {"from t at (version => 3", "column"},
                            {"from t timestamp as of", "column"}}) {
    auto references = references_of(sql, {"topic", "objects"});
    ASSERT_FALSE(references) << sql;
    EXPECT_NE(references.error().text().find(place), std::string::npos)
        << references.error().text();
  }
}

TEST(References, a_substitution_keeps_the_places_behind_it) {
  std::string sql = "select `a` from clean.pin version as of 3 where nope";
  auto all = found(sql);
  const Substitution by{all[3].offset, all[3].length, "\"clean@3\".\"pin\""};
  ASSERT_EQ(all[3].version, 3);
  Rewritten result(sql, std::span(&by, 1));
  EXPECT_EQ(result.text(), "select \"a\" from \"clean@3\".\"pin\" where nope");
  EXPECT_EQ(result.original_offset(result.text().find("nope")), sql.find("nope"));
}

TEST(References, a_condition_is_found_where_every_row_of_the_answer_must_meet_it) {
  for (auto [sql, condition] :
       {std::pair{"select * from live.user where ind = 3", " ind = 3"},
        {"SELECT a, count(*) FROM `0e_t` AS t WHERE a > 1 AND b = 'x' GROUP BY a;",
         " a > 1 AND b = 'x' "},
        {"select a from t x where (a = 1 or b = (2)) order by 1", " (a = 1 or b = (2)) "},
        {"select \"from\" from t where 'join' = a", " 'join' = a"},
        {"select a from t", ""},
        {"from t where a = 1", ""},
        {"select a from t, u where a = 1", ""},
        {"select a from t join u using (a) where a = 1", ""},
        {"select a from t left join u on true where a = 1", ""},
        {"select a, (select max(a) from t) from t where a = 1", ""},
        {"select a from t where a = 1 union all select a from t", ""},
        {"select a from t where a in (select b from t)", ""},
        {"with t as (values (1)) select a from t where a = 1", ""},
        {"select extract(day from b) from t where a = 1", ""},
        {"select a from (values (1)) t(a) where a = 1", ""},
        {"select a from t version as of 3 where a = 1", ""},
        {"explain select a from t where a = 1", ""},
        {"select a from t where", ""},
        {"select", ""},
        {"", ""}})
    EXPECT_EQ(only_condition_of(sql), condition) << sql;
}

}  // namespace
}  // namespace pinpipe::sql
