import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { WebhookItem } from '../../src/channels/whatsapp/webhook/items.ts';
import { readWebhook } from '../../src/channels/whatsapp/webhook.ts';

const FIXTURES = fileURLToPath(new URL('../../../simulator/fixtures/', import.meta.url));

function fixture(name: string) {
  return JSON.parse(readFileSync(`${FIXTURES}${name}`, 'utf8')).payload;
}

const read = (payload: unknown): WebhookItem[] => readWebhook(Buffer.from(JSON.stringify(payload)));
const metadata = { phone_number_id: '106540352242922' };
const change = (value: object, field = 'messages') => ({ field, value: { metadata, ...value } });
const webhook = (...changes: unknown[]) => ({ entry: [{ id: '1', changes }] });
const status = (more: object = {}) => ({ id: 'wamid.A', status: 'delivered', timestamp: '1750030073', ...more });
const message = (more: object = {}) => ({
  from: '16505551234',
  id: 'wamid.B',
  timestamp: '1749416383',
  type: 'text',
  text: { body: 'Hi' },
  ...more,
});
const kinds = (items: readonly WebhookItem[]) => items.map((item) => item.kind);

test("each of Meta's documented webhooks is read [field messages]", () => {
  const statuses = globSync('status-*.json', { cwd: FIXTURES });
  const inbound = globSync('inbound-*.json', { cwd: FIXTURES });
  assert.ok(statuses.length >= 4 && inbound.length >= 10);
  for (const name of statuses) assert.deepEqual(kinds(read(fixture(name))), ['status'], name);
  for (const name of inbound) assert.deepEqual(kinds(read(fixture(name))), ['message'], name);
  const [change, ...more] = read(fixture('template-status.json'));
  assert.ok(change?.kind === 'change' && more.length === 0);
  assert.deepEqual([change.field, change.value['event']], ['message_template_status_update', 'APPROVED']);
});

test('a failed status tells why', () => {
  const [item] = read(fixture('status-failed.json'));
  assert.ok(item?.kind === 'status');
  assert.deepEqual(
    { status: item.status, at: item.at, error: item.error },
    {
      status: 'failed',
      at: 1_750_030_073_000,
      error: {
        code: 131049,
        title: 'This message was not delivered to maintain healthy ecosystem engagement.',
        detail: 'In order to maintain a healthy ecosystem engagement, the message failed to be delivered.',
      },
    },
  );
  const [bare] = read(webhook(change({ statuses: [status({ status: 'failed', errors: [{ code: 1.5 }] })] })));
  assert.deepEqual(bare?.kind === 'status' && bare.error, { code: 131000, title: 'failed', detail: null });
});

test('every entry, change and item counts, whatever its neighbours are', () => {
  const first = webhook(
    change({ statuses: [status(), 7, status({ id: '' }), status({ status: 'warned' })] }),
    change({ event: 'x' }, 'account_update'),
    { field: 'messages' },
    change({
      contacts: [{ wa_id: '16505551234', profile: { name: 'Ana' } }],
      messages: [message(), message({ from: null })],
    }),
  );
  const second = webhook(change({ statuses: [status({ status: 'read', timestamp: 1_750_030_074 })] }));
  const items = read({ entry: [...first.entry, { id: '2' }, ...second.entry] });
  assert.deepEqual(kinds(items), [
    'status',
    'unreadable',
    'unreadable',
    'other',
    'change',
    'unreadable',
    'message',
    'unreadable',
    'unreadable',
    'status',
  ]);
  const last = items.at(-1);
  assert.equal(last?.kind === 'status' && last.at, 1_750_030_074_000);
});

test('a message names its sender by number, by user id, or both, and its contact is found among several', () => {
  const contacts = [
    { wa_id: '15550001111', profile: { name: 'Other' } },
    { wa_id: '16505551234', profile: { name: 'Ana' } },
    { user_id: 'US.1', profile: { name: 'Ben' } },
  ];
  const messages = [
    message({ context: { id: 'wamid.Q' } }),
    message({ from: undefined, from_user_id: 'US.1' }),
    message({ from: '+16505551234', from_user_id: 'US.2' }),
    message({ from: 'not a number', from_user_id: 'US.3' }),
  ];
  const found = read(webhook(change({ contacts, messages }))).map((item) => {
    assert.ok(item.kind === 'message');
    const { phone, userId, name, replyTo } = item.message;
    return [phone, userId, name, replyTo];
  });
  assert.deepEqual(found, [
    ['+16505551234', null, 'Ana', 'wamid.Q'],
    [null, 'US.1', 'Ben', null],
    ['+16505551234', 'US.2', null, null],
    [null, 'US.3', null, null],
  ]);
});

test('times that are none, or beyond all calendars, are unreadable', () => {
  for (const timestamp of ['', 'now', '-5', '1e9', 0, -1, null, true, 1e15, 1e300]) {
    assert.deepEqual(
      kinds(read(webhook(change({ statuses: [status({ timestamp })] })))),
      ['unreadable'],
      String(timestamp),
    );
  }
});

test('an account that tells of its own errors needs no number; other changes do [received errors]', () => {
  const alone = { field: 'messages', value: { errors: [{ code: 1 }] } };
  assert.deepEqual(read(webhook(alone)), [
    { kind: 'error', place: 'entry[0].changes[0]', phoneNumberId: null, code: 1, title: 'failed' },
  ]);
  assert.deepEqual(kinds(read(webhook({ field: 'messages', value: { statuses: [status()] } }))), ['unreadable']);
});

test('nothing that comes makes it throw, and each item says what it is', () => {
  const names = [
    'entry',
    'changes',
    'value',
    'field',
    'metadata',
    'statuses',
    'messages',
    'contacts',
    'id',
    'timestamp',
  ];
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 7, withCrossShrink: true },
      fc.constantFrom(null, 0, '', 'messages', '1', [], {}),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names), tie('tree'), { maxKeys: 5 }),
    ),
  }));
  fc.assert(fc.property(tree, (one) => assert.ok(read({ entry: one }).every((item) => item.kind.length > 0))));
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('statuses', 'messages', 'contacts', 'metadata'), (one, key) => {
      assert.ok(Array.isArray(read(webhook(change({ statuses: [status()], messages: [message()], [key]: one })))));
    }),
  );
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.equal(readWebhook(Buffer.from(bytes)).length, 1)));
  const cut = JSON.stringify(webhook(change({ statuses: [status()] })));
  for (let end = 0; end < cut.length; end++)
    assert.deepEqual(kinds(readWebhook(Buffer.from(cut.slice(0, end)))), ['unreadable']);
});
