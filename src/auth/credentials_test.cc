#include "auth/credentials.h"

#include <gtest/gtest.h>

#include "base/log_line.h"

namespace pinpipe::auth {
namespace {

TEST(Credentials, are_found_by_access_key_until_removed) {
  Credentials table;
  ASSERT_TRUE(table.add({"AK", "hush", "", {"ann", PrincipalKind::user}}));
  ASSERT_NE(table.find("AK"), nullptr);
  EXPECT_EQ(table.find("AK")->principal.name, "ann");
  EXPECT_EQ(table.find("ak"), nullptr);
  EXPECT_EQ(table.add({"AK", "other", "", {}}).error().code(), Code::conflict);
  EXPECT_EQ(table.add({"", "x", "", {}}).error().code(), Code::invalid);
  EXPECT_TRUE(table.remove("AK"));
  EXPECT_FALSE(table.remove("AK"));
  EXPECT_EQ(table.find("AK"), nullptr);
}

TEST(Credentials, secrets_never_appear_in_a_log_line) {
  Credentials table;
  ASSERT_TRUE(table.add({"AK2", "very-hush-hush", "", {}}));
  testing::internal::CaptureStderr();
  log_error("auth", "a key was used", {{"key", "very-hush-hush"}});
  std::string line = testing::internal::GetCapturedStderr();
  EXPECT_NE(line.find("a key was used"), std::string::npos);
  EXPECT_EQ(line.find("very-hush-hush"), std::string::npos);
}

}  // namespace
}  // namespace pinpipe::auth
