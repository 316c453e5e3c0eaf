// What @platformatic/kafka's users do. It speaks the newest versions only: Metadata 9, Fetch 12, FindCoordinator 4 and up.
// usage: node platformatic.mjs host:port     ends with 0 when all is well
import assert from "assert";
import { createRequire } from "module";

const require = createRequire(process.env.NODE_PATH + "/");
const { Admin, Consumer, ConsumerGroupStates, ListOffsetTimestamps, MessagesStreamModes, Producer, ProduceAcks, stringDeserializers,
  stringSerializers } = require("@platformatic/kafka");

const settings = { clientId: "platformatic", bootstrapBrokers: [process.argv[2]] };
const name = `platformatic-${Date.now()}`;
const admin = new Admin(settings);
await admin.createTopics({ topics: [name], partitions: 2, replicas: 1 });
assert((await admin.listTopics()).includes(name));

const producer = new Producer({ ...settings, serializers: stringSerializers, idempotent: true });
for (const compression of ["none", "gzip", "snappy", "lz4", "zstd"]) {
  if (compression === "zstd" && !("zstdCompressSync" in (await import("zlib")))) continue;
  try {
    await producer.send({ compression, acks: ProduceAcks.ALL, messages: Array.from({ length: 100 }, (_, i) =>
      ({ topic: name, key: `k${i}`, value: `${compression} ${i}`, headers: { n: `${i}` } })) });
  } catch (error) {  // snappy and lz4 are packages of their own
    if (!/unavailable|not available|install/i.test(`${error} ${error.cause}`)) throw error;
  }
}
await producer.close();

const consumer = new Consumer({ ...settings, groupId: `${name}-group`, deserializers: stringDeserializers, autocommit: false,
  sessionTimeout: 6000, heartbeatInterval: 500 });
const ends = (await consumer.listOffsets({ topics: [name] })).get(name);
const total = Number(ends.reduce((sum, end) => sum + end, 0n));
assert(total >= 200, `${total}`);
const stream = await consumer.consume({ topics: [name], mode: MessagesStreamModes.EARLIEST, maxWaitTime: 500 });
const values = new Set();
for await (const message of stream) {
  values.add(message.value);
  assert(message.headers.get("n"));
  await message.commit();
  if (values.size === total) break;
}
assert.strictEqual(values.size, total);
const [group] = [...(await admin.describeGroups({ groups: [`${name}-group`] })).values()];
assert.strictEqual(group.state, "STABLE");
await consumer.close(true);
const listed = await admin.listGroups({ states: ["EMPTY"] });
assert([...listed.keys()].includes(`${name}-group`), `${[...listed.keys()]}`);
const groups = [...(await admin.describeGroups({ groups: [`${name}-group`] })).values()];
assert.strictEqual(groups[0].protocolType, "consumer");
await admin.deleteGroups({ groups: [`${name}-group`] });
await admin.deleteTopics({ topics: [name] });
await admin.close();
console.log("all is well");
