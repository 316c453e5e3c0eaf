// The portable subset: Spark's names with Spark's meanings. Expected values are what Spark SQL
// documents.
#include "sql/engine_fixture.h"

namespace pinpipe::sql {
namespace {

class PreludeTest : public EngineTest {};

TEST_F(PreludeTest, functions_mean_what_spark_says) {
  for (auto [sql, expected] : {
           std::pair{"regexp_replace('a1b22', '[0-9]+', '<$0>')", "a<1>b<22>"},
           {"regexp_replace('12k', '([0-9]+)k', '$1000')", "12000"},
           {"regexp_like('124k', '^[0-9]+k$')", "true"},
           {"regexp_extract('100-200', '([0-9]+)-([0-9]+)')", "100"},
           {"regexp_extract('100-200', '([0-9]+)-([0-9]+)', 2)", "200"},
           {"concat('a', null, 'b')", ""},
           {"concat('a', 1, 'b')", "a1b"},
           {"nvl(null, 2)", "2"},
           {"nvl2(null, 1, 2)", "2"},
           {"size(array(1, 2, 3))", "3"},
           {"element_at(array(5, 6), 1)", "5"},
           {"split('a1b2c', '[0-9]')", "[a, b, c]"},
           {"locate('b', 'abc')", "2"},
           {"initcap('hello wORLD')", "Hello World"},
           {"get_json_object('{\"a\":{\"b\":1}}', '$.a.b')", "1"},
           {"to_timestamp('2022-05-27T11:30:59')", "2022-05-27 11:30:59"},
           {"to_timestamp('nonsense')", ""},
           {"to_date('2022-05-27 11:30:59')", "2022-05-27"},
           {"unix_timestamp(to_timestamp('1970-01-02 00:00:01'))", "86401"},
           {"from_unixtime(86401)", "1970-01-02 00:00:01"},
           {"dayofweek(date '2022-05-29')", "1"},
           {"datediff('2022-06-01', '2022-05-27')", "5"},
           {"date_add('2022-05-27', 5)", "2022-06-01"},
           {"date_sub('2022-06-01', 5)", "2022-05-27"},
           {"year(to_timestamp('2022-05-27'))", "2022"},
           {"year(date '2022-05-27')", "2022"},
           {"year(timestamptz '2022-12-31 23:30:00-01:00')", "2023"},
           {"month(timestamptz '2022-12-31 23:30:00-01:00')", "1"},
           {"quarter(date '2022-05-27')", "2"},
           {"weekofyear(date '2022-05-27')", "21"},
           {"day(timestamptz '1969-12-31 23:59:59.999999+00')", "31"},
           {"dayofmonth(date '2022-05-27')", "27"},
           {"dayofyear(timestamp '2022-02-01 00:00:00')", "32"},
           {"hour(timestamptz '2022-05-27 11:30:59+02:00')", "9"},
           {"minute(timestamp '2022-05-27 11:30:59')", "30"},
           {"second(timestamptz '1969-12-31 23:59:59.999999+00')", "59"},
           {"year(cast(null as timestamp))", ""},
           {"(select percentile_approx(a, 0.5) from (values (1), (2), (3), (4), (null)) as t(a))",
            "2"},
           {"(select percentile_approx(a, 0.5, 100) from (values (9)) as t(a))", "9"},
           {"(select size(collect_list(a)) from (values (1), (null), (2)) as t(a))", "2"},
           {"(select percentile(a, 0.5) from (values (1), (2)) as t(a))", "1.5"},
       }) {
    EXPECT_EQ(answer(std::string("select ") + sql), expected) << sql;
  }
}

TEST_F(PreludeTest, nulls_sort_as_in_spark) {
  const std::string rows = " from (values ('b'), (null), ('a')) as t(x) order by x";
  EXPECT_EQ(answer("select nvl(x, 'null')" + rows), "null\na\nb");
  EXPECT_EQ(answer("select nvl(x, 'null')" + rows + " desc"), "b\na\nnull");
}

TEST_F(PreludeTest, the_databases_own_functions_stay_reachable) {
  EXPECT_EQ(answer("select system.main.regexp_replace('aa', 'a', 'b')"), "ba");
}

}  // namespace
}  // namespace pinpipe::sql
