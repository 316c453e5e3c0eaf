#include "sql/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinpipe::sql {
namespace {

using testing::HasSubstr;

TEST(Library, is_found_and_is_the_version_of_our_header) {
  auto loaded = load_library();
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ((*loaded)->library_version(), Library::version_wanted);
}

TEST(Library, a_missing_or_foreign_library_is_refused_by_name) {
  auto missing = load_library_at("/nonexistent/libduckdb.so");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().text(), HasSubstr("/nonexistent/libduckdb.so"));
  auto foreign = load_library_at("libc.so.6");
  ASSERT_FALSE(foreign);
  EXPECT_THAT(foreign.error().text(), HasSubstr("libc.so.6 is another library"));
}

}  // namespace
}  // namespace pinpipe::sql
