#include "objects/key_path.h"

#include <gtest/gtest.h>

namespace pinpipe::objects {
namespace {

TEST(KeyPathTest, ordinary_keys_are_their_own_paths) {
  for (const char* key : {"a", "topics/x.pin/partition=0/x.pin+0+0000000000.json", ".hidden", "...",
                          "a.pinpipe", "x/.pinpipe", "käse"})
    EXPECT_TRUE(has_plain_path(key)) << key;
  for (std::string_view key :
       {"", "/", "a/", "/a", "a//b", ".", "..", "a/..", "a/./b", ".pinpipe", ".pinpipe/x"})
    EXPECT_FALSE(has_plain_path(key)) << key;
  EXPECT_TRUE(has_plain_path(std::string(255, 'x')));
  EXPECT_FALSE(has_plain_path(std::string(256, 'x')));
  EXPECT_FALSE(has_plain_path(std::string_view("a\0b", 3)));
}

TEST(KeyPathTest, an_odd_path_leads_back_to_its_key_and_holds_no_trap) {
  for (const std::string& key : {std::string("../x"), std::string("a/"), std::string(1024, '/'),
                                 std::string(1024, 'x'), std::string("a+/b"), std::string("%41")}) {
    std::string path = odd_path(key);
    ASSERT_TRUE(path.starts_with(".pinpipe/odd/"));
    std::string relative = path.substr(odd_area.size() + 1);
    EXPECT_EQ(key_of_odd_path(relative), key);
    EXPECT_EQ(relative.find(".."), std::string::npos);
    EXPECT_EQ(relative.find("//"), std::string::npos);
    for (size_t start = 0, end = 0; end != std::string::npos; start = end + 1) {
      end = relative.find('/', start);
      EXPECT_LE((end == std::string::npos ? relative.size() : end) - start, 255U);
    }
  }
  for (const char* foreign : {"a.txt", "%4", "%zz", "a/b", "", "%41"})
    EXPECT_EQ(key_of_odd_path(foreign), std::nullopt) << foreign;
}

TEST(KeyPathTest, bucket_names_follow_the_rules_of_s3) {
  for (const char* name : {"abc", "user-0e90e0175553-bucket", "a.b.c", "123"})
    EXPECT_TRUE(check_bucket_name(name)) << name;
  for (const char* name : {"ab", "Abc", "a_b", "-abc", "abc-", ".abc", "a..b", "a/b", ""})
    EXPECT_FALSE(check_bucket_name(name)) << name;
  EXPECT_FALSE(check_bucket_name(std::string(64, 'a')));
}

TEST(KeyPathTest, text_is_utf8_or_not) {
  EXPECT_TRUE(is_utf8("plain é 漢 🦆"));
  for (const char* bad : {"\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xf0\x9f\xa6", "\xff"})
    EXPECT_FALSE(is_utf8(bad));
}

}  // namespace
}  // namespace pinpipe::objects
