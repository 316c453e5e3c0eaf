#include <gtest/gtest.h>

#include "project/settings_fixture.h"

namespace pinpipe::project {
namespace {

TEST(ReadObjects, they_are_on_this_machine_unless_said) {
  Loaded loaded = with("");
  ASSERT_TRUE(loaded.project) << render(loaded.diagnostics);
  EXPECT_FALSE(loaded.project->objects.is_remote);
  EXPECT_FALSE(with("objects: { store: local }\n").project->objects.is_remote);
  EXPECT_EQ(loaded.project->objects.fsync, Fsync::always);
  EXPECT_EQ(with("objects: { fsync: os }\n").project->objects.fsync, Fsync::os);
}

TEST(ReadObjects, they_may_be_in_an_s3_service_elsewhere) {
  Loaded loaded = with(
      "objects: { store: s3, endpoint: \"http://127.0.0.1:9000\", region: eu-west-1, "
      "addressing: host, credentials: keys.csv, profile: work, ca_file: ca.pem }\n");
  ASSERT_TRUE(loaded.project) << render(loaded.diagnostics);
  const ObjectSettings& objects = loaded.project->objects;
  EXPECT_TRUE(objects.is_remote);
  EXPECT_FALSE(objects.path_style);
  EXPECT_EQ(objects.endpoint + " " + objects.region, "http://127.0.0.1:9000 eu-west-1");
  EXPECT_EQ(objects.credentials + " " + objects.profile + " " + objects.ca_file,
            "keys.csv work ca.pem");
}

TEST(ReadObjects, settings_that_would_do_nothing_are_refused) {
  for (const char* line :
       {"objects: { endpoint: \"http://h:1\" }\n", "objects: { store: s3, endpoint: \"h:1\" }\n",
        "objects: { store: gcs }\n", "objects: { store: s3, bucket: b }\n",
        "objects: { store: s3, fsync: os }\n", "objects: { fsync: interval }\n"})
    EXPECT_EQ(with(line).diagnostics.size(), 1U) << line;
}

}  // namespace
}  // namespace pinpipe::project
