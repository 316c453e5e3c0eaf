#include "objects/access.h"

#include <gtest/gtest.h>

#include "io/runtime.h"
#include "io/scope.h"
#include "kit/temporary_directory.h"
#include "objects/bucket_store.h"

namespace pinpipe::objects {
namespace {

TEST(AccessTest, each_operation_needs_its_permission) {
  kit::TemporaryDirectory directory;
  io::Runtime runtime({.loops = 1, .disk_threads = 2, .work_threads = 1});
  auto wait = [&](auto task) { return io::wait_on(runtime.loop(0), std::move(task)); };
  auto store = BucketStore::open({.root = directory.path()}, runtime.disk());
  ASSERT_TRUE(store);
  auto policy = std::make_shared<auth::Policy>();
  auto allow = [&](std::string who, std::vector<std::string> actions, std::string what) {
    auto statement = auth::Statement::of_words(auth::Effect::allow, {who}, actions, {what});
    ASSERT_TRUE(statement);
    ASSERT_TRUE(policy->add(std::move(*statement)));
  };
  allow("ada", {"read", "write"}, "object:user-ada-bucket/*");
  allow("ada", {"read", "create"}, "bucket:user-ada-bucket");
  Objects objects(**store, [&] { return policy; });
  Access ada = objects.as({"ada", auth::PrincipalKind::user});
  ASSERT_TRUE(wait(ada.create_bucket("user-ada-bucket")));
  EXPECT_EQ(wait(ada.create_bucket("user-bob-bucket")).error().code(), Code::denied);
  ASSERT_TRUE(wait(ada.put("user-ada-bucket", "k", "v", {}, {})));
  EXPECT_EQ(*wait(ada.get("user-ada-bucket", "k")), "v");
  EXPECT_EQ(wait(ada.remove("user-ada-bucket", "k")).error().code(), Code::denied);
  EXPECT_EQ(wait(ada.remove_bucket("user-ada-bucket")).error().code(), Code::denied);
  EXPECT_EQ(
      wait(ada.copy("user-ada-bucket", "k", "user-bob-bucket", "k", std::nullopt)).error().code(),
      Code::denied);

  Access bob = objects.as({"bob", auth::PrincipalKind::user});
  EXPECT_TRUE(wait(bob.list_buckets())->empty());
  EXPECT_EQ(wait(bob.list("user-ada-bucket", {})).error().code(), Code::denied);
  EXPECT_EQ(wait(bob.head("user-ada-bucket", "k")).error().code(), Code::denied);
  EXPECT_EQ(wait(bob.open("user-ada-bucket", "k")).error().code(), Code::denied);
  EXPECT_EQ(wait(bob.materialize("user-ada-bucket", "k")).error().code(), Code::denied);
  EXPECT_FALSE(bob.may_write("user-ada-bucket", "k"));

  Access sink = objects.as(auth::service_principal("sink"));
  EXPECT_TRUE(wait(sink.remove("user-ada-bucket", "k")));
}

}  // namespace
}  // namespace pinpipe::objects
