// 2,000 records in one HTTP/2 session of node, 100 streams at a time; every offset comes once.
const http2 = require('node:http2');
const session = http2.connect(process.argv[2]);
const total = 2000, offsets = new Set();
let asked = 0, answered = 0;

function fail(error) {
  console.error(error);
  process.exit(1);
}

function ask() {
  if (asked === total) return;
  const request = session.request({
    ':method': 'POST', ':path': '/test/topics/http2.node', 'content-type': 'application/vnd.kafka.json.v2+json'});
  let text = '';
  request.on('response', (head) => head[':status'] === 200 || fail(`status ${head[':status']}`));
  request.on('data', (piece) => text += piece).on('error', fail).on('end', () => {
    offsets.add(JSON.parse(text).offsets[0].offset);
    if (++answered < total) return ask();
    if (offsets.size !== total) fail(`${offsets.size} offsets`);
    session.close();
  });
  request.end(JSON.stringify({records: [{value: {n: asked++}}]}));
}

session.on('error', fail);
for (let i = 0; i < 100; i++) ask();
