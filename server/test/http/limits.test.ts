import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
before(async () => {
  world = await doorWorld();
});
after(() => world.close());

/** A customer whose tenant and sender have limits of their own. */
async function limited(monthly: number | null, daily: number | null): Promise<Customer> {
  const customer = await world.customer();
  const { tenant } = customer;
  const quota = 'update tenants set monthly_quota = $2 where id = $1';
  await world.db.query({ name: 'test_quota', text: quota }, [tenant, monthly]);
  const day = 'update senders set per_day = $2 where tenant_id = $1';
  await world.db.query({ name: 'test_per_day', text: day }, [tenant, daily]);
  return customer;
}

const message = { to: '+6281234567890', content: { text: 'Hi' } };
const DAY = 86_400;

test('a used up quota is 429 in the documented words, and says when there is a new one', async () => {
  const customer = await limited(2, null);
  for (let i = 0; i < 2; i++) assert.equal((await customer.post('/api/v1/messages', message)).status, 202);
  const { status, body, headers } = await customer.post('/api/v1/messages', message, { 'idempotency-key': 'k' });
  assert.deepEqual(
    [status, body.error, body.code, body.message],
    [
      429,
      'quota_exceeded',
      'QUOTA_EXCEEDED',
      'Message quota exceeded. Please upgrade your plan or wait for quota reset.',
    ],
  );
  const wait = Number(headers.get('retry-after'));
  assert.ok(wait > 0 && wait <= 31 * DAY);
  assert.match(
    String(body.details && 'resets_at' in body.details && body.details.resets_at),
    /^\d{4}-\d\d-01T00:00:00.000Z$/,
  );
  assert.equal((await customer.post('/api/v1/messages/send', message)).status, 429);
});

test('a used up day is 400 in the documented words', async () => {
  const customer = await limited(null, 1);
  assert.equal((await customer.post('/api/v1/messages', message)).status, 202);
  const { status, body, headers } = await customer.post('/api/v1/messages', message);
  assert.deepEqual([status, body.error, body.message], [400, 'daily_limit_reached', 'Daily message limit reached']);
  const wait = Number(headers.get('retry-after'));
  assert.ok(wait > 0 && wait <= DAY);
});

test('of a batch whoever fits is accepted, the others are told why by their place; quota 0 accepts nothing', async () => {
  const customer = await limited(10, 3);
  const messages = [message, { to: 'nobody' }, message, message, message];
  const { status, body } = await customer.post('/api/v1/messages/batch', { messages });
  assert.equal(status, 202);
  assert.deepEqual(
    body.messages.map(({ index }) => index),
    [0, 2, 3],
  );
  assert.deepEqual(
    body.errors.map(({ index, error }) => [index, error]),
    [
      [1, 'invalid_phone'],
      [4, 'daily_limit_reached'],
    ],
  );
  const none = await limited(0, null);
  const refused = await none.post(
    '/api/v1/messages/batch',
    { messages: [message, message] },
    { 'idempotency-key': 'b' },
  );
  assert.deepEqual([refused.status, refused.body.accepted, refused.body.refused], [202, 0, 2]);
});

test('a retry needs a place like a new message', async () => {
  const customer = await limited(1, null);
  const first = await customer.post('/api/v1/messages', message);
  const [send] = await customer.begin();
  assert.ok(send);
  await customer.settle(send, { kind: 'error', code: 131026, title: 'no', detail: null, retryAfter: null });
  const second = await customer.post('/api/v1/messages', message);
  assert.equal(second.status, 202);
  const retry = () => customer.post(`/api/v1/messages/${first.body.id}/retry`);
  const refused = await retry();
  assert.deepEqual([refused.status, refused.body.error], [429, 'quota_exceeded']);
  await customer.post(`/api/v1/messages/${second.body.id}/cancel`);
  assert.deepEqual([(await retry()).status], [202]);
});
