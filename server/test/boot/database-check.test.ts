import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDatabaseCheck } from '../../src/boot/database-check.ts';
import { openPool } from '../../src/db/pool.ts';
import { testDatabase } from '../database.ts';

test('who asks whether it is ready learns that the database is away, and the log why, once each time', async (t) => {
  const database = await testDatabase();
  t.after(() => database.drop());
  const url = new URL(database.url);
  url.username = 'secret_role';
  url.password = 'wrong';
  const away = openPool({ connection: url.href, max: 1, lifetime: 60_000, onError: () => {} });
  t.after(() => away.close());
  let db = away;
  const logged: string[] = [];
  const check = createDatabaseCheck(
    { query: (statement, values) => db.query(statement, values) },
    { warn: (about: object) => void logged.push(String(Reflect.get(about, 'error'))) },
  );
  assert.deepEqual([await check(), await check()], ['unavailable', 'unavailable']);
  assert.equal(logged.length, 1);
  assert.match(logged[0] ?? '', /secret_role/);
  db = database.db;
  assert.equal(await check(), 'ok');
  db = away;
  assert.equal(await check(), 'unavailable');
  assert.equal(logged.length, 2);
});
