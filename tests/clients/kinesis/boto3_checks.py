#!/usr/bin/env python3
"""boto3 against pinpipe's Kinesis API, across a restart and a kill -9.

usage: boto3_checks.py PINPIPE COVERAGE
Appends "boto3<TAB>operation" to COVERAGE for each operation that did what was asked. Prints one line per check and ends
non-zero on a failure.
"""
import datetime
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import ClientError

failures = 0


def check(name, good, detail=""):
    global failures
    failures += not good
    print(("ok      " if good else "FAILED  ") + name + (f": {detail}" if not good else ""))


class Server:
    def __init__(self, program, directory):
        self.program, self.directory = program, directory
        self.done = set()
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.program, "--data", self.directory, "up", "--ports", "auto", "--course"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        endpoints = {}
        while endpoints.get("pid") != self.process.pid:
            time.sleep(0.02)
            try:
                with open(os.path.join(self.directory, "run", "endpoints.json")) as file:
                    endpoints = json.load(file)
            except (OSError, ValueError):
                pass
        self.client = boto3.client(
            "kinesis", endpoint_url=f"http://{endpoints['aws']}", region_name="eu-west-1",
            aws_access_key_id="test", aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}))
        self.client.meta.events.register("after-call.kinesis", self.note)

    def note(self, http_response, model, **_):
        if http_response.status_code == 200:
            self.done.add(model.name)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()

    def restart(self, how=signal.SIGTERM):
        self.stop(how)
        self.start()


def refused(name, code, call, text=None, **arguments):
    try:
        answer = call(**arguments)
        check(name, False, f"was not refused: {answer}")
    except ClientError as error:
        got = error.response["Error"]
        good = got["Code"] == code and (text is None or text in got["Message"])
        check(name, good, got)


def iterator(client, stream, shard="shardId-000000000000", kind="TRIM_HORIZON", **more):
    return client.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType=kind,
                                     **more)["ShardIterator"]


def read_all(client, stream, shard="shardId-000000000000", limit=1000):
    at, records = iterator(client, stream, shard), []
    while at:
        answer = client.get_records(ShardIterator=at, Limit=limit)
        records += answer["Records"]
        at = answer.get("NextShardIterator")
        if at and answer["MillisBehindLatest"] == 0:
            break
    return records


def shard_of(key, count):
    return int(hashlib.md5(key.encode()).hexdigest(), 16) // (2**128 // count)


def knows(client, call):
    """Whether this boto3 is new enough to have heard of it."""
    return hasattr(client, call)


def takes_arn(client):
    model = client.meta.service_model.operation_model("DescribeStreamSummary")
    return "StreamARN" in model.input_shape.members


def check_streams(client):
    answer = client.create_stream(StreamName="orders", ShardCount=3)
    check("create: answers nothing", set(answer) == {"ResponseMetadata"}, answer)
    client.get_waiter("stream_exists").wait(StreamName="orders",
                                            WaiterConfig={"Delay": 1, "MaxAttempts": 2})
    about = client.describe_stream(StreamName="orders")["StreamDescription"]
    check("describe: status and mode", (about["StreamStatus"], about["StreamModeDetails"]) ==
          ("ACTIVE", {"StreamMode": "PROVISIONED"}), about)
    check("describe: arn in the request's region",
          about["StreamARN"] == "arn:aws:kinesis:eu-west-1:123456789012:stream/orders", about)
    check("describe: created now", abs(about["StreamCreationTimestamp"].timestamp() -
                                       time.time()) < 10, about)
    ranges = [(int(s["HashKeyRange"]["StartingHashKey"]), int(s["HashKeyRange"]["EndingHashKey"]))
              for s in about["Shards"]]
    check("describe: ranges cover all keys", ranges[0][0] == 0 and ranges[-1][1] == 2**128 - 1 and
          all(b[0] == a[1] + 1 for a, b in zip(ranges, ranges[1:])), ranges)
    check("describe: retention, encryption, no id",
          (about["RetentionPeriodHours"], about["EncryptionType"], "StreamId" in about) ==
          (24, "NONE", False), about)
    summary = client.describe_stream_summary(**(
        {"StreamARN": about["StreamARN"]} if takes_arn(client) else {"StreamName": "orders"}))
    check("summary: by ARN", summary["StreamDescriptionSummary"]["OpenShardCount"] == 3, summary)
    for name in ("a1", "a2", "a3"):
        client.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    check("on-demand: four shards", len(client.list_shards(StreamName="a1")["Shards"]) == 4)
    pages = [page["StreamNames"] for page in
             client.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 2})]
    check("list: pages", pages == [["a1", "a2"], ["a3", "orders"]], pages)
    # Not by boto3's paginator: it repeats the stream's name beside the token, which AWS refuses.
    page = client.list_shards(StreamName="orders", MaxResults=2)
    shards = [s["ShardId"] for s in page["Shards"] +
              client.list_shards(NextToken=page["NextToken"])["Shards"]]
    check("list shards: pages", shards == [f"shardId-{i:012}" for i in range(3)], shards)
    client.delete_stream(StreamName="a3")
    check("delete", client.list_streams()["StreamNames"] == ["a1", "a2", "orders"])
    refused("create twice", "ResourceInUseException", client.create_stream,
            "Stream orders under account 123456789012 already exists.",
            StreamName="orders", ShardCount=1)
    refused("describe nothing", "ResourceNotFoundException", client.describe_stream,
            "Stream nope under account 123456789012 not found.", StreamName="nope")


def check_records(client):
    placed = client.put_record(StreamName="orders", Data=b"\x00\xffbytes", PartitionKey="key")
    check("put: answers exactly shard and number",
          set(placed) == {"ShardId", "SequenceNumber", "ResponseMetadata"}, placed)
    shard = placed["ShardId"]
    check("put: by MD5", shard == f"shardId-{shard_of('key', 3):012}", placed)
    check("put: 56 digits", len(placed["SequenceNumber"]) == 56, placed)
    records = read_all(client, "orders", shard)
    check("get: the bytes", records[0]["Data"] == b"\x00\xffbytes" and
          records[0]["PartitionKey"] == "key", records)
    check("get: the same number", records[0]["SequenceNumber"] == placed["SequenceNumber"])
    check("get: arrived now", abs((datetime.datetime.now(datetime.timezone.utc) -
                                   records[0]["ApproximateArrivalTimestamp"]).total_seconds()) < 10)
    entries = [{"Data": json.dumps({"n": i}).encode(), "PartitionKey": f"p{i % 17}"}
               for i in range(500)]
    answer = client.put_records(StreamName="orders", Records=entries)
    check("put records: none failed", answer["FailedRecordCount"] == 0 and
          len(answer["Records"]) == 500)
    check("put records: each by its key",
          all(r["ShardId"] == f"shardId-{shard_of(e['PartitionKey'], 3):012}"
              for r, e in zip(answer["Records"], entries)))
    got, rising = [], True
    for i in range(3):
        records = read_all(client, "orders", f"shardId-{i:012}", limit=70)
        numbers = [int(r["SequenceNumber"]) for r in records]
        rising = rising and numbers == sorted(set(numbers))
        got += [json.loads(r["Data"])["n"] for r in records if r["Data"].startswith(b"{")]
        by_key = {}
        for r in records:
            if r["Data"].startswith(b"{"):
                by_key.setdefault(r["PartitionKey"], []).append(json.loads(r["Data"])["n"])
        rising = rising and all(v == sorted(v) for v in by_key.values())
    check("get: every record once", sorted(got) == list(range(500)), len(got))
    check("get: numbers rise and keys keep their order", rising)
    explicit = client.put_record(StreamName="orders", Data=b"last", PartitionKey="key",
                                 ExplicitHashKey=str(2**128 - 1))
    check("put: explicit hash key", explicit["ShardId"] == "shardId-000000000002", explicit)
    big = client.put_record(StreamName="orders", Data=b"x" * ((1 << 20) - 3), PartitionKey="big")
    check("put: a record of 1 MiB", "SequenceNumber" in big)
    refused("put: more than 1 MiB", "ValidationException", client.put_record,
            "Member must have length less than or equal to 1048576",
            StreamName="orders", Data=b"x" * (1 << 20), PartitionKey="big")
    refused("put: empty key", "ValidationException", boto_raw(client).put_record,
            "Value '' at 'partitionKey' failed to satisfy constraint: Member must have length "
            "greater than or equal to 1", StreamName="orders", Data=b"", PartitionKey="")
    refused("put: hash key out of range", "InvalidArgumentException", client.put_record,
            "ExplicitHashKey must be in the range: [0, 2^128-1]", StreamName="orders", Data=b"",
            PartitionKey="k", ExplicitHashKey=str(2**128))


def boto_raw(client):
    """A client like the given one that leaves judging the parameters to the server."""
    return boto3.client("kinesis", endpoint_url=client.meta.endpoint_url, region_name="eu-west-1",
                        aws_access_key_id="test", aws_secret_access_key="test",
                        config=Config(parameter_validation=False))


def check_iterators(client):
    client.create_stream(StreamName="one", ShardCount=1)
    latest = iterator(client, "one", kind="LATEST")
    first = client.put_record(StreamName="one", Data=b"1", PartitionKey="k")["SequenceNumber"]
    time.sleep(1.05)  # old ones send whole seconds
    between = datetime.datetime.fromtimestamp(int(time.time()), datetime.timezone.utc)
    client.put_record(StreamName="one", Data=b"2", PartitionKey="k")

    def data(at):
        return [r["Data"] for r in client.get_records(ShardIterator=at)["Records"]]

    start = client.list_shards(StreamName="one")["Shards"][0]["SequenceNumberRange"]
    check("LATEST", data(latest) == [b"1", b"2"])
    check("TRIM_HORIZON", data(iterator(client, "one")) == [b"1", b"2"])
    check("AT_SEQUENCE_NUMBER", data(iterator(
        client, "one", kind="AT_SEQUENCE_NUMBER", StartingSequenceNumber=first)) == [b"1", b"2"])
    check("AFTER_SEQUENCE_NUMBER", data(iterator(
        client, "one", kind="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=first)) == [b"2"])
    check("AT_SEQUENCE_NUMBER of the shard's start", data(iterator(
        client, "one", kind="AT_SEQUENCE_NUMBER",
        StartingSequenceNumber=start["StartingSequenceNumber"])) == [b"1", b"2"])
    check("AT_TIMESTAMP", data(iterator(client, "one", kind="AT_TIMESTAMP",
                                        Timestamp=between)) == [b"2"])
    refused("AT_TIMESTAMP in the future", "InvalidArgumentException", client.get_shard_iterator,
            "cannot be greater than the currentTimestampInMillis", StreamName="one",
            ShardId="0", ShardIteratorType="AT_TIMESTAMP", Timestamp=time.time() + 1000)
    refused("a strange iterator", "InvalidArgumentException", client.get_records,
            "Invalid ShardIterator.", ShardIterator="AAAAAAAAAAE=")
    refused("an unknown shard", "ResourceNotFoundException", client.get_shard_iterator,
            "Shard shardId-000000000007 in stream one under account 123456789012 does not exist",
            StreamName="one", ShardId="shardId-000000000007", ShardIteratorType="LATEST")
    refused("a sequence number of another shard", "InvalidArgumentException",
            client.get_shard_iterator, "Invalid StartingSequenceNumber. It encodes "
            "shardId-000000000002, while it was used in a call to a shard with "
            "shardId-000000000000", StreamName="one", ShardId="0",
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            StartingSequenceNumber=client.list_shards(StreamName="orders")["Shards"][2]
            ["SequenceNumberRange"]["StartingSequenceNumber"])


def check_settings(client):
    client.add_tags_to_stream(StreamName="one", Tags={"team": "data", "b": "2"})
    client.remove_tags_from_stream(StreamName="one", TagKeys=["b"])
    check("tags", client.list_tags_for_stream(StreamName="one")["Tags"] ==
          [{"Key": "team", "Value": "data"}])
    arn = client.describe_stream(StreamName="one")["StreamDescription"]["StreamARN"]
    if knows(client, "tag_resource"):
        client.tag_resource(ResourceARN=arn, Tags={"x": "y"})
        check("tags by ARN", len(client.list_tags_for_resource(ResourceARN=arn)["Tags"]) == 2)
        client.untag_resource(ResourceARN=arn, TagKeys=["x"])
    client.increase_stream_retention_period(StreamName="one", RetentionPeriodHours=48)
    refused("retention: too short", "InvalidArgumentException",
            client.decrease_stream_retention_period, "Minimum allowed retention period is 24",
            StreamName="one", RetentionPeriodHours=23)
    refused("retention: increase to less", "InvalidArgumentException",
            client.increase_stream_retention_period,
            "Requested retention period (25 hours) for stream one can not be shorter than existing "
            "retention period (48 hours). Use DecreaseRetentionPeriod API.",
            StreamName="one", RetentionPeriodHours=25)
    check("retention", client.describe_stream(StreamName="one")["StreamDescription"]
          ["RetentionPeriodHours"] == 48)
    check("limits", client.describe_limits()["OpenShardCount"] >= 4)


def check_resharding(client):
    client.create_stream(StreamName="grow", ShardCount=1)
    client.put_record(StreamName="grow", Data=b"before", PartitionKey="k")
    client.split_shard(StreamName="grow", ShardToSplit="shardId-000000000000",
                       NewStartingHashKey=str(2**127))
    shards = client.list_shards(StreamName="grow")["Shards"]
    check("split: parent closed, children open",
          ["EndingSequenceNumber" in s["SequenceNumberRange"] for s in shards] ==
          [True, False, False] and [s.get("ParentShardId") for s in shards][1:] ==
          ["shardId-000000000000"] * 2, shards)
    answer = client.get_records(ShardIterator=iterator(client, "grow"))
    check("split: the parent's reader ends with both children",
          [r["Data"] for r in answer["Records"]] == [b"before"] and
          "NextShardIterator" not in answer and
          [c["ShardId"] for c in answer["ChildShards"]] ==
          ["shardId-000000000001", "shardId-000000000002"], answer)
    at_latest = client.list_shards(StreamName="grow", ShardFilter={"Type": "AT_LATEST"})["Shards"]
    check("list shards: AT_LATEST", len(at_latest) == 2, at_latest)
    client.merge_shards(StreamName="grow", ShardToMerge="shardId-000000000001",
                        AdjacentShardToMerge="shardId-000000000002")
    shards = client.list_shards(StreamName="grow")["Shards"]
    check("merge: both parents are named", shards[3].get("AdjacentParentShardId") ==
          "shardId-000000000002", shards[3])
    put = client.put_record(StreamName="grow", Data=b"after", PartitionKey="k")
    check("merge: records go to the child", put["ShardId"] == "shardId-000000000003", put)
    refused("merge: not adjacent", "InvalidArgumentException", client.merge_shards,
            "are not an adjacent pair of shards eligible for merging", StreamName="orders",
            ShardToMerge="shardId-000000000001", AdjacentShardToMerge="shardId-000000000000")


def check_scaling(client):
    client.create_stream(StreamName="scaled", ShardCount=4)
    answer = client.update_shard_count(StreamName="scaled", TargetShardCount=3,
                                       ScalingType="UNIFORM_SCALING")
    check("scale: answers both counts", (answer["CurrentShardCount"], answer["TargetShardCount"]) ==
          (4, 3), answer)
    shards = client.list_shards(StreamName="scaled")["Shards"]
    live = [s for s in shards if "EndingSequenceNumber" not in s["SequenceNumberRange"]]
    check("scale: equal ranges", [int(s["HashKeyRange"]["StartingHashKey"]) for s in sorted(
        live, key=lambda s: int(s["HashKeyRange"]["StartingHashKey"]))] ==
        [2**128 // 3 * i for i in range(3)], live)
    by_id = {s["ShardId"]: s["SequenceNumberRange"] for s in shards}
    check("scale: children come after their parents", all(
        int(by_id[s[name]]["EndingSequenceNumber"]) <
        int(s["SequenceNumberRange"]["StartingSequenceNumber"])
        for s in shards for name in ("ParentShardId", "AdjacentParentShardId") if name in s))
    refused("scale: more than double", "LimitExceededException", client.update_shard_count,
            "cannot scale up over double", StreamName="scaled", TargetShardCount=7,
            ScalingType="UNIFORM_SCALING")
    arn = client.describe_stream_summary(StreamName="scaled")["StreamDescriptionSummary"]["StreamARN"]
    client.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    refused("scale: on demand", "ValidationException", client.split_shard, "is in On-Demand mode",
            StreamName="scaled", ShardToSplit="0", NewStartingHashKey="5")
    if not knows(client, "update_max_record_size"):
        return
    client.update_max_record_size(StreamARN=arn, MaxRecordSizeInKiB=10240)
    big = client.put_record(StreamName="scaled", Data=b"x" * ((10 << 20) - 1),
                            PartitionKey="k")
    records = read_all(client, "scaled", big["ShardId"])
    check("put: a record of 10 MiB", len(records) == 1 and len(records[0]["Data"]) == (10 << 20) - 1)
    check("account settings", client.describe_account_settings()
          ["MinimumThroughputBillingCommitment"]["Status"] == "DISABLED")


def check_consumers(client):
    client.create_stream(StreamName="fan", ShardCount=1)
    arn = client.describe_stream_summary(StreamName="fan")["StreamDescriptionSummary"]["StreamARN"]
    consumer = client.register_stream_consumer(StreamARN=arn, ConsumerName="c")["Consumer"]
    check("consumer: its ARN", consumer["ConsumerARN"].startswith(arn + "/consumer/c:"), consumer)
    check("consumer: described", client.describe_stream_consumer(
        ConsumerARN=consumer["ConsumerARN"])["ConsumerDescription"]["StreamARN"] == arn)
    refused("consumer: twice", "ResourceInUseException", client.register_stream_consumer,
            StreamARN=arn, ConsumerName="c")
    first = client.put_record(StreamName="fan", Data=b"1", PartitionKey="k")
    answer = client.subscribe_to_shard(ConsumerARN=consumer["ConsumerARN"], ShardId=first["ShardId"],
                                       StartingPosition={"Type": "TRIM_HORIZON"})
    got, last, began = [], None, None
    for event in answer["EventStream"]:
        event = event["SubscribeToShardEvent"]
        got += [r["Data"] for r in event["Records"]]
        if began and b"2" in got:
            check("subscribe: a record is there at once", time.monotonic() - began < 1)
            began = None
            client.split_shard(StreamName="fan", ShardToSplit=first["ShardId"],
                               NewStartingHashKey=str(2**127))
        elif got == [b"1"]:
            check("subscribe: where to go on", event["ContinuationSequenceNumber"] ==
                  first["SequenceNumber"], event)
            began = time.monotonic()
            client.put_record(StreamName="fan", Data=b"2", PartitionKey="k")
        last = event
    check("subscribe: each record once", got == [b"1", b"2"], got)
    check("subscribe: the shard's end names the children", "ContinuationSequenceNumber" not in last
          and len(last["ChildShards"]) == 2, last)
    refused("delete: with consumers", "ResourceInUseException", client.delete_stream,
            "because there are consumers associated", StreamName="fan")
    check("consumers: listed", [c["ConsumerName"] for c in client.list_stream_consumers(
        StreamARN=arn)["Consumers"]] == ["c"])
    client.deregister_stream_consumer(ConsumerARN=consumer["ConsumerARN"])
    client.delete_stream(StreamName="fan")


def check_unsupported(client):
    """What is not there says so in AWS's own words."""
    arn = client.describe_stream_summary(StreamName="one")["StreamDescriptionSummary"]["StreamARN"]
    for call, arguments in (
            ("start_stream_encryption", {"StreamName": "one", "EncryptionType": "KMS", "KeyId": "k"}),
            ("stop_stream_encryption", {"StreamName": "one", "EncryptionType": "KMS", "KeyId": "k"}),
            ("enable_enhanced_monitoring", {"StreamName": "one", "ShardLevelMetrics": ["ALL"]}),
            ("disable_enhanced_monitoring", {"StreamName": "one", "ShardLevelMetrics": ["ALL"]}),
            ("put_resource_policy", {"ResourceARN": arn, "Policy": "{}"}),
            ("get_resource_policy", {"ResourceARN": arn}),
            ("delete_resource_policy", {"ResourceARN": arn}),
            ("update_account_settings", {"MinimumThroughputBillingCommitment": {"Status": "ENABLED"}}),
            ("update_stream_warm_throughput", {"StreamARN": arn, "WarmThroughputMiBps": 10})):
        if knows(client, call):
            refused(f"not supported: {call}", "UnknownOperationException", getattr(client, call),
                    **arguments)


def check_wire(client):
    def post(body, action="ListStreams", **headers):
        request = urllib.request.Request(client.meta.endpoint_url, body, {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"Kinesis_20131202.{action}", **headers})
        try:
            answer = urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            answer = error
        return answer.status, answer.headers, answer.read().decode()

    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/kinesis/"
              "aws4_request, SignedHeaders=host, Signature=00", "X-Amz-Date": "20260101T000000Z"}
    status, headers, body = post(b"{}", **signed)
    check("wire: ids and type", status == 200 and headers["x-amzn-RequestId"] and
          headers["x-amz-id-2"] and headers["Content-Type"] == "application/x-amz-json-1.1",
          dict(headers))
    check("wire: unsigned", post(b"{}")[2] ==
          '{"__type":"MissingAuthenticationTokenException",'
          '"message":"Missing Authentication Token"}', post(b"{}"))
    check("wire: not JSON", post(b"{", **signed)[::2] == (400, '{"__type":"SerializationException"}'))
    check("wire: no such action", post(b"{}", "Nope", **signed)[::2] ==
          (400, '{"__type":"UnknownOperationException"}'))
    status, headers, body = post(b'{"Limit":"x"}', **signed)
    check("wire: types", (status, body, headers["x-amzn-ErrorType"]) ==
          (400, '{"__type":"SerializationException","Message":"class java.lang.String can not be '
           'converted to an Integer"}', "SerializationException"), body)
    status, headers, body = post(b"{}", "PutRecord", **signed)
    check("wire: aggregated constraints", json.loads(body) == {
        "__type": "ValidationException", "message":
        "3 validation errors detected: Value null at 'partitionKey' failed to satisfy constraint: "
        "Member must not be null; Value null at 'data' failed to satisfy constraint: Member must "
        "not be null; Value null at 'streamName' failed to satisfy constraint: Member must not be "
        "null"}, body)


def check_restart(server):
    client = server.client
    client.create_stream(StreamName="kept", ShardCount=1)
    numbers = [client.put_record(StreamName="kept", Data=b"%d" % i, PartitionKey="k")
               ["SequenceNumber"] for i in range(10)]
    at = client.get_records(ShardIterator=iterator(client, "kept"), Limit=4)["NextShardIterator"]
    for how in (signal.SIGTERM, signal.SIGKILL):
        server.restart(how)
        client = server.client
        answer = client.get_records(ShardIterator=at)
        check(f"after {how.name}: an iterator goes on",
              [r["SequenceNumber"] for r in answer["Records"]] == numbers[4:], answer)
        number = client.put_record(StreamName="kept", Data=b"x", PartitionKey="k")["SequenceNumber"]
        check(f"after {how.name}: numbers go on rising", int(number) > int(numbers[-1]))
        numbers.append(number)
    client.delete_stream(StreamName="kept")
    client.create_stream(StreamName="kept", ShardCount=1)
    refused("created again: old iterators are refused", "ResourceNotFoundException",
            client.get_records, ShardIterator=at)


def main():
    print(f"boto3 {boto3.__version__} botocore {botocore.__version__}")
    os.environ.pop("AWS_ENDPOINT_URL", None)
    with tempfile.TemporaryDirectory() as directory:
        server = Server(sys.argv[1], directory)
        try:
            for part in (check_streams, check_records, check_iterators, check_settings,
                         check_resharding, check_scaling, check_consumers, check_unsupported,
                         check_wire):
                part(server.client)
            check_restart(server)
        finally:
            server.stop()
    with open(sys.argv[2], "a") as coverage:
        coverage.writelines(f"boto3\t{name}\n" for name in sorted(server.done))
    print("all good" if failures == 0 else f"{failures} failed")
    sys.exit(failures != 0)


if __name__ == "__main__":
    main()
