#include "project/place.h"

#include <gtest/gtest.h>

namespace pinpipe::project {
namespace {

const std::vector<Mount> mounts = {{"/mnt/pins", "user-u-bucket", ""},
                                   {"/mnt/pins/deep/", "other", "a/b"}};

std::string place_of(std::string_view text) {
  auto place = resolve_place(text, mounts);
  if (!place) return "<" + std::string(name_of(place.error().code())) + ">";
  return (place->is_object() ? "[" + place->bucket + "]" : "") + place->path;
}

TEST(PlaceTest, every_form_of_the_course_s_notebooks_leads_to_the_bucket) {
  for (const char* text :
       {"s3://user-u-bucket/topics/u.pin/partition=0/*.json",
        "s3a://user-u-bucket/topics/u.pin/partition=0//*.json",
        "s3n://KEY:se%2Fcr@user-u-bucket/topics/u.pin/partition=0/*.json",
        "s3n://KEY:se/cr@user-u-bucket//topics/u.pin/partition=0/*.json",
        "/mnt/pins/topics/u.pin/partition=0/*.json", "/mnt/pins//topics/u.pin/partition=0/*.json",
        "dbfs:/mnt/pins/topics/u.pin/partition=0/*.json",
        "/dbfs/mnt/pins/topics/u.pin/partition=0/*.json"})
    EXPECT_EQ(place_of(text), "[user-u-bucket]topics/u.pin/partition=0/*.json") << text;
  EXPECT_EQ(place_of("/mnt/pins"), "[user-u-bucket]");
  EXPECT_EQ(place_of("s3://user-u-bucket"), "[user-u-bucket]");
}

TEST(PlaceTest, the_longest_mount_wins_and_only_at_a_border) {
  EXPECT_EQ(place_of("/mnt/pins/deep/x"), "[other]a/b/x");
  EXPECT_EQ(place_of("/mnt/pinsdeep/x"), "/mnt/pinsdeep/x");
  EXPECT_EQ(place_of("/mnt/pins/deeper"), "[user-u-bucket]deeper");
}

TEST(PlaceTest, other_paths_are_this_machine_s) {
  EXPECT_EQ(place_of("data/pin.json"), "data/pin.json");
  EXPECT_EQ(place_of("file:/tmp/x"), "/tmp/x");
  EXPECT_EQ(place_of("file:///tmp/x"), "/tmp/x");
  EXPECT_EQ(place_of("/tmp/../x"), "/tmp/../x");
}

TEST(PlaceTest, what_leads_nowhere_or_out_of_its_mount_is_refused) {
  EXPECT_EQ(place_of("dbfs:/FileStore/tables/x.csv"), "<not_found>");
  EXPECT_EQ(place_of("/mnt/pins/../../etc/passwd"), "<invalid>");
  EXPECT_EQ(place_of("s3:///key"), "<invalid>");
  EXPECT_EQ(resolve_place("dbfs:/x", {}).error().text(),
            "no mount of the project covers /x; there are none");
}

TEST(PlaceTest, a_mount_stands_for_a_bucket_or_a_part_of_one) {
  EXPECT_EQ(mount_target("user-u-bucket")->bucket, "user-u-bucket");
  EXPECT_EQ(mount_target("s3n://box/a/b")->path, "a/b");
  EXPECT_FALSE(mount_target("http://box"));
}

}  // namespace
}  // namespace pinpipe::project
