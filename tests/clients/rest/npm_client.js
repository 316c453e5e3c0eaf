// npm's kafka-rest, which speaks the API's first version: topics, partitions, producing. usage: npm_client.js GATEWAY_URL
const Client = require('kafka-rest');
const assert = require('assert');
const client = new Client({ url: process.argv[2] });
const call = (start) => new Promise((done, fail) => start((error, result) => (error ? fail(error) : done(result))));

(async () => {
  const sent = await call((then) => client.topic('npm').produce({ key: 'k', value: 'one' }, { value: 'two' }, then));
  assert.deepStrictEqual(sent.offsets.map((one) => one.offset), [0, 1]);
  await call((then) => client.topic('npm').partition(0).produce('three', then));
  const topics = await call((then) => client.topics.list(then));
  assert(topics.map((one) => one.name).includes('npm'));
  const topic = await call((then) => client.topics.get('npm', then));
  assert.strictEqual(topic.name, 'npm');
  const partitions = await call((then) => client.topic('npm').partitions.list(then));
  assert.strictEqual(partitions.length, 1);
  const brokers = await call((then) => client.brokers.list(then));
  assert.strictEqual(brokers.length, 1);
})().catch((error) => { console.error(error); process.exit(1); });
