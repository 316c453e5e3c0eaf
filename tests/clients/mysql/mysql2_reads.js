// node's mysql2: text and prepared statements, streams. usage: mysql2_reads.js PORT [USER PASSWORD]
const mysql = require('mysql2/promise');
const assert = require('assert');

async function main() {
  const [port, user = 'pinpipe', password = 'pinpipe'] = process.argv.slice(2);
  const connection = await mysql.createConnection(
    {host: '127.0.0.1', port: Number(port), user, password, database: 'pinterest_data', timezone: 'Z'});
  const [rows] = await connection.query('SELECT * FROM geolocation_data LIMIT 7528, 1');
  assert.strictEqual(rows[0].country, 'Albania');
  assert.strictEqual(rows[0].timestamp.toISOString(), '2020-08-28T03:52:47.000Z');
  const [prepared] = await connection.execute('SELECT * FROM user_data WHERE ind = ? AND age > ?', [7528, 19]);
  assert.strictEqual(prepared[0].first_name, 'Abigail');
  assert.strictEqual(prepared[0].age, 20);
  const [count] = await connection.query('SELECT COUNT(*) AS n FROM pinterest_data');
  assert.strictEqual(count[0].n, 11154);
  await assert.rejects(connection.query('DELETE FROM user_data'), {errno: 1290});
  await connection.end();
}

main().catch((error) => { console.error(error.message); process.exit(1); });
