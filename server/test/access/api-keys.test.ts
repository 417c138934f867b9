import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAuthenticator } from '../../src/access/api-keys.ts';
import { may } from '../../src/access/principal.ts';
import type { Queryable } from '../../src/db/pool.ts';
import { hashApiKey, newApiKey } from '../../src/domain/api-key.ts';
import { newId, type TenantId } from '../../src/domain/ids.ts';
import { insertApiKey, insertTenant } from '../../src/store/set-up.write.ts';
import { type TestDatabase, testDatabase } from '../database.ts';

let database: TestDatabase;
const tenant = newId<TenantId>();
before(async () => {
  database = await testDatabase();
  await insertTenant(database.db, tenant, 'test');
});
after(() => database.drop());

/** An authenticator at a time of our own, and how often it asked the store. */
function authenticator() {
  let time = Date.now();
  let asked = 0;
  const { db } = database;
  const counting: Queryable = {
    query: (statement, values) => {
      asked++;
      return db.query(statement, values);
    },
    script: (sql) => db.script(sql),
  };
  const { authenticate } = createAuthenticator({ db: counting, clock: { now: () => time, monotonic: () => time } });
  return {
    authenticate,
    pass(ms: number) {
      time += ms;
    },
    get asked() {
      return asked;
    },
  };
}

async function newKey(scopes: string[] = ['messages:read']): Promise<string> {
  const key = newApiKey();
  await insertApiKey(database.db, tenant, { id: newId(), name: 'test', hash: hashApiKey(key), scopes });
  return key;
}

const change = (key: string, set: string) =>
  database.db.script(`update api_keys set ${set} where key_hash = '\\x${hashApiKey(key).toString('hex')}'`);

test('a key tells its tenant and what it may', async () => {
  const found = await authenticator().authenticate(await newKey());
  assert.equal(found?.tenant_id, tenant);
  assert.ok(found && may(found, 'messages:read') && !may(found, 'messages:write'));
  const operator = await authenticator().authenticate(await newKey(['admin']));
  assert.ok(operator && may(operator, 'messages:write') && may(operator, 'metrics:read'));
});

test('a hot key costs one question in five seconds, however many come at once', async () => {
  const keys = authenticator();
  const key = await newKey();
  await Promise.all([1, 2, 3].map(async () => keys.authenticate(key)));
  assert.ok(!(keys.authenticate(key) instanceof Promise));
  assert.equal(keys.asked, 1);
  keys.pass(5001);
  await keys.authenticate(key);
  assert.equal(keys.asked, 2);
});

test('wrong, revoked and expired keys are nobody', async () => {
  const keys = authenticator();
  assert.equal(await keys.authenticate(newApiKey()), null);
  assert.equal(await keys.authenticate(''), null);
  assert.equal(await keys.authenticate('x'.repeat(300)), null);
  assert.equal(keys.asked, 1);
  const revoked = await newKey();
  assert.notEqual(await keys.authenticate(revoked), null);
  await change(revoked, 'revoked_at = now()');
  keys.pass(5001);
  assert.equal(await keys.authenticate(revoked), null);
  const expired = await newKey();
  await change(expired, `expires_at = now() - interval '1 s'`);
  assert.equal(await keys.authenticate(expired), null);
});

test('a key that expires while it is remembered is refused on time', async () => {
  const keys = authenticator();
  const key = await newKey();
  await change(key, `expires_at = now() + interval '2 s'`);
  assert.notEqual(await keys.authenticate(key), null);
  keys.pass(3000);
  assert.equal(await keys.authenticate(key), null);
  assert.equal(keys.asked, 1);
});

test('a failed look-up is not remembered', async () => {
  let fails = true;
  const { db } = database;
  const flaky: Queryable = {
    query: (statement, values) => (fails ? Promise.reject(new Error('away')) : db.query(statement, values)),
    script: (sql) => db.script(sql),
  };
  const { authenticate } = createAuthenticator({ db: flaky, clock: { now: Date.now, monotonic: Date.now } });
  const key = await newKey();
  await assert.rejects(async () => authenticate(key), /away/);
  fails = false;
  assert.equal((await authenticate(key))?.tenant_id, tenant);
});

test('when keys were changed nothing of before is believed, nor what is being read just then', async () => {
  const { db } = database;
  let asked = 0;
  let hold: Promise<void> | null = null;
  const slow: Queryable = {
    async query(statement, values) {
      asked++;
      const rows = await db.query(statement, values);
      await hold;
      return rows;
    },
    script: (sql) => db.script(sql),
  };
  const keys = createAuthenticator({ db: slow, clock: { now: Date.now, monotonic: Date.now } });
  const key = await newKey();
  assert.notEqual(await keys.authenticate(key), null);
  const gate = Promise.withResolvers<void>();
  keys.forget();
  hold = gate.promise;
  const before = keys.authenticate(key);
  await change(key, 'revoked_at = now()');
  keys.forget();
  hold = null;
  assert.equal(await keys.authenticate(key), null);
  gate.resolve();
  // It had begun before the key was revoked.
  assert.notEqual(await before, null);
  assert.equal(await keys.authenticate(key), null);
  assert.equal(asked, 4);
});
