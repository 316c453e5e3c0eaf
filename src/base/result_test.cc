#include "base/result.h"

#include <cerrno>
#include <gtest/gtest.h>

namespace pinpipe {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return Error(Code::invalid, "odd");
  return value / 2;
}

TEST(Result, carries_a_value_or_an_error) {
  EXPECT_EQ(*half(4), 2);
  Result<int> bad = half(3);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code(), Code::invalid);
}

TEST(Result, context_is_outermost_first) {
  Error error = half(3).error().with("inner").with("outer");
  EXPECT_EQ(error.text(), "outer: inner: odd");
}

TEST(Result, errno_becomes_a_code_and_a_sentence) {
  Error error = error_of_errno(ENOSPC, "write segment");
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_EQ(error.text(), "cannot write segment: No space left on device");
}

}  // namespace
}  // namespace pinpipe
