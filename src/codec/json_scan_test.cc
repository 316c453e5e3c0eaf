#include "codec/json_scan.h"

#include <gtest/gtest.h>

namespace pinpipe::codec {
namespace {

std::string compact(std::string_view text) {
  std::string out;
  auto done = compact_json(text, out);
  return done ? out : "error: " + done.error().text();
}

TEST(CompactJson, drops_blanks_and_keeps_order_and_spelling) {
  EXPECT_EQ(compact(" { \"b\" : [ 1.50 , 1E+2,\t-0 ] ,\r\n \"a b\" : { } } "),
            R"({"b":[1.50,1E+2,-0],"a b":{}})");
  EXPECT_EQ(compact("123456789012345678901234567890"), "123456789012345678901234567890");
}

TEST(CompactJson, turns_unicode_escapes_into_utf8_where_utf8_can_say_them) {
  EXPECT_EQ(compact(R"(["\u00e9","\ud83d\ude00","\u0041\/","\u0022\u005c"])"),
            "[\"\u00e9\",\"\U0001F600\",\"A/\",\"\\\"\\\\\"]");
  EXPECT_EQ(compact(R"("\u000a\u0000\u001f\n\"\\")"), R"("\n\u0000\u001F\n\"\\")");
  EXPECT_EQ(compact(R"("\ud83d x \ude00\uD83D")"), R"("\ud83d x \ude00\uD83D")");
}

TEST(CompactJson, leaves_the_output_alone_on_error) {
  std::string out = "before";
  EXPECT_FALSE(compact_json("[1,", out));
  EXPECT_EQ(out, "before");
}

TEST(JsonScanner, walks_a_request_without_a_tree) {
  JsonScanner scanner;
  auto body = scanner.scan(
      R"({"records": [ {"key":"k\u0031", "value": {"a": [1, 2], "b": "\u00e9"}, "partition": 3},)"
      R"( {"value": null} ], "x": false})");
  ASSERT_TRUE(body);
  std::string seen;
  for (auto [key, value] : body->fields()) {
    seen += std::string(key) + ";";
    for (JsonCursor record : value.elements()) {
      for (auto [name, part] : record.fields()) {
        seen += std::string(name) + "=";
        part.append_compact(seen);
        seen += ";";
      }
    }
  }
  EXPECT_EQ(seen,
            "records;key=\"k1\";value={\"a\":[1,2],\"b\":\"\u00e9\"};partition=3;value=null;x;");
  auto record = *body->find("records")->elements().begin();
  std::string buffer;
  EXPECT_EQ(*record.find("key")->string(buffer), "k1");
  EXPECT_EQ(record.find("partition")->as_int(), 3);
  EXPECT_EQ(record.find("value")->raw(), R"({"a": [1, 2], "b": "\u00e9"})");
  EXPECT_EQ(body->find("x")->as_bool(), false);
  EXPECT_EQ(body->find("absent").has_value(), false);
}

}  // namespace
}  // namespace pinpipe::codec
