import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../database.ts';

test('each statement that is answered tells how long it took, and so does a commit', async (t) => {
  const { db, drop } = await testDatabase({ migrated: false });
  t.after(drop);
  const times: number[] = [];
  db.onAnswer((seconds) => times.push(seconds));
  await db.query({ name: 'test_one', text: 'select 1' });
  await db.query({ name: 'test_slow', text: 'select pg_sleep(0.02)' });
  assert.equal(times.length, 2);
  assert.ok(Number(times[1]) >= 0.02 && Number(times[1]) < 30, String(times[1]));
  await db.transaction((tx) => tx.query({ name: 'test_in', text: 'select 2' }));
  assert.equal(times.length, 4);
  await assert.rejects(db.query({ name: 'test_wrong', text: 'select 1 / 0' }));
  assert.equal(times.length, 4);
  assert.ok(times.every((seconds) => seconds >= 0 && seconds < 30));
});
