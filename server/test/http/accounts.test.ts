import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAccountChanges } from '../../src/actions/account-changes.ts';
import { place } from '../../src/actions/set-up.ts';
import { accountReader } from '../../src/channels/whatsapp/account-reader.ts';
import { newId } from '../../src/domain/ids.ts';
import { createSyncAccounts } from '../../src/jobs/sync-accounts.ts';
import type { Part } from '../../src/runtime/lifecycle.ts';
import { makeDue, newPhone } from '../engine-world.ts';
import { type GraphAccount, type GraphServer, graphServer } from '../graph-server.ts';
import { until } from '../until.ts';
import { type Customer, type DoorWorld, doorWorld, SEALER } from './door-world.ts';
import { type Asker, asker } from './operator.ts';

let world: DoorWorld;
let graph: GraphServer;
let job: Part;
const endings: (() => Promise<void> | void)[] = [];
before(async () => {
  world = await doorWorld();
  graph = await graphServer({ after: (end) => void endings.push(end as () => Promise<void>) });
  job = createSyncAccounts({
    ...world,
    logger: { info: () => {}, warn: () => {} },
    reader: accountReader({ origin: graph.origin, version: 'v26.0', timeout: 2000 }),
    sealer: SEALER,
    open: ({ tenant_id, id, access_token_sealed }) => ({
      access_token: SEALER.open(access_token_sealed, place.accountToken(tenant_id, id)),
      app: { meta_id: graph.app.id, secret: graph.app.secret },
    }),
    every: 3_600_000,
    look: 20,
  });
  await job.start();
});
after(async () => {
  await job.stop();
  for (const end of endings) await end();
  await world.close();
});

let ids = 400_000;
function known(change: Partial<GraphAccount> = {}): { id: string; account: GraphAccount } {
  const id = String(++ids);
  const number = { id: String(++ids), display_phone_number: newPhone(), throughput: { level: 'STANDARD' } };
  const account = { name: 'Shop', numbers: [number], apps: [], ...change };
  graph.accounts.set(id, account);
  return { id, account };
}

async function stage(): Promise<{ customer: Customer; as: Asker }> {
  const customer = await world.customer();
  return { customer, as: asker(world, customer.key) };
}

test("an account is added by its token with the tenant's own key; the answer has what WhatsApp says", async () => {
  const { as } = await stage();
  const { id, account } = known({ owner_business_info: { id: '506914307', name: 'x' } });
  const made = await as.ask('POST', '/accounts', { id, access_token: 'good' });
  assert.equal(made.status, 202, made.body.message);
  const { created_at, synced_at, checked_at, ...rest } = made.body;
  assert.ok(created_at && synced_at && checked_at);
  assert.deepEqual(rest, {
    id,
    app: 'default',
    portfolio_id: '506914307',
    name: 'Shop',
    add_numbers: true,
    senders: 1,
    token_valid: true,
    token_detail: null,
    token_expires_at: null,
    review_status: null,
    messaging_limit: null,
    subscribe_wanted: true,
    subscribed: true,
    sync_detail: null,
    templates_synced_at: null,
  });
  assert.deepEqual((await as.ask('GET', `/accounts/${id}`)).body, made.body);
  assert.deepEqual((await as.ask('GET', '/accounts')).body, { accounts: [made.body], next_cursor: null });
  const { body } = await as.ask('GET', '/senders');
  const sender = (body['senders'] as Record<string, unknown>[]).find((one) => one['account_id'] === id);
  assert.deepEqual(
    [sender?.['phone'], sender?.['throughput'], sender?.['outside_window'], sender?.['portfolio_id']],
    [account.numbers[0]?.display_phone_number, 'STANDARD', 'refuse', '506914307'],
  );
  const again = await as.ask('POST', '/accounts', { id, access_token: 'good' });
  assert.deepEqual([again.status, again.body.error], [409, 'already_exists']);
  const stranger = (await stage()).as;
  const taken = await stranger.ask('POST', '/accounts', { id, access_token: 'good' });
  assert.match(taken.body.message, /another tenant/);
  for (const [method, path] of [
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['POST', '/sync'],
    ['GET', '/alerts'],
    ['GET', '/subscribed_apps'],
  ] as const) {
    const answer = await stranger.ask(
      method,
      `/accounts/${id}${path}`,
      method === 'PATCH' ? { subscribe: false } : undefined,
    );
    assert.equal(answer.status, 404, `${method} ${path}`);
  }
});

test('a wrong token is told in the answer, and a right one mends it; nothing tells the token', async () => {
  const { as } = await stage();
  const { id } = known();
  const made = await as.ask('POST', '/accounts', { id, access_token: 'EAAbad' });
  assert.deepEqual([made.status, made.body['token_valid'], made.body['senders']], [202, false, 0]);
  assert.match(String(made.body['token_detail']), /give the account a new one/);
  const mended = await as.ask('PATCH', `/accounts/${id}`, { access_token: 'good' });
  assert.deepEqual([mended.status, mended.body['token_valid'], mended.body['senders']], [200, true, 1]);
  assert.doesNotMatch(JSON.stringify([made.body, mended.body]), /EAAbad|"good"/);
  const templatesDue = async () => {
    const text = 'select templates_tries as tries, templates_due_at <= now() as due from accounts where id = $1';
    return (await world.db.query<{ tries: number; due: boolean }>({ name: 'test_templates_due', text }, [id]))[0];
  };
  const waiting = { tries: 3, due: false };
  await world.db.script(
    `update accounts set templates_tries = 3, templates_due_at = now() + interval '1 hour' where id = '${id}'`,
  );
  await as.ask('PATCH', `/accounts/${id}`, { add_numbers: false });
  assert.deepEqual(await templatesDue(), waiting, 'templates are no matter of numbers');
  await as.ask('PATCH', `/accounts/${id}`, { access_token: 'good' });
  assert.deepEqual(await templatesDue(), { tries: 0, due: true }, 'what the old token did not read is read at once');
});

test('a new token goes to the senders, and the pause of the old one ends; what waits for another reason waits on', async () => {
  const { customer, as } = await stage();
  const { id } = known({ numbers: [] });
  await world.db.script(`update senders set account_id = '${id}', connected = false where id = '${customer.sender}'`);
  assert.equal((await as.ask('POST', '/accounts', { id, access_token: 'good' })).status, 202);
  await world.db.script('update senders set tend_until = null, previous_lane_id = null');
  for (const cause of ['token_invalid', 'payment_trouble']) {
    await world.db.script(`insert into pauses (id, tenant_id, scope, key, cause, title)
      values ('${newId()}', '${customer.tenant}', 'sender', '${customer.sender}', '${cause}', '${cause}')`);
  }
  const pauses = async () => {
    const text = 'select cause from pauses where key = $1::text';
    return (await world.db.query<{ cause: string }>({ name: 'test_pauses', text }, [customer.sender])).map(
      ({ cause }) => cause,
    );
  };
  const later = await customer.accept({ scheduled_at: Date.now() + 90_000 });
  const dueIn = async (message: string) => {
    const text = 'select extract(epoch from due_at - clock_timestamp())::float8 as s from due where message_id = $1';
    return (await world.db.query<{ s: number }>({ name: 'test_due_in', text }, [message]))[0]?.s ?? Number.NaN;
  };
  graph.tokens.set('newer', 0);
  assert.equal((await as.ask('PATCH', `/accounts/${id}`, { access_token: 'newer' })).body['token_valid'], true);
  await until('the pause is over', async () => (await pauses()).length === 1);
  assert.deepEqual(await pauses(), ['payment_trouble']);
  assert.ok((await dueIn(later)) > 60);
  const text = 'select access_token_sealed as sealed, connected from senders where id = $1';
  const [row] = await world.db.query<{ sealed: Buffer; connected: boolean | null }>({ name: 'test_row', text }, [
    customer.sender,
  ]);
  assert.ok(row);
  assert.equal(SEALER.open(row.sealed, place.accessToken(customer.tenant, customer.sender)), 'newer');
  assert.equal(row.connected, null);
  await makeDue(world.db, later);
});

test('webhooks of an account are let come and let go; it is read when asked for', async () => {
  const { as } = await stage();
  const { id, account } = known();
  await as.ask('POST', '/accounts', { id, access_token: 'good', subscribe: false });
  const path = `/accounts/${id}/subscribed_apps`;
  assert.deepEqual([(await as.ask('GET', path)).body['subscribed'], account.apps], [false, []]);
  const on = await as.ask('POST', path);
  const { checked_at, ...rest } = on.body;
  assert.ok(checked_at);
  assert.deepEqual(
    [on.status, rest],
    [202, { account_id: id, app: 'default', wanted: true, subscribed: true, detail: null }],
  );
  assert.deepEqual(account.apps, [graph.app.id]);
  assert.equal((await as.ask('DELETE', path)).body['subscribed'], false);
  assert.deepEqual(account.apps, []);
  account.name = 'Renamed';
  await world.db.script("update accounts set checked_at = checked_at - interval '1 minute'");
  const synced = await as.ask('POST', `/accounts/${id}/sync`);
  assert.deepEqual([synced.status, synced.body['name']], [202, 'Renamed']);
});

test('alerts are listed, the newest first', async () => {
  const { as } = await stage();
  const { id } = known();
  await as.ask('POST', '/accounts', { id, access_token: 'good' });
  const apply = createAccountChanges({ ...world, logger: { warn: () => {} } })['account_alerts'];
  const at = Date.parse('2026-10-01T00:00:00Z');
  const changes = [1, 2, 3].map((n) => ({
    app: 'default',
    account_id: id,
    field: 'account_alerts',
    value: { n, camelCase: n },
    at: at + n,
  }));
  assert.deepEqual(await apply?.(changes), []);
  const first = await as.ask('GET', `/accounts/${id}/alerts?limit=2`);
  const alerts = (answer: typeof first) => (answer.body['alerts'] as { payload: { n: number }; time: string }[]) ?? [];
  assert.deepEqual(
    alerts(first).map(({ payload, time }) => [payload, time]),
    [
      [{ n: 3, camelCase: 3 }, '2026-10-01T00:00:00.003Z'],
      [{ n: 2, camelCase: 2 }, '2026-10-01T00:00:00.002Z'],
    ],
  );
  const rest = await as.ask('GET', `/accounts/${id}/alerts?limit=2&cursor=${first.body.next_cursor}`);
  assert.deepEqual(
    alerts(rest).map(({ payload }) => payload.n),
    [1],
  );
  const queue = await as.ask('GET', `/accounts/${id}/alerts?limit=1`, undefined, { 'x-api-case': 'camel' });
  assert.deepEqual((queue.body['data'] as { alerts: { payload: object }[] }).alerts[0]?.payload, {
    n: 3,
    camelCase: 3,
  });
});

test('an account whose senders were used stays; another goes with them', async () => {
  const { customer, as } = await stage();
  const { id } = known({ numbers: [] });
  await as.ask('POST', '/accounts', { id, access_token: 'good' });
  await world.db.script(`update senders set account_id = '${id}' where id = '${customer.sender}'`);
  await customer.accept();
  assert.equal((await as.ask('DELETE', `/accounts/${id}`)).body.error, 'in_use');
  const unused = known();
  await as.ask('POST', '/accounts', { id: unused.id, access_token: 'good' });
  const template = {
    ...{ account_id: unused.id, name: 'gone_with_it', language: 'en', category: 'utility' },
    components: [{ type: 'BODY', text: 'Hello' }],
  };
  assert.equal((await as.ask('POST', '/templates', template)).status, 202);
  assert.deepEqual((await as.ask('DELETE', `/accounts/${unused.id}`)).body, { id: unused.id, deleted: true });
  const left = (await as.ask('GET', '/senders')).body['senders'] as { account_id: string }[];
  assert.deepEqual(
    left.map(({ account_id }) => account_id),
    [id],
  );
  assert.deepEqual((await as.ask('GET', '/templates')).body['templates'], []);
});

test('bad input is refused with its field, nothing is written, and scopes are kept', async () => {
  const { customer, as } = await stage();
  const good = { id: '12345678', access_token: 'x' };
  const bad: [string, string, object, string, string][] = [
    ['POST', '/accounts', { ...good, id: 'abc' }, 'invalid_field', 'id'],
    ['POST', '/accounts', { ...good, id: 12345678 }, 'invalid_field', 'id'],
    ['POST', '/accounts', { id: '12345678' }, 'missing_field', 'access_token'],
    ['POST', '/accounts', { ...good, access_token: 'a b' }, 'invalid_field', 'access_token'],
    ['POST', '/accounts', { ...good, app: 'none' }, 'invalid_field', 'app'],
    ['POST', '/accounts', { ...good, app: 'NO' }, 'invalid_field', 'app'],
    ['POST', '/accounts', { ...good, portfolio_id: 'x' }, 'invalid_field', 'portfolio_id'],
    ['POST', '/accounts', { ...good, add_numbers: 'yes' }, 'invalid_field', 'add_numbers'],
    ['POST', '/accounts', { ...good, token: 'x' }, 'unknown_field', 'token'],
    ['PATCH', '/accounts/12345678', { app: 'default' }, 'unknown_field', 'app'],
    ['PATCH', '/accounts/12345678', { subscribe: null }, 'invalid_field', 'subscribe'],
  ];
  for (const [method, path, body, error, field] of bad) {
    const answer = await as.ask(method, path, body);
    assert.deepEqual([answer.body.error, answer.body.details?.field], [error, field], JSON.stringify(body));
  }
  assert.equal((await as.ask('GET', '/accounts?limit=1000')).status, 400);
  assert.equal((await as.ask('GET', '/accounts?cursor=x')).body.error, 'invalid_cursor');
  assert.deepEqual((await as.ask('GET', '/accounts')).body['accounts'], []);
  const reader = asker(world, await world.keyFor(customer.tenant, ['accounts:read']));
  assert.equal((await reader.ask('GET', '/accounts')).status, 200);
  assert.equal((await reader.ask('POST', '/accounts', good)).status, 403);
  const sender = asker(world, await world.keyFor(customer.tenant, ['messages:read', 'messages:write']));
  assert.equal((await sender.ask('GET', '/accounts')).status, 403);
});
