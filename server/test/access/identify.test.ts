import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAuthenticator } from '../../src/access/api-keys.ts';
import type { Asking } from '../../src/access/asking.ts';
import { createIdentifier, type Identifier } from '../../src/access/identify.ts';
import { createUserPrincipals } from '../../src/access/users.ts';
import { type ApiKeyActions, createApiKeys } from '../../src/actions/api-keys.ts';
import { createTickets } from '../../src/actions/tickets.ts';
import type { Scope } from '../../src/domain/api-key.ts';
import { type ApiKeyId, isUuid, newId, type TenantId } from '../../src/domain/ids.ts';
import { systemClock as clock } from '../../src/runtime/clock.ts';
import { memorySignals } from '../../src/signals/signals.ts';
import { insertTenant } from '../../src/store/set-up.write.ts';
import { type TestDatabase, testDatabase } from '../database.ts';

let database: TestDatabase;
let identifier: Identifier;
let manage: ApiKeyActions;
const tenant = newId<TenantId>();
before(async () => {
  database = await testDatabase();
  const { db } = database;
  await insertTenant(db, tenant, 'test');
  const keys = createAuthenticator({ db, clock });
  const signals = memorySignals();
  signals.listen('keys', keys.forget);
  manage = createApiKeys({ db, signals });
  identifier = createIdentifier({
    db,
    keys,
    users: createUserPrincipals({ db, clock, rateOf: keys.rateOf }),
    tokens: null,
    gateway: null,
    userScopes: new Set(),
    redeem: createTickets({ db }).redeem,
  });
});
after(() => database.drop());

const newKey = (scopes: Scope[], expires_at: Date | null = null) =>
  manage.create(tenant, { name: 'test', scopes, dialect: 'aldis', expires_at });
const asking = (headers: Record<string, string>): Asking => ({ headers, headersDistinct: {}, socket: {} });
const byKey = (key: string, more: Record<string, string> = {}) => asking({ authorization: `Bearer ${key}`, ...more });

test('a key that is known is told at once, and is the same object each time; with a user it is his', async () => {
  const { key } = await newKey(['act_as', 'conversations:read']);
  const holder = await identifier.identify(byKey(key));
  assert.equal(identifier.identify(byKey(key)), holder);
  assert.equal(identifier.identify(asking({ 'x-api-key': key })), holder);
  const user = identifier.identify(byKey(key, { 'x-user-id': 'ana' }));
  assert.ok(!(user instanceof Promise), 'nothing is waited for');
  assert.deepEqual(user, { ...holder, user_id: 'ana' });
  assert.equal(holder.user_id, null);
});

test('when keys change, those who would be refused now are told apart with one question', async () => {
  const made = {
    kept: await newKey(['act_as', 'conversations:read']),
    revoked: await newKey(['act_as', 'conversations:read']),
    narrowed: await newKey(['act_as', 'conversations:read']),
    silenced: await newKey(['act_as', 'conversations:read']),
    widened: await newKey(['conversations:read']),
    ended: await newKey(['act_as', 'conversations:read'], new Date(Date.now() + 60_000)),
    operator: await newKey(['admin']),
  };
  const all = await Promise.all(
    Object.entries(made).map(async ([name, { key }]) => {
      const more: Record<string, string> = name === 'widened' ? {} : { 'x-user-id': 'ana' };
      return [name, await identifier.identify(byKey(key, more))] as const;
    }),
  );
  const principals = all.map(([, principal]) => principal);
  assert.deepEqual(await identifier.refusedNow(principals), new Set());
  assert.notEqual(all.find(([name]) => name === 'ended')?.[1].expires_at, null);

  const id = (name: keyof typeof made) => made[name].id;
  await manage.revoke(tenant, id('revoked'));
  await manage.change(tenant, id('narrowed'), { scopes: ['act_as'] });
  await manage.change(tenant, id('silenced'), { scopes: ['conversations:read'] });
  await manage.change(tenant, id('widened'), { scopes: ['conversations:read', 'events:read'] });
  await database.db.query(
    { name: 'test_end', text: "update api_keys set expires_at = now() - interval '1 second' where id = $1" },
    [id('ended')],
  );
  const refused = await identifier.refusedNow(principals);
  const names = all.filter(([, principal]) => refused.has(principal)).map(([name]) => name);
  assert.deepEqual(names, ['revoked', 'narrowed', 'silenced', 'ended']);
  // A token or a gateway has no key that could be revoked.
  const [one] = principals;
  assert.ok(one);
  const token = { ...one, by: 'token' as const, key_id: newId<ApiKeyId>() };
  assert.deepEqual(await identifier.refusedNow([token]), new Set());
  assert.deepEqual(await identifier.refusedNow([]), new Set());
});

test('users without a key have one id of their own in its place', async () => {
  const users = createUserPrincipals({ db: database.db, clock, rateOf: () => null });
  const of = async (user: string) => {
    const proof = { by: 'token', tenant, user, scopes: new Set<string>(), expires_at: null } as const;
    return (await users.of(proof))?.key_id ?? '';
  };
  assert.ok(isUuid(await of('ana')));
  assert.equal(await of('ana'), await of('ana'));
  assert.notEqual(await of('ana'), await of('bob'));
  assert.equal(await users.of({ by: 'token', tenant: newId(), user: 'x', scopes: new Set(), expires_at: null }), null);
});
