#include "base/ascii.h"

#include <gtest/gtest.h>

namespace pinpipe {
namespace {

TEST(Ascii, only_its_own_letters_become_small) {
  EXPECT_EQ(lowered("ABC[\\]^_`xyz@Z09 \xC3\x84"), "abc[\\]^_`xyz@z09 \xC3\x84");
  EXPECT_EQ(lowered(std::string_view()), "");
}

TEST(Ascii, names_are_equal_in_either_case_and_only_then) {
  EXPECT_TRUE(equal_without_case("Content-Length", "content-LENGTH"));
  EXPECT_TRUE(equal_without_case("", ""));
  EXPECT_FALSE(equal_without_case("Host", "Hosts"));
  EXPECT_FALSE(equal_without_case("Host", "Hos"));
  EXPECT_FALSE(equal_without_case("[", "{"));
  EXPECT_FALSE(equal_without_case("@", "`"));
}

TEST(Ascii, blanks_go_from_both_ends_and_stay_inside) {
  EXPECT_EQ(trimmed(" \ta b\t "), "a b");
  EXPECT_EQ(trimmed("a\n"), "a\n");
  EXPECT_EQ(trimmed("\r\na\n", blanks_and_ends), "a");
  EXPECT_EQ(trimmed(" \t "), "");
  EXPECT_EQ(trimmed(""), "");
}

}  // namespace
}  // namespace pinpipe
