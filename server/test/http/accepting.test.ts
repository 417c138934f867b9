import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newPhone } from '../engine-world.ts';
import { until } from '../until.ts';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
let customer: Customer;
before(async () => {
  world = await doorWorld();
  customer = await world.customer();
});
after(() => world.close());

const body = (more: object = {}) => ({ recipient_phone: newPhone(), content: { text: 'Hello' }, ...more });

test('an accepted message is answered in the documented shape, and is there', async () => {
  const to = newPhone();
  const scheduled_at = new Date(Date.now() + 3_600_000).toISOString();
  const { status, body: answer } = await customer.post('/api/v1/messages', {
    recipient_phone: to,
    content: { text: 'Hello, {name}!' },
    variables: { name: 'Ana' },
    scheduled_at,
  });
  assert.equal(status, 202);
  const names = ['id', 'status', 'state', 'sender_id', 'contact_id', 'conversation_id', 'to', 'type', 'created_at'];
  assert.deepEqual(Object.keys(answer), [...names, 'scheduled_at', 'warnings']);
  assert.deepEqual([answer.status, answer.state, answer.to, answer.type], ['queued', 'queued', to, 'text']);
  assert.deepEqual([answer.sender_id, answer.scheduled_at, answer.warnings], [customer.sender, scheduled_at, []]);
  const stored = await customer.read(answer.id);
  assert.deepEqual(stored.content, { text: 'Hello, Ana!' });
});

test('the same key and body have the same answer; another body or route is refused', async () => {
  const asked = body();
  const key = { 'idempotency-key': 'order 7' };
  const first = await customer.post('/api/v1/messages', asked, key);
  const again = await customer.post('/api/v1/messages', asked, key);
  assert.deepEqual(again.body, first.body);
  assert.equal(first.headers.get('idempotency-replayed'), null);
  assert.equal(again.headers.get('idempotency-replayed'), 'true');
  const other = await customer.post('/api/v1/messages', { ...asked, content: { text: 'Bye' } }, key);
  assert.deepEqual([other.status, other.body.error], [422, 'idempotency_mismatch']);
  const batch = await customer.post('/api/v1/messages/batch', { messages: [asked] }, key);
  assert.equal(batch.status, 422);
  const bad = await customer.post('/api/v1/messages', asked, { 'idempotency-key': 'x'.repeat(256) });
  assert.deepEqual([bad.status, bad.body.details?.field], [400, 'Idempotency-Key']);
});

test('a repeat of what was accepted has its answer, though the time it names has passed', async () => {
  const key = { 'idempotency-key': 'soon' };
  const soon = body({ scheduled_at: new Date(Date.now() + 3000).toISOString() });
  const first = await customer.post('/api/v1/messages', soon, key);
  assert.equal(first.status, 202);
  await until('the time has passed', async () => {
    return (await customer.post('/api/v1/messages', soon)).body.error === 'scheduled_in_past';
  });
  const again = await customer.post('/api/v1/messages', soon, key);
  assert.deepEqual([again.status, again.body.id], [202, first.body.id]);
  const changed = await customer.post('/api/v1/messages', { ...soon, metadata: {} }, key);
  assert.equal(changed.status, 422);
});

test('a sender by its own or external id; another tenant has none of these', async () => {
  const name = { name: 'test_name_sender', text: `update senders set external_id = 'outlet 7' where id = $1` };
  await world.db.query(name, [customer.sender]);
  for (const sender_id of [customer.sender, 'outlet 7']) {
    const { body: answer } = await customer.post('/api/v1/messages', body({ sender_id }));
    assert.equal(answer.sender_id, customer.sender);
  }
  const other = await world.customer();
  for (const sender_id of [customer.sender, 'outlet 7', 'nobody']) {
    const { status, body: answer } = await other.post('/api/v1/messages', body({ sender_id }));
    assert.deepEqual([status, answer.error, answer.details?.field], [404, 'unknown_sender', 'sender_id']);
  }
});

test('a name without a value in the request is taken from the contact', async () => {
  const to = newPhone();
  const missing = await customer.post('/api/v1/messages', { to, content: { text: 'Hi {name} of {city}' } });
  assert.deepEqual([missing.status, missing.body.error], [400, 'missing_variables']);
  assert.deepEqual(missing.body.details, { field: 'content.text', variables: ['name', 'city'] });
  const { body: known } = await customer.post('/api/v1/messages', { to, content: { text: 'Hi' } });
  const name = {
    name: 'test_name_contact',
    text: `update contacts set name = 'Ana', attributes = '{"city": "Bandung"}' where id = $1`,
  };
  await world.db.query(name, [known.contact_id]);
  const { body: accepted } = await customer.post('/api/v1/messages', { to, content: { text: 'Hi {name} of {city}' } });
  assert.deepEqual((await customer.read(accepted.id)).content, { text: 'Hi Ana of Bandung' });
});

test('reply_to may be a message of ours that has reached WhatsApp', async () => {
  const send = await customer.sending();
  const early = await customer.post('/api/v1/messages', body({ reply_to: send.message_id }));
  assert.deepEqual([early.status, early.body.details?.field], [400, 'reply_to']);
  await customer.settle(send, { kind: 'sent', wamid: 'wamid.reply' });
  const { body: answer } = await customer.post('/api/v1/messages', body({ reply_to: send.message_id }));
  assert.equal((await customer.read(answer.id)).reply_to, 'wamid.reply');
});

test('of a batch each item is accepted or refused on its own, and the refusals say where', async () => {
  const { status, body: answer } = await customer.post('/api/v1/messages/batch', {
    messages: [
      body(),
      body({ recipient_phone: '0812' }),
      body({ contents: {} }),
      7,
      body({ content: { text: 'Hi {name}' } }),
      body({ sender_id: 'nobody' }),
      body(),
    ],
  });
  assert.equal(status, 202);
  assert.deepEqual([answer.accepted, answer.refused], [2, 5]);
  assert.deepEqual(
    answer.messages.map(({ index }) => index),
    [0, 6],
  );
  assert.deepEqual(
    answer.errors.map(({ index, error, code, field }) => [index, error, code, field]),
    [
      [1, 'invalid_phone', 'INVALID_PHONE', 'recipient_phone'],
      [2, 'unknown_field', 'UNKNOWN_FIELD', 'contents'],
      [3, 'invalid_field', 'INVALID_FIELD', 'message'],
      [4, 'missing_variables', 'MISSING_VARIABLES', 'content.text'],
      [5, 'unknown_sender', 'UNKNOWN_SENDER', 'sender_id'],
    ],
  );
  assert.match(answer.errors[1]?.message ?? '', /did you mean content\?/);
  const { body: batch } = await customer.get(`/api/v1/batches/${answer.batch_id}`);
  assert.deepEqual([batch.complete, batch.total, batch.accepted, batch.refused], [true, 7, 2, 5]);
  assert.deepEqual(batch.errors, answer.errors);
  assert.equal(batch.by_state['queued'], 2);
  assert.equal(batch.by_state['played'], 0);
  assert.equal((await customer.read(answer.messages[0]?.id ?? answer.id)).priority, 2);
});

test('10,000 items are a batch, 10,001 are too many, and none is none', async () => {
  const item = { to: '1', content: { text: 'x' } };
  const most = await customer.post('/api/v1/messages/batch', { messages: new Array(10_000).fill(item) });
  assert.deepEqual([most.status, most.body.refused], [202, 10_000]);
  const more = await customer.post('/api/v1/messages/batch', { messages: new Array(10_001).fill(item) });
  assert.deepEqual(
    [more.status, more.body.error, more.body.details],
    [400, 'too_many_items', { field: 'messages', limit: 10_000 }],
  );
  const none = await customer.post('/api/v1/messages/batch', { messages: [] });
  assert.deepEqual([none.status, none.body.details?.field], [400, 'messages']);
});

test('a message is cancelled before it leaves and retried after it failed, and nothing else', async () => {
  const waiting = await customer.accept({ scheduled_at: Date.now() + 3_600_000 });
  const retried = await customer.post(`/api/v1/messages/${waiting}/retry`);
  assert.deepEqual([retried.status, retried.body.error], [409, 'not_retryable']);
  const cancelled = await customer.post(`/api/v1/messages/${waiting}/cancel`, {});
  assert.deepEqual([cancelled.status, cancelled.body], [200, { id: waiting, status: 'failed', state: 'cancelled' }]);
  const sent = await customer.sending();
  await customer.settle(sent, { kind: 'error', code: 131026, title: 'undeliverable', detail: null, retryAfter: null });
  const late = await customer.post(`/api/v1/messages/${sent.message_id}/cancel`);
  assert.deepEqual([late.status, late.body.error], [409, 'not_cancellable']);
  const again = await customer.post(`/api/v1/messages/${sent.message_id}/retry`);
  assert.deepEqual([again.status, again.body], [202, { id: sent.message_id, status: 'queued', state: 'queued' }]);
});
