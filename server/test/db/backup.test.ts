import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { writeBackupFile } from '../../src/db/backup/file.ts';
import { restoreBackup } from '../../src/db/backup/load.ts';
import { tablesToKeep } from '../../src/db/backup/tables.ts';
import { readDatabase } from '../../src/db/backup/write.ts';
import { migrateWithin } from '../../src/db/migrate.ts';
import type { Db } from '../../src/db/pool.ts';
import { testDatabase } from '../database.ts';
import { logReadable } from '../readable-log.ts';

const TENANT = '01900000-0000-7000-8000-000000000001';
const SENDER = '01900000-0000-7000-8000-000000000002';
const CONTACT = '01900000-0000-7000-8000-000000000003';

/** Rows in the tables that refer to each other, and values that are easily lost on the way. */
const CONTENT = `
insert into tenants (id, name) values ('${TENANT}', E'Rós, "quoted", back\\\\slash (and) \\n lines 🐘');
insert into apps (id, app_secret_sealed, verify_token_sealed) values ('default', '\\x00ff5c22', '\\x');
insert into lanes (portfolio_id) values ('one'), ('two'), ('gone');
delete from lanes where portfolio_id = 'gone';
insert into senders (tenant_id, id, name, channel, lane_id, app_id, phone_number_id, account_id, phone, access_token_sealed)
  values ('${TENANT}', '${SENDER}', 's', 'whatsapp', 2, 'default', '12345', '54321', '+6281234567890', '\\x01');
insert into api_keys (tenant_id, id, name, key_hash, scopes)
  values ('${TENANT}', gen_random_uuid(), 'k', sha256('k'), array['a,b', 'NULL', '{"x"}']);
insert into settings (key, value) values ('null', 'null'), ('number', '12345678901234567890.0123456789');
insert into events (tenant_id, id, type, message_id, data)
  select '${TENANT}', gen_random_uuid(), 'message.queued', gen_random_uuid(), jsonb_build_object('n', i)
  from generate_series(1, 3000) i;
insert into raw_webhooks (app_id, id, body, error)
  select 'default', gen_random_uuid(), convert_to(repeat('x', i * 100000), 'UTF8'), case when i > 2 then '' end
  from generate_series(1, 8) i;
insert into contacts (tenant_id, id, attributes, last_message_at)
  values ('${TENANT}', '${CONTACT}', '{"a": null}', '2026-02-03 04:05:06.789012+00')`;

const OPEN = `insert into due (tenant_id, message_id, lane_id, sender_id, priority, due_at)
  values ('${TENANT}', gen_random_uuid(), 2, '${SENDER}', 1, now())`;

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'aldis-backup-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function database(t: TestContext, options?: { migrated?: boolean }): Promise<Db> {
  const made = await testDatabase(options);
  t.after(() => made.drop());
  return made.db;
}

async function backedUp(t: TestContext, content: string): Promise<{ source: Db; file: string }> {
  const source = await database(t);
  await source.script(content);
  const file = join(folder(t), 'aldis.backup');
  await writeBackupFile(file, (write) => readDatabase(source, '9.9.9', write));
  return { source, file };
}

/** Every row of every table as text. */
async function everything(db: Db): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {};
  for (const { name } of await tablesToKeep(db)) {
    const rows = await db.query<{ row: string }>({
      name: `test_all_${name}`,
      text: `select t::text as row from ${name} t order by 1`,
    });
    all[name] = rows.map(({ row }) => row);
  }
  return all;
}

async function isEmpty(db: Db): Promise<boolean> {
  return (await tablesToKeep(db)).length === 0;
}

test('a backup restored into an empty database has every row of every table', async (t) => {
  const { source, file } = await backedUp(t, CONTENT);
  const target = await database(t, { migrated: false });
  const restored = await restoreBackup(target, file, { resume: false });
  const [before, after] = [await everything(source), await everything(target)];
  assert.deepEqual(after, before);
  assert.equal(restored.count, Object.values(before).flat().length);
  assert.equal(before['events']?.length, 3000);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  // Identities go on where they were, and what is inserted is checked as ever.
  const lane = await target.query<{ id: number }>({
    name: 'test_lane',
    text: `insert into lanes (portfolio_id) values ('new') returning id`,
  });
  assert.deepEqual(lane, [{ id: 4 }]);
  await assert.rejects(
    target.script(`insert into api_keys (tenant_id, id, name, key_hash, scopes)
    values (gen_random_uuid(), gen_random_uuid(), 'k', sha256('l'), '{}')`),
    /foreign key/,
  );
});

test('a database that was only migrated is empty enough', async (t) => {
  const { source, file } = await backedUp(t, CONTENT);
  const target = await database(t);
  await restoreBackup(target, file, { resume: false });
  assert.deepEqual(await everything(target), await everything(source));
});

test('restored events lie before all that come, and can be read at once', async (t) => {
  const { source, file } = await backedUp(t, CONTENT);
  const number = await source.query<{ next: string }>({
    name: 'test_next',
    text: 'select pg_snapshot_xmax(pg_current_snapshot())::text as next',
  });
  // As from a server that is 250,000 transactions older than this one.
  const older = BigInt(number[0]?.next ?? '0') + 250_000n;
  rewrite(file, (line) => line.replace(/"next_transaction":"\d+"/, `"next_transaction":"${older}"`));
  const target = await database(t, { migrated: false });
  await restoreBackup(target, file, { resume: false });
  await logReadable(target);
  const [row] = await target.query<{ reached: boolean; seen: number }>({
    name: 'test_reached',
    text: `select event_horizon() >= '${older}'::xid8 as reached,
      (select count(*) from events where xid < (select event_horizon())) as seen`,
  });
  assert.deepEqual(row, { reached: true, seen: 3000 });
});

test('with open messages sending is stopped, unless it is to be resumed', async (t) => {
  const { file } = await backedUp(t, `${CONTENT}; ${OPEN}`);
  const isRunning = async (db: Db) =>
    (await db.query<{ processing: boolean }>({ name: 'test_on', text: 'select processing from tenants' }))[0]
      ?.processing;
  const stopped = await database(t, { migrated: false });
  const first = await restoreBackup(stopped, file, { resume: false });
  assert.deepEqual([first.open, first.stopped, await isRunning(stopped)], [1, true, false]);
  const resumed = await database(t, { migrated: false });
  const second = await restoreBackup(resumed, file, { resume: true });
  assert.deepEqual([second.open, second.stopped, await isRunning(resumed)], [1, false, true]);
});

test('a redrive that ran is cancelled: what it would send again may have been sent since', async (t) => {
  const text = `insert into redrives (tenant_id, id, key_id, filter, per_second, include_uncertain)
    select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '{}', 10, false`;
  const { file } = await backedUp(t, text);
  for (const [resume, state] of [
    [false, 'cancelled'],
    [true, 'running'],
  ] as const) {
    const target = await database(t, { migrated: false });
    await restoreBackup(target, file, { resume });
    const rows = await target.query<{ state: string }>({ name: 'test_redrives', text: 'select state from redrives' });
    assert.deepEqual(rows, [{ state }]);
  }
});

test('the backup shows one moment, and the database works on meanwhile', async (t) => {
  const source = await database(t);
  await source.script(CONTENT);
  const before = await everything(source);
  const file = join(folder(t), 'aldis.backup');
  await writeBackupFile(file, async (write) => {
    let added = false;
    return readDatabase(source, '9.9.9', async (record) => {
      if (!added) await source.script(`insert into settings (key, value) values ('later', '1'); delete from contacts`);
      added = true;
      await write(record);
    });
  });
  const target = await database(t, { migrated: false });
  await restoreBackup(target, file, { resume: false });
  assert.deepEqual(await everything(target), before);
});

test('a damaged file is refused before anything is restored', async (t) => {
  const { file } = await backedUp(t, CONTENT);
  const whole = readFileSync(file);
  const target = await database(t, { migrated: false });
  const lines = gunzipSync(whole).toString().split('\n');
  const events = lines.findIndex((line) => line.includes('message.queued'));
  const damages: [string, Buffer, RegExp][] = [
    ['cut in the middle', whole.subarray(0, whole.length / 2), /damaged/],
    ['cut by a byte', whole.subarray(0, -1), /damaged/],
    ['a bit turned', Buffer.from(whole).fill((whole[4000] ?? 0) ^ 1, 4000, 4001), /damaged/],
    ['no footer', gzipSync(`${lines.slice(0, -2).join('\n')}\n`), /its end is missing/],
    ['a line gone', gzipSync(lines.toSpliced(events, 1).join('\n')), /the rows of the table events/],
    ['a table gone', gzipSync(lines.toSpliced(2, 1).join('\n')), /damaged/],
    [
      'a value changed',
      gzipSync(lines.join('\n').replace('\\"\\"n\\"\\": 7}', '\\"\\"n\\"\\": 8}')),
      /the rows of the table events/,
    ],
    ['something behind', gzipSync(`${lines.join('\n')}{}\n`), /something follows/],
    ['empty', Buffer.alloc(0), /is no backup|damaged/],
    ['text', Buffer.from('phone,name\n'), /is no backup/],
    ['another gzip', gzipSync('{"rows":[]}\n'), /is no backup/],
    ['a later format', gzipSync(lines.join('\n').replace('"aldis_backup":1', '"aldis_backup":2')), /format/],
    ['a later schema', gzipSync(lines.join('\n').replace(/"migration":\d+/, '"migration":99')), /newer Aldis/],
  ];
  for (const [what, bytes, reason] of damages) {
    writeFileSync(file, bytes);
    await assert.rejects(restoreBackup(target, file, { resume: false }), reason, what);
    assert.ok(await isEmpty(target), what);
  }
});

test('what fails at the end of loading undoes all of it', async (t) => {
  const { file } = await backedUp(t, CONTENT);
  const target = await database(t, { migrated: false });
  const inspect = () => Promise.reject(new Error('wrong key'));
  await assert.rejects(restoreBackup(target, file, { resume: false, inspect }), /wrong key/);
  assert.ok(await isEmpty(target));
});

test('a database with anything in it is refused and left alone', async (t) => {
  const { source, file } = await backedUp(t, CONTENT);
  const before = await everything(source);
  await assert.rejects(restoreBackup(source, file, { resume: false }), /not empty \(\w+ has rows\)/);
  assert.deepEqual(await everything(source), before);
  const foreign = await database(t, { migrated: false });
  await foreign.script('create table theirs (n integer)');
  await assert.rejects(restoreBackup(foreign, file, { resume: false }), /has a table theirs/);
});

test('a backup of an earlier schema is brought to this one', async (t) => {
  const source = await database(t, { migrated: false });
  await source.transaction((tx) => migrateWithin(tx, 1));
  await source.script(`insert into settings (key, value) values ('a', '1');
    insert into tenants (id, name) values ('${TENANT}', 'early')`);
  const file = join(folder(t), 'aldis.backup');
  await writeBackupFile(file, (write) => readDatabase(source, '0.1.0', write));
  const target = await database(t, { migrated: false });
  const { header } = await restoreBackup(target, file, { resume: false });
  assert.equal(header.migration, 1);
  const all = await everything(target);
  assert.deepEqual(all['settings'], ['(a,1)']);
  assert.match(all['tenants']?.[0] ?? '', new RegExp(`^\\(${TENANT},,early,`));
  assert.deepEqual(
    Object.keys(all),
    (await tablesToKeep(await database(t))).map(({ name }) => name),
  );
});

test('a backup whose tables are not those of its schema is refused', async (t) => {
  const { file } = await backedUp(t, 'select 1');
  const target = await database(t, { migrated: false });
  rewrite(file, (line) => line.replace(/"migration":\d+/, '"migration":1'));
  await assert.rejects(restoreBackup(target, file, { resume: false }), /as this program's migrations make it/);
  assert.ok(await isEmpty(target));
});

test('a backup that fails leaves no file', async (t) => {
  const where = folder(t);
  const fill = (write: (record: { rows: string[] }) => Promise<void>) =>
    write({ rows: ['x'] }).then(() => Promise.reject(new Error('the connection was lost')));
  await assert.rejects(writeBackupFile(join(where, 'a.backup'), fill), /connection was lost/);
  await assert.rejects(writeBackupFile(join(where, 'no', 'a.backup'), fill), /ENOENT|connection/);
  assert.deepEqual(readdirSync(where), []);
});

function rewrite(file: string, change: (first: string) => string): void {
  const lines = gunzipSync(readFileSync(file)).toString().split('\n');
  writeFileSync(file, gzipSync(lines.with(0, change(lines[0] ?? '')).join('\n')));
}
