#include "columns/json_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/random.h"
#include "columns/batch.h"
#include "kit/seed.h"

namespace pinpipe::columns {
namespace {

using testing::HasSubstr;

struct Refusal {
  uint64_t line;
  std::string bytes;
  std::string reason;
};

// A decoder for one small schema, with what it wrote and refused.
class JsonDecoderTest : public testing::Test {
 protected:
  void decode(std::string_view bytes) {
    // The bytes stand alone on the heap, so that the address sanitizer sees any read beyond them.
    piece_ = std::make_unique<std::vector<char>>(bytes.begin(), bytes.end());
    decoder_.start("object-1", {piece_->data(), piece_->size()});
    rows_ = decoder_.fill(batch_.target(), 0);
  }
  std::optional<std::string> text_of(std::string_view line) {
    decode(line);
    return rows_ == 1 ? batch_.text(1, 0) : "no row";
  }
  std::string reason_of(std::string_view line) {
    refused_.clear();
    decode(line);
    EXPECT_EQ(rows_, 0u) << line;
    EXPECT_EQ(refused_.size(), 1u) << line;
    return refused_.empty() ? "" : refused_[0].reason;
  }

  Schema schema_ = *Schema::make({{.name = "ind", .type = Type::int32, .synonyms = {"index"}},
                                  {.name = "title", .type = Type::text, .synonyms = {}},
                                  {.name = "latitude", .type = Type::float64, .synonyms = {}},
                                  {.name = "seen", .type = Type::boolean, .synonyms = {}},
                                  {.name = "at", .type = Type::timestamp, .synonyms = {}},
                                  {.name = "big", .type = Type::int64, .synonyms = {}}});
  Batch batch_{schema_, 8};
  std::vector<Refusal> refused_;
  JsonDecoder decoder_{
      schema_, [this](const Refused& refused) {
        refused_.push_back({refused.line, std::string(refused.bytes), std::string(refused.reason)});
      }};
  std::unique_ptr<std::vector<char>> piece_;
  size_t rows_ = 0;
};

TEST_F(JsonDecoderTest, each_line_becomes_a_row_of_typed_values) {
  decode(
      R"({"ind":1,"title":"a \"b\"","latitude":-1.5,"seen":true,"at":"1970-01-01 00:00:01","big":7})"
      "\n"
      R"({ "big" : 9007199254740993 , "title" : "Ünï 😀" , "ind" : -2 })"
      "\n");
  ASSERT_EQ(rows_, 2u);
  EXPECT_EQ(batch_.integer(0, 0), 1);
  EXPECT_EQ(batch_.text(1, 0), "a \"b\"");
  EXPECT_EQ(batch_.number(2, 0), -1.5);
  EXPECT_EQ(batch_.boolean(3, 0), true);
  EXPECT_EQ(batch_.integer(4, 0), 1'000'000);
  EXPECT_EQ(batch_.integer(0, 1), -2);
  EXPECT_EQ(batch_.text(1, 1), "Ünï 😀");
  EXPECT_EQ(batch_.number(2, 1), std::nullopt);
  EXPECT_EQ(batch_.integer(5, 1), 9007199254740993);
  EXPECT_EQ(decoder_.counts().lines, 2u);
  EXPECT_EQ(decoder_.counts().rows, 2u);
}

TEST_F(JsonDecoderTest, byte_order_mark_carriage_returns_and_blank_lines_are_skipped) {
  decode("\xEF\xBB\xBF{\"ind\":1}\r\n\r\n  \n{\"ind\":2}");
  EXPECT_EQ(rows_, 2u);
  EXPECT_EQ(decoder_.counts().lines, 2u);
  EXPECT_TRUE(refused_.empty());
}

TEST_F(JsonDecoderTest, missing_null_extra_and_renamed_fields) {
  decode(R"({"index":5,"title":null,"other":{"a":[1,{"b":null}],"c":"\u00e9"},"n":1e999})");
  ASSERT_EQ(rows_, 1u);
  EXPECT_EQ(batch_.integer(0, 0), 5);
  EXPECT_EQ(batch_.text(1, 0), std::nullopt);
  EXPECT_EQ(batch_.number(2, 0), std::nullopt);
}

TEST_F(JsonDecoderTest, the_last_of_several_equal_keys_wins) {
  decode(
      "{\"ind\":1,\"index\":2,\"title\":\"a\",\"title\":null}\n{\"title\":null,\"title\":\"b\"}\n");
  ASSERT_EQ(rows_, 2u);
  EXPECT_EQ(batch_.integer(0, 0), 2);
  EXPECT_EQ(batch_.text(1, 0), std::nullopt);
  EXPECT_EQ(batch_.text(1, 1), "b");
}

TEST_F(JsonDecoderTest, keys_may_be_written_with_escapes) {
  EXPECT_EQ(text_of(R"({"t\u0069tle":"x"})"), "x");
}

TEST_F(JsonDecoderTest, text_columns_keep_the_spelling_of_other_values) {
  EXPECT_EQ(text_of(R"({"title":1.50e+3})"), "1.50e+3");
  EXPECT_EQ(text_of(R"({"title":123456789012345678901234567890 })"),
            "123456789012345678901234567890");
  EXPECT_EQ(text_of(R"({"title":true})"), "true");
  EXPECT_EQ(text_of(R"({"title": {"a": [1, 2]} , "ind": 3})"), R"({"a": [1, 2]})");
  EXPECT_EQ(text_of(R"({"title":[]})"), "[]");
  EXPECT_EQ(text_of(R"({"title":""})"), "");
}

TEST_F(JsonDecoderTest, text_that_means_a_value_exactly_is_read_as_it) {
  decode(R"({"ind":"42","latitude":"1.5","seen":"false","at":"2022-05-27T11:30:59","big":12.0})");
  ASSERT_EQ(rows_, 1u);
  EXPECT_EQ(batch_.integer(0, 0), 42);
  EXPECT_EQ(batch_.number(2, 0), 1.5);
  EXPECT_EQ(batch_.boolean(3, 0), false);
  EXPECT_EQ(batch_.integer(5, 0), 12);
}

TEST_F(JsonDecoderTest, values_of_another_type_are_refused_by_column) {
  EXPECT_EQ(reason_of(R"({"ind":"x"})"), "column ind: cannot read x as integer");
  EXPECT_EQ(reason_of(R"({"ind":12.5})"), "column ind: cannot read 12.5 as integer");
  EXPECT_EQ(reason_of(R"({"ind":3000000000})"),
            "column ind: 3000000000 is out of range for integer");
  EXPECT_EQ(reason_of(R"({"big":9223372036854775808})"),
            "column big: cannot read 9223372036854775808 as bigint");
  EXPECT_EQ(reason_of(R"({"ind":[1]})"), "column ind: an array where one value belongs");
  EXPECT_EQ(reason_of(R"({"ind":{"a":1}})"), "column ind: an object where one value belongs");
  EXPECT_EQ(reason_of(R"({"ind":true})"), "column ind: cannot read true as integer");
  EXPECT_EQ(reason_of(R"({"latitude":1.})"), "column latitude: not valid JSON");
  EXPECT_EQ(reason_of(R"({"ind":+1})"), "column ind: not valid JSON");
  EXPECT_EQ(reason_of(R"({"latitude":1e400})"), "column latitude: cannot read 1e400 as double");
  EXPECT_EQ(reason_of(R"({"seen":1})"), "column seen: cannot read 1 as boolean");
  EXPECT_EQ(reason_of(R"({"at":5})"), "column at: cannot read 5 as timestamp");
}

TEST_F(JsonDecoderTest, malformed_json_is_refused_wherever_it_hides) {
  for (std::string_view line : {R"({"ind":1)",
                                R"({"ind":1}})",
                                R"({"ind":1} x)",
                                R"({"ind" 1})",
                                R"({"ind":1,})",
                                R"({"other":tru})",
                                R"({"other":[1,]})",
                                R"({"other":01})",
                                R"({"title":"\q"})",
                                R"({"other":"\ud800"})",
                                "{\"title\":\"\xff\"}",
                                "{\"title\":\"a\tb\"}",
                                R"({"title":"a)",
                                R"({"ind":nul})",
                                R"({ind:1})",
                                R"({"other":{"a":1})",
                                "{",
                                "[",
                                "\"",
                                "[{\"ind\":1},]"}) {
    reason_of(line);
  }
}

TEST_F(JsonDecoderTest, values_that_are_no_object_are_refused) {
  for (std::string_view line :
       {"1", "null", "true", "\"\"", "\"text\"", "[1]", "[[{}]]", "nonsense"}) {
    reason_of(line);
  }
}

TEST_F(JsonDecoderTest, an_array_becomes_one_row_per_element) {
  decode(R"([{"ind":1}, {"ind":2} ,{"ind":"x"},7,{"ind":3}])");
  EXPECT_EQ(rows_, 3u);
  EXPECT_EQ(batch_.integer(0, 2), 3);
  ASSERT_EQ(refused_.size(), 2u);
  EXPECT_EQ(refused_[0].bytes, R"({"ind":"x"})");
  EXPECT_EQ(refused_[1].bytes, "7");
  EXPECT_EQ(decoder_.counts().lines, 1u);
}

TEST_F(JsonDecoderTest, a_broken_array_leaves_no_row_behind) {
  EXPECT_EQ(reason_of(R"([{"ind":1},{"ind":2)"), "ends before the JSON value does");
}

TEST_F(JsonDecoderTest, an_array_larger_than_the_target_goes_on_in_the_next_fill) {
  std::string array = "[";
  for (int i = 0; i < 20; ++i)
    array += (i == 0 ? "" : ",") + ("{\"ind\":" + std::to_string(i) + "}");
  array += "]\n{\"ind\":20}";
  decode(array);
  std::vector<int64_t> read;
  for (; rows_ > 0; rows_ = decoder_.fill(batch_.target(), 0)) {
    for (size_t row = 0; row < rows_; ++row) read.push_back(*batch_.integer(0, row));
  }
  ASSERT_EQ(read.size(), 21u);
  for (int i = 0; i < 21; ++i) EXPECT_EQ(read[static_cast<size_t>(i)], i);
}

TEST_F(JsonDecoderTest, json_inside_a_string_is_decoded_again) {
  decode(R"("{\"ind\":1,\"title\":\"a \\\"b\\\"\"}")"
         "\n"
         R"(["{\"ind\":2}"])"
         "\n"
         R"("[{\"ind\":3},{\"ind\":4}]")"
         "\n\"" +
         to_base64(R"({"ind":5})") + "\"\n");
  ASSERT_EQ(rows_, 5u);
  EXPECT_EQ(batch_.text(1, 0), "a \"b\"");
  for (size_t row = 0; row < 5; ++row) EXPECT_EQ(batch_.integer(0, row), int64_t(row) + 1);
}

TEST_F(JsonDecoderTest, a_refused_string_is_kept_as_it_was_sent) {
  decode(R"("{\"ind\":\"x\"}")");
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_EQ(refused_[0].bytes, R"("{\"ind\":\"x\"}")");
}

TEST_F(JsonDecoderTest, one_bad_line_takes_nothing_else_with_it_and_is_numbered) {
  decode("{\"ind\":1}\n\n{\"ind\":\n{\"ind\":2}\n");
  EXPECT_EQ(rows_, 2u);
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_EQ(refused_[0].line, 3u);
  EXPECT_EQ(refused_[0].bytes, "{\"ind\":");
}

TEST_F(JsonDecoderTest, what_is_refused_does_not_depend_on_the_wanted_columns) {
  std::string_view bytes = "{\"ind\":1,\"title\":\"\\q\"}\n{\"ind\":2,\"title\":\"a\"}\n";
  Target target = batch_.target();
  target.columns[1].values = nullptr;
  decoder_.start("object-1", bytes);
  EXPECT_EQ(decoder_.fill(target, 0), 1u);
  EXPECT_EQ(batch_.integer(0, 0), 2);
  EXPECT_EQ(decoder_.counts().refused, 1u);
}

TEST_F(JsonDecoderTest, deep_nesting_is_refused_not_followed) {
  std::string deep = "{\"other\":" + std::string(500, '[') + std::string(500, ']') + "}";
  EXPECT_THAT(reason_of(deep), HasSubstr("nested deeper"));
}

TEST_F(JsonDecoderTest, a_required_column_without_a_value_refuses_the_row) {
  Schema strict =
      *Schema::make({{.name = "ind", .type = Type::int32, .nullable = false, .synonyms = {}}});
  Batch batch(strict, 4);
  JsonDecoder decoder(
      strict, [](const Refused& refused) { EXPECT_EQ(refused.reason, "column ind has no value"); });
  decoder.start("object-1", "{\"ind\":1}\n{}\n{\"ind\":null}");
  EXPECT_EQ(decoder.fill(batch.target(), 0), 1u);
  EXPECT_EQ(decoder.counts().refused, 2u);
}

// Random damage to good lines: nothing crashes, and every line is a row or refused.
TEST_F(JsonDecoderTest, damaged_lines_are_counted_exactly) {
  Random random(kit::seed());
  const std::string good =
      R"({"ind":7,"title":"a \u00e9 b","latitude":1.25,"seen":false,"x":[1,{"y":null}],"big":"8"})";
  for (int round = 0; round < 20'000; ++round) {
    std::string line = good;
    for (uint64_t i = random.below(4); i > 0; --i) {
      constexpr std::string_view alphabet = "{}[]\",:\\ux01e-. tn\xff\xc3";
      line[random.below(line.size())] = alphabet[random.below(alphabet.size())];
    }
    Counts before = decoder_.counts();
    refused_.clear();
    decode(line);
    EXPECT_EQ(decoder_.counts().rows - before.rows, rows_);
    EXPECT_EQ(decoder_.counts().refused - before.refused, refused_.size());
    EXPECT_EQ(rows_ + refused_.size(), 1u) << line;
    EXPECT_EQ(decoder_.counts().values - before.values, 1u) << line;
  }
}

TEST_F(JsonDecoderTest, every_value_of_a_line_is_a_row_or_refused) {
  decode("{\"ind\":1}\n[{\"ind\":2},{\"ind\":\"x\"},3]\n[]\n\nnothing\n[{\"ind\":4},\n");
  EXPECT_EQ(decoder_.counts().lines, 5u);
  EXPECT_EQ(decoder_.counts().values, 1u + 3u + 0u + 1u + 1u);
  EXPECT_EQ(decoder_.counts().rows + decoder_.counts().refused, decoder_.counts().values);
}

}  // namespace
}  // namespace pinpipe::columns
