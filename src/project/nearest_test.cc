#include "project/nearest.h"

#include <gtest/gtest.h>

namespace pinpipe::project {
namespace {

TEST(Nearest, counts_single_edits_and_swaps) {
  EXPECT_EQ(edit_distance("columns", "columns"), 0u);
  EXPECT_EQ(edit_distance("colums", "columns"), 1u);
  EXPECT_EQ(edit_distance("cloumns", "columns"), 1u);
  EXPECT_EQ(edit_distance("Columns", "columns"), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Nearest, names_nothing_when_nothing_is_near) {
  std::vector<std::string> words = {"topic", "stream", "columns"};
  EXPECT_EQ(nearest("topics", words), "topic");
  EXPECT_EQ(nearest("xylophone", words), "");
  EXPECT_EQ(did_you_mean("steram", words), "did you mean \"stream\"?");
  EXPECT_EQ(did_you_mean("zz", words), "");
}

TEST(Nearest, bounds_what_it_compares) {
  std::string long_word(100'000, 'a');
  EXPECT_EQ(edit_distance(long_word, long_word), 0u);
}

}  // namespace
}  // namespace pinpipe::project
