#include "app/data_directory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "io/files.h"
#include "kit/temporary_directory.h"

namespace pinpipe::app {
namespace {

struct DataDirectoryTest : testing::Test {
  kit::TemporaryDirectory temporary;
  std::string path = temporary.path() + "/data";
};

TEST_F(DataDirectoryTest, is_made_with_its_parts_and_its_format) {
  auto directory = DataDirectory::open(path + "/");
  ASSERT_TRUE(directory) << directory.error().text();
  EXPECT_EQ(directory->path(), path);
  for (const std::string& part : {directory->log(), directory->buckets(), directory->lake(),
                                  directory->state(), directory->run(), directory->tmp()}) {
    EXPECT_TRUE(io::posix_files().exists(part)) << part;
  }
  EXPECT_EQ(*io::posix_files().read_all(path + "/FORMAT"), "pinpipe 1\n");
}

TEST_F(DataDirectoryTest, one_holder_at_a_time_and_free_again_afterwards) {
  {
    auto first = DataDirectory::open(path);
    ASSERT_TRUE(first);
    auto second = DataDirectory::open(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), Code::conflict);
    EXPECT_NE(second.error().text().find("process " + std::to_string(::getpid())),
              std::string::npos);
  }
  EXPECT_TRUE(DataDirectory::open(path));
}

TEST_F(DataDirectoryTest, a_newer_or_foreign_directory_is_refused_by_name) {
  ASSERT_TRUE(io::posix_files().make_directories(path));
  ASSERT_TRUE(io::posix_files().replace(path + "/FORMAT", "pinpipe 99\n"));
  auto newer = DataDirectory::open(path);
  ASSERT_FALSE(newer);
  EXPECT_NE(newer.error().text().find("format 99"), std::string::npos);
  ASSERT_TRUE(io::posix_files().replace(path + "/FORMAT", "something else\n"));
  EXPECT_FALSE(DataDirectory::open(path));
}

TEST_F(DataDirectoryTest, endpoints_count_only_while_the_directory_is_held) {
  {
    auto directory = DataDirectory::open(path);
    ASSERT_TRUE(directory);
    ASSERT_TRUE(write_endpoints(*directory, {.process_id = 7, .kafka = "127.0.0.1:9092"}));
    auto endpoints = read_endpoints(path);
    ASSERT_TRUE(endpoints) << endpoints.error().text();
    EXPECT_EQ(endpoints->kafka, "127.0.0.1:9092");
  }
  EXPECT_EQ(read_endpoints(path).error().code(), Code::not_found);
}

}  // namespace
}  // namespace pinpipe::app
