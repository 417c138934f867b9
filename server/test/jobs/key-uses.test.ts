import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAuthenticator } from '../../src/access/api-keys.ts';
import { createApiKeys } from '../../src/actions/api-keys.ts';
import { createTenants } from '../../src/actions/tenants.ts';
import type { TenantId } from '../../src/domain/ids.ts';
import { createKeyUses } from '../../src/jobs/key-uses.ts';
import { memorySignals } from '../../src/signals/signals.ts';
import { findApiKeyRecord } from '../../src/store/api-key-records.read.ts';
import { type TestDatabase, testDatabase } from '../database.ts';
import { until } from '../until.ts';

let database: TestDatabase;
let tenant: TenantId;
const signals = memorySignals();
before(async () => {
  database = await testDatabase();
  const made = await createTenants({ db: database.db, signals }).create({ name: 'test' });
  assert.ok(typeof made === 'object');
  tenant = made.id;
});
after(() => database.drop());

const newKey = () =>
  createApiKeys({ db: database.db, signals }).create(tenant, {
    name: 'test',
    scopes: ['messages:read'],
    dialect: 'aldis',
    expires_at: null,
  });

test('the last use of a key is written once a minute, after the request and many together', async (t) => {
  const { db } = database;
  let time = Date.now();
  const keys = createAuthenticator({ db, clock: { now: () => time, monotonic: () => time } });
  const warned: unknown[] = [];
  const startJob = async () => {
    const logger = { warn: (about: unknown) => void warned.push(about) };
    const job = createKeyUses({ db, logger, takeUsed: keys.takeUsed, every: 5 });
    t.after(() => job.stop());
    await job.start();
    return job;
  };
  const [a, b] = [await newKey(), await newKey()];
  await keys.authenticate(a.key);
  await keys.authenticate(b.key);
  assert.equal((await findApiKeyRecord(db, tenant, a.id))?.last_used_at, null);
  const job = await startJob();
  const lastUse = async (key: typeof a) => (await findApiKeyRecord(db, tenant, key.id))?.last_used_at?.getTime();
  const first = time;
  await until('both are written', async () => (await lastUse(a)) === first && (await lastUse(b)) === first);
  time += 30_000;
  await keys.authenticate(a.key);
  // A stop writes what there is to be written.
  await job.stop();
  assert.equal(await lastUse(a), first);
  time += 31_000;
  await keys.authenticate(a.key);
  await (await startJob()).stop();
  assert.deepEqual([await lastUse(a), await lastUse(b)], [time, first]);
  assert.deepEqual(warned, []);
});

test('what one instance wrote a moment ago, another does not write again', async () => {
  const { db } = database;
  const key = await newKey();
  const now = Date.now();
  await db.script(`update api_keys set last_used_at = now() where id = '${key.id}'`);
  const { authenticate, takeUsed } = createAuthenticator({ db, clock: { now: () => now, monotonic: () => now } });
  await authenticate(key.key);
  assert.deepEqual(takeUsed(), []);
});

test('a use that cannot be written is told, and costs nothing else', async () => {
  const warned: unknown[] = [];
  const broken = {
    ...database.db,
    query: () => Promise.reject(new Error('away')),
  };
  const job = createKeyUses({
    db: broken,
    logger: { warn: (about: unknown) => void warned.push(about) },
    takeUsed: () => [{ tenant_id: tenant, key_id: tenant, at: 0 }],
    every: 5,
  });
  await job.start();
  await until('it was told', () => warned.length > 1);
  await job.stop();
});
