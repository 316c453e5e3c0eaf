// What kafkajs's users do: gzip, idempotence, two members of a group, seeking by time, admin.
// usage: node kafkajs.js host:port     ends with 0 when all is well
const assert = require("assert");
const { CompressionTypes, Kafka, logLevel } = require("kafkajs");

const kafka = new Kafka({ brokers: [process.argv[2]], clientId: "kafkajs", logLevel: logLevel.ERROR });
const name = `kafkajs-${Date.now()}`;
const until = async (what, seconds = 40) => {
  for (let i = 0; i < seconds * 20; i++) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`not within ${seconds} s: ${what}`);
};

async function main() {
  const admin = kafka.admin();
  await admin.connect();
  assert(await admin.createTopics({ topics: [{ topic: name, numPartitions: 2,
    configEntries: [{ name: "retention.ms", value: "3600000" }] }] }));
  assert.strictEqual(await admin.createTopics({ topics: [{ topic: name }] }), false);
  assert((await admin.listTopics()).includes(name));

  const before = Date.now();
  const values = Array.from({ length: 300 }, (_, i) => `value ${i}`);
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (const compression of [CompressionTypes.None, CompressionTypes.GZIP])
    await producer.send({ topic: name, compression,
      messages: values.map((value, i) => ({ key: `k${i}`, value, headers: { n: `${i}` } })) });
  await producer.disconnect();

  const groupId = `${name}-group`;
  const seen = { first: 0, second: 0 };
  const assigned = {};
  const members = ["first", "second"].map((id) => {
    const member = kafka.consumer({ groupId, sessionTimeout: 6000, heartbeatInterval: 500, rebalanceTimeout: 6000 });
    member.on(member.events.GROUP_JOIN, ({ payload }) => { assigned[id] = (payload.memberAssignment[name] || []).length; });
    return [id, member];
  });
  for (const [id, member] of members) {
    await member.connect();
    await member.subscribe({ topic: name, fromBeginning: true });
    await member.run({ autoCommitInterval: 100, eachMessage: async ({ message }) => {
      assert(message.headers.n);
      seen[id]++;
    } });
  }
  await until(() => assigned.first === 1 && assigned.second === 1);
  await until(() => seen.first + seen.second >= 600);
  const description = await admin.describeGroups([groupId]);
  assert.strictEqual(description.groups[0].state, "Stable");
  assert.strictEqual(description.groups[0].members.length, 2);
  await members[1][1].disconnect();
  await until(() => assigned.first === 2);
  members[0][1].seek({ topic: name, partition: 0, offset: "0" });
  const count = seen.first;
  const ends = await admin.fetchTopicOffsets(name);
  // All of the partition again: what it commits when it leaves is how far it came.
  await until(() => seen.first - count >= Number(ends.find((end) => end.partition === 0).high));
  await members[0][1].disconnect();

  assert.strictEqual(ends.reduce((sum, { high }) => sum + Number(high), 0), 600);
  const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [name] });
  for (const { partition, offset } of partitions)
    assert.strictEqual(offset, ends.find((end) => end.partition === partition).high);
  const starts = await admin.fetchTopicOffsetsByTimestamp(name, before);
  assert(starts.every(({ offset }) => offset === "0"), JSON.stringify(starts));
  assert((await admin.listGroups()).groups.some((group) => group.groupId === groupId && group.protocolType === "consumer"));

  await admin.setOffsets({ groupId, topic: name, partitions: [{ partition: 0, offset: "7" }] });
  await admin.resetOffsets({ groupId, topic: name, earliest: true });
  await admin.createPartitions({ topicPartitions: [{ topic: name, count: 3 }] });
  assert.strictEqual((await admin.fetchTopicMetadata({ topics: [name] })).topics[0].partitions.length, 3);
  const described = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name }] });
  assert(described.resources[0].configEntries.some((entry) => entry.configName === "retention.ms" && entry.configValue === "3600000"));
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name, configEntries: [{ name: "retention.ms", value: "1000" }] }] });
  await admin.deleteTopicRecords({ topic: name, partitions: [{ partition: 0, offset: "2" }] });
  assert.strictEqual((await admin.fetchTopicOffsets(name)).find((end) => end.partition === 0).low, "2");
  assert.strictEqual((await admin.describeCluster()).brokers.length, 1);
  await admin.deleteGroups([groupId]);
  await admin.deleteTopics({ topics: [name] });
  await admin.disconnect();
  console.log("all is well");
}

main().catch((error) => { console.error(error); process.exit(1); });
