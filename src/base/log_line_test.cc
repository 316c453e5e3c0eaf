#include "base/log_line.h"

#include <gtest/gtest.h>

namespace pinpipe {
namespace {

TEST(LogLine, json_form_is_one_object_a_line) {
  EXPECT_EQ(format_log_line(LogForm::json, Level::warn, "rest", "a \"quoted\"\nsentence",
                            {{"topic", "a\\b"}}, 0),
            R"({"ts":"1970-01-01T00:00:00.000Z","level":"warn","component":"rest",)"
            R"("msg":"a \"quoted\"\u000asentence","topic":"a\\b"})"
            "\n");
}

TEST(LogLine, text_form_is_short) {
  EXPECT_EQ(format_log_line(LogForm::text, Level::info, "log", "recovered", {{"bytes", "12"}}, 0),
            "00:00:00.000 info  log: recovered  bytes=12\n");
}

TEST(LogLine, registered_secrets_are_masked_and_floods_are_bounded) {
  redact_in_logs("hunter2");
  set_log_form(LogForm::text);
  testing::internal::CaptureStderr();
  for (int i = 0; i < 100; ++i) log_info("test", "same sentence", {{"password", "hunter2"}});
  std::string out = testing::internal::GetCapturedStderr();
  EXPECT_EQ(out.find("hunter2"), std::string::npos);
  EXPECT_NE(out.find("***"), std::string::npos);
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 20);
}

}  // namespace
}  // namespace pinpipe
