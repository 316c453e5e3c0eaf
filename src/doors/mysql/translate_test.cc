#include "doors/mysql/translate.h"

#include <gtest/gtest.h>

#include "doors/mysql/plan.h"

namespace pinpipe::mysql {
namespace {

std::string as_sqlite(std::string_view statement, const Session& session = {}) {
  auto tokens = tokens_of(statement);
  if (!tokens) return "error " + std::to_string(tokens.error().number);
  auto translated = translate(statement, *tokens, session);
  return translated ? translated->sql : "error " + std::to_string(translated.error().number);
}

uint16_t refusal_of(std::string_view statement) {
  auto planned = plan(statement, Session{});
  return planned ? uint16_t{0} : planned.error().number;
}

TEST(Translate, leaves_what_both_read_alike) {
  for (std::string_view same :
       {"SELECT * FROM geolocation_data LIMIT 7528, 1",
        "SELECT COUNT(*) AS count FROM pinterest_data",
        "select `index`, title from pinterest_data where category = 'art' order by 1 desc"}) {
    EXPECT_EQ(as_sqlite(same), same);
  }
}

TEST(Translate, undoes_mysqls_quoting) {
  EXPECT_EQ(as_sqlite(R"(SELECT "it's" , 'a\'b\\c\n' , `we``ird`)"),
            "SELECT 'it''s' , 'a''b\\c\n' , `we``ird`");
  EXPECT_EQ(as_sqlite(R"(SELECT 'a\0b')"), "SELECT CAST(x'610062' AS TEXT)");
  EXPECT_EQ(as_sqlite(R"(SELECT 1 WHERE 'a_b' LIKE 'a\_b')"),
            R"(SELECT 1 WHERE 'a_b' LIKE 'a\_b')");
}

TEST(Translate, comments_are_blanks_and_versioned_ones_count) {
  EXPECT_EQ(as_sqlite("SELECT /* no */ 1 -- end"), "SELECT 1");
  EXPECT_EQ(as_sqlite("SELECT 1 # end\n + 2"), "SELECT 1 + 2");
  EXPECT_EQ(as_sqlite("SELECT /*!40001 SQL_NO_CACHE */ * FROM user_data"),
            "SELECT  * FROM user_data");
}

TEST(Translate, renames_what_differs) {
  EXPECT_EQ(as_sqlite("SELECT 7 / 2, 7 DIV 2, 7 MOD 2"), "SELECT 7 * 1.0 / 2, 7 / 2, 7 % 2");
  EXPECT_EQ(as_sqlite("SELECT IF(1, LEFT('ab', 1), RIGHT('ab', 1))"),
            "SELECT iif(1, mysql_left('ab', 1), mysql_right('ab', 1))");
  EXPECT_EQ(as_sqlite("SELECT 1 && 0 || !1"), "SELECT 1 AND 0 OR NOT 1");
  EXPECT_EQ(as_sqlite("SELECT CAST('1' AS UNSIGNED), CAST(timestamp AS DATETIME)"),
            "SELECT CAST('1' AS INTEGER), CAST(timestamp AS TEXT)");
  EXPECT_EQ(as_sqlite("SELECT GROUP_CONCAT(country SEPARATOR '; ') FROM geolocation_data"),
            "SELECT GROUP_CONCAT(country , '; ') FROM geolocation_data");
  EXPECT_EQ(as_sqlite("SELECT CAST('x' AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_bin"),
            "SELECT CAST('x' AS CHAR ) COLLATE BINARY");
}

TEST(Translate, names_that_sqlite_reserves_are_quoted) {
  EXPECT_EQ(as_sqlite("SELECT p.index FROM pinterest_data p ORDER BY p.Index"),
            "SELECT p.`index` FROM pinterest_data p ORDER BY p.`Index`");
  EXPECT_EQ(as_sqlite("SELECT nothing, COUNT(*) AS transaction FROM user_data"),
            "SELECT `nothing`, COUNT(*) AS `transaction` FROM user_data");
}

TEST(Translate, puts_in_the_sessions_variables) {
  Session session;
  ASSERT_TRUE(session.set_user_variable("x", {true, "42"}));
  EXPECT_EQ(as_sqlite("SELECT @@session.autocommit, @@time_zone, @x, @never", session),
            "SELECT 1, 'SYSTEM', 42, NULL");
  EXPECT_EQ(as_sqlite("SELECT @@no_such_thing"), "error 1193");
}

TEST(Translate, remembers_the_items_as_they_were_written) {
  std::string_view statement = "SELECT @@sql_mode , 7/2 half, COUNT(*) FROM user_data";
  auto tokens = tokens_of(statement);
  ASSERT_TRUE(tokens);
  auto translated = translate(statement, *tokens, Session{});
  ASSERT_TRUE(translated);
  ASSERT_EQ(translated->items.size(), 3U);
  EXPECT_EQ(translated->items[0].written, "@@sql_mode");
  EXPECT_EQ(translated->items[1].written, "7/2 half");
  EXPECT_EQ(translated->items[2].translated, "COUNT(*)");
}

TEST(Plan, writes_are_refused_as_a_read_only_server_does) {
  for (std::string_view statement :
       {"INSERT INTO user_data VALUES (1)", "update user_data set age = 1", "DELETE FROM user_data",
        "DROP TABLE user_data", "CREATE TABLE t (a INT)", "TRUNCATE user_data",
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE user_data",
        "/* hidden */ REPLACE INTO t VALUES (1)"}) {
    EXPECT_EQ(refusal_of(statement), 1290) << statement;
  }
}

TEST(Plan, what_it_cannot_do_has_mysqls_own_number) {
  EXPECT_EQ(refusal_of(""), 1065);
  EXPECT_EQ(refusal_of("  ;"), 1065);
  EXPECT_EQ(refusal_of("SELEC 1"), 1064);
  EXPECT_EQ(refusal_of("SELECT 1; SELECT 2"), 1064);
  EXPECT_EQ(refusal_of("SELECT 'open"), 1064);
  EXPECT_EQ(refusal_of("SELECT 1 /* open"), 1064);
  EXPECT_EQ(refusal_of("EXPLAIN SELECT 1"), 1235);
  EXPECT_EQ(refusal_of("SELECT 1 INTO OUTFILE '/tmp/x'"), 1235);
  EXPECT_EQ(refusal_of("DESCRIBE nowhere"), 1046);
  EXPECT_EQ(refusal_of("DESCRIBE pinterest_data.nowhere"), 1146);
  EXPECT_EQ(refusal_of("SET GLOBAL autocommit = 1"), 1227);
}

TEST(Plan, settings_are_kept_by_the_session) {
  Session session;
  for (std::string_view statement :
       {"SET NAMES utf8mb4 COLLATE utf8mb4_general_ci", "SET AUTOCOMMIT = 0",
        "SET @@session.sql_mode = 'ANSI', time_zone = '+00:00', @mine := -5",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SET sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')", "USE pinterest_data"}) {
    auto planned = plan(statement, session);
    ASSERT_TRUE(planned) << statement << ": " << planned.error().text;
    ASSERT_TRUE(apply(*planned, session)) << statement;
  }
  EXPECT_FALSE(session.autocommit());
  EXPECT_EQ(session.variable("transaction_isolation")->text, "READ-COMMITTED");
  EXPECT_EQ(session.variable("sql_mode")->text, "ANSI");
  EXPECT_EQ(session.user_variable("mine")->text, "-5");
  EXPECT_EQ(session.database, "pinterest_data");
}

}  // namespace
}  // namespace pinpipe::mysql
