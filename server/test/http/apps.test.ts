import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { createAppDirectory } from '../../src/access/app-secrets.ts';
import { openApp } from '../../src/actions/apps.ts';
import { createVerifier } from '../../src/channels/whatsapp/webhook-verifier.ts';
import type { WebhookVerifier } from '../../src/http/http-deps.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { type DoorWorld, doorWorld, SEALER } from './door-world.ts';
import { type Asker, asker } from './operator.ts';

let world: DoorWorld;
let operator: Asker;
let verifier: WebhookVerifier;
before(async () => {
  // The door is built before there is a database to ask.
  const whatsapp: WebhookVerifier = {
    verify: (...asked) => verifier.verify(...asked),
    challenge: (...asked) => verifier.challenge(...asked),
  };
  world = await doorWorld({ whatsapp });
  const apps = createAppDirectory({
    db: world.db,
    clock: systemClock,
    open: (row) => openApp(SEALER, row),
    failed: () => {},
  });
  world.signals.listen('apps', apps.forget);
  verifier = createVerifier(apps.secretsOf);
  const { tenant } = await world.tenant();
  operator = asker(world, await world.keyFor(tenant, ['admin']));
});
after(() => world.close());

async function post(app: string, secret: string, body = '{"entry": []}'): Promise<number> {
  const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  return (await world.webhook(body, { path: `/webhooks/whatsapp/${app}`, signature })).status;
}

const challenge = async (app: string, token: string) => {
  const query = `hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=1158201444`;
  const response = await fetch(`${world.url}/webhooks/whatsapp/${app}?${query}`);
  return [response.status, response.status === 200 ? await response.text() : null];
};

test('apps stand side by side, each with its secret and its word; nothing of them is ever told', async () => {
  const made = await operator.ask('POST', '/apps', {
    id: 'shop',
    app_secret: 'shop-secret',
    verify_token: 'shop-word',
  });
  assert.equal(made.status, 201, made.body.message);
  const { created_at, ...rest } = made.body;
  assert.ok(created_at);
  assert.deepEqual(rest, {
    id: 'shop',
    meta_app_id: null,
    webhook_path: '/webhooks/whatsapp/shop',
    previous_until: null,
  });
  await operator.ask('POST', '/apps', {
    id: 'bank',
    app_secret: 'bank-secret',
    verify_token: 'w',
    meta_app_id: '67084388743',
  });
  assert.deepEqual([await post('shop', 'shop-secret'), await post('bank', 'bank-secret')], [200, 200]);
  assert.deepEqual([await post('shop', 'bank-secret'), await post('none', 'shop-secret')], [401, 404]);
  assert.deepEqual(await challenge('shop', 'shop-word'), [200, '1158201444']);
  assert.deepEqual(await challenge('bank', 'shop-word'), [403, null]);
  const stored = { name: 'test_raw_apps', text: 'select app_id as app from raw_webhooks order by id' };
  assert.deepEqual(
    (await world.db.query<{ app: string }>(stored)).map(({ app }) => app),
    ['shop', 'bank'],
  );
  const list = await operator.ask('GET', '/apps?limit=2');
  assert.deepEqual(
    (list.body['apps'] as { id: string }[]).map(({ id }) => id),
    ['bank', 'default'],
  );
  const more = await operator.ask('GET', `/apps?limit=2&cursor=${list.body.next_cursor}`);
  assert.deepEqual([more.body['apps'], more.body.next_cursor], [[made.body], null]);
  const rows = { name: 'test_app_rows', text: "select string_agg(a::text, '') as text from apps a" };
  const all = JSON.stringify([made.body, list.body, await world.db.query(rows)]);
  for (const secret of ['shop-secret', 'shop-word', 'bank-secret']) {
    assert.ok(!all.includes(secret) && !all.includes(Buffer.from(secret).toString('hex')), secret);
  }
});

test('while a secret is changed, the one before is believed as well, for as long as is said', async () => {
  await operator.ask('POST', '/apps', { id: 'turn', app_secret: 'one', verify_token: 'word' });
  assert.equal(await post('turn', 'one'), 200);
  const changed = await operator.ask('PATCH', '/apps/turn', { app_secret: 'two', overlap: 60 });
  const until = Date.parse(String(changed.body['previous_until']));
  assert.ok(until > Date.now() + 50_000 && until < Date.now() + 70_000);
  assert.deepEqual([await post('turn', 'two'), await post('turn', 'one'), await post('turn', 'x')], [200, 200, 401]);
  await world.db.script("update apps set previous_until = now() where id = 'turn'");
  world.signals.notify('apps');
  assert.deepEqual([await post('turn', 'two'), await post('turn', 'one')], [200, 401]);
  assert.equal((await operator.ask('GET', '/apps/turn')).body['previous_until'], null);
  await operator.ask('PATCH', '/apps/turn', { app_secret: 'three', overlap: 0 });
  assert.deepEqual([await post('turn', 'three'), await post('turn', 'two')], [200, 401]);
  await operator.ask('PATCH', '/apps/turn', { verify_token: 'word-2', meta_app_id: '12345' });
  assert.deepEqual([await challenge('turn', 'word-2'), await post('turn', 'three')], [[200, '1158201444'], 200]);
  assert.equal((await operator.ask('PATCH', '/apps/turn', { meta_app_id: null })).body['meta_app_id'], null);
});

test('an app that something is of stays, and the default one always', async () => {
  const { tenant } = await world.tenant();
  await operator.ask('POST', '/apps', { id: 'used', app_secret: 'x', verify_token: 'x' });
  const account = { tenant_id: tenant, id: '777001', access_token: 't', app: 'used' };
  assert.equal((await operator.ask('POST', '/accounts', account)).status, 202);
  for (const id of ['used', 'default'])
    assert.equal((await operator.ask('DELETE', `/apps/${id}`)).body.error, 'in_use');
  assert.equal((await operator.ask('DELETE', `/accounts/777001?tenant_id=${tenant}`)).status, 200);
  assert.deepEqual((await operator.ask('DELETE', '/apps/used')).body, { id: 'used', deleted: true });
  assert.equal((await operator.ask('DELETE', '/apps/used')).status, 404);
  assert.equal(await post('used', 'x'), 404);
});

test('bad input is refused with its field; only an operator may ask', async () => {
  const good = { id: 'fresh', app_secret: 'x', verify_token: 'x' };
  const bad: [string, string, object, number, string, string | undefined][] = [
    ['POST', '/apps', { ...good, id: 'UPPER' }, 400, 'invalid_field', 'id'],
    ['POST', '/apps', { ...good, id: '' }, 400, 'invalid_field', 'id'],
    ['POST', '/apps', { ...good, app_secret: 'with space' }, 400, 'invalid_field', 'app_secret'],
    ['POST', '/apps', { ...good, verify_token: 5 }, 400, 'invalid_field', 'verify_token'],
    ['POST', '/apps', { id: 'fresh', app_secret: 'x' }, 400, 'missing_field', 'verify_token'],
    ['POST', '/apps', { ...good, meta_app_id: 'abc' }, 400, 'invalid_field', 'meta_app_id'],
    ['POST', '/apps', { ...good, extra: 1 }, 400, 'unknown_field', 'extra'],
    ['POST', '/apps', { ...good, id: 'default' }, 409, 'already_exists', 'id'],
    ['PATCH', '/apps/default', {}, 400, 'invalid_field', undefined],
    ['PATCH', '/apps/default', { overlap: 5 }, 400, 'missing_field', 'app_secret'],
    ['PATCH', '/apps/default', { app_secret: 'x', overlap: -1 }, 400, 'invalid_field', 'overlap'],
    ['PATCH', '/apps/none', { app_secret: 'x' }, 404, 'not_found', 'id'],
  ];
  for (const [method, path, body, status, error, field] of bad) {
    const answer = await operator.ask(method, path, body);
    const found = [answer.status, answer.body.error, answer.body.details?.field];
    assert.deepEqual(
      found.slice(0, field === undefined ? 2 : 3),
      [status, error, field].slice(0, field === undefined ? 2 : 3),
      JSON.stringify(body),
    );
  }
  assert.equal((await operator.ask('GET', '/apps?cursor=%24')).body.error, 'invalid_cursor');
  const customer = asker(world, (await world.customer()).key);
  for (const [method, path] of [
    ['GET', '/apps'],
    ['POST', '/apps'],
    ['DELETE', '/apps/default'],
    ['POST', '/secrets/rotate'],
  ] as const) {
    assert.equal((await customer.ask(method, path, method === 'POST' ? {} : undefined)).status, 403, path);
  }
  assert.equal((await operator.ask('POST', '/secrets/rotate', { all: true })).body.error, 'unknown_field');
  assert.equal((await operator.ask('POST', '/secrets/rotate')).status, 200);
});
