#include "source/payload.h"

#include <gtest/gtest.h>

#include "source/generator.h"

namespace pinpipe::source {
namespace {

Row known_user() {
  Row row;
  row.begin(schema_of(Table::user));
  row.add_integer(5730);
  row.add_text("Rachel");
  row.add_text("Davis");
  row.add_integer(36);
  row.add_datetime(1'449'604'963);
  return row;
}

std::string string_of(std::string_view text, Spelling spelling) {
  std::string to;
  append_string(to, text, spelling);
  return to;
}

TEST(Payload, compact_row_is_what_kinesis_stores_of_it) {
  std::string to;
  append_row(to, known_user(), {DatetimeStyle::blank, Spelling::compact});
  EXPECT_EQ(to, R"({"ind":5730,"first_name":"Rachel","last_name":"Davis","age":36,)"
                R"("date_joined":"2015-12-08 20:02:43"})");
}

TEST(Payload, rest_body_is_spelled_as_json_dumps_does) {
  std::string to;
  append_rest_body(to, known_user(), {});
  EXPECT_EQ(to,
            R"({"records": [{"value": {"ind": 5730, "first_name": "Rachel", "last_name": "Davis", )"
            R"("age": 36, "date_joined": "2015-12-08 20:02:43"}}]})");
}

TEST(Payload, stream_body_names_stream_and_key) {
  std::string to;
  append_stream_body(to, known_user(), {"streaming-0e90e0175553-user", "partition-1"},
                     {DatetimeStyle::iso, Spelling::python});
  EXPECT_EQ(to, R"({"StreamName": "streaming-0e90e0175553-user", "Data": {"ind": 5730, )"
                R"("first_name": "Rachel", "last_name": "Davis", "age": 36, )"
                R"("date_joined": "2015-12-08T20:02:43"}, "PartitionKey": "partition-1"})");
}

TEST(Payload, datetimes_have_four_texts) {
  const std::pair<std::string_view, std::string_view> texts[] = {{"a", "2015-12-08 20:02:43"},
                                                                 {"b", "2015-12-08T20:02:43"},
                                                                 {"c", "2015:12:08 20:02:43"},
                                                                 {"d", "12/08/2015, 20:02:43"}};
  for (auto [letter, text] : texts) {
    std::string to;
    append_row(to, known_user(), {*datetime_style_named(letter), Spelling::compact});
    EXPECT_NE(to.find(text), std::string::npos) << to;
  }
  EXPECT_EQ(datetime_style_named("e"), std::nullopt);
}

TEST(Payload, python_strings_are_ascii_with_surrogate_pairs) {
  EXPECT_EQ(string_of("Décor 😍 “x”", Spelling::python),
            R"("D\u00e9cor \ud83d\ude0d \u201cx\u201d")");
  EXPECT_EQ(string_of("a\"b\\c/\n\t\r\b\f\x01\x7f", Spelling::python),
            R"("a\"b\\c/\n\t\r\b\f\u0001\u007f")");
}

TEST(Payload, compact_strings_keep_their_characters) {
  EXPECT_EQ(string_of("Décor 😍", Spelling::compact), "\"Décor 😍\"");
  EXPECT_EQ(string_of("a\"\n\x01\x7f", Spelling::compact), "\"a\\\"\\n\\u0001\x7f\"");
}

TEST(Payload, bytes_that_are_no_text_become_the_replacement_character) {
  for (std::string_view bad :
       {"\xff", "\xc3", "\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80"}) {
    std::string text = string_of(bad, Spelling::python);
    EXPECT_TRUE(text.starts_with("\"\\ufffd")) << text;
    EXPECT_TRUE(string_of(bad, Spelling::compact).starts_with("\"\xef\xbf\xbd"));
  }
}

TEST(Payload, floats_and_nulls_are_pythons) {
  Row row;
  row.begin(schema_of(Table::geo));
  row.add_integer(1);
  row.add_null();
  row.add_real("-5");
  row.add_real("-5.34445");
  row.add_text("Cote d'Ivoire");
  std::string to;
  append_row(to, row, {});
  EXPECT_EQ(to, R"({"ind": 1, "timestamp": null, "latitude": -5.0, "longitude": -5.34445, )"
                R"("country": "Cote d'Ivoire"})");
}

TEST(Payload, the_dirty_row_is_sent_as_the_public_one) {
  Generator generator;
  Row row;
  generator.pin(dirty_index, row);
  std::string to;
  append_row(to, row, {});
  EXPECT_EQ(
      to,
      R"({"index": 7528, "unique_id": "fbe53c66-3442-4773-b19e-d3ec6f54dddf", )"
      R"("title": "No Title Data Available", "description": "No description available Story format", )"
      R"("poster_name": "User Info Error", "follower_count": "User Info Error", )"
      R"("tag_list": "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e", )"
      R"j("is_image_or_video": "multi-video(story page format)", "image_src": "Image src error.", )j"
      R"("downloaded": 0, "save_location": "Local save in /data/mens-fashion", )"
      R"("category": "mens-fashion"})");
}

}  // namespace
}  // namespace pinpipe::source
