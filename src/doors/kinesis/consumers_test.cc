#include <gtest/gtest.h>

#include "base/bytes.h"
#include "codec/cbor.h"
#include "codec/event_stream.h"
#include "doors/kinesis/door_fixture.h"

namespace pinpipe::kinesis {
namespace {

constexpr std::string_view stream_arn = "arn:aws:kinesis:eu-west-1:000000000000:stream/s";

class KinesisConsumersTest : public KinesisDoorTest {
 protected:
  Json enlist(std::string_view name = "c") {
    return ask("RegisterStreamConsumer", R"({"StreamARN":")" + std::string(stream_arn) +
                                             R"(","ConsumerName":")" + std::string(name) + "\"}");
  }
  static std::string position(std::string_view type) {
    return R"(,"ShardId":"0","StartingPosition":{"Type":")" + std::string(type) + "\"}}";
  }
  std::string consumer_arn() const { return std::string(stream_arn) + "/consumer/c:1767348900"; }
  std::string one(std::string_view more = "}") const {
    return R"({"ConsumerARN":")" + consumer_arn() + '"' + std::string(more);
  }
  // All events of an answer that ends by itself.
  std::vector<codec::EventMessage> events_of(http::Response& response) {
    struct Sink : http::BodyWriter {
      std::string all;
      io::Task<Status> write(std::string_view bytes) override {
        all += bytes;
        co_return Status{};
      }
    } sink;
    EXPECT_TRUE(response.stream);
    Status sent = io::wait_on(runtime_.loop(0), response.stream(sink));
    EXPECT_TRUE(sent) << sent.error().text();
    std::vector<codec::EventMessage> events;
    std::string_view rest = sink.all;
    while (!rest.empty()) {
      auto read = codec::read_event(rest);
      EXPECT_TRUE(read && read->message);
      if (!read || !read->message) break;
      events.push_back(std::move(*read->message));
      rest = read->rest;
    }
    return events;
  }
  void end_shard() {
    ask("SplitShard", R"({"StreamName":"s","ShardToSplit":"0","NewStartingHashKey":"9"})");
  }
};

TEST_F(KinesisConsumersTest, a_consumer_is_registered_described_listed_and_dismissed) {
  create();
  const std::string described =
      R"({"ConsumerName":"c","ConsumerARN":")" + consumer_arn() +
      R"(","ConsumerStatus":"ACTIVE","ConsumerCreationTimestamp":1767348900)";
  EXPECT_EQ(codec::to_json(enlist()), R"({"Consumer":)" + described + "}}");
  EXPECT_EQ(codec::to_json(ask("DescribeStreamConsumer", one())),
            R"({"ConsumerDescription":)" + described + R"(,"StreamARN":")" +
                std::string(stream_arn) + "\"}}");
  Json summary = ask("DescribeStreamSummary", R"({"StreamName":"s"})");
  EXPECT_EQ(summary["StreamDescriptionSummary"]["ConsumerCount"].as_int(), 1);
  enlist("d");
  std::string list = R"({"StreamARN":")" + std::string(stream_arn) + '"';
  Json page = ask("ListStreamConsumers", list + R"(,"MaxResults":1})");
  EXPECT_EQ(page["Consumers"].size(), 1u);
  page = ask("ListStreamConsumers", list + R"(,"NextToken":")" + text(page, "NextToken") + "\"}");
  EXPECT_EQ(text(page["Consumers"].elements().at(0), "ConsumerName"), "d");
  EXPECT_FALSE(page.find("NextToken"));
  ask("DeregisterStreamConsumer", list + R"(,"ConsumerName":"d"})");
  ask("DeregisterStreamConsumer", one());
  EXPECT_EQ(ask("ListStreamConsumers", list + "}")["Consumers"].size(), 0u);
}

TEST_F(KinesisConsumersTest, what_cannot_be_is_refused) {
  create();
  enlist();
  EXPECT_EQ(refusal("RegisterStreamConsumer",
                    R"({"ConsumerName":"c","StreamARN":")" + std::string(stream_arn) + "\"}"),
            "ResourceInUseException: Consumer c under stream s already exists for account "
            "000000000000.");
  EXPECT_EQ(refusal("DescribeStreamConsumer",
                    R"({"ConsumerName":"x","StreamARN":")" + std::string(stream_arn) + "\"}"),
            "ResourceNotFoundException: Consumer x, account 000000000000 not found.");
  // Registered again it is another one.
  std::string old = std::string(stream_arn) + "/consumer/c:1767348899";
  EXPECT_EQ(refusal("DescribeStreamConsumer", R"({"ConsumerARN":")" + old + "\"}"),
            "ResourceNotFoundException: Consumer " + old + ", account 000000000000 not found.");
  EXPECT_EQ(
      refusal("DeleteStream", R"({"StreamName":"s"})"),
      "ResourceInUseException: DeleteStream can't delete " + std::string(stream_arn) +
          " because there are consumers associated with this data stream. To delete s "
          "anyway, set the EnforceConsumerDeletion parameter to true to force the deletion of "
          "all the consumers that are associated with it.");
  for (int i = 1; i < 20; ++i) enlist("c" + std::to_string(i));
  EXPECT_TRUE(refusal("RegisterStreamConsumer",
                      R"({"ConsumerName":"more","StreamARN":")" + std::string(stream_arn) + "\"}")
                  .starts_with("LimitExceededException: "));
  ask("DeleteStream", R"({"StreamName":"s","EnforceConsumerDeletion":true})");
}

TEST_F(KinesisConsumersTest, a_consumer_has_tags_of_its_own) {
  create();
  enlist();
  ask("TagResource",
      R"({"ResourceARN":")" + consumer_arn() + R"(","Tags":{"team":"data","x":"y"}})");
  ask("UntagResource", R"({"ResourceARN":")" + consumer_arn() + R"(","TagKeys":["x"]})");
  EXPECT_EQ(
      codec::to_json(ask("ListTagsForResource", R"({"ResourceARN":")" + consumer_arn() + "\"}")),
      R"({"Tags":[{"Key":"team","Value":"data"}]})");
  EXPECT_EQ(codec::to_json(ask("ListTagsForResource",
                               R"({"ResourceARN":")" + std::string(stream_arn) + "\"}")),
            R"({"Tags":[]})");
}

TEST_F(KinesisConsumersTest, a_subscriber_gets_the_records_and_then_the_children) {
  create();
  enlist();
  std::string first = put("MQ==");
  put("Mg==");
  end_shard();
  auto response = send(request_for("SubscribeToShard", one(position("TRIM_HORIZON"))));
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.headers.find("content-type"), "application/vnd.amazon.eventstream");
  auto events = events_of(response);
  ASSERT_EQ(events.size(), 2u);
  using Headers = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(events[0].headers, (Headers{{":event-type", "initial-response"},
                                        {":content-type", "application/x-amz-json-1.1"},
                                        {":message-type", "event"}}));
  EXPECT_EQ(events[0].payload, "{}");
  EXPECT_EQ(events[1].headers[0].second, "SubscribeToShardEvent");
  Json event = codec::parse_json(events[1].payload).value_or(Json());
  ASSERT_EQ(event["Records"].size(), 2u);
  EXPECT_EQ(text(event["Records"].elements()[0], "SequenceNumber"), first);
  EXPECT_FALSE(event.find("ContinuationSequenceNumber"));
  EXPECT_EQ(event["ChildShards"].size(), 2u);
}

TEST_F(KinesisConsumersTest, a_subscriber_goes_on_after_a_number_in_the_form_it_asked_in) {
  create();
  enlist();
  std::string first = put("MQ==");
  put("Mg==");
  end_shard();
  using codec::Cbor;
  Cbor asked = Cbor::Map{};
  asked.add("ConsumerARN", consumer_arn()).add("ShardId", "shardId-000000000000");
  Cbor start = Cbor::Map{};
  start.add("Type", "AFTER_SEQUENCE_NUMBER").add("SequenceNumber", first);
  asked.add("StartingPosition", start);
  auto request = request_for("SubscribeToShard", codec::to_cbor(asked));
  request.headers.set("Content-Type", "application/x-amz-cbor-1.1");
  auto response = send(std::move(request));
  auto events = events_of(response);
  ASSERT_EQ(events.size(), 2u);
  auto event = codec::parse_cbor(events[1].payload);
  ASSERT_TRUE(event);
  ASSERT_EQ(event->find("Records")->elements().size(), 1u);
  EXPECT_EQ(event->find("Records")->elements()[0].find("Data")->as_bytes(), "2");
}

TEST_F(KinesisConsumersTest, a_subscription_to_nothing_is_refused_before_it_begins) {
  create();
  enlist();
  EXPECT_EQ(
      refusal("SubscribeToShard", one(R"(,"ShardId":"7","StartingPosition":{"Type":"LATEST"}})")),
      "ResourceNotFoundException: Could not find shard 7 in stream s under account "
      "000000000000.");
  EXPECT_TRUE(refusal("SubscribeToShard", one(position("AT_SEQUENCE_NUMBER")))
                  .starts_with("InvalidArgumentException: Must either specify"));
  auto response = send(request_for("SubscribeToShard", one(position("LATEST"))));
  ASSERT_TRUE(response.stream);
  EXPECT_EQ(refusal("SubscribeToShard", one(position("LATEST"))),
            "ResourceInUseException: Another active subscription exists for this consumer");
  response.clear();
  send(request_for("SubscribeToShard", one(position("LATEST"))));
}

}  // namespace
}  // namespace pinpipe::kinesis
