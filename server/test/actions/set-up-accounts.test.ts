import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openApp } from '../../src/actions/apps.ts';
import { place, type SetUpOptions, setUp } from '../../src/actions/set-up.ts';
import { createSealer } from '../../src/runtime/sealer.ts';
import { findAccount } from '../../src/store/accounts.read.ts';
import { findAccountToken, updateAccount } from '../../src/store/accounts.write.ts';
import { listSealedApps } from '../../src/store/apps.read.ts';
import { type TestDatabase, testDatabase } from '../database.ts';

let database: TestDatabase;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());

const sealer = createSealer([{ version: 1, key: Buffer.alloc(32, 1) }]);
const ACCOUNT = '102290129340398';
const OPTIONS: SetUpOptions = {
  sealer,
  apiKey: null,
  operatorKey: null,
  appSecret: null,
  verifyToken: null,
  numbers: [],
};
const numbers = (accessToken: string) => [
  {
    phoneNumberId: '106540352242922',
    accountId: ACCOUNT,
    portfolio: '506914307656634',
    phone: '+6281200000000',
    accessToken,
    messagesPerSecond: 80,
  },
];

test('a configured number has its account, which follows the configured token until a person says otherwise', async () => {
  const { db } = database;
  const start = (token: string) => setUp(db, { ...OPTIONS, numbers: numbers(token) });
  const { tenant } = await start('first');
  const token = async () => {
    const row = await findAccountToken(db, tenant, ACCOUNT);
    assert.ok(row);
    return sealer.open(row.access_token_sealed, place.accountToken(tenant, ACCOUNT));
  };
  assert.deepEqual([await token(), (await findAccount(db, tenant, ACCOUNT))?.add_numbers], ['first', false]);
  await db.script("update accounts set token_valid = true, sync_due_at = now() + interval '1 hour'");
  await start('first');
  assert.equal((await findAccount(db, tenant, ACCOUNT))?.token_valid, true, 'the same token is no news');
  await start('second');
  assert.deepEqual([await token(), (await findAccount(db, tenant, ACCOUNT))?.token_valid], ['second', null]);
  const due = { name: 'test_due', text: 'select tend_until > now() as tended from senders' };
  assert.deepEqual(await db.query<{ tended: boolean }>(due), [{ tended: true }]);
  const sealed = sealer.seal('own', place.accountToken(tenant, ACCOUNT));
  await updateAccount(db, tenant, ACCOUNT, { sealed, add_numbers: true, subscribe_wanted: null });
  await start('third');
  assert.equal(await token(), 'own');
});

test('another app secret in the configuration leaves the one before believed for an hour', async () => {
  const { db } = database;
  const app = async () => {
    const [row] = await listSealedApps(db);
    assert.ok(row);
    return openApp(sealer, row);
  };
  await setUp(db, { ...OPTIONS, appSecret: 'one', verifyToken: 'word' });
  await setUp(db, { ...OPTIONS, appSecret: 'two', verifyToken: 'word' });
  const { appSecret, previous } = await app();
  assert.deepEqual([appSecret, previous?.appSecret], ['two', 'one']);
  const left = (previous?.until ?? 0) - Date.now();
  assert.ok(left > 3_500_000 && left <= 3_600_000, String(left));
  await setUp(db, { ...OPTIONS, verifyToken: 'another' });
  assert.deepEqual([(await app()).verifyToken, (await app()).previous?.appSecret], ['another', 'one']);
});
