import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { createAccounts } from '../../src/actions/accounts.ts';
import { createApps, openApp } from '../../src/actions/apps.ts';
import { createReseal } from '../../src/actions/reseal.ts';
import { createSenders } from '../../src/actions/senders.ts';
import { place, setUp } from '../../src/actions/set-up.ts';
import { createEndpoints } from '../../src/actions/webhook-endpoints.ts';
import { createSealer } from '../../src/runtime/sealer.ts';
import { memorySignals } from '../../src/signals/signals.ts';
import { listSealedApps } from '../../src/store/apps.read.ts';
import { type TestDatabase, testDatabase } from '../database.ts';

let database: TestDatabase;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());

test('every secret is sealed anew, some at a time; what no key opens stays and is counted', async () => {
  const { db } = database;
  const [one, two, lost] = [1, 2, 3].map((version) => ({ version, key: randomBytes(32) }));
  assert.ok(one && two && lost);
  const signals = memorySignals();
  const old = createSealer([one]);
  const deps = { db, signals, sealer: old };
  const none = { apiKey: null, operatorKey: null, appSecret: null, verifyToken: null, numbers: [] };
  const before = await setUp(db, { ...none, sealer: old });
  const { tenant } = before;
  await createApps(deps).create({ id: 'shop', app_secret: 'first', verify_token: 'word' });
  await createApps(deps).change('shop', { app_secret: 'second' });
  const senders = createSenders(deps);
  for (let i = 0; i < 230; i++) {
    const webhook = {
      channel: 'webhook',
      webhook_url: 'http://h.example',
      webhook_key: `key ${i}`.replace(' ', '-'),
    } as const;
    assert.ok(typeof (await senders.create(tenant, webhook)) === 'object');
  }
  const number = { phone: '+628120000000', phone_number_id: '11111', account_id: '22222', access_token: 'token' };
  const sender = await senders.create(tenant, number);
  assert.ok(typeof sender === 'object');
  await createAccounts(deps).change(tenant, '22222', { access_token: 'token' });
  const broken = await senders.create(tenant, { ...number, phone_number_id: '33333', account_id: '44444' });
  assert.ok(typeof broken === 'object');
  const endpoints = createEndpoints(deps);
  const filter = { event_types: null, sender_ids: null, conversation_ids: null };
  const endpoint = await endpoints.create(tenant, {
    url: 'https://h.example/hook',
    description: null,
    enabled: true,
    ordered: false,
    ...filter,
  });
  assert.ok(endpoint !== 'full');
  await endpoints.rotate(tenant, endpoint.endpoint.id);
  const unreadable = createSealer([lost]).seal('x', place.accessToken(tenant, broken.id));
  const spoil = { name: 'test_spoil', text: 'update senders set access_token_sealed = $1 where id = $2' };
  await db.query(spoil, [unreadable, broken.id]);

  const both = createSealer([one, two]);
  let told = 0;
  signals.listen('apps', () => void told++);
  // Accounts 2; apps 2 with secret and token each, and one secret before; the mark key; 230 webhook keys, one number's token; an
  // endpoint's secret and the one before.
  assert.deepEqual(await createReseal({ db, signals, sealer: both })(), { resealed: 241, already: 0, failed: 1 });
  assert.equal(told, 1);
  assert.deepEqual(await createReseal({ db, signals, sealer: both })(), { resealed: 0, already: 241, failed: 1 });

  const newest = createSealer([two]);
  const now = await setUp(db, { ...none, sealer: newest });
  assert.deepEqual([now.markKey, now.appSecret], [before.markKey, before.appSecret]);
  const apps = (await listSealedApps(db)).map((row) => openApp(newest, row));
  assert.deepEqual(apps.map((app) => [app.appSecret, app.previous?.appSecret ?? null]).at(-1), ['second', 'first']);
  const rows = await db.query<{ id: typeof sender.id; sealed: Buffer | null; key: Buffer | null }>({
    name: 'test_sealed',
    text: `select id, access_token_sealed as sealed, webhook_key_sealed as key from senders where id <> '${broken.id}'`,
  });
  for (const { id, sealed, key } of rows) {
    if (sealed) assert.equal(newest.open(sealed, place.accessToken(tenant, id)), 'token');
    if (key) assert.match(newest.open(key, place.webhookKey(tenant, id)), /^key-\d+$/);
  }

  // Whatever column holds sealed values, none of them still needs the old key: but for the one that nothing opens.
  const columns = await db.query<{ table: string; column: string }>({
    name: 'test_sealed_columns',
    text: `select table_name as table, column_name as column from information_schema.columns
      where table_schema = 'public' and data_type = 'bytea' and column_name like '%\\_sealed' order by 1, 2`,
  });
  assert.ok(columns.length >= 6, `${columns.length}`);
  let left = 0;
  for (const { table, column } of columns) {
    const [count] = await db.query<{ all: number; old: number }>({
      name: `test_count_${table}_${column}`,
      text: `select count(${column})::int as all, count(*) filter (where get_byte(${column}, 0) <> 2)::int as old from ${table}`,
    });
    assert.ok(count && count.all > 0, `this test seals nothing in ${table}.${column}`);
    left += count.old;
  }
  assert.equal(left, 1);
  // A fact that is sealed is told in SEALED_FACTS: no other one is opened by a key that is to be taken away.
  const facts = await db.query<{ key: string; value: unknown }>({
    name: 'test_facts',
    text: 'select key, value from settings',
  });
  for (const { key, value } of facts) {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.alloc(0);
    assert.throws(() => old.open(bytes, place.fact(key)), key);
  }
});
