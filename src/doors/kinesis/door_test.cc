#include "doors/kinesis/door.h"

#include <gtest/gtest.h>

#include "auth/sigv4.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "doors/kinesis/door_fixture.h"

namespace pinpipe::kinesis {
namespace {

TEST_F(KinesisDoorTest, an_action_without_output_answers_an_empty_body_with_ids) {
  auto response = send(request_for("CreateStream", R"({"StreamName":"s","ShardCount":2})"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(response.headers.find("content-type"), "application/x-amz-json-1.1");
  EXPECT_EQ(response.headers.find("x-amzn-requestid")->size(), 36u);
  EXPECT_EQ(from_base64(*response.headers.find("x-amz-id-2"))->size(), 72u);
  EXPECT_FALSE(response.headers.has("x-amzn-ErrorType"));
}

TEST_F(KinesisDoorTest, a_description_has_the_recorded_members_and_no_stream_id) {
  create();
  EXPECT_EQ(
      send(request_for("DescribeStream", R"({"StreamName":"s"})")).body,
      R"({"StreamDescription":{"StreamName":"s","StreamARN":"arn:aws:kinesis:eu-west-1:000000000000:)"
      R"(stream/s","StreamStatus":"ACTIVE","StreamModeDetails":{"StreamMode":"PROVISIONED"},)"
      R"("StreamCreationTimestamp":1767348900,"RetentionPeriodHours":24,)"
      R"("EnhancedMonitoring":[{"ShardLevelMetrics":[]}],"EncryptionType":"NONE","Shards":[)"
      R"({"ShardId":"shardId-000000000000","HashKeyRange":{"StartingHashKey":"0",)"
      R"("EndingHashKey":"340282366920938463463374607431768211455"},"SequenceNumberRange":)"
      R"({"StartingSequenceNumber":"49670468467641297522275228004807893705961292834046738434"}}],)"
      R"("HasMoreShards":false}})");
  EXPECT_EQ(send(request_for("DescribeStreamSummary",
                             R"({"StreamARN":"arn:aws:kinesis:eu-west-1:000000000000:stream/s"})"))
                .body.find("StreamId"),
            std::string::npos);
}

TEST_F(KinesisDoorTest, a_put_answers_number_and_shard_and_a_get_gives_the_record_back) {
  create();
  auto response =
      send(request_for("PutRecord", R"({"StreamName":"s","Data":"aGk=","PartitionKey":"k"})"));
  Json placed = codec::parse_json(response.body).value_or(Json());
  ASSERT_EQ(placed.members().size(), 2u) << response.body;
  EXPECT_EQ(text(placed, "ShardId"), "shardId-000000000000");
  auto got = send(request_for(
      "GetRecords",
      R"({"ShardIterator":")" + iterator(R"("ShardIteratorType":"TRIM_HORIZON")") + "\"}"));
  EXPECT_TRUE(got.body.starts_with(R"({"Records":[{"SequenceNumber":")" +
                                   text(placed, "SequenceNumber") +
                                   R"(","ApproximateArrivalTimestamp":1767348900.000,)"
                                   R"("Data":"aGk=","PartitionKey":"k"}],"NextShardIterator":")"))
      << got.body;
  EXPECT_TRUE(got.body.ends_with(R"(","MillisBehindLatest":0})"));
}

TEST_F(KinesisDoorTest, the_five_iterator_types_begin_where_they_say) {
  create();
  std::string latest = iterator(R"("ShardIteratorType":"LATEST")");
  std::string first = put("MQ==");
  clock_.advance(Millis(2000));
  put("Mg==");
  auto data = [&](const std::string& at) {
    std::string all;
    for (const Json& record : get(at)["Records"].elements()) all += text(record, "Data") + " ";
    return all;
  };
  EXPECT_EQ(data(latest), "MQ== Mg== ");
  EXPECT_EQ(data(iterator(R"("ShardIteratorType":"AT_SEQUENCE_NUMBER","StartingSequenceNumber":")" +
                          first + '"')),
            "MQ== Mg== ");
  EXPECT_EQ(
      data(iterator(R"("ShardIteratorType":"AFTER_SEQUENCE_NUMBER","StartingSequenceNumber":")" +
                    first + '"')),
      "Mg== ");
  EXPECT_EQ(data(iterator(R"("ShardIteratorType":"AT_TIMESTAMP","Timestamp":1767348900.5)")),
            "Mg== ");
  EXPECT_EQ(data(iterator(R"("ShardIteratorType":"TRIM_HORIZON")")), "MQ== Mg== ");
  Json behind = get(iterator(R"("ShardIteratorType":"TRIM_HORIZON")"), R"(,"Limit":1)");
  EXPECT_EQ(behind["MillisBehindLatest"].as_int(), 2000);
}

TEST_F(KinesisDoorTest, wrong_starts_are_refused_in_recorded_words) {
  create();
  auto start = [&](std::string_view more) {
    return refusal("GetShardIterator",
                   R"({"StreamName":"s","ShardId":"shardId-0",)" + std::string(more) + "}");
  };
  EXPECT_EQ(start(R"("ShardIteratorType":"LATEST","StartingSequenceNumber":"5")"),
            "InvalidArgumentException: Must either specify (1) AT_SEQUENCE_NUMBER or "
            "AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no "
            "StartingSequenceNumber. Request specified LATEST and also a StartingSequenceNumber.");
  EXPECT_EQ(start(R"("ShardIteratorType":"AT_SEQUENCE_NUMBER","StartingSequenceNumber":"5")"),
            "InvalidArgumentException: StartingSequenceNumber 5 used in GetShardIterator on shard "
            "shardId-000000000000 in stream s under account 000000000000 is invalid.");
  EXPECT_EQ(start(R"("ShardIteratorType":"AT_TIMESTAMP")"),
            "InvalidArgumentException: Must specify timestampInMillis parameter for iterator of "
            "type AT_TIMESTAMP. Current request has no timestamp parameter.");
  EXPECT_EQ(refusal("GetShardIterator",
                    R"({"StreamName":"s","ShardId":"foo","ShardIteratorType":"LATEST"})"),
            "ResourceNotFoundException: Could not find shard foo in stream s under account "
            "000000000000.");
  EXPECT_EQ(refusal("GetShardIterator",
                    R"({"StreamName":"t","ShardId":"foo-5","ShardIteratorType":"LATEST"})"),
            "ResourceNotFoundException: Shard shardId-000000000005 in stream t under account "
            "000000000000 does not exist");
  EXPECT_EQ(refusal("GetShardIterator", R"({"StreamName":"s","ShardId":"0",)"
                                        R"("ShardIteratorType":"NOW"})"),
            "ValidationException: 1 validation error detected: Value 'NOW' at 'shardIteratorType' "
            "failed to satisfy constraint: Member must satisfy enum value set: "
            "[AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]");
}

TEST_F(KinesisDoorTest, an_iterator_lives_five_minutes) {
  create();
  std::string at = iterator(R"("ShardIteratorType":"LATEST")");
  clock_.advance(Millis(300'000));
  EXPECT_TRUE(get(at)["NextShardIterator"].is_string());
  clock_.advance(Millis(1));
  EXPECT_EQ(refusal("GetRecords", R"({"ShardIterator":")" + at + "\"}"),
            "ExpiredIteratorException: Iterator expired. The iterator was created at time Fri Jan "
            "02 10:15:00 UTC 2026 while right now it is Fri Jan 02 10:20:00 UTC 2026 which is "
            "further in the future than the tolerated delay of 300000 milliseconds.");
  EXPECT_EQ(refusal("GetRecords", R"({"ShardIterator":"AAAA"})"),
            "InvalidArgumentException: Invalid ShardIterator.");
}

TEST_F(KinesisDoorTest, put_records_says_of_each_record_where_it_went) {
  create("s", 2);
  Json placed = ask("PutRecords", R"({"StreamName":"s","Records":[
      {"Data":"MQ==","PartitionKey":"a"},
      {"Data":"Mg==","PartitionKey":"a","ExplicitHashKey":"340282366920938463463374607431768211455"}]})");
  EXPECT_EQ(placed["FailedRecordCount"].as_int(), 0);
  EXPECT_EQ(text(placed["Records"].elements().at(0), "ShardId"), "shardId-000000000000");
  EXPECT_EQ(text(placed["Records"].elements().at(1), "ShardId"), "shardId-000000000001");
  EXPECT_EQ(refusal("PutRecords", R"({"StreamName":"s","Records":[
      {"Data":"MQ==","PartitionKey":"a","ExplicitHashKey":"340282366920938463463374607431768211456"}]})"),
            "InvalidArgumentException: Invalid ExplicitHashKey. ExplicitHashKey must be in the "
            "range: [0, 2^128-1]. Specified value was 340282366920938463463374607431768211456");
  EXPECT_EQ(refusal("PutRecords", R"({"StreamName":"s","Records":[{"PartitionKey":""}]})"),
            "ValidationException: 2 validation errors detected: Value '' at "
            "'records.1.member.partitionKey' failed to satisfy constraint: Member must have length "
            "greater than or equal to 1; Value null at 'records.1.member.data' failed to satisfy "
            "constraint: Member must not be null");
}

TEST_F(KinesisDoorTest, a_record_is_at_most_as_large_as_the_stream_takes) {
  create();
  std::string large = to_base64(std::string((1 << 20) + 1, 'x'));
  std::string body = R"({"StreamName":"s","PartitionKey":"k","Data":")" + large + "\"}";
  EXPECT_EQ(refusal("PutRecord", body),
            "ValidationException: 1 validation error detected: Value "
            "'java.nio.HeapByteBuffer[pos=0 lim=1048577 cap=1048577]' at 'data' failed to satisfy "
            "constraint: Member must have length less than or equal to 1048576");
  ask("UpdateMaxRecordSize",
      R"({"StreamARN":"arn:aws:kinesis:eu-west-1:000000000000:stream/s","MaxRecordSizeInKiB":2048})");
  ask("PutRecord", body);
}

TEST_F(KinesisDoorTest, the_partition_key_counts_in_a_records_size) {
  create();
  auto body = [](size_t size) {
    return R"({"StreamName":"s","PartitionKey":"key","Data":")" +
           to_base64(std::string(size, 'x')) + "\"}";
  };
  ask("PutRecord", body((1 << 20) - 3));
  EXPECT_TRUE(refusal("PutRecord", body((1 << 20) - 2)).starts_with("ValidationException: "));
}

TEST_F(KinesisDoorTest, checks_come_in_the_recorded_order) {
  auto request = request_for("Nope", "{");
  request.method = "GET";
  auto response = send(request);
  EXPECT_EQ(response.status, 403);
  EXPECT_NE(response.body.find("Unable to determine service/operation name"), std::string::npos);
  request = request_for("Nope", "{");
  request.headers.remove("Authorization");
  EXPECT_EQ(send(request).body, R"({"__type":"SerializationException"})");
  request.body = "{}";
  EXPECT_EQ(send(request).body, R"({"__type":"UnknownOperationException"})");
  request.headers.set("X-Amz-Target", "Kinesis_20131202.ListStreams");
  EXPECT_EQ(send(request).body,
            R"({"__type":"MissingAuthenticationTokenException","message":"Missing Authentication )"
            R"(Token"})");
  request.headers.set("Authorization", "AWS4-HMAC-SHA256 Credential=x");
  EXPECT_EQ(send(request).body,
            R"({"__type":"IncompleteSignatureException","message":"Authorization header requires )"
            R"('Signature' parameter. Authorization header requires 'SignedHeaders' parameter. )"
            R"(Authorization=AWS4-HMAC-SHA256 Credential=x"})");
  request.headers.set("Authorization", some_signature);
  request.body = R"({"Limit":"x","ExclusiveStartStreamName":"!"})";
  EXPECT_EQ(send(request).body,
            R"({"__type":"SerializationException","Message":"class java.lang.String can not be )"
            R"(converted to an Integer"})");
  request.body = R"({"Limit":0,"ExclusiveStartStreamName":"!"})";
  EXPECT_NE(send(request).body.find("2 validation errors detected"), std::string::npos);
  request.body = "";
  EXPECT_EQ(send(request).body, R"({"__type":"SerializationException"})");
  request.body = "{}";
  request.headers.set("Content-Type", "application/json");
  EXPECT_EQ(send(request).status, 404);
}

TEST_F(KinesisDoorTest, types_are_refused_by_the_names_of_java_classes) {
  auto wrong = [&](std::string member) {
    return refusal("PutRecord", "{" + member + "}").substr(strlen("SerializationException: "));
  };
  EXPECT_EQ(wrong(R"("StreamName":1)"),
            "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to "
            "an String");
  EXPECT_EQ(wrong(R"("StreamName":true)"),
            "class java.lang.Boolean can not be converted to an String");
  EXPECT_EQ(wrong(R"("StreamName":{})"), "Start of structure or map found where not expected.");
  EXPECT_EQ(wrong(R"("StreamName":[])"), "Start of list found where not expected");
  EXPECT_EQ(wrong(R"("Data":"23456")"),
            "'23456' can not be converted to a Blob: Base64 encoded length is expected a multiple "
            "of 4 bytes but found: 5");
  EXPECT_EQ(wrong(R"("Data":"=+/=")"),
            "'=+/=' can not be converted to a Blob: Invalid Base64 character: '='");
  EXPECT_EQ(wrong(R"("Data":"+/+=")"),
            "'+/+=' can not be converted to a Blob: Invalid last non-pad Base64 character "
            "dectected");
  EXPECT_EQ(refusal("PutRecords", R"({"Records":"x"})"),
            "SerializationException: Expected list or null");
}

TEST_F(KinesisDoorTest, an_existing_name_a_missing_one_and_too_many_shards) {
  create();
  EXPECT_EQ(refusal("CreateStream", R"({"StreamName":"s","ShardCount":1})"),
            "ResourceInUseException: Stream s under account 000000000000 already exists.");
  EXPECT_EQ(refusal("DeleteStream", R"({"StreamName":"t"})"),
            "ResourceNotFoundException: Stream t under account 000000000000 not found.");
  EXPECT_TRUE(refusal("CreateStream", R"({"StreamName":"t","ShardCount":20})")
                  .starts_with("LimitExceededException: This request would exceed the shard limit "
                               "for the account 000000000000 in eu-west-1. Current shard count "
                               "for the account: 1. Limit: 20. Number of additional shards that "
                               "would have resulted from this request: 20. "));
  EXPECT_EQ(refusal("DescribeStream",
                    R"({"StreamName":"s","StreamARN":"arn:aws:kinesis:x:000000000000:stream/t"})"),
            "InvalidArgumentException: StreamName and StreamARN do not name the same stream.");
  EXPECT_EQ(refusal("DescribeStream", "{}"),
            "ValidationException: 1 validation error detected: Value null at 'streamName' failed "
            "to satisfy constraint: Member must not be null");
}

TEST_F(KinesisDoorTest, lists_come_in_pages_whose_tokens_expire) {
  create("a", 5);
  create("b");
  create("c");
  Json page = ask("ListStreams", R"({"Limit":2})");
  EXPECT_EQ(codec::to_json(page["StreamNames"]), R"(["a","b"])");
  EXPECT_EQ(page["HasMoreStreams"].as_bool(), true);
  page = ask("ListStreams", R"({"NextToken":")" + text(page, "NextToken") + "\"}");
  EXPECT_EQ(codec::to_json(page["StreamNames"]), R"(["c"])");
  EXPECT_FALSE(page.find("NextToken"));
  page = ask("ListShards", R"({"StreamName":"a","MaxResults":3})");
  EXPECT_EQ(page["Shards"].size(), 3u);
  std::string rest = R"({"NextToken":")" + text(page, "NextToken") + "\"}";
  EXPECT_EQ(ask("ListShards", rest)["Shards"].size(), 2u);
  clock_.advance(Millis(300'001));
  EXPECT_EQ(refusal("ListShards", rest), "ExpiredNextTokenException: The NextToken has expired.");
  EXPECT_EQ(refusal("ListShards", R"({"NextToken":"x","StreamName":"a"})"),
            "InvalidArgumentException: NextToken and StreamName cannot be provided together.");
  EXPECT_EQ(refusal("ListShards", "{}"),
            "InvalidArgumentException: Either NextToken or StreamName should be provided.");
}

TEST_F(KinesisDoorTest, shard_filters_give_complete_hash_ranges) {
  create();
  const int64_t created_s = clock_.wall_ms() / 1000;
  clock_.advance(std::chrono::hours(1));
  ask("SplitShard", R"({"StreamName":"s","ShardToSplit":"0",)"
                    R"("NewStartingHashKey":"170141183460469231731687303715884105728"})");
  clock_.advance(std::chrono::hours(1));
  ask("MergeShards", R"({"StreamName":"s","ShardToMerge":"1","AdjacentShardToMerge":"2"})");
  clock_.advance(std::chrono::hours(1));
  auto shards = [&](const std::string& filter) {
    std::string all;
    Json answer = ask("ListShards", R"({"StreamName":"s","ShardFilter":{)" + filter + "}}");
    for (const Json& shard : answer["Shards"].elements()) all += text(shard, "ShardId").back();
    return all;
  };
  auto at = [&](std::string type, int64_t hours_and_half) {
    return shards(R"("Type":")" + type + R"(","Timestamp":)" +
                  std::to_string(created_s + hours_and_half * 3600 + 1800));
  };
  EXPECT_EQ(shards(R"("Type":"AT_LATEST")"), "3");
  EXPECT_EQ(shards(R"("Type":"AT_TRIM_HORIZON")"), "0");
  EXPECT_EQ(shards(R"("Type":"FROM_TRIM_HORIZON")"), "0123");
  EXPECT_EQ(at("AT_TIMESTAMP", 0), "0");
  EXPECT_EQ(at("AT_TIMESTAMP", 1), "12");
  EXPECT_EQ(at("AT_TIMESTAMP", 2), "3");
  EXPECT_EQ(at("FROM_TIMESTAMP", 1), "123");
  EXPECT_EQ(shards(R"("Type":"AFTER_SHARD_ID","ShardId":"shardId-000000000001")"), "23");
  clock_.advance(std::chrono::minutes(22 * 60 + 30));
  EXPECT_EQ(shards(R"("Type":"AT_TRIM_HORIZON")"), "12");
  EXPECT_EQ(shards(R"("Type":"FROM_TRIM_HORIZON")"), "123");
}

TEST_F(KinesisDoorTest, the_end_of_a_closed_shard_names_its_children_and_no_iterator) {
  create("s", 2);
  ask("MergeShards", R"({"StreamName":"s","ShardToMerge":"0","AdjacentShardToMerge":"1"})");
  Json end = get(iterator(R"("ShardIteratorType":"TRIM_HORIZON")"));
  EXPECT_FALSE(end.find("NextShardIterator"));
  EXPECT_EQ(codec::to_json(end["ChildShards"]),
            R"([{"ShardId":"shardId-000000000002","ParentShards":["shardId-000000000000",)"
            R"("shardId-000000000001"],"HashKeyRange":{"StartingHashKey":"0",)"
            R"("EndingHashKey":"340282366920938463463374607431768211455"}}])");
  EXPECT_EQ(refusal("SplitShard", R"({"StreamName":"s","ShardToSplit":"2",)"
                                  R"("NewStartingHashKey":"1"})"),
            "InvalidArgumentException: NewStartingHashKey 1 used in SplitShard() on shard "
            "shardId-000000000002 in stream s under account 000000000000 is not both greater than "
            "one plus the shard's StartingHashKey 0 and less than the shard's EndingHashKey "
            "340282366920938463463374607431768211455.");
}

TEST_F(KinesisDoorTest, a_stream_is_brought_to_a_number_of_shards_within_half_and_double) {
  create("s", 2);
  auto update = [](int count) {
    return R"({"StreamName":"s","ScalingType":"UNIFORM_SCALING","TargetShardCount":)" +
           std::to_string(count) + "}";
  };
  EXPECT_EQ(codec::to_json(ask("UpdateShardCount", update(4))),
            R"({"StreamName":"s","CurrentShardCount":2,"TargetShardCount":4,"StreamARN":)"
            R"("arn:aws:kinesis:eu-west-1:000000000000:stream/s"})");
  EXPECT_EQ(ask("ListShards", R"({"StreamName":"s","ShardFilter":{"Type":"AT_LATEST"}})")["Shards"]
                .size(),
            4u);
  EXPECT_EQ(refusal("UpdateShardCount", update(9)),
            "LimitExceededException: UpdateShardCount cannot scale up over double your current "
            "open shard count. Current open shard count: 4 Target shard count: 9");
  EXPECT_EQ(refusal("UpdateShardCount", update(1)),
            "LimitExceededException: UpdateShardCount cannot scale down below half your current "
            "open shard count. Current open shard count: 4 Target shard count: 1");
  ask("UpdateStreamMode", R"({"StreamARN":"arn:aws:kinesis:eu-west-1:000000000000:stream/s",)"
                          R"("StreamModeDetails":{"StreamMode":"ON_DEMAND"}})");
  EXPECT_EQ(refusal("UpdateShardCount", update(3)),
            "ValidationException: Request is invalid. Stream s under account 000000000000 is in "
            "On-Demand mode.");
}

TEST_F(KinesisDoorTest, retention_and_tags_are_kept_within_bounds) {
  create();
  ask("IncreaseStreamRetentionPeriod", R"({"StreamName":"s","RetentionPeriodHours":48})");
  EXPECT_EQ(
      refusal("IncreaseStreamRetentionPeriod", R"({"StreamName":"s","RetentionPeriodHours":8761})"),
      "InvalidArgumentException: Maximum allowed retention period is 8760 hours. Requested "
      "retention period (8761 hours) is too long.");
  EXPECT_EQ(
      refusal("DecreaseStreamRetentionPeriod", R"({"StreamName":"s","RetentionPeriodHours":49})"),
      "InvalidArgumentException: Requested retention period (49 hours) for stream s can not "
      "be longer than existing retention period (48 hours). Use IncreaseRetentionPeriod "
      "API.");
  ask("AddTagsToStream", R"({"StreamName":"s","Tags":{"a":"1","b":"2","c":"3"}})");
  ask("RemoveTagsFromStream", R"({"StreamName":"s","TagKeys":["b"]})");
  EXPECT_EQ(codec::to_json(ask("ListTagsForStream", R"({"StreamName":"s","Limit":1})")),
            R"({"Tags":[{"Key":"a","Value":"1"}],"HasMoreTags":true})");
  EXPECT_TRUE(refusal("AddTagsToStream", R"({"StreamName":"s","Tags":{"a;b":""}})")
                  .starts_with("InvalidArgumentException: Some tags contain invalid characters."));
}

TEST_F(KinesisDoorTest, the_gateway_calls_without_headers) {
  auto call = [&](std::string action, std::string body) {
    return io::wait_on(runtime_.loop(0), door_->call(std::move(action), std::move(body)));
  };
  EXPECT_EQ(call("CreateStream", R"({"StreamName":"s","ShardCount":1})").status, 200);
  auto put = call("PutRecord", R"({"StreamName":"s","Data":"","PartitionKey":"k"})");
  EXPECT_TRUE(put.body.starts_with(R"({"ShardId":"shardId-000000000000","SequenceNumber":")"));
  auto refused = call("PutRecord", R"({"StreamName":"t","Data":"","PartitionKey":"k"})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.error_type, "ResourceNotFoundException");
  EXPECT_EQ(call("StartStreamEncryption", "{}").error_type, "UnknownOperationException");
}

TEST_F(KinesisDoorTest,
       with_credentials_only_the_holder_of_the_secret_gets_in_and_the_policy_rules) {
  create();
  auth::Credentials keys;
  auth::Credential key{"AK", "secret", "", {"reader", auth::PrincipalKind::user}};
  ASSERT_TRUE(keys.add(key));
  door_ = std::make_unique<Door>(Door::Options{.credentials = &keys}, *streams_, clock_);
  auto signed_request = [&](std::string_view action, std::string body) {
    auto request = request_for(action, std::move(body));
    request.headers.remove("Authorization");
    request.headers.remove("X-Amz-Date");
    auth::RequestView view{.method = "POST",
                           .path = "/",
                           .query = "",
                           .headers = {},
                           .payload_hash = to_hex(sha256(request.body))};
    for (const auto& line : request.headers.lines())
      view.headers.emplace_back(line.first, line.second);
    for (const auto& [name, value] :
         auth::sign_headers(view, key, {"eu-west-1", "kinesis"}, clock_.wall_ms()))
      request.headers.set(name, value);
    return request;
  };
  EXPECT_EQ(send(signed_request("DescribeStream", R"({"StreamName":"s"})")).status, 200);
  auto response =
      send(signed_request("PutRecord", R"({"StreamName":"s","Data":"","PartitionKey":"k"})"));
  EXPECT_EQ(response.headers.find("x-amzn-ErrorType"), "AccessDeniedException");
  EXPECT_NE(response.body.find("user/reader is not authorized to perform: kinesis:PutRecord"),
            std::string::npos);
  auto bent = signed_request("DescribeStream", R"({"StreamName":"s"})");
  bent.body = R"({"StreamName":"t"})";
  EXPECT_EQ(send(bent).headers.find("x-amzn-ErrorType"), "InvalidSignatureException");
  EXPECT_EQ(send(request_for("ListStreams", "{}")).headers.find("x-amzn-ErrorType"),
            "InvalidSignatureException");
}

}  // namespace
}  // namespace pinpipe::kinesis
