import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { createEventLag } from '../../src/boot/collect-metrics.ts';
import { checkLong } from '../../src/cli/doctor/database-checks.ts';
import { migrate } from '../../src/db/migrate.ts';
import { openPool } from '../../src/db/pool.ts';
import { newId } from '../../src/domain/ids.ts';
import { findStoreState } from '../../src/store/metrics.read.ts';
import { afterwards, scratch, start } from '../db/embedded-rig.ts';

test('a transaction that another role keeps open is found, though an ordinary role is not told since when', async (t) => {
  const { connection, folder } = await start(t, join(scratch(t), 'data'));
  const db = openPool({ connection, max: 2, onError: () => {} });
  afterwards(t, () => db.close());
  await migrate(db);
  const long = async (seconds: number) => (await checkLong(db, seconds)).status;
  const lag = createEventLag();
  const lagAt = async (ms: number) => lag(await findStoreState(db, 600_000), ms);

  const password = readFileSync(join(folder, 'superuser-password'), 'utf8').trim();
  const person = async (database: string) => {
    const client = new pg.Client({ ...connection, database, user: 'postgres', password, application_name: 'psql' });
    await client.connect();
    afterwards(t, () => client.end());
    await client.query('begin');
    await client.query('select pg_current_xact_id()');
    return client;
  };
  await db.script(`insert into tenants (id, name) values ('${newId()}', 'x')`);
  let events = 0;
  const event = (ago: number) => {
    const time = (Date.now() - ago).toString(16).padStart(12, '0');
    const id = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${String(++events).padStart(12, '0')}`;
    return db.script(`insert into events (tenant_id, id, type, data) select id, '${id}', 'x', '{}' from tenants`);
  };

  // What was there before, and a transaction of another database, hold nothing back.
  await event(1_000_000);
  await person('postgres');
  await db.script('create table later (x int)');
  assert.deepEqual([await long(0), await lagAt(0), await lagAt(90_000)], ['ok', 0, 0]);

  const here = await person(connection.database);
  assert.equal(await long(1), 'ok', 'nothing waits for it yet');
  await event(70_000);
  assert.deepEqual([await lagAt(100_000), await lagAt(190_000)], [0, 90]);
  const finding = await checkLong(db, 60);
  assert.match(
    finding.message,
    /^psql \(pid \d+\) has been writing for (70|71|72|73) s: events that came since wait for it$/,
  );
  await here.query('commit');
  assert.deepEqual([await long(1), await lagAt(191_000)], ['ok', 0]);
});
