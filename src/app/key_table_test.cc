#include "app/key_table.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "io/files.h"
#include "io/scope.h"
#include "kit/temporary_directory.h"
#include "sql/engine.h"

namespace pinpipe::app {
namespace {

struct KeyTableTest : testing::Test {
  kit::TemporaryDirectory directory;
  std::string place = directory.path() + "/state/private/authentication_credentials";

  Status write(std::string access_key, std::string secret) {
    io::Runtime runtime({.loops = 1, .disk_threads = 1, .work_threads = 1});
    auto connect = [this]() -> Result<std::unique_ptr<sql::Connection>> {
      auto engine = sql::Engine::open(
          {.threads = 1, .temp_root = directory.path(), .readable_directories = {}});
      if (!engine) return engine.error();
      return (*engine)->connect();
    };
    KeyTable table(place, runtime, connect);
    std::vector<auth::Credential> keys(1);
    keys[0].access_key = std::move(access_key);
    keys[0].secret = std::move(secret);
    auto written = io::wait_on(runtime.loop(0), table.write(std::move(keys)));
    return written ? Status{} : Status(written.error());
  }
};

TEST_F(KeyTableTest, its_directory_is_its_owners_alone_also_when_it_was_not_before) {
  std::string parent = io::parent_directory(place);
  ASSERT_TRUE(io::posix_files().make_directories(parent));
  ASSERT_EQ(::chmod(parent.c_str(), 0755), 0);
  ASSERT_TRUE(write("AKIA1", "secret"));
  struct stat facts = {};
  ASSERT_EQ(::stat(parent.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0700U);
}

TEST_F(KeyTableTest, its_first_key_is_found_by_its_directory) {
  ASSERT_TRUE(write("AKIA1", "se/cret"));
  for (const std::string& name : {place, place + "/"}) {
    auto key = first_key_of(name, directory.path());
    ASSERT_TRUE(key) << key.error().text();
    EXPECT_EQ(key->access_key, "AKIA1");
    EXPECT_EQ(key->secret, "se/cret");
  }
  EXPECT_EQ(first_key_of(directory.path() + "/none", directory.path()).error().code(),
            Code::not_found);
}

}  // namespace
}  // namespace pinpipe::app
