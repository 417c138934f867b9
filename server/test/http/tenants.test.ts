import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TenantId } from '../../src/domain/ids.ts';
import { newId } from '../../src/domain/ids.ts';
import { type Asker, asker, type OperatorWorld, operatorWorld, tableText } from './operator.ts';

let stage: OperatorWorld;
let operator: Asker;
before(async () => {
  stage = await operatorWorld();
  operator = stage.operator;
});
after(() => stage.world.close());

test('a tenant is made, read by both ids, changed and deleted', async () => {
  const made = await operator.ask('POST', '/tenants', { name: 'Shop', external_id: 'shop 1', monthly_quota: 1000 });
  assert.equal(made.status, 201);
  const { id, created_at, ...rest } = made.body;
  assert.deepEqual(rest, {
    external_id: 'shop 1',
    name: 'Shop',
    monthly_quota: 1000,
    requests_per_second: null,
    request_burst: null,
    doubt_policy: {},
    processing: true,
    consent_keywords: null,
    quiet_hours: {},
    retention_days: null,
  });
  assert.match(String(created_at), /^\d{4}-.*\.\d{3}Z$/);
  for (const reference of [id, 'shop%201']) {
    const read = await operator.ask('GET', `/tenants/${reference}`);
    assert.deepEqual([read.status, read.body], [200, made.body]);
  }
  const change = {
    monthly_quota: null,
    requests_per_second: 20,
    request_burst: 50,
    doubt_policy: { marketing: 'resend' },
    processing: false,
    consent_keywords: { opt_out: ['Genug', 'बंद'] },
    quiet_hours: { marketing: { from: '21:00', to: '08:30' }, service: { from: '00:00', to: '05:59' } },
    retention_days: 30,
  };
  const changed = await operator.ask('PATCH', '/tenants/shop%201', change);
  assert.deepEqual([changed.status, changed.body], [200, { ...made.body, ...change }]);
  assert.deepEqual((await operator.ask('GET', `/tenants/${id}`)).body, changed.body);

  const deleted = await operator.ask('DELETE', `/tenants/${id}`);
  assert.deepEqual([deleted.status, deleted.body], [200, { id, deleted: true }]);
  assert.equal((await operator.ask('GET', `/tenants/${id}`)).status, 404);
});

test('tenants are listed the newest first, page by page', async () => {
  const made: string[] = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) made.push((await operator.ask('POST', '/tenants', { name })).body.id);
  const seen: string[] = [];
  let cursor = '';
  let pages = 0;
  do {
    const { status, body } = await operator.ask('GET', `/tenants?limit=2${cursor && `&cursor=${cursor}`}`);
    assert.equal(status, 200);
    seen.push(...(body['tenants'] as { id: string }[]).map((tenant) => tenant.id));
    cursor = body.next_cursor;
    pages++;
  } while (cursor !== null);
  assert.deepEqual(seen.slice(0, 5), made.toReversed());
  assert.equal(new Set(seen).size, seen.length);
  assert.equal(pages, Math.ceil(seen.length / 2));
});

test('an external id belongs to one tenant, however many ask at once', async () => {
  const asked = await Promise.all(
    [1, 2, 3].map((n) => operator.ask('POST', '/tenants', { name: `t${n}`, external_id: 'wanted' })),
  );
  assert.deepEqual(asked.map(({ status }) => status).sort(), [201, 409, 409]);
  const refused = asked.find(({ status }) => status === 409);
  assert.deepEqual([refused?.body.error, refused?.body.details?.field], ['already_exists', 'external_id']);
  const other = await operator.ask('POST', '/tenants', { name: 'other' });
  const taken = await operator.ask('PATCH', `/tenants/${other.body.id}`, { external_id: 'wanted' });
  assert.deepEqual([taken.status, taken.body.error], [409, 'already_exists']);
});

test('two changes of one tenant at once both hold', async () => {
  const { id } = (await operator.ask('POST', '/tenants', { name: 'x' })).body;
  await Promise.all([
    operator.ask('PATCH', `/tenants/${id}`, { monthly_quota: 5 }),
    operator.ask('PATCH', `/tenants/${id}`, { request_burst: 6 }),
    operator.ask('PATCH', `/tenants/${id}`, { name: 'y' }),
  ]);
  const { body } = await operator.ask('GET', `/tenants/${id}`);
  assert.deepEqual([body['name'], body['monthly_quota'], body['request_burst']], ['y', 5, 6]);
});

test("a tenant with senders, and the operator's own, are not deleted", async () => {
  const { tenant } = await stage.world.tenant();
  const used = await operator.ask('DELETE', `/tenants/${tenant}`);
  assert.deepEqual([used.status, used.body.error], [409, 'in_use']);
  const own = await operator.ask('DELETE', `/tenants/${stage.own.tenant}`);
  assert.deepEqual([own.status, own.body.error], [409, 'in_use']);
});

test('a tenant whose users talk is not deleted; one that only has webhooks goes with them', async () => {
  const make = async (name: string) => {
    const made = await operator.ask('POST', '/tenants', { name });
    const id = String(made.body.id) as TenantId;
    const key = await stage.world.keyFor(id, ['conversations:write', 'webhooks:write']);
    return { id, own: asker(stage.world, key) };
  };
  const talking = await make('talking');
  const participants = [{ user_id: 'ann' }, { user_id: 'ben' }];
  const conversation = await talking.own.ask('POST', '/conversations', { type: 'direct', participants });
  assert.equal(conversation.status, 201);
  const refused = await operator.ask('DELETE', `/tenants/${talking.id}`);
  assert.deepEqual([refused.status, refused.body.error], [409, 'in_use']);

  const listening = await make('listening');
  const endpoint = await listening.own.ask('POST', '/webhooks', { url: 'https://example.com/hook' });
  assert.equal(endpoint.status, 201, JSON.stringify(endpoint.body));
  assert.equal((await operator.ask('DELETE', `/tenants/${listening.id}`)).status, 200);
  const left = await stage.world.db.query(
    { name: 'test_endpoints_left', text: 'select 1 from webhook_endpoints where tenant_id = $1' },
    [listening.id],
  );
  assert.deepEqual(left, []);
});

test("tenants are the operator's: every other key is refused", async () => {
  const key = await stage.world.keyFor(stage.own.tenant, ['messages:write', 'messages:read', 'act_as']);
  const customer = asker(stage.world, key);
  for (const [method, path] of [
    ['GET', '/tenants'],
    ['POST', '/tenants'],
    ['GET', `/tenants/${stage.own.tenant}`],
    ['PATCH', `/tenants/${stage.own.tenant}`],
    ['DELETE', `/tenants/${stage.own.tenant}`],
  ] as const) {
    const { status, body } = await customer.ask(method, path, method === 'GET' ? undefined : { name: 'x' });
    assert.deepEqual([status, body.error], [403, 'forbidden'], `${method} ${path}`);
  }
});

test('bad input is refused with its field, and nothing is written', async () => {
  const { id } = (await operator.ask('POST', '/tenants', { name: 'held' })).body;
  const before = await tableText(stage.world, 'tenants');
  const wrong: [string, string, object | string, string, string | undefined][] = [
    ['POST', '/tenants', {}, 'missing_field', 'name'],
    ['POST', '/tenants', { name: '' }, 'invalid_field', 'name'],
    ['POST', '/tenants', { name: 'a\nb' }, 'invalid_field', 'name'],
    ['POST', '/tenants', { name: 'x', nmae: 'y' }, 'unknown_field', 'nmae'],
    ['POST', '/tenants', { name: 'x', external_id: 'y'.repeat(129) }, 'invalid_field', 'external_id'],
    ['POST', '/tenants', { name: 'x', monthly_quota: -1 }, 'invalid_field', 'monthly_quota'],
    ['POST', '/tenants', { name: 'x', monthly_quota: '5' }, 'invalid_field', 'monthly_quota'],
    ['POST', '/tenants', { name: 'x', requests_per_second: 0 }, 'invalid_field', 'requests_per_second'],
    ['POST', '/tenants', { name: 'x', doubt_policy: { service: 'maybe' } }, 'invalid_field', 'doubt_policy.service'],
    ['POST', '/tenants', { name: 'x', doubt_policy: { nothing: 'tell' } }, 'unknown_field', 'doubt_policy.nothing'],
    [
      'POST',
      '/tenants',
      { name: 'x', consent_keywords: { opt_out: [''] } },
      'invalid_field',
      'consent_keywords.opt_out[0]',
    ],
    ['POST', '/tenants', { name: 'x', consent_keywords: { en: [] } }, 'unknown_field', 'consent_keywords.en'],
    [
      'POST',
      '/tenants',
      { name: 'x', quiet_hours: { utility: { from: '8:00', to: '09:00' } } },
      'invalid_field',
      'quiet_hours.utility.from',
    ],
    [
      'POST',
      '/tenants',
      { name: 'x', quiet_hours: { utility: { from: '08:00', to: '24:00' } } },
      'invalid_field',
      'quiet_hours.utility.to',
    ],
    [
      'POST',
      '/tenants',
      { name: 'x', quiet_hours: { marketing: { from: '08:00', to: '08:00' } } },
      'invalid_field',
      'quiet_hours.marketing.to',
    ],
    [
      'POST',
      '/tenants',
      { name: 'x', quiet_hours: { marketing: { from: '08:00' } } },
      'missing_field',
      'quiet_hours.marketing.to',
    ],
    [
      'PATCH',
      `/tenants/${id}`,
      { quiet_hours: { night: { from: '21:00', to: '08:00' } } },
      'unknown_field',
      'quiet_hours.night',
    ],
    [
      'PATCH',
      `/tenants/${id}`,
      { quiet_hours: { service: { from: '21:00', to: '08:00', zone: 'UTC' } } },
      'unknown_field',
      'quiet_hours.service.zone',
    ],
    ['PATCH', `/tenants/${id}`, { quiet_hours: null }, 'invalid_field', 'quiet_hours'],
    ['POST', '/tenants', '{"name": ', 'malformed_json', undefined],
    ['PATCH', `/tenants/${id}`, {}, 'invalid_field', 'body'],
    ['PATCH', `/tenants/${id}`, { id: newId() }, 'unknown_field', 'id'],
    ['PATCH', `/tenants/${id}`, { name: null }, 'invalid_field', 'name'],
    ['PATCH', `/tenants/${newId()}`, { name: 'x' }, 'not_found', 'id'],
    ['DELETE', '/tenants/a%00b', '', 'not_found', 'id'],
    ['DELETE', '/tenants/nobody', '', 'not_found', 'id'],
  ];
  for (const [method, path, body, error, field] of wrong) {
    const answer = await operator.ask(method, path, body === '' ? undefined : body);
    assert.equal(answer.body.error, error, `${method} ${path} ${JSON.stringify(body)} ${answer.body.message}`);
    assert.equal(answer.body.details?.field, field, `${method} ${path} ${JSON.stringify(body)}`);
  }
  for (const [query, error] of Object.entries({
    'limit=0': 'invalid_field',
    'limit=101': 'limit_too_large',
    'limit=-1': 'invalid_field',
    'cursor=x': 'invalid_cursor',
    'page=1': 'unknown_field',
  })) {
    const answer = await operator.ask('GET', `/tenants?${query}`);
    assert.deepEqual([answer.status, answer.body.error], [400, error], query);
  }
  assert.equal(await tableText(stage.world, 'tenants'), before);
});
