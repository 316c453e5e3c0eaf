#include "codec/percent.h"

#include <gtest/gtest.h>

namespace pinpipe::codec {
namespace {

TEST(Percent, every_byte_survives_and_only_unreserved_bytes_stay) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  std::string encoded = percent_encode(all);
  EXPECT_EQ(percent_decode(encoded), all);
  EXPECT_EQ(percent_decode_form(encoded), all);
  EXPECT_EQ(percent_encode("aZ09-_.~ /+%\xC3\xA9"), "aZ09-_.~%20%2F%2B%25%C3%A9");
  EXPECT_EQ(percent_encode_path("/a b/c"), "/a%20b/c");
}

TEST(Percent, a_sign_without_two_digits_is_refused) {
  for (auto bad : {"%", "a%2", "%zz", "%2g", "%%20"})
    EXPECT_EQ(percent_decode(bad), std::nullopt) << bad;
}

TEST(Percent, plus_is_a_blank_only_in_forms) {
  EXPECT_EQ(percent_decode("a+b%2B"), "a+b+");
  EXPECT_EQ(percent_decode_form("a+b%2B"), "a b+");
}

TEST(Query, keeps_order_repeats_and_missing_values) {
  auto query = parse_query("b=2&a&&c=&b=x%26y");
  ASSERT_TRUE(query);
  std::vector<QueryParameter> expected = {
      {"b", "2", true}, {"a", "", false}, {"c", "", true}, {"b", "x&y", true}};
  EXPECT_EQ(*query, expected);
  EXPECT_EQ(find_parameter(*query, "b"), "2");
  EXPECT_EQ(find_parameter(*query, "z"), std::nullopt);
  EXPECT_EQ(to_query(*query), "b=2&a&c=&b=x%26y");
  EXPECT_FALSE(parse_query("a=%"));
  EXPECT_TRUE(parse_query("")->empty());
}

TEST(Query, too_many_parameters_are_refused) {
  std::string query;
  for (size_t i = 0; i <= query_parameters_max; ++i) query += "a&";
  EXPECT_FALSE(parse_query(query));
}

}  // namespace
}  // namespace pinpipe::codec
