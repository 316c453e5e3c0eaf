#include "doors/kinesis/form.h"

#include <gtest/gtest.h>

#include "doors/kinesis/door_fixture.h"

namespace pinpipe::kinesis {
namespace {

using codec::Cbor;

class KinesisCborTest : public KinesisDoorTest {
 protected:
  http::Response send_cbor(std::string_view action, std::string body) {
    auto request = request_for(action, std::move(body));
    request.headers.set("Content-Type", "application/x-amz-cbor-1.1");
    return send(std::move(request));
  }
  Cbor ask_cbor(std::string_view action, const Cbor& asked) {
    auto response = send_cbor(action, codec::to_cbor(asked));
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.headers.find("content-type"), "application/x-amz-cbor-1.1");
    if (response.body.empty()) return {};
    auto answer = codec::parse_cbor(response.body);
    EXPECT_TRUE(answer);
    return answer ? *answer : Cbor();
  }
  static Cbor record(std::string_view key, std::string data) {
    Cbor one = Cbor::Map{};
    one.add("PartitionKey", key).add("Data", codec::CborBytes{std::move(data)});
    return one;
  }
};

TEST_F(KinesisCborTest, blobs_are_bytes_and_times_are_tagged_milliseconds) {
  Cbor asked = Cbor::Map{};
  ask_cbor("CreateStream", Cbor(asked).add("StreamName", "s").add("ShardCount", 1));
  Cbor put = record("k", std::string("\0\xff", 2));
  Cbor placed = ask_cbor("PutRecord", put.add("StreamName", "s"));
  EXPECT_EQ(placed.find("ShardId")->as_string(), "shardId-000000000000");
  Cbor described = ask_cbor("DescribeStreamSummary", Cbor(asked).add("StreamName", "s"));
  EXPECT_EQ(
      described.find("StreamDescriptionSummary")->find("StreamCreationTimestamp")->as_time()->value,
      1'767'348'900'000);
  Cbor from = Cbor(asked);
  from.add("StreamName", "s").add("ShardId", "0").add("ShardIteratorType", "AT_TIMESTAMP");
  from.add("Timestamp", codec::CborTime{1'767'348'900'000});
  Cbor iterator = ask_cbor("GetShardIterator", from);
  Cbor got =
      ask_cbor("GetRecords", Cbor(asked).add("ShardIterator", *iterator.find("ShardIterator")));
  const Cbor& one = got.find("Records")->elements().at(0);
  EXPECT_EQ(one.find("Data")->as_bytes(), std::string_view("\0\xff", 2));
  EXPECT_EQ(one.find("ApproximateArrivalTimestamp")->as_time()->value, 1'767'348'900'000);
  EXPECT_EQ(got.find("MillisBehindLatest")->as_int(), 0);
}

TEST_F(KinesisCborTest, lists_of_structures_and_maps_are_read) {
  create();
  Cbor asked = Cbor::Map{};
  asked.add("StreamName", "s").add("Records", Cbor::Array{record("a", "1"), record("b", "2")});
  Cbor placed = ask_cbor("PutRecords", asked);
  EXPECT_EQ(placed.find("FailedRecordCount")->as_int(), 0);
  EXPECT_EQ(placed.find("Records")->elements().size(), 2u);
  Cbor tags = Cbor::Map{};
  tags.add("team", "data");
  Cbor tagged = Cbor::Map{};
  ask_cbor("AddTagsToStream", tagged.add("StreamName", "s").add("Tags", tags));
  EXPECT_EQ(codec::to_json(ask("ListTagsForStream", R"({"StreamName":"s"})")["Tags"]),
            R"([{"Key":"team","Value":"data"}])");
}

TEST_F(KinesisCborTest, refusals_are_cbor_too) {
  auto response = send_cbor("ListStreams", "\xff");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(codec::parse_cbor(response.body)->find("__type")->as_string(),
            "SerializationException");
  Cbor asked = Cbor::Map{};
  asked.add("StreamName", "nope");
  response = send_cbor("DescribeStream", codec::to_cbor(asked));
  auto refusal = codec::parse_cbor(response.body);
  EXPECT_EQ(refusal->find("__type")->as_string(), "ResourceNotFoundException");
  EXPECT_EQ(refusal->find("message")->as_string(),
            "Stream nope under account 000000000000 not found.");
  EXPECT_EQ(response.headers.find("x-amzn-ErrorType"), "ResourceNotFoundException");
}

TEST_F(KinesisCborTest, text_is_no_blob_and_bytes_are_no_text) {
  create();
  Cbor put = Cbor::Map{};
  put.add("StreamName", "s").add("PartitionKey", "k").add("Data", "text");
  auto response = send_cbor("PutRecord", codec::to_cbor(put));
  EXPECT_EQ(response.headers.find("x-amzn-ErrorType"), "SerializationException");
  Cbor name = Cbor::Map{};
  name.add("StreamName", codec::CborBytes{"s"});
  response = send_cbor("DescribeStream", codec::to_cbor(name));
  EXPECT_EQ(response.headers.find("x-amzn-ErrorType"), "SerializationException");
}

class KinesisLimitsTest : public KinesisDoorTest {
 protected:
  KinesisLimitsTest() : KinesisDoorTest(true) {}
};

TEST_F(KinesisLimitsTest, a_shard_that_takes_no_more_says_so_of_each_record) {
  create();
  std::string records;
  for (int i = 0; i < 500; ++i)
    records += std::string(i > 0 ? "," : "") + R"({"Data":"MQ==","PartitionKey":"k"})";
  std::string body = R"({"StreamName":"s","Records":[)" + records + "]}";
  EXPECT_EQ(ask("PutRecords", body)["FailedRecordCount"].as_int(), 0);
  EXPECT_EQ(ask("PutRecords", body)["FailedRecordCount"].as_int(), 0);
  Json third = ask("PutRecords", body);
  EXPECT_EQ(third["FailedRecordCount"].as_int(), 500);
  EXPECT_EQ(
      codec::to_json(third["Records"].elements().at(0)),
      R"({"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate exceeded )"
      R"(for shard shardId-000000000000 in stream s under account 000000000000."})");
  EXPECT_EQ(refusal("PutRecord", R"({"StreamName":"s","Data":"MQ==","PartitionKey":"k"})"),
            "ProvisionedThroughputExceededException: Rate exceeded for shard shardId-000000000000 "
            "in stream s under account 000000000000.");
  clock_.advance(Millis(1));
  ask("PutRecord", R"({"StreamName":"s","Data":"MQ==","PartitionKey":"k"})");
}

TEST_F(KinesisLimitsTest, reads_and_control_actions_have_their_rates) {
  create();
  std::string at = iterator(R"("ShardIteratorType":"LATEST")");
  for (int i = 0; i < 5; ++i) get(at);
  EXPECT_TRUE(refusal("GetRecords", R"({"ShardIterator":")" + at + "\"}")
                  .starts_with("ProvisionedThroughputExceededException: Rate exceeded for shard"));
  ask("DescribeLimits", "{}");
  EXPECT_EQ(refusal("DescribeLimits", "{}"),
            "LimitExceededException: Rate exceeded for account 000000000000.");
}

}  // namespace
}  // namespace pinpipe::kinesis
