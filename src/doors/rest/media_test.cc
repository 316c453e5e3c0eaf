#include "doors/rest/media.h"

#include <gtest/gtest.h>

namespace pinpipe::rest {
namespace {

TEST(Media, embedded_types_are_recognised_with_parameters_and_in_any_case) {
  EXPECT_EQ(embedded_of("application/vnd.kafka.json.v2+json"), Embedded::json);
  EXPECT_EQ(embedded_of("Application/vnd.Kafka.JSON.v2+json; charset=utf-8"), Embedded::json);
  EXPECT_EQ(embedded_of(" application/vnd.kafka.binary.v2+json"), Embedded::binary);
  EXPECT_EQ(embedded_of("application/vnd.kafka.avro.v2+json"), Embedded::avro);
  EXPECT_EQ(embedded_of("application/vnd.kafka.binary.v1+json"), Embedded::binary);
  EXPECT_EQ(embedded_of("application/vnd.kafka.v1+json"), Embedded::binary);
  for (std::string_view other :
       {"", "application/json", "application/vnd.kafka.v2+json",
        "application/vnd.kafka.json.v3+json", "application/vnd.kafka.xml.v2+json", "text/plain",
        "application/vnd.kafka..v2+json"}) {
    EXPECT_FALSE(embedded_of(other)) << other;
  }
}

TEST(Media, the_answers_type_follows_accept_and_its_weights) {
  auto type_for = [](std::string_view accept) {
    http::Headers headers;
    if (!accept.empty()) headers.add("Accept", accept);
    return answer_type(headers);
  };
  EXPECT_EQ(type_for(""), kafka_v2_type);
  EXPECT_EQ(type_for("*/*"), kafka_v2_type);
  EXPECT_EQ(type_for("application/vnd.kafka.v2+json"), kafka_v2_type);
  EXPECT_EQ(type_for("application/json"), json_type);
  EXPECT_EQ(type_for("text/html, application/json;q=0.9, */*;q=0.8"), json_type);
  EXPECT_EQ(type_for("application/json;q=0.1, application/*;q=0.2"), kafka_v2_type);
  EXPECT_FALSE(type_for("text/html"));
  EXPECT_FALSE(type_for("application/json;q=0"));
}

TEST(Media, bodies_without_records_have_any_of_the_apis_types_or_none) {
  for (std::string_view fine :
       {"", "application/vnd.kafka.v2+json", "application/json; charset=utf-8",
        "application/vnd.kafka.json.v2+json", "Application/JSON"}) {
    EXPECT_TRUE(is_plain_body(fine)) << fine;
  }
  for (std::string_view other : {"text/plain", "application/x-www-form-urlencoded", "json"})
    EXPECT_FALSE(is_plain_body(other)) << other;
}

TEST(Media, records_are_binary_unless_a_format_is_asked_for) {
  auto type_for = [](std::string_view accept) {
    http::Headers headers;
    if (!accept.empty()) headers.add("Accept", accept);
    return records_type(headers);
  };
  EXPECT_EQ(type_for("")->format, Embedded::binary);
  EXPECT_EQ(type_for("*/*")->content_type, "application/vnd.kafka.binary.v2+json");
  EXPECT_EQ(type_for("application/vnd.kafka.v2+json")->content_type, kafka_v2_type);
  EXPECT_EQ(type_for("application/vnd.kafka.json.v2+json")->format, Embedded::json);
  EXPECT_EQ(type_for("*/*;q=0.1, application/vnd.kafka.json.v2+json")->format, Embedded::json);
  EXPECT_EQ(type_for("application/vnd.kafka.avro.v2+json")->format, Embedded::avro);
  EXPECT_TRUE(type_for("application/vnd.kafka.json.v2+json; metadata=\"true\"")->with_metadata);
  EXPECT_FALSE(type_for("application/vnd.kafka.json.v2+json")->with_metadata);
  EXPECT_FALSE(type_for("text/html, application/json"));
}

}  // namespace
}  // namespace pinpipe::rest
