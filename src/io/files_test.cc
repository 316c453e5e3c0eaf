#include "io/files.h"

#include <gtest/gtest.h>

#include "kit/temporary_directory.h"

namespace pinpipe::io {
namespace {

struct PosixFilesTest : testing::Test {
  kit::TemporaryDirectory directory;
  Files& files = posix_files();
  std::string path(std::string_view name) { return directory.path() + "/" + std::string(name); }
};

TEST_F(PosixFilesTest, written_pieces_are_read_back_in_order) {
  auto file = files.open(path("a"), OpenMode::create_new);
  ASSERT_TRUE(file);
  std::vector<std::string_view> pieces(200, "xy");
  ASSERT_TRUE((*file)->write_at(pieces, 3));
  EXPECT_EQ(*(*file)->size(), 403U);
  std::string back(10, '-');
  EXPECT_EQ(*(*file)->read_at(back, 399), 4U);
  EXPECT_EQ(back.substr(0, 4), "xyxy");
}

TEST_F(PosixFilesTest, what_is_in_memory_is_read_without_waiting) {
  auto file = files.open(path("a"), OpenMode::create_new);
  ASSERT_TRUE((*file)->write_at("hello", 0));
  std::string back(10, '-');
  auto got = (*file)->read_warm(back, 1);
  ASSERT_TRUE(got);
  // Some file systems cannot tell what is in memory.
  if (*got) {
    EXPECT_EQ(back.substr(0, **got), "ello");
  }
}

TEST_F(PosixFilesTest, create_new_and_link_refuse_what_is_there) {
  ASSERT_TRUE(files.replace(path("a"), "1"));
  EXPECT_EQ(files.open(path("a"), OpenMode::create_new).error().code(), Code::conflict);
  ASSERT_TRUE(files.replace(path("b"), "2"));
  EXPECT_EQ(files.link(path("a"), path("b")).error().code(), Code::conflict);
  EXPECT_EQ(*files.read_all(path("b")), "2");
}

TEST_F(PosixFilesTest, replace_leaves_the_new_bytes_and_no_debris) {
  ASSERT_TRUE(files.replace(path("a"), "old and long"));
  ASSERT_TRUE(files.replace(path("a"), "new"));
  EXPECT_EQ(*files.read_all(path("a")), "new");
  EXPECT_EQ(files.list(directory.path())->size(), 1U);
}

TEST_F(PosixFilesTest, missing_things_are_not_found) {
  EXPECT_EQ(files.open(path("none"), OpenMode::read).error().code(), Code::not_found);
  EXPECT_EQ(files.list(path("none")).error().code(), Code::not_found);
  EXPECT_FALSE(files.exists(path("none")));
}

TEST_F(PosixFilesTest, trees_are_made_listed_and_removed) {
  ASSERT_TRUE(files.make_directories(path("x/y/z")));
  ASSERT_TRUE(files.make_directories(path("x/y/z")));
  ASSERT_TRUE(files.replace(path("x/f"), ""));
  auto entries = files.list(path("x"));
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ((*entries)[0].name, "f");
  EXPECT_TRUE((*entries)[1].is_directory);
  ASSERT_TRUE(files.remove_tree(path("x")));
  EXPECT_FALSE(files.exists(path("x")));
  EXPECT_TRUE(files.remove_tree(path("x")));
}

TEST_F(PosixFilesTest, a_file_in_the_way_of_a_directory_is_said) {
  ASSERT_TRUE(files.replace(path("f"), ""));
  EXPECT_FALSE(files.make_directories(path("f")));
}

TEST_F(PosixFilesTest, a_whole_tree_is_synced_at_once_or_one_by_one) {
  ASSERT_TRUE(files.make_directories(path("a/b")));
  ASSERT_TRUE(files.replace(path("a/b/c"), "1"));
  EXPECT_TRUE(files.sync_tree(path("a")));
  EXPECT_TRUE(files.Files::sync_tree(path("a")));
  EXPECT_EQ(files.Files::sync_tree(path("absent")).error().code(), Code::not_found);
}

}  // namespace
}  // namespace pinpipe::io
