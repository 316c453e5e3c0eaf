#include "sql/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinpipe::sql {
namespace {

TEST(Smoke, answers) {
  auto engine = Engine::open({.temp_root = testing::TempDir(), .readable_directories = {}});
  ASSERT_TRUE(engine) << engine.error().text();
  auto connection = (*engine)->connect();
  ASSERT_TRUE(connection) << connection.error().text();
  auto table = (*connection)->query("select 1 as a");
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(table->rows, (std::vector<Row>{{Value{int64_t{1}}}}));
}

}  // namespace
}  // namespace pinpipe::sql
