#include "codec/json.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace pinpipe::codec {
namespace {

using namespace std::string_view_literals;

TEST(Json, keeps_types_and_the_order_of_keys) {
  auto value = parse_json(R"( {"b":1,"a":[true,null,"x",2.5,18446744073709551615],"c":{}} )");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->members()[0].key, "b");
  EXPECT_EQ((*value)["b"].as_int(), 1);
  const auto& elements = (*value)["a"].elements();
  ASSERT_EQ(elements.size(), 5u);
  EXPECT_EQ(elements[0].as_bool(), true);
  EXPECT_TRUE(elements[1].is_null());
  EXPECT_EQ(elements[2].as_string(), "x");
  EXPECT_EQ(elements[3].as_double(), 2.5);
  EXPECT_EQ(elements[4].as_uint(), std::numeric_limits<uint64_t>::max());
  EXPECT_TRUE(value->find("c")->is_object());
  EXPECT_EQ(value->find("d"), nullptr);
  EXPECT_EQ(to_json(*value), R"({"b":1,"a":[true,null,"x",2.5,18446744073709551615],"c":{}})");
}

TEST(Json, the_last_of_repeated_keys_is_found_and_all_are_kept) {
  auto value = parse_json(R"({"a":1,"a":2})");
  ASSERT_TRUE(value);
  EXPECT_EQ((*value)["a"].as_int(), 2);
  EXPECT_EQ(value->size(), 2u);
}

TEST(Json, numbers_take_the_narrowest_type_that_holds_them) {
  EXPECT_TRUE(parse_json("9223372036854775807")->is_int());
  EXPECT_TRUE(parse_json("-9223372036854775808")->is_int());
  EXPECT_TRUE(parse_json("9223372036854775808")->is_uint());
  EXPECT_TRUE(parse_json("18446744073709551616")->is_double());
  EXPECT_TRUE(parse_json("1.0")->is_double());
  EXPECT_TRUE(std::signbit(*parse_json("-0")->as_double()));
  EXPECT_EQ(parse_json("1e-400")->as_double(), 0.0);
  EXPECT_FALSE(parse_json("1e400"));
  EXPECT_EQ(parse_json("3.0")->as_int(), 3);
  EXPECT_EQ(parse_json("3.5")->as_int(), std::nullopt);
  EXPECT_EQ(parse_json("-1")->as_uint(), std::nullopt);
}

TEST(Json, strings_are_unescaped_and_a_lone_surrogate_is_refused) {
  EXPECT_EQ(parse_json(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00")")->as_string(),
            "\"\\/\b\f\n\r\tA\u00e9\U0001F600");
  EXPECT_EQ(parse_json(R"({"\u0061":1})")->members()[0].key, "a");
  EXPECT_FALSE(parse_json(R"("\ud83d")"));
  EXPECT_EQ(parse_json(R"("\u0000")")->as_string(), "\0"sv);
}

TEST(Json, an_error_names_the_position) {
  auto bad = parse_json(R"({"a":1,})");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code(), Code::invalid);
  EXPECT_EQ(bad.error().text(), "not valid JSON: unexpected '}' at byte 7");
}

TEST(Json, can_be_built_and_changed) {
  Json value;
  value.set("a", 1).set("b", Json::array({"x", 2, nullptr}));
  value.set("a", Json::object({{"k", true}}));
  EXPECT_EQ(to_json(value), R"({"a":{"k":true},"b":["x",2,null]})");
  EXPECT_TRUE(value.erase("a"));
  EXPECT_FALSE(value.erase("a"));
  EXPECT_EQ(to_json(value), R"({"b":["x",2,null]})");
  EXPECT_EQ(value, *parse_json(to_json_pretty(value)));
}

TEST(Json, pretty_form_is_indented_by_two) {
  EXPECT_EQ(
      to_json_pretty(*parse_json(R"({"a":[1,{"b":2}],"c":[],"d":{}})")),
      "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"c\": [],\n  \"d\": {}\n}");
}

TEST(JsonWriter, puts_commas_and_colons_where_they_belong) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().field("a", 1).key("b").begin_array().value("x").value(true).null();
  writer.begin_object().end_object().end_array().field("c", uint64_t{18446744073709551615u});
  writer.key("d").raw("[1]").end_object();
  EXPECT_EQ(out, R"({"a":1,"b":["x",true,null,{}],"c":18446744073709551615,"d":[1]})");
}

TEST(JsonWriter, escapes_only_quotes_backslashes_and_control_characters) {
  std::string out;
  JsonWriter(out).value("a\"b\\c/\n\x01\x1f\x7f\u00e9\U0001F600");
  EXPECT_EQ(out, "\"a\\\"b\\\\c/\\n\\u0001\\u001F\x7f\u00e9\U0001F600\"");
}

TEST(JsonWriter, bytes_that_are_not_utf8_become_the_replacement_character) {
  std::string out;
  JsonWriter(out).value(
      "a\xff"
      "b\xe2\x82");
  EXPECT_EQ(out, "\"a\uFFFDb\uFFFD\uFFFD\"");
}

TEST(JsonWriter, doubles_read_back_equal_and_stay_doubles) {
  for (double number : {0.1, 1.0, -0.0, 1e300, 5e-324, 123456789.125, 1e22}) {
    std::string out;
    JsonWriter(out).value(number);
    auto back = parse_json(out);
    ASSERT_TRUE(back) << out;
    EXPECT_TRUE(back->is_double()) << out;
    EXPECT_EQ(back->as_double(), number);
  }
  std::string out;
  JsonWriter(out).value(std::nan("")).value(HUGE_VAL).value(0.1);
  EXPECT_EQ(out, "null,null,0.1");
}

}  // namespace
}  // namespace pinpipe::codec
