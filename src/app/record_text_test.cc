#include "app/record_text.h"

#include <gtest/gtest.h>

#include "app/offset_words.h"

namespace pinpipe::app {
namespace {

using codec::Json;

TextRecord some_record() {
  TextRecord record;
  record.topic = "orders";
  record.partition = 2;
  record.offset = 41;
  record.timestamp_ms = 1'700'000'000'123;
  record.key = "k";
  record.value = "value";
  record.headers = {{"a", "1"}, {"b", std::nullopt}};
  return record;
}

std::string shown(std::string_view format, const TextRecord& record) {
  auto parsed = RecordFormat::parse(format);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().text());
  std::string out;
  if (parsed) parsed->append(out, record, "NULL");
  return out;
}

TEST(RecordText, a_format_has_the_verbs_of_kcat) {
  EXPECT_EQ(shown("%t %p %o %T %k=%s (%K, %S) %h 100%%\\n", some_record()),
            "orders 2 41 1700000000123 k=value (1, 5) a=1,b=NULL 100%\n");
  EXPECT_EQ(shown("%R\\x41\\0", some_record()), std::string("\0\0\0\5A\0", 6));
}

TEST(RecordText, null_keys_and_values_have_a_length_of_minus_one) {
  TextRecord record = some_record();
  record.key.reset();
  record.value.reset();
  EXPECT_EQ(shown("%k %K %s %S", record), "NULL -1 NULL -1");
}

TEST(RecordText, a_wrong_format_says_what_there_is) {
  for (const char* wrong : {"%", "%q", "\\", "\\q", "\\x4"})
    EXPECT_FALSE(RecordFormat::parse(wrong)) << wrong;
}

TEST(RecordText, bytes_that_are_no_utf8_survive_json) {
  std::string bytes("\xff\0\x80", 3);
  for (bool always_base64 : {false, true}) {
    auto back = bytes_of(cell_of(bytes, always_base64));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->value_or(""), bytes);
    auto text = bytes_of(cell_of("plain", always_base64));
    ASSERT_TRUE(text);
    EXPECT_EQ(text->value_or(""), "plain");
  }
  EXPECT_TRUE(cell_of(std::nullopt).is_null());
  EXPECT_FALSE(bytes_of(*codec::parse_json(R"({"base64":"*"})")));
}

TEST(RecordText, a_record_is_read_from_what_was_shown_or_from_plain_json) {
  auto json = codec::parse_json(
      R"({"offset":9,"time":"2023-11-14T22:13:20.123Z","key":null,"value":{"a":1},
          "headers":[{"key":"h","value":"1"},{"key":"h","value":null}]})");
  auto record = record_of(*json);
  ASSERT_TRUE(record) << record.error().text();
  EXPECT_FALSE(record->key);
  EXPECT_EQ(record->value, "{\"a\":1}");
  EXPECT_EQ(record->timestamp_ms, 1'700'000'000'123);
  ASSERT_EQ(record->headers.size(), 2U);
  EXPECT_FALSE(record->headers[1].second);
  auto short_form = record_of(*codec::parse_json(R"({"value":"v","headers":{"x":"y"}})"));
  ASSERT_TRUE(short_form);
  EXPECT_EQ(short_form->headers.front().first, "x");
  EXPECT_FALSE(record_of(Json("text")));
}

TEST(OffsetWords, the_words_of_kcat_and_of_kafkas_tools) {
  using Kind = OffsetWord::Kind;
  struct Case {
    const char* text;
    Kind kind;
    int64_t number;
  };
  constexpr int64_t now_ms = 1'700'000'000'000;
  for (const Case& one : {Case{"beginning", Kind::beginning, 0}, Case{"latest", Kind::end, 0},
                          Case{"stored", Kind::stored, 0}, Case{"12", Kind::offset, 12},
                          Case{"-3", Kind::before_end, 3}, Case{"s@17", Kind::time, 17},
                          Case{"10m", Kind::time, now_ms - 600'000},
                          Case{"2023-11-14T22:13:20Z", Kind::time, now_ms}}) {
    auto word = parse_offset_word(one.text, now_ms);
    ASSERT_TRUE(word) << one.text;
    EXPECT_EQ(word->kind, one.kind) << one.text;
    EXPECT_EQ(word->number, one.number) << one.text;
  }
  for (const char* wrong : {"", "s@", "x", "1.5", "m", "-5m"})
    EXPECT_FALSE(parse_offset_word(wrong, now_ms)) << wrong;
}

}  // namespace
}  // namespace pinpipe::app
