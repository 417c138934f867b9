import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hashApiKey } from '../../src/domain/api-key.ts';
import { newPhone } from '../engine-world.ts';
import { logReadable } from '../readable-log.ts';
import { type Answer, type Customer, type DoorWorld, doorWorld } from './door-world.ts';

/* The queue dialect at a real door: what its service documents, and how a request chooses it. */

let world: DoorWorld;
let aldis: Customer;
let queue: Customer;
before(async () => {
  world = await doorWorld();
  aldis = await world.customer();
  queue = await world.customer();
  await speak(queue.key);
});
after(() => world.close());

async function speak(key: string): Promise<void> {
  const text = `update api_keys set dialect = 'queue' where key_hash = $1`;
  await world.db.query({ name: 'test_dialect', text }, [hashApiKey(key)]);
}

const CAMEL = { 'x-api-case': 'camel' };
const SNAKE = { 'x-api-case': 'snake' };
const TOMORROW = new Date(Date.now() + 86_400_000).toISOString();

const data = ({ body }: Answer) => body['data'] as Record<string, unknown>;
const post = (body: object, headers?: Record<string, string>) => queue.post('/api/v1/messages', body, headers);

function assertRefused({ status, body }: Answer, expected: number, error: string, field?: string): void {
  assert.deepEqual([status, body['success'], body.error, body.details?.field], [expected, false, error, field]);
  assert.deepEqual(Object.keys(body), ['success', 'error', 'code', 'message', 'details', 'request_id']);
}

function assertCanonicallyRefused({ status, body }: Answer, expected: number, error: string, field?: string): void {
  assert.deepEqual([status, body.error, body.details?.field], [expected, error, field]);
  assert.deepEqual(Object.keys(body), ['error', 'code', 'message', 'details', 'request_id']);
}

test('the documented message is accepted and answered as documented', async () => {
  const to = newPhone();
  const answer = await post({
    whatsappAccountId: queue.sender,
    to,
    type: 'Text',
    content: 'Hello, World!',
    mediaUrl: 'https://example.com/image.jpg',
    scheduledFor: TOMORROW,
  });
  assert.equal(answer.status, 202, answer.body.message);
  assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8');
  const { success, message } = answer.body as Record<string, unknown>;
  assert.deepEqual([success, message], [true, 'Message queued for sending']);
  const { id, contactId, conversationId, createdAt, ...said } = data(answer);
  assert.deepEqual(said, {
    status: 'Queued',
    state: 'queued',
    whatsappAccountId: queue.sender,
    to,
    type: 'Text',
    scheduledFor: TOMORROW,
    warnings: [],
    content: 'Hello, World!',
    mediaUrl: 'https://example.com/image.jpg',
  });
  const stored = await queue.read(id as Parameters<Customer['read']>[0]);
  assert.deepEqual(
    [stored.type, stored.content, stored.scheduled_at?.toISOString(), stored.contact_id, stored.conversation_id],
    [
      'image',
      { text: 'Hello, World!', media_url: 'https://example.com/image.jpg' },
      TOMORROW,
      contactId,
      conversationId,
    ],
  );
  assert.equal(createdAt, stored.created_at.toISOString());
});

test('a message is shown as queue-service has it, with all that is known beside', async () => {
  const customer = await world.customer();
  await speak(customer.key);
  const sending = await customer.sending({ content: { text: 'Hi' }, metadata: { order_id: 7, orderId: 8 } });
  await customer.settle(sending, {
    kind: 'error',
    code: 131026,
    title: 'undeliverable',
    detail: 'no account',
    retryAfter: null,
  });
  const answer = await customer.get(`/api/v1/messages/${sending.message_id}`);
  assert.equal(answer.status, 200);
  const stored = await customer.read(sending.message_id);
  const shown = data(answer);
  const expected = {
    id: stored.id,
    userId: customer.tenant,
    whatsappAccountId: customer.sender,
    contactId: stored.contact_id,
    campaignId: null,
    direction: 'Outbound',
    type: 'Text',
    content: 'Hi',
    mediaUrl: null,
    whatsappMessageId: null,
    status: 'Failed',
    scheduledFor: null,
    sentAt: null,
    deliveredAt: null,
    readAt: null,
    isFromBot: false,
    createdAt: stored.created_at.toISOString(),
    updatedAt: stored.failed_at?.toISOString(),
    state: 'failed',
    conversationId: stored.conversation_id,
    metadata: { order_id: 7, orderId: 8 },
    contentDetails: null,
  };
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(shown[name], value, name);
  assert.match(String(shown['errorMessage']), /: no account$/);
  assert.deepEqual(
    (shown['history'] as { step: string; endedAt: unknown }[]).map(({ step, endedAt }) => [step, typeof endedAt]),
    [
      ['accepted', 'object'],
      ['attempt', 'string'],
      ['failure', 'object'],
    ],
  );
  assert.ok(Object.keys(shown).every((name) => !name.includes('_')));
});

test('lists: filters in its own names and words', async () => {
  const customer = await world.customer();
  await speak(customer.key);
  const image = await customer.accept({ type: 'image', content: { media_url: 'https://example.com/a.jpg' } });
  const text = await customer.accept();
  const { contact_id } = await customer.read(text);
  const ids = async (query: string) => {
    const answer = await customer.get(`/api/v1/messages?${query}`);
    assert.deepEqual([answer.status, answer.body['success']], [200, true], answer.body.message);
    return (data(answer)['messages'] as { id: string }[]).map(({ id }) => id);
  };
  assert.deepEqual(await ids(''), [text, image]);
  assert.deepEqual(await ids('type=Image&status=Queued&direction=Outbound'), [image]);
  assert.deepEqual(await ids('direction=Inbound'), []);
  assert.deepEqual(await ids(`whatsappAccountId=${customer.sender}&contactId=${contact_id}&limit=50`), [text]);
  assert.deepEqual(await ids(`senderId=${customer.sender}&startDate=2020-01-01&endDate=2020-01-02`), []);
  assertRefused(await customer.get('/api/v1/messages?status=Sending'), 400, 'invalid_field', 'status');
  assertRefused(await customer.get('/api/v1/messages?limit=101'), 400, 'limit_too_large', 'limit');
  assertRefused(await customer.get('/api/v1/messages?endDate=then'), 400, 'invalid_field', 'endDate');
});

test('lists are in pages, and statistics in capitals, as documented', async () => {
  const customer = await world.customer();
  await speak(customer.key);
  for (let i = 0; i < 3; i++) await customer.accept();
  const list = await customer.get(`/api/v1/messages?whatsappAccountId=${customer.sender}&limit=2`);
  const { messages, nextCursor, ...totals } = data(list);
  assert.equal((messages as object[]).length, 2);
  assert.deepEqual([typeof nextCursor, totals], ['string', { total: 3, page: 1, limit: 2, totalPages: 2 }]);
  const last = data(await customer.get('/api/v1/messages?page=2&limit=2'));
  assert.deepEqual([(last['messages'] as object[]).length, last['page'], last['nextCursor']], [1, 2, null]);
  const followed = await customer.get(`/api/v1/messages?limit=2&cursor=${String(nextCursor)}`);
  assert.deepEqual([(data(followed)['messages'] as object[]).length, data(followed)['total']], [1, undefined]);
  assertRefused(await customer.get('/api/v1/messages?page=0'), 400, 'invalid_field', 'page');
  const statistics = await customer.get(`/api/v1/messages/statistics?whatsappAccountId=${customer.sender}`);
  assert.deepEqual(data(statistics), {
    total: 3,
    byStatus: { Queued: 3, Sent: 0, Delivered: 0, Read: 0, Failed: 0 },
    byDirection: { Inbound: 0, Outbound: 3 },
    byType: { Text: 3 },
    deliveryRate: null,
    readRate: null,
  });
});

test('documented errors are literal, and fields are named as they were given', async () => {
  const message = { whatsappAccountId: queue.sender, to: newPhone(), type: 'Text', content: 'x' };
  const phone = await post({ ...message, to: '0812' });
  assertRefused(phone, 400, 'invalid_phone', 'to');
  assert.equal(phone.body.message, 'Phone number must be in E.164 format');
  const nobody = await post({ ...message, whatsappAccountId: 'nobody' });
  assertRefused(nobody, 404, 'unknown_sender', 'whatsappAccountId');
  const past = await post({ ...message, scheduledFor: '2020-01-01T00:00:00Z' });
  assertRefused(past, 400, 'scheduled_in_past', 'scheduledFor');
  assert.equal(past.body.message, 'scheduledFor is in the past.');
  const silent = await post({ to: newPhone(), type: 'Text' });
  assertRefused(silent, 400, 'missing_field', 'content');
  assertRefused(await post({ ...message, mediaUrl: 'no' }), 400, 'invalid_media_url', 'mediaUrl');
  const poll = await post({ ...message, type: 'Poll' });
  assertRefused(poll, 400, 'unsupported_type', 'type');
  assert.match(poll.body.message, /one of Text, Template, Image, Video, Audio, Document, Sticker, .*, Interactive\./);
  const misspelt = await post({ ...message, scheduledFr: TOMORROW });
  assertRefused(misspelt, 400, 'unknown_field', 'scheduledFr');
  assertRefused(await post({ ...message, content: 7 }), 400, 'invalid_field', 'content');
  assertRefused(await queue.post('/api/v1/messages', 'x'), 400, 'malformed_json');
  assertRefused(await queue.get('/api/v1/messages/none'), 404, 'not_found', 'id');
});

test('a request says how it is spelled, against its key; a header says how it is answered, against both', async () => {
  const snake = { recipient_phone: newPhone(), content: { text: 'x' } };
  const camel = { recipientPhone: newPhone(), content: 'x' };
  const isQueue = ({ status, body }: Answer) => {
    assert.equal(status, 202, body.message);
    return body['success'] === true;
  };
  const send = (who: Customer, body: object, headers = {}) => who.post('/api/v1/messages', body, headers);
  assert.deepEqual(
    [
      isQueue(await send(aldis, snake)),
      isQueue(await send(aldis, camel)),
      isQueue(await send(queue, snake)),
      isQueue(await send(queue, camel)),
      isQueue(await send(aldis, snake, CAMEL)),
      isQueue(await send(aldis, camel, SNAKE)),
      isQueue(await send(queue, snake, CAMEL)),
      isQueue(await send(queue, camel, SNAKE)),
    ],
    [false, true, false, true, true, false, true, false],
  );
  const neutral = { to: newPhone(), content: { text: 'x' } };
  assert.deepEqual(
    [
      isQueue(await send(aldis, neutral)),
      isQueue(await send(queue, neutral)),
      isQueue(await send(aldis, neutral, CAMEL)),
    ],
    [false, true, true],
  );
  const upper = await send(aldis, { to: newPhone(), type: 'Text', content: 'x' });
  assertCanonicallyRefused(upper, 400, upper.body.error, upper.body.details?.field);
  assertRefused(await send(queue, neutral, { 'x-api-case': 'kebab' }), 400, 'invalid_field', 'X-API-Case');
  assertCanonicallyRefused(await send(aldis, neutral, { 'x-api-case': 'kebab' }), 400, 'invalid_field', 'X-API-Case');
});

test('both spellings in one request are refused', async () => {
  const mixed = { whatsappAccountId: aldis.sender, recipient_phone: newPhone(), content: 'x' };
  assertCanonicallyRefused(await aldis.post('/api/v1/messages', mixed), 400, 'mixed_spelling', 'recipient_phone');
  assertRefused(await aldis.post('/api/v1/messages', mixed, CAMEL), 400, 'mixed_spelling', 'recipient_phone');
  assertRefused(await post(mixed), 400, 'mixed_spelling', 'recipient_phone');
  const { status, body } = await aldis.get('/api/v1/messages?whatsappAccountId=a&contact_id=b');
  assert.deepEqual([status, body.error], [400, 'mixed_spelling']);
  const item = { messages: [{ to: newPhone(), scheduledFor: TOMORROW, expires_at: TOMORROW }] };
  assertRefused(await queue.post('/api/v1/messages/batch', item), 400, 'mixed_spelling', 'expires_at');
});

test('a request that says one thing twice is refused', async () => {
  const message = { to: newPhone(), content: 'x' };
  const two = await post({ ...message, whatsappAccountId: queue.sender, senderId: queue.sender });
  assertRefused(two, 400, 'two_senders', 'senderId');
  const times = await post({ ...message, scheduledFor: TOMORROW, scheduledAt: TOMORROW });
  assertRefused(times, 400, 'invalid_field', 'scheduledAt');
  const media = await post({
    to: newPhone(),
    content: { mediaUrl: 'https://a.b/a.png' },
    mediaUrl: 'https://a.b/a.png',
  });
  assertRefused(media, 400, 'invalid_field', 'mediaUrl');
  assertRefused(
    await post(JSON.parse('{"to": "+6281234567890", "content": "x", "__proto__": {"a": 1}}') as object),
    400,
    'unknown_field',
    '__proto__',
  );
});

test('a batch: each item as it is spelled, refusals in its names', async () => {
  const answer = await queue.post('/api/v1/messages/batch', {
    messages: [
      { to: newPhone(), type: 'Text', content: 'one' },
      { to: newPhone(), content: 'two', scheduledFor: '2020-01-01T00:00:00Z' },
      { recipient_phone: newPhone(), content: { text: 'three' } },
      { to: '12', content: 'four' },
      7,
    ],
  });
  assert.deepEqual(
    [answer.status, answer.body['success'], answer.body.message],
    [202, true, 'Messages queued for sending'],
  );
  const { batchId, accepted, refused, messages, errors, ...more } = data(answer);
  assert.deepEqual([accepted, refused, more], [2, 3, {}]);
  assert.deepEqual(
    (messages as { index: number }[]).map(({ index }) => index),
    [0, 2],
  );
  assert.deepEqual(
    (errors as { index: number; field: string; message: string }[]).map(({ index, field, message }) => [
      index,
      field,
      message,
    ]),
    [
      [1, 'scheduledFor', 'scheduledFor is in the past.'],
      [3, 'to', 'Phone number must be in E.164 format'],
      [4, 'message', 'message must be an object, not a number.'],
    ],
  );
  const batch = await queue.get(`/api/v1/batches/${batchId}`);
  assert.deepEqual((data(batch)['byState'] as Record<string, number>)['queued'], 2);
});

test('no caption is made of a text that is empty', async () => {
  const answer = await post({ to: newPhone(), type: 'Text', content: '', mediaUrl: 'https://example.com/a.pdf' });
  assert.equal(answer.status, 202, answer.body.message);
  assert.equal(data(answer)['content'], '');
  const stored = await queue.read(data(answer)['id'] as Parameters<Customer['read']>[0]);
  assert.deepEqual([stored.type, stored.content], ['document', { media_url: 'https://example.com/a.pdf' }]);
  assertRefused(await post({ to: newPhone(), content: '' }), 400, 'invalid_field', 'content');
});

test('a repeat by its Idempotency-Key is answered as the first time', async () => {
  const body = { whatsappAccountId: queue.sender, to: newPhone(), content: 'once' };
  const first = await post(body, { 'idempotency-key': 'a' });
  const again = await post(body, { 'idempotency-key': 'a' });
  assert.deepEqual([again.status, again.headers.get('idempotency-replayed')], [202, 'true']);
  assert.deepEqual(again.body, first.body);
});

test('changes and events are answered in the dialect', async () => {
  const customer = await world.customer();
  await speak(customer.key);
  const id = await customer.accept();
  const cancelled = await customer.post(`/api/v1/messages/${id}/cancel`);
  assert.deepEqual(cancelled.body, {
    success: true,
    message: 'Message cancelled',
    data: { id, status: 'Failed', state: 'cancelled' },
  });
  assertRefused(await customer.post(`/api/v1/messages/${id}/cancel`), 409, 'not_cancellable');
  await logReadable(world.db);
  const { events, nextCursor } = data(await customer.get('/api/v1/events')) as {
    events: { type: string; data: Record<string, unknown> }[];
    nextCursor: unknown;
  };
  assert.deepEqual([typeof nextCursor, events.length], ['string', 2]);
  for (const { type, data: message } of events) {
    assert.match(type, /^message\.(queued|cancelled)$/);
    assert.deepEqual([message['type'], message['direction'], message['userId']], ['Text', 'Outbound', customer.tenant]);
  }
});

test('errors that come before the body is read follow header, key and query too', async () => {
  const ask = (path: string, headers: Record<string, string>) =>
    fetch(`${world.url}${path}`, { headers }).then(async (response) => ({
      status: response.status,
      success: ((await response.json()) as { success?: boolean }).success,
    }));
  const wrong = { 'x-api-key': 'a key that nobody has' };
  assert.deepEqual(await ask('/api/v1/messages', wrong), { status: 401, success: undefined });
  assert.deepEqual(await ask('/api/v1/messages', { ...wrong, ...CAMEL }), { status: 401, success: false });
  assert.deepEqual(await ask('/api/v1/messages?whatsappAccountId=x', wrong), { status: 401, success: false });
  const denied = await world.keyFor(queue.tenant, []);
  await speak(denied);
  assert.deepEqual(await ask('/api/v1/messages', { 'x-api-key': denied }), { status: 403, success: false });
  assert.deepEqual(await ask('/api/v1/none', CAMEL), { status: 404, success: false });
  assert.deepEqual(await ask('/api/v1/none', {}), { status: 404, success: undefined });
  assert.deepEqual(await ask('/none', CAMEL), { status: 404, success: undefined });
  assert.deepEqual(await ask('/api/%ff', CAMEL), { status: 404, success: false });
  assert.deepEqual(await ask('/health', CAMEL), { status: 200, success: undefined });
});
