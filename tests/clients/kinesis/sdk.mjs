// aws-sdk-js v3 with its defaults, which are HTTP/2 without TLS for an http endpoint.
//   sdk.mjs URL COVERAGE     appends "aws-sdk-js<TAB>operation" for each that did what was asked
import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.env.NODE_PATH + "/");
const sdk = require("@aws-sdk/client-kinesis");
const kinesis = new sdk.KinesisClient({ endpoint: process.argv[2], region: "us-east-1", maxAttempts: 1,
  credentials: { accessKeyId: "test", secretAccessKey: "test" } });
const done = new Set();
const ask = async (operation, input = {}) => {
  const answer = await kinesis.send(new sdk[operation + "Command"](input));
  done.add(operation);
  return answer;
};
const refused = async (name, promise) => assert.equal((await promise.then(() => ({}), (error) => error)).name, name);
const StreamName = "js-" + process.pid;
const text = (record) => Buffer.from(record.Data).toString();

await ask("CreateStream", { StreamName, ShardCount: 2, Tags: { team: "data" } });
await refused("ResourceInUseException", ask("CreateStream", { StreamName, ShardCount: 2 }));
const { StreamDescription: about } = await ask("DescribeStream", { StreamName });
assert.equal(about.Shards.length, 2);
assert.ok(Date.now() - about.StreamCreationTimestamp < 60_000);
assert.equal((await ask("DescribeStreamSummary", { StreamName })).StreamDescriptionSummary.OpenShardCount, 2);
assert.ok((await ask("ListStreams")).StreamNames.includes(StreamName));
assert.deepEqual((await ask("ListTagsForStream", { StreamName })).Tags, [{ Key: "team", Value: "data" }]);
await ask("AddTagsToStream", { StreamName, Tags: { x: "y" } });
await ask("RemoveTagsFromStream", { StreamName, TagKeys: ["x"] });
await ask("TagResource", { ResourceARN: about.StreamARN, Tags: { z: "1" } });
assert.equal((await ask("ListTagsForResource", { ResourceARN: about.StreamARN })).Tags.length, 2);
await ask("UntagResource", { ResourceARN: about.StreamARN, TagKeys: ["z"] });
await ask("IncreaseStreamRetentionPeriod", { StreamName, RetentionPeriodHours: 48 });
await ask("DecreaseStreamRetentionPeriod", { StreamName, RetentionPeriodHours: 24 });
assert.ok((await ask("DescribeLimits")).OpenShardCount >= 2);

const placed = await ask("PutRecord", { StreamName, PartitionKey: "ключ 🦆", Data: Buffer.from("один") });
const many = await ask("PutRecords", { StreamName,
  Records: Array.from({ length: 500 }, (_, i) => ({ PartitionKey: "k" + i, Data: Buffer.from(String(i)) })) });
assert.equal(many.FailedRecordCount, 0);
const seen = [];
for (const { ShardId } of (await ask("ListShards", { StreamName })).Shards) {
  let { ShardIterator } = await ask("GetShardIterator", { StreamName, ShardId, ShardIteratorType: "TRIM_HORIZON" });
  for (let behind = 1; behind > 0;) {
    const answer = await ask("GetRecords", { ShardIterator, Limit: 90 });
    seen.push(...answer.Records.map(text));
    ShardIterator = answer.NextShardIterator;
    behind = answer.MillisBehindLatest;
  }
}
assert.deepEqual(seen.sort(), ["один", ...Array.from({ length: 500 }, (_, i) => String(i))].sort());
// Many at once share one connection.
await Promise.all(Array.from({ length: 200 }, (_, i) =>
  ask("PutRecord", { StreamName, PartitionKey: "p" + i, Data: Buffer.from("more") })));

const { Consumer } = await ask("RegisterStreamConsumer", { StreamARN: about.StreamARN, ConsumerName: "c" });
assert.equal((await ask("DescribeStreamConsumer", { ConsumerARN: Consumer.ConsumerARN })).ConsumerDescription.ConsumerStatus,
  "ACTIVE");
assert.equal((await ask("ListStreamConsumers", { StreamARN: about.StreamARN })).Consumers.length, 1);
const subscription = await ask("SubscribeToShard", { ConsumerARN: Consumer.ConsumerARN, ShardId: placed.ShardId,
  StartingPosition: { Type: "AT_SEQUENCE_NUMBER", SequenceNumber: placed.SequenceNumber } });
let first, last;
for await (const { SubscribeToShardEvent: event } of subscription.EventStream) {
  last = event;
  if (!first && event.Records.length > 0) {
    first = event.Records[0];
    await ask("UpdateShardCount", { StreamName, TargetShardCount: 4, ScalingType: "UNIFORM_SCALING" });
  }
}
assert.equal(text(first), "один");
assert.equal(last.ContinuationSequenceNumber, undefined);
assert.equal(last.ChildShards.length, 2);
await ask("DeregisterStreamConsumer", { ConsumerARN: Consumer.ConsumerARN });

const open = (await ask("ListShards", { StreamName, ShardFilter: { Type: "AT_LATEST" } })).Shards
  .sort((a, b) => (BigInt(a.HashKeyRange.StartingHashKey) < BigInt(b.HashKeyRange.StartingHashKey) ? -1 : 1));
await ask("MergeShards", { StreamName, ShardToMerge: open[0].ShardId, AdjacentShardToMerge: open[1].ShardId });
await ask("SplitShard", { StreamName, ShardToSplit: open[2].ShardId,
  NewStartingHashKey: String(BigInt(open[2].HashKeyRange.StartingHashKey) + 99n) });
await ask("UpdateStreamMode", { StreamARN: about.StreamARN, StreamModeDetails: { StreamMode: "ON_DEMAND" } });
await ask("UpdateMaxRecordSize", { StreamARN: about.StreamARN, MaxRecordSizeInKiB: 2048 });
await ask("DeleteStream", { StreamName });
await refused("ResourceNotFoundException", ask("DescribeStream", { StreamName }));
kinesis.destroy();
if (process.argv[3]) appendFileSync(process.argv[3], [...done].sort().map((name) => `aws-sdk-js\t${name}\n`).join(""));
