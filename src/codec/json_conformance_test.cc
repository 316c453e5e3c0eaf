// What is JSON and what is not, case by case, for the tree and for the scanner alike.
#include <gtest/gtest.h>

#include "base/random.h"
#include "codec/json.h"
#include "codec/json_scan.h"
#include "kit/seed.h"

namespace pinpipe::codec {
namespace {

using namespace std::string_view_literals;

bool scans(std::string_view text) {
  std::string out;
  return compact_json(text, out).has_value();
}

constexpr std::string_view good[] = {"null",
                                     "true",
                                     "false",
                                     "0",
                                     "-0",
                                     "-1",
                                     "10",
                                     "1.5",
                                     "0.0",
                                     "1e5",
                                     "1E+5",
                                     "1e-5",
                                     "0e0",
                                     "-0.1e1",
                                     "\"\"",
                                     "\"a\"",
                                     R"("\"\\\/\b\f\n\r\t")",
                                     R"("\u0000")",
                                     R"("\uD83D\uDE00")",
                                     R"("\u2028")",
                                     "\"\x7f\"",
                                     "\"\u2028\"",
                                     "\"\U0010FFFF\"",
                                     "\"\xef\xbb\xbf\"",
                                     "[]",
                                     "{}",
                                     "[[]]",
                                     "[{}]",
                                     R"({"":0})",
                                     R"({"a":{"a":{}}})",
                                     R"({"a":1,"a":2})",
                                     "[1,2,3]",
                                     " [ ] ",
                                     "\t\n\r {} \t\n\r",
                                     "[\"],\"]",
                                     R"({"a":"{","b":"}"})",
                                     R"(["\\"])",
                                     R"(["\\\""])",
                                     R"(["\\\\", "x"])",
                                     "[null,true,false]",
                                     "123456789012345678901234567890",
                                     "0.1234567890123456789012345678901234567890",
                                     "1e-400",
                                     R"({"\u0061":1})",
                                     "[\"a\" , \"b\"]",
                                     "[-1,-2]",
                                     "[1 ]",
                                     "[ 1]",
                                     "{\"a\" :1}",
                                     "{\"a\": 1}"};

constexpr std::string_view bad[] = {"",
                                    " ",
                                    "\n",
                                    "nul",
                                    "nulll",
                                    "tru",
                                    "True",
                                    "NULL",
                                    "falsey",
                                    "undefined",
                                    "NaN",
                                    "Infinity",
                                    "-Infinity",
                                    "-",
                                    "+1",
                                    "01",
                                    "-01",
                                    "00",
                                    "1.",
                                    ".5",
                                    "-.5",
                                    "1.e5",
                                    "1e",
                                    "1e+",
                                    "1e+-1",
                                    "0x10",
                                    "1_0",
                                    "1 2",
                                    "1,",
                                    ",1",
                                    "1a",
                                    "--1",
                                    "1.2.3",
                                    "1e5.5",
                                    "0 0",
                                    "1\x0c",
                                    "\x0c",
                                    "\v1",
                                    "\xc2\xa0"
                                    "1",
                                    "\xef\xbb\xbf{}",
                                    "'a'",
                                    "\"",
                                    "\"a",
                                    "a\"",
                                    "\"\\\"",
                                    "\"\\x\"",
                                    "\"\\u\"",
                                    "\"\\u12\"",
                                    "\"\\u12G4\"",
                                    "\"\\u 123\"",
                                    "\"\\U0041\"",
                                    "\"\\'\"",
                                    "\"\\0\"",
                                    "\"a\nb\"",
                                    "\"a\tb\"",
                                    "\"\x01\"",
                                    "\"\x1f\"",
                                    "\"a\"b",
                                    "\"a\"\"b\"",
                                    "\"a\" \"b\"",
                                    "[",
                                    "]",
                                    "{",
                                    "}",
                                    "[}",
                                    "{]",
                                    "[1",
                                    "[1,",
                                    "[1,]",
                                    "[,1]",
                                    "[,]",
                                    "[1,,2]",
                                    "[1 2]",
                                    "[1:2]",
                                    "[\"a\":1]",
                                    "[1]]",
                                    "[[1]",
                                    "{\"a\"}",
                                    "{\"a\":}",
                                    "{\"a\":1,}",
                                    "{,}",
                                    "{\"a\",1}",
                                    "{\"a\":1 \"b\":2}",
                                    "{\"a\"::1}",
                                    "{\"a\":1:2}",
                                    "{a:1}",
                                    "{'a':1}",
                                    "{1:1}",
                                    "{null:1}",
                                    "{[]:1}",
                                    "{\"a\":1}}",
                                    "{\"a\":1},",
                                    "{}{}",
                                    "[][]",
                                    "{} 1",
                                    "[]\"a\"",
                                    "/* c */1",
                                    "1//c",
                                    "#1",
                                    "[1]#",
                                    "\"\xff\"",
                                    "\"\xc0\x80\"",
                                    "\"\xed\xa0\x80\"",
                                    "\"\xf4\x90\x80\x80\"",
                                    "\"\xe2\x82\"",
                                    "\"\xf0\x9f\x98\"",
                                    "\x80",
                                    "[\"a\x80\"]",
                                    ":",
                                    ",",
                                    "{\"a\":[}",
                                    "[{]}",
                                    "{\"a\":\"b}",
                                    "nulltrue",
                                    "[true false]",
                                    "[\"\\\"]",
                                    "123\"abc\"",
                                    "true\"a\"",
                                    "[1\x1a]",
                                    "{\"a\"\x1a"
                                    "1}"};

TEST(JsonConformance, accepts_all_that_is_json) {
  for (std::string_view text : good) {
    EXPECT_TRUE(scans(text)) << text;
    EXPECT_TRUE(parse_json(text)) << text;
  }
}

TEST(JsonConformance, refuses_all_else) {
  for (std::string_view text : bad) {
    EXPECT_FALSE(scans(text)) << text;
    auto tree = parse_json(text);
    ASSERT_FALSE(tree) << text;
    EXPECT_EQ(tree.error().code(), Code::invalid);
  }
  EXPECT_FALSE(scans("\0"sv));
  EXPECT_FALSE(scans("1\0"sv));
  EXPECT_FALSE(scans("\"\0\""sv));
}

// The first pass works in blocks of 64 bytes; a mistake must not hide at a border.
TEST(JsonConformance, holds_at_every_position_in_a_block) {
  for (size_t shift = 0; shift < 130; ++shift) {
    for (const std::string& front :
         {std::string(shift, ' '), "[\"" + std::string(shift, 'x') + "\","}) {
      const std::string back = front.ends_with(',') ? "]" : "";
      for (std::string_view text : good)
        EXPECT_TRUE(scans(front + std::string(text) + back)) << shift << text;
      for (std::string_view text : bad) {
        // These would be completed by what stands around them.
        if (text.starts_with(']') || text == "1]" || text.starts_with("1,") || text == "[][]")
          continue;
        if (front.ends_with(',') &&
            (text.ends_with(']') || text == "[" || text.find(',') != text.npos))
          continue;
        EXPECT_FALSE(scans(front + std::string(text) + back)) << shift << text;
      }
    }
  }
}

TEST(JsonConformance, depth_is_bounded) {
  auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse_json(nested(json_depth_max)));
  EXPECT_FALSE(parse_json(nested(json_depth_max + 1)));
  EXPECT_FALSE(scans(std::string(1'000'000, '[')));
}

std::string random_json(Random& random, int depth) {
  auto blank = [&] { return std::string(random.below(3), " \n\t"[random.below(3)]); };
  switch (random.below(depth > 0 ? 8 : 5)) {
    case 0:
      return "null";
    case 1:
      return std::to_string(static_cast<int64_t>(random.next()));
    case 2:
      return std::to_string(random.unit());
    case 3:
      return random.below(2) == 0 ? "true" : "false";
    case 4: {
      std::string text = "\"";
      constexpr std::string_view parts[] = {"a",      "\\n",  "\\u00e9", "\\ud83d\\ude00",
                                            "\u00e9", "\\\"", "[,{"};
      for (uint64_t n = random.below(6); n > 0; --n) text += parts[random.below(7)];
      return text + "\"";
    }
    case 5: {
      std::string text = "[" + blank();
      for (uint64_t n = random.below(4), i = 0; i < n; ++i) {
        text += (i > 0 ? "," : "") + blank() + random_json(random, depth - 1) + blank();
      }
      return text + "]";
    }
    default: {
      std::string text = "{" + blank();
      for (uint64_t n = random.below(4), i = 0; i < n; ++i) {
        text += (i > 0 ? "," : "") + blank() + "\"k" + std::to_string(random.below(9)) + "\"" +
                blank() + ":" + blank() + random_json(random, depth - 1) + blank();
      }
      return text + "}";
    }
  }
}

TEST(JsonConformance, the_compact_form_is_stable_shorter_and_means_the_same) {
  Random random(kit::seed());
  JsonScanner scanner;
  for (int i = 0; i < 3000; ++i) {
    std::string text = " " + random_json(random, 4) + " ";
    std::string once;
    ASSERT_TRUE(scanner.compact(text, once)) << text;
    std::string twice;
    ASSERT_TRUE(scanner.compact(once, twice));
    EXPECT_EQ(once, twice);
    EXPECT_LT(once.size(), text.size());
    auto tree = parse_json(text);
    ASSERT_TRUE(tree) << text;
    EXPECT_EQ(*tree, *parse_json(once));
    EXPECT_EQ(*tree, *parse_json(to_json(*tree)));
    EXPECT_EQ(*tree, *parse_json(to_json_pretty(*tree)));
  }
}

TEST(JsonConformance, every_cut_of_a_document_is_refused) {
  Random random(kit::seed());
  for (int i = 0; i < 200; ++i) {
    std::string text = "[" + random_json(random, 3) + "]";
    for (size_t keep = 0; keep < text.size(); ++keep)
      EXPECT_FALSE(scans(text.substr(0, keep))) << text;
  }
}

}  // namespace
}  // namespace pinpipe::codec
