import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { newPhone } from '../engine-world.ts';
import { type Answer, type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
let customer: Customer;
before(async () => {
  world = await doorWorld();
  customer = await world.customer();
});
after(async () => {
  // Whatever was tried, nothing of it reached the store.
  const [row] = await world.db.query<{ n: number }>({ name: 'test_count', text: 'select count(*) as n from messages' });
  await world.close();
  assert.equal(row?.n, 0);
});

const post = (body: unknown, headers?: Record<string, string>) => customer.post('/api/v1/messages', body, headers);
const message = (more: object = {}) => ({ to: newPhone(), content: { text: 'Hello' }, ...more });

function assertRefused({ status, headers, body }: Answer, expected: number, code: ErrorCode, field?: string): void {
  assert.deepEqual(
    { status, error: body.error, code: body.code, field: body.details?.field },
    { status: expected, error: code, code: code.toUpperCase(), field },
    body.message,
  );
  assert.deepEqual(Object.keys(body), ['error', 'code', 'message', 'details', 'request_id']);
  assert.equal(body.request_id, headers.get('x-request-id'));
}

test('malformed JSON is told where, and not repeated', async () => {
  const cut = await post('{\n  "to": "+6281234567890",\n  "content": {"text": "a secret"');
  assertRefused(cut, 400, 'malformed_json');
  assert.doesNotMatch(cut.body.message, /secret/);
  assert.match(cut.body.message, /line 3, column 33/);
  const odd = await post('{"to": secret}');
  assertRefused(odd, 400, 'malformed_json');
  assert.doesNotMatch(odd.body.message, /secret/);
});

test('a body that is not UTF-8, not JSON, not there, or not an object', async () => {
  const raw = await fetch(`${world.url}/api/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': customer.key, 'content-type': 'application/json' },
    body: new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]),
  });
  assert.deepEqual([raw.status, ((await raw.json()) as { error: string }).error], [400, 'malformed_json']);
  assertRefused(
    await post('to=1', { 'content-type': 'application/x-www-form-urlencoded' }),
    415,
    'unsupported_media_type',
    'Content-Type',
  );
  assertRefused(await post('hello', { 'content-type': 'text/plain' }), 415, 'unsupported_media_type', 'Content-Type');
  for (const body of [undefined, '', 'null', '[]', '7', '"x"']) {
    assertRefused(await post(body, { 'content-type': 'application/json' }), 400, 'invalid_field', 'body');
  }
});

test('unknown fields are named, with what may have been meant', async () => {
  const misspelt = await post(message({ schedule_at: '2026-12-01T00:00:00Z' }));
  assertRefused(misspelt, 400, 'unknown_field', 'schedule_at');
  assert.match(misspelt.body.message, /; did you mean scheduled_at\?$/);
  assertRefused(
    await post(message({ content: { text: 'x', mediaurl: 'x' } })),
    400,
    'unknown_field',
    'content.mediaurl',
  );
  assertRefused(await post('{"to": "+6281234567890", "__proto__": {"x": 1}}'), 400, 'unknown_field', '__proto__');
  assertRefused(await post(message({ outlet_id: 'x' })), 400, 'unknown_field', 'outlet_id');
});

test('wrong types are not converted', async () => {
  const wrong = await post(message({ content: { text: 7 } }));
  assertRefused(wrong, 400, 'invalid_field', 'content.text');
  assert.equal(wrong.body.message, 'content.text must be a string, not a number.');
  assertRefused(await post(message({ to: 6281234567890 })), 400, 'invalid_field', 'to');
  assert.equal((await post(message({ ttl: 1.5 }))).body.message, 'ttl must be a whole number.');
  assert.equal((await post(message({ ttl: '5' }))).body.message, 'ttl must be an integer, not a string.');
  assertRefused(await post(message({ metadata: [] })), 400, 'invalid_field', 'metadata');
  assertRefused(await post(message({ variables: { a: null } })), 400, 'invalid_field', 'variables.a');
  assertRefused(await post(message({ variables: { 'a\nb': {} } })), 400, 'invalid_field', 'variables.a\nb');
  const endless = await post('{"to": "+6281234567890", "variables": {"a": 1e999}}');
  assertRefused(endless, 400, 'invalid_field', 'variables.a');
  assert.equal(endless.body.message, 'variables.a must be a string or a number, not one that is too large.');
  assertRefused(await post(message({ priority: 'urgent' })), 400, 'invalid_field', 'priority');
  assertRefused(await post(message({ type: 'poll' })), 400, 'unsupported_type', 'type');
  assertRefused(await post(message({ template: { name: 'a' } })), 400, 'missing_field', 'template.language');
  assertRefused(
    await post(message({ template: { name: 'a', language: 'en', components: [7] } })),
    400,
    'invalid_field',
    'template.components[0]',
  );
});

test('what a message says is checked before it is stored', async () => {
  assertRefused(await post(message({ to: '0812 3456' })), 400, 'invalid_phone', 'to');
  assertRefused(await post(message({ recipient_phone: newPhone() })), 400, 'two_addressees', 'to');
  assertRefused(await post(message({ content: { text: 'Hi {name}' } })), 400, 'missing_variables', 'content.text');
  assertRefused(
    await post(message({ scheduled_at: '2020-01-01T00:00:00Z' })),
    400,
    'scheduled_in_past',
    'scheduled_at',
  );
  assertRefused(
    await post(message({ scheduled_at: '9999-01-01T00:00:00Z' })),
    400,
    'scheduled_too_far',
    'scheduled_at',
  );
  assertRefused(await post(message({ scheduled_at: 'soon' })), 400, 'invalid_field', 'scheduled_at');
  for (const media_url of ['no url', `https://example.com/${'x'.repeat(2048)}`]) {
    assertRefused(await post(message({ content: { media_url } })), 400, 'invalid_media_url', 'content.media_url');
  }
  assertRefused(await post(message({ content: { text: 'a\0b' } })), 400, 'invalid_field', 'content.text');
});

test('a body over the limit is refused, whether it says its length or not', async () => {
  const large = JSON.stringify(message({ content: { text: 'x'.repeat(70_000) } }));
  assertRefused(await post(large), 413, 'payload_too_large', 'body');
  const chunked = await fetch(`${world.url}/api/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': customer.key, 'content-type': 'application/json' },
    body: new Blob([large]).stream(),
    duplex: 'half',
  });
  assert.equal(chunked.status, 413);
});

test('without a valid key nothing is read', async () => {
  const cases: Record<string, string>[] = [
    {},
    { 'x-api-key': 'aldis_00000000000000000000000000000000' },
    { authorization: `Basic ${customer.key}` },
    { authorization: 'Bearer ' },
    { 'x-api-key': 'x' },
  ];
  for (const headers of cases) {
    const response = await fetch(`${world.url}/api/v1/messages`, { method: 'POST', headers, body: '{' });
    assert.equal(response.status, 401, JSON.stringify(headers));
    assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer/);
    assert.equal(((await response.json()) as { error: string }).error, 'unauthorized');
  }
});

test('a key without the scope is told which it lacks', async () => {
  const key = await world.keyFor(customer.tenant, ['messages:read']);
  const answer = await customer.post('/api/v1/messages', message(), { 'x-api-key': key });
  assertRefused(answer, 403, 'forbidden');
  assert.deepEqual(answer.body.details, { scope: 'messages:write' });
  assert.equal((await customer.get('/api/v1/messages', { authorization: `bearer ${key}` })).status, 200);
});

test('what is not there: ids, paths, methods', async () => {
  for (const id of [
    '019a0000-0000-7000-8000-000000000000',
    'x',
    "'; drop table messages",
    '%00',
    '..%2f',
    'x'.repeat(250),
  ]) {
    for (const way of [`/api/v1/messages/${id}`, `/api/v1/messages/${id}/status`, `/api/v1/batches/${id}`]) {
      assertRefused(await customer.get(way), 404, 'not_found', 'id');
    }
    for (const way of ['cancel', 'retry']) {
      assertRefused(await customer.post(`/api/v1/messages/${id}/${way}`), 404, 'not_found', 'id');
    }
  }
  assertRefused(await customer.get('/api/v1/nothing'), 404, 'not_found');
  assertRefused(await customer.post('/api/v1/batches/x'), 404, 'not_found');
  assertRefused(await customer.get('/api/v1/messages/%E0%A4%A'), 404, 'not_found');
  assertRefused(await customer.get(`/api/v1/messages/${'x'.repeat(300)}`), 404, 'not_found');
});

test('filters, limits and cursors that are none', async () => {
  const cases: [string, ErrorCode, string][] = [
    ['limit=101', 'limit_too_large', 'limit'],
    ['limit=99999999999', 'limit_too_large', 'limit'],
    ['limit=0', 'invalid_field', 'limit'],
    ['limit=ten', 'invalid_field', 'limit'],
    ['limit=5&limit=6', 'invalid_field', 'limit'],
    ['pages=2', 'unknown_field', 'pages'],
    ['status=lost', 'invalid_field', 'status'],
    ['direction=up', 'invalid_field', 'direction'],
    ['start_date=yesterday', 'invalid_field', 'start_date'],
    ['end_date=2026-02-30', 'invalid_field', 'end_date'],
    ['sender_id=%00', 'invalid_field', 'sender_id'],
    ['cursor=x', 'invalid_cursor', 'cursor'],
    ['cursor=AAAAAAAAAAAAAAAAAAAAAB', 'invalid_cursor', 'cursor'],
  ];
  for (const [query, code, field] of cases) {
    assertRefused(await customer.get(`/api/v1/messages?${query}`), 400, code, field);
  }
  assertRefused(await customer.get('/api/v1/events?limit=1001'), 400, 'limit_too_large', 'limit');
  assertRefused(await customer.get('/api/v1/events?wait=31'), 400, 'invalid_field', 'wait');
  assertRefused(await customer.get('/api/v1/events?after=x'), 400, 'invalid_cursor', 'after');
  const future = Buffer.alloc(24, 0x7f).toString('base64url');
  assertRefused(await customer.get(`/api/v1/events?after=${future}`), 400, 'invalid_cursor', 'after');
});

test('what is no HTTP is answered in the same shape', async () => {
  const { hostname, port } = new URL(world.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write('HELO\r\n\r\n');
  const answer = await text(socket);
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.equal((JSON.parse(answer.split('\r\n\r\n')[1] ?? '') as { error: string }).error, 'bad_request');
});

test('a request id that is fit for a log is kept, another is replaced', async () => {
  const own = await customer.get('/api/v1/messages', { 'x-request-id': 'order-7/1' });
  assert.equal(own.headers.get('x-request-id'), 'order-7/1');
  const odd = await customer.get('/api/v1/messages', { 'x-request-id': 'a b"c' });
  assert.match(odd.headers.get('x-request-id') ?? '', /^[\w-]{10,}$/);
});
