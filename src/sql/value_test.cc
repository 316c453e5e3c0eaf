#include "sql/value.h"

#include <gtest/gtest.h>
#include <limits>

namespace pinpipe::sql {
namespace {

std::string json(const Value& value) {
  std::string text;
  append_json(text, value);
  return text;
}

TEST(Value, json_is_json_whatever_the_value_holds) {
  EXPECT_EQ(json({Null{}}), "null");
  EXPECT_EQ(json({std::string("a\"\\\n\x01é")}), R"("a\"\\\n\u0001é")");
  EXPECT_EQ(json({Timestamp{1653651059250000}}), "\"2022-05-27T11:30:59.25Z\"");
  EXPECT_EQ(json({Timestamp{-1}}), "\"1969-12-31T23:59:59.999999Z\"");
  EXPECT_EQ(json({Date{-1}}), "\"1969-12-31\"");
  EXPECT_EQ(json({std::numeric_limits<double>::quiet_NaN()}), "null");
  EXPECT_EQ(json({Exact{"12.50"}}), "12.50");
  EXPECT_EQ(json({Blob{"ab"}}), "\"YWI=\"");
  EXPECT_EQ(json({List{{int64_t{1}}, {Null{}}}}), "[1,null]");
  EXPECT_EQ(json({Struct{.names = {"a", "b"}, .values = {{true}, {1.5}}}}),
            R"({"a":true,"b":1.5})");
  EXPECT_EQ(json({Map{.keys = {{int64_t{7}}}, .values = {{std::string("x")}}}}), R"({"7":"x"})");
}

TEST(Value, text_is_what_a_person_expects) {
  EXPECT_EQ(to_text({Null{}}), "");
  EXPECT_EQ(to_text({Timestamp{1653651059000000}}), "2022-05-27 11:30:59");
  EXPECT_EQ(to_text({List{{1.5}, {Null{}}}}), "[1.5, null]");
  EXPECT_EQ(to_text({int64_t{-3}}), "-3");
}

}  // namespace
}  // namespace pinpipe::sql
