import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createApiKeys } from '../../src/actions/api-keys.ts';
import { type SetUpOptions, setUp } from '../../src/actions/set-up.ts';
import { createSealer } from '../../src/runtime/sealer.ts';
import { memorySignals } from '../../src/signals/signals.ts';
import { listApiKeyRecords } from '../../src/store/api-key-records.read.ts';
import { type TestDatabase, testDatabase } from '../database.ts';

let database: TestDatabase;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());

const OPTIONS: SetUpOptions = {
  sealer: createSealer([{ version: 1, key: Buffer.alloc(32, 1) }]),
  apiKey: null,
  operatorKey: null,
  appSecret: null,
  verifyToken: null,
  numbers: [],
};

test('a start uses the keys of the last one; one that was revoked or has expired is replaced, not brought back', async () => {
  const { db } = database;
  const first = await setUp(db, OPTIONS);
  const again = () => setUp(db, { ...OPTIONS, apiKey: first.apiKey, operatorKey: first.operatorKey });
  const second = await again();
  assert.deepEqual([second.apiKey, second.operatorKey], [first.apiKey, first.operatorKey]);
  const [operator, own] = await listApiKeyRecords(db, first.tenant, null, 10);
  assert.ok(operator && own);
  await createApiKeys({ db, signals: memorySignals() }).revoke(first.tenant, operator.id);
  await db.script(`update api_keys set expires_at = now() - interval '1 s' where id = '${own.id}'`);
  const third = await again();
  assert.notEqual(third.operatorKey, first.operatorKey);
  assert.notEqual(third.apiKey, first.apiKey);
  const states = await listApiKeyRecords(db, first.tenant, null, 10);
  assert.deepEqual(
    states.map(({ revoked_at, expires_at }) => revoked_at === null && expires_at === null),
    [true, true, false, false],
  );
});

test('a configured key that nobody has is made as it is', async () => {
  const apiKey = 'aldis_a_key_of_my_own_choice';
  assert.equal((await setUp(database.db, { ...OPTIONS, apiKey })).apiKey, apiKey);
});
