#include "jobs/dataset_objects.h"

#include <gtest/gtest.h>

namespace pinpipe::jobs {
namespace {

project::Project with_connector(std::map<std::string, std::string> config) {
  project::Project project;
  project.connectors.push_back({.name = "c", .config = std::move(config)});
  return project;
}

TEST(PlaceOfTopic, follows_the_connector_that_takes_the_topic) {
  auto project = with_connector({{"topics.regex", "abc.*"}, {"s3.bucket.name", "b"}});
  auto place = place_of_topic(project, "abc.pin");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->bucket, "b");
  EXPECT_EQ(place->prefix, "topics/abc.pin/");
  EXPECT_EQ(place_of_topic(project, "xyz.pin").error().code(), Code::not_found);
}

TEST(PlaceOfTopic, reads_a_list_of_topics_and_another_top_folder) {
  auto project =
      with_connector({{"topics", "a.pin, a.geo"}, {"s3.bucket.name", "b"}, {"topics.dir", "raw"}});
  EXPECT_EQ(place_of_topic(project, "a.geo")->prefix, "raw/a.geo/");
  EXPECT_FALSE(place_of_topic(project, "a.user"));
}

TEST(PlaceOfTopic, a_regex_that_is_none_takes_nothing) {
  EXPECT_FALSE(
      place_of_topic(with_connector({{"topics.regex", "("}, {"s3.bucket.name", "b"}}), "a"));
}

TEST(PlaceOfDataset, is_the_folder_that_it_names_before_its_topic_s) {
  auto project = with_connector({{"topics", "t"}, {"s3.bucket.name", "b"}});
  project::Dataset dataset;
  dataset.topic = "t";
  EXPECT_EQ(place_of_dataset(project, dataset)->prefix, "topics/t/");
  dataset.objects = {.bucket = "other", .prefix = "raw/"};
  EXPECT_EQ(place_of_dataset(project, dataset)->bucket, "other");
  EXPECT_EQ(place_of_dataset(project, dataset)->prefix, "raw/");
}

}  // namespace
}  // namespace pinpipe::jobs
