import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { foldCounters } from '../../src/actions/keep-store.ts';
import { newId, type SenderId, type TenantId } from '../../src/domain/ids.ts';
import { countMessages } from '../../src/store/statistics.read.ts';
import { type TestDatabase, testDatabase } from '../database.ts';

let database: TestDatabase;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());

const add = {
  name: 'test_add_counts',
  text: `
insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
select $1, $2, 'outbound', 'text', from_state, to_state, slot, 10
from generate_series($3::int, $4::int) slot, (values ('', 'queued'), ('queued', 'sent')) t(from_state, to_state)`,
};
const slots = {
  name: 'test_slots',
  text: 'select count(*)::int as rows, sum(n)::int as n from message_counts where tenant_id = $1',
};

test('counters spread over many rows are added up, and count as before; few are left as they are', async () => {
  const { db } = database;
  const [many, few] = [newId<TenantId>(), newId<TenantId>()];
  await db.query(add, [many, newId<SenderId>(), -32, 200]);
  await db.query(add, [few, newId<SenderId>(), 0, 7]);
  const before = await countMessages(db, many, null);
  await foldCounters(db);
  assert.deepEqual(await db.query(slots, [many]), [{ rows: 2, n: 2 * 233 * 10 }]);
  assert.deepEqual(await db.query(slots, [few]), [{ rows: 16, n: 160 }]);
  assert.deepEqual(await countMessages(db, many, null), before);
  await foldCounters(db);
  assert.deepEqual(await db.query(slots, [many]), [{ rows: 2, n: 2 * 233 * 10 }]);
});

test('counters that are added to meanwhile lose nothing', async () => {
  const { db } = database;
  const tenant = newId<TenantId>();
  const sender = newId<SenderId>();
  await db.query(add, [tenant, sender, 0, 100]);
  await Promise.all([
    foldCounters(db),
    ...Array.from({ length: 20 }, (_, i) => db.query(add, [tenant, sender, 300 + i, 300 + i])),
  ]);
  assert.deepEqual((await db.query<{ n: number }>(slots, [tenant]))[0]?.n, 2 * 121 * 10);
});
