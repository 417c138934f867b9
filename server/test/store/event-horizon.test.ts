import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import type { Db } from '../../src/db/pool.ts';
import { testDatabase } from '../database.ts';
import { until } from '../until.ts';

/** A database with a table, and clients of it that can leave a transaction open. */
async function place(t: TestContext) {
  const { db, url, drop } = await testDatabase({ migrated: true });
  await db.script('create table things (xid xid8 not null default pg_current_xact_id())');
  const clients: pg.Client[] = [];
  t.after(async () => {
    for (const client of clients) await client.end();
    await drop();
  });
  const begin = async () => {
    const client = new pg.Client(url);
    clients.push(client);
    await client.connect();
    await client.query('begin; insert into things default values');
    return client;
  };
  return { db, begin };
}

/** How many committed things lie below the horizon. A transaction of another test that ends just then may hide some for that look. */
async function seen(db: Db): Promise<number> {
  const [row] = await db.query<{ seen: number }>({
    name: 'test_seen',
    text: 'select count(*)::int as seen from things where xid < (select event_horizon())',
  });
  return row?.seen ?? -1;
}

const insert = { name: 'test_insert', text: 'insert into things default values' };

test('a transaction that is open in the same database holds back what came after it, in another one it does not', async (t) => {
  const [here, there] = [await place(t), await place(t)];
  await there.begin();
  await here.db.query(insert);
  await until('it is seen beside the transaction there', async () => (await seen(here.db)) === 1);

  const open = await here.begin();
  await here.db.query(insert);
  for (let looks = 0; looks < 20; looks++) assert.ok((await seen(here.db)) <= 1);
  await until('what came before is still seen', async () => (await seen(here.db)) === 1);
  await open.query('commit');
  await until('all is seen', async () => (await seen(here.db)) === 3);
});

test('within a transaction that wrote, the horizon is that transaction', async (t) => {
  const { begin } = await place(t);
  const open = await begin();
  const { rows } = await open.query('select event_horizon() = pg_current_xact_id() as own');
  assert.deepEqual(rows, [{ own: true }]);
  await open.query('rollback');
});
