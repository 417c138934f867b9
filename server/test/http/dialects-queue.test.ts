import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AldisError, type ErrorCode, errorBody } from '../../src/domain/errors.ts';
import { newId, type TenantId } from '../../src/domain/ids.ts';
import { answerInQueue, errorInQueue } from '../../src/http/dialects/queue-answer.ts';
import { queryFromQueue, requestFromQueue } from '../../src/http/dialects/queue-request.ts';
import { shapeOf } from '../../src/http/dialects/shape.ts';
import { canonicalWord, createSpelling, queueName, queueWord, spellingOf } from '../../src/http/dialects/spelling.ts';

/* The queue dialect as pure functions: without a server, on what they are given. */

const NAMES = ['sender_id', 'contact_id', 'scheduled_at', 'recipient_phone', 'batch_id', 'media_url', 'start_date'];
const spelling = createSpelling();
spelling.add(NAMES);
const tenant = newId<TenantId>();
const context = { tenant, route: 'GET /', status: 200, asked: undefined, spelling };
const found = () => undefined;
const list = shapeOf({ type: 'object', properties: { sender_id: {}, page: {}, status: {}, cursor: {} } }, found);
const message = shapeOf(
  {
    type: 'object',
    properties: {
      sender_id: {},
      to: {},
      type: {},
      content: {
        anyOf: [{ type: 'string' }, { type: 'object', properties: { text: {}, media_url: {}, filename: {} } }],
      },
      metadata: { type: 'object' },
      scheduled_at: {},
    },
  },
  found,
);

test('statistics, as documented', () => {
  const ours = {
    total: 1000,
    by_status: { queued: 10, sent: 500, delivered: 400, read: 80, failed: 10 },
    by_direction: { inbound: 600, outbound: 400 },
    by_type: { text: 900, image: 80, interactive_list: 20 },
    by_state: { queued: 10, played: 1 },
    delivery_rate: 0.5,
    read_rate: null,
  };
  assert.deepEqual(answerInQueue(ours, context), {
    success: true,
    data: {
      total: 1000,
      byStatus: { Queued: 10, Sent: 500, Delivered: 400, Read: 80, Failed: 10 },
      byDirection: { Inbound: 600, Outbound: 400 },
      byType: { Text: 900, Image: 80, InteractiveList: 20 },
      byState: { queued: 10, played: 1 },
      deliveryRate: 0.5,
      readRate: null,
    },
  });
});

test('a page of a list, as documented', () => {
  const ours = { messages: [], next_cursor: null, total: 100, page: 1, limit: 50, total_pages: 2 };
  assert.deepEqual(answerInQueue(ours, context), {
    success: true,
    data: { messages: [], nextCursor: null, total: 100, page: 1, limit: 50, totalPages: 2 },
  });
});

test('a list is asked for by page, the first when none is named', () => {
  const ask = (query: object) => queryFromQueue(list, spelling, query);
  assert.deepEqual(ask({ whatsappAccountId: 'a' }), { sender_id: 'a', page: '1' });
  assert.deepEqual(ask({ page: '3', status: 'Read' }), { page: '3', status: 'read' });
  assert.deepEqual(ask({ cursor: 'c' }), { cursor: 'c' });
  const pageless = shapeOf({ type: 'object', properties: { sender_id: {} } }, found);
  assert.deepEqual(queryFromQueue(pageless, spelling, {}), {});
  assert.deepEqual(queryFromQueue(null, spelling, {}), {});
});

const view = {
  id: 'm',
  direction: 'inbound',
  status: 'read',
  state: 'played',
  type: 'audio',
  sender_id: 's',
  contact_id: 'c',
  batch_id: 'b',
  whatsapp_message_id: 'wamid.1',
  content: null,
  error: null,
  sender_type: null,
  created_at: '2026-01-01T00:00:00.000Z',
  scheduled_at: '2027-01-01T00:00:00.000Z',
  expires_at: '2027-01-02T00:00:00.000Z',
  read_at: '2026-01-03T00:00:00.000Z',
  played_at: '2026-01-02T00:00:00.000Z',
};
const shown = (change: object) =>
  (answerInQueue({ ...view, ...change }, context) as { data: Record<string, unknown> }).data;

test('what a message has beside text and media stands in its details', () => {
  const content = (value: unknown) => {
    const { content: text, mediaUrl, contentDetails } = shown({ content: value });
    return [text, mediaUrl, contentDetails];
  };
  assert.deepEqual(content(null), ['', null, null]);
  assert.deepEqual(content({ text: 'x' }), ['x', null, null]);
  assert.deepEqual(content({ text: 'x', media_url: 'y' }), ['x', 'y', null]);
  const file = { media_url: 'y', filename: 'my_file' };
  assert.deepEqual(content(file), ['', 'y', file]);
  const raw = { unsupported: true, raw: { media_id: 1, text: { body: 'x' } } };
  assert.deepEqual(content(raw), ['', null, raw]);
  assert.deepEqual(content({ text: { body: 'x' } }), ['', null, { text: { body: 'x' } }]);
});

test('what a message tells beside our own words', () => {
  const failed = {
    status: 'failed',
    state: 'failed',
    error: { error: 'x', code: 1, title: 'undeliverable', detail: null },
  };
  assert.equal(shown({})['errorMessage'], null);
  assert.equal(shown(failed)['errorMessage'], 'undeliverable');
  const told = { ...failed, error: { ...failed.error, detail: 'no account' } };
  assert.equal(shown(told)['errorMessage'], 'undeliverable: no account');
  assert.deepEqual(shown(told)['error'], told.error);
  assert.equal(shown({ status: 'failed', state: 'expired' })['errorMessage'], 'expired');
  assert.equal(shown({})['updatedAt'], view.read_at);
  assert.deepEqual(
    ['llm', 'bot', 'agent', 'user', null].map((sender_type) => shown({ sender_type })['isFromBot']),
    [true, true, false, false, false],
  );
  const { userId, campaignId, whatsappAccountId, status, state, direction, type } = shown({});
  assert.deepEqual(
    [userId, campaignId, whatsappAccountId, status, state, direction, type],
    [tenant, 'b', 's', 'Read', 'played', 'Inbound', 'Audio'],
  );
});

test('the documented texts of errors', () => {
  const text = (code: ErrorCode) => {
    const said = errorInQueue(errorBody(new AldisError(code), 'r'), { spelling }) as {
      success: boolean;
      message: string;
    };
    assert.equal(said.success, false);
    return said.message;
  };
  assert.equal(text('sender_not_connected'), 'WhatsApp account is not connected');
  assert.equal(text('daily_limit_reached'), 'Daily message limit reached');
  assert.equal(text('invalid_phone'), 'Phone number must be in E.164 format');
});

test('sentences and fields of errors name what the user knows', () => {
  const said = (message: string, field: string, code: ErrorCode = 'invalid_field') => {
    const error = errorBody(new AldisError(code, message, { field, details: { retry_after: 1 } }), 'r');
    const answer = errorInQueue(error, { spelling }) as { message: string; details: Record<string, unknown> };
    return [answer.message, answer.details['field'], answer.details['retryAfter']];
  };
  assert.deepEqual(said('content.text must not be empty.', 'content.text'), [
    'content must not be empty.',
    'content',
    1,
  ]);
  assert.deepEqual(said('content.media_url is wrong.', 'content.media_url'), ['mediaUrl is wrong.', 'mediaUrl', 1]);
  assert.deepEqual(said('messages[0].scheduled_at is wrong.', 'messages[0].scheduled_at'), [
    'messages[0].scheduledFor is wrong.',
    'messages[0].scheduledFor',
    1,
  ]);
  assert.deepEqual(said('status must be one of queued, sent.', 'status'), [
    'status must be one of Queued, Sent.',
    'status',
    1,
  ]);
  assert.deepEqual(said('priority must be one of high, low.', 'priority'), [
    'priority must be one of high, low.',
    'priority',
    1,
  ]);
  assert.deepEqual(said('my_field is not a field of this request.', 'my_field', 'unknown_field'), [
    'my_field is not a field of this request.',
    'my_field',
    1,
  ]);
});

test('which spelling a request is in', () => {
  const of = (...objects: unknown[]) => spellingOf(spelling, ...objects);
  assert.equal(of({ whatsappAccountId: 1 }), 'camel');
  assert.equal(of({ senderId: 1 }, { to: 1 }), 'camel');
  assert.equal(of(undefined, { recipient_phone: 1 }), 'snake');
  assert.equal(of({ to: 1, type: 1, someName: 1, some_name: 1 }, null, 7, []), null);
  assert.throws(() => of({ contactId: 1 }, { start_date: 1 }), { code: 'mixed_spelling' });
  assert.throws(() => of({ scheduledFor: 1, scheduled_at: 1 }), { code: 'mixed_spelling', field: 'scheduled_at' });
});

test('words and names go there and back', () => {
  const word = fc.stringMatching(/^[a-z]{1,8}(_[a-z]{1,8}){0,3}$/);
  fc.assert(fc.property(word, (one) => canonicalWord(queueWord(one)) === one));
  fc.assert(fc.property(word, (one) => canonicalWord(one) === one));
  assert.deepEqual(['sender_id', 'scheduled_at', 'total_pages', 'to'].map(queueName), [
    'whatsappAccountId',
    'scheduledFor',
    'totalPages',
    'to',
  ]);
  // Words of no language of ours stay, and are refused by the schema.
  for (const odd of ['', 'TEXT!', 'in Text', '7']) assert.equal(canonicalWord(odd), odd);
});

test('users’ data are passed on as they are, whatever they are', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (metadata) => {
      const given = JSON.parse(JSON.stringify({ to: '+1', content: 'x', metadata })) as { metadata: unknown };
      const ours = requestFromQueue(message, spelling, given);
      assert.deepEqual(ours, { to: '+1', content: { text: 'x' }, metadata: given.metadata });
      const { data } = answerInQueue({ ...view, metadata: given.metadata }, context) as { data: { metadata: unknown } };
      assert.deepEqual(data.metadata, given.metadata);
    }),
  );
});

test('whatever a request is, it becomes one of ours or is refused with a code', () => {
  const names = fc.constantFrom(
    ...NAMES,
    ...NAMES.map(queueName),
    'content',
    'mediaUrl',
    'to',
    'type',
    '__proto__',
    'x',
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(names, fc.jsonValue()), { maxLength: 6 }), (pairs) => {
      const given: unknown = Object.fromEntries(pairs);
      try {
        assert.equal(typeof requestFromQueue(message, spelling, given), 'object');
      } catch (error) {
        assert.ok(error instanceof AldisError && error.status === 400, String(error));
      }
    }),
    { numRuns: 500 },
  );
  for (const body of [null, 7, 'x', undefined]) assert.equal(requestFromQueue(message, spelling, body), body);
});
