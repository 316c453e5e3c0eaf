#include "sink/config.h"

#include <gtest/gtest.h>

#include "io/files.h"
#include "sink/keys.h"

namespace pinpipe::sink {
namespace {

// The course's connector, as 20 repositories have it.
constexpr std::string_view course = R"(# a comment
connector.class=io.confluent.connect.s3.S3SinkConnector
s3.region=us-east-1
flush.size=1
schema.compatibility=NONE
tasks.max=3
topics.regex=0e90e0175553.*
format.class=io.confluent.connect.s3.format.json.JsonFormat
partitioner.class=io.confluent.connect.storage.partitioner.DefaultPartitioner
value.converter.schemas.enable=false
value.converter=org.apache.kafka.connect.json.JsonConverter
storage.class=io.confluent.connect.s3.storage.S3Storage
key.converter=org.apache.kafka.connect.storage.StringConverter
s3.bucket.name=user-0e90e0175553-bucket
name = 0e90e0175553-connector
)";

Properties course_properties() {
  return *parse_properties(course);
}

std::string problem_of(const std::string& key, const std::string& value) {
  Properties properties = course_properties();
  properties[key] = value;
  for (const KeyProblem& problem : problems_of(properties)) {
    if (problem.key == key) return problem.text;
  }
  return {};
}

TEST(SinkConfigTest, the_course_s_connector_is_understood) {
  auto config = parse_config(course_properties());
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->name, "0e90e0175553-connector");
  EXPECT_EQ(config->bucket, "user-0e90e0175553-bucket");
  EXPECT_EQ(config->flush_size, 1);
  EXPECT_EQ(config->tasks_max, 3);
  EXPECT_TRUE(config->wants("0e90e0175553.pin"));
  EXPECT_FALSE(config->wants("x0e90e0175553.pin"));
  EXPECT_EQ(config->key_of("0e90e0175553.pin", 0, 42),
            "topics/0e90e0175553.pin/partition=0/0e90e0175553.pin+0+0000000042.json");
}

TEST(SinkConfigTest, every_key_is_accepted_or_refused_by_name) {
  EXPECT_TRUE(problem_of("topics.dri", "x").find("topics.dir") != std::string::npos);
  EXPECT_NE(problem_of("nonsense", "x"), "");
  EXPECT_NE(problem_of("format.class", "io.confluent.connect.s3.format.avro.AvroFormat"), "");
  EXPECT_NE(problem_of("rotate.interval.ms", "1000"), "");
  EXPECT_EQ(problem_of("rotate.interval.ms", "-1"), "");
  EXPECT_NE(problem_of("store.kafka.keys", "true"), "");
  EXPECT_NE(problem_of("store.url", "http://elsewhere"), "");
  EXPECT_NE(problem_of("timezone", "Europe/London"), "");
  EXPECT_NE(problem_of("behavior.on.null.values", "write"), "");
  EXPECT_EQ(problem_of("behavior.on.null.values", "ignore"), "");
  EXPECT_EQ(problem_of("s3.part.size", "5242880"), "");
  EXPECT_EQ(problem_of("key.converter.schemas.enable", "true"), "");
  EXPECT_NE(problem_of("transforms.add.type", "x"), "");
  EXPECT_NE(problem_of("path.format", "yyyy"), "") << "without a time-based partitioner";
  EXPECT_NE(problem_of("flush.size", "0"), "");
  EXPECT_NE(problem_of("flush.size", "many"), "");
  EXPECT_NE(problem_of("topics.regex", "("), "");
  EXPECT_NE(problem_of("topics", "a,b"), "") << "together with topics.regex";
  EXPECT_NE(problem_of("errors.deadletterqueue.topic.name", "dead"), "") << "without tolerance";
}

TEST(SinkConfigTest, the_documentation_tells_of_every_key) {
  auto text = io::posix_files().read_all(PINPIPE_SOURCE_DIR "/docs/connector.md");
  ASSERT_TRUE(text) << text.error().text();
  for (const Key& key : keys()) {
    std::string name(key.name);
    if (name.ends_with('.')) name += "…";
    EXPECT_TRUE(text->contains("`" + name + "`")) << name;
    std::string about = "| " + std::string(key.about) + " |";
    EXPECT_TRUE(key.use == Use::harmless || text->contains(about)) << name << ": " << key.about;
  }
}

TEST(SinkConfigTest, all_problems_are_told_at_once) {
  auto refused = parse_config({{"flush.size", "x"}});
  ASSERT_FALSE(refused);
  for (const char* key : {"name", "connector.class", "flush.size", "topics", "s3.bucket.name"})
    EXPECT_NE(refused.error().text().find(std::string("\n  ") + key + ":"), std::string::npos)
        << key;
}

TEST(SinkConfigTest, dead_letters_do_not_come_back) {
  Properties properties = course_properties();
  properties["errors.tolerance"] = "all";
  properties["errors.deadletterqueue.topic.name"] = "0e90e0175553.dead";
  EXPECT_FALSE(parse_config(properties));
  properties["errors.deadletterqueue.topic.name"] = "dead.0e90e0175553";
  EXPECT_TRUE(parse_config(properties));
}

TEST(SinkConfigTest, properties_files_have_their_own_ways) {
  auto properties = parse_properties("! no\r\n  a = 1\r\nb:2\nc 3\nlong=x,\\\n   y\nempty=\n\n");
  ASSERT_TRUE(properties);
  EXPECT_EQ(*properties,
            (Properties{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"long", "x,y"}, {"empty", ""}}));
  EXPECT_FALSE(parse_properties("alone"));
}

}  // namespace
}  // namespace pinpipe::sink
