import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { codedError, graphError, unknownObject, webhookError } from '../src/graph/errors.ts';
import { isObject, type JsonObject } from '../src/json.ts';
import { type BusinessNumber, DEFAULT_NUMBER } from '../src/numbers.ts';
import type { Reply } from '../src/reply.ts';
import { newTemplate } from '../src/templates/template.ts';
import { accountEnvelope, numberNews, type TemplateNews, templateEnvelope } from '../src/webhooks/account-news.ts';
import { messagesEnvelope, type Sent, statusesEnvelope, statusOf, userIdEnvelope } from '../src/webhooks/payloads.ts';
import { listOf } from './receiver.ts';
import { fixture, shapeOf } from './shape.ts';
import { type Answer, register, startWorld } from './world.ts';

const NUMBER = { ...DEFAULT_NUMBER };
const SENT: Sent = { wamid: 'wamid.A', wa_id: '16505551234', category: 'marketing' };
const AT = Date.now();

function bodyOf(reply: Reply): unknown {
  return JSON.parse(reply.body.toString());
}

/** The message in a fixture of the kind `inbound-*`, and the name of the customer. */
function messageIn(payload: unknown): JsonObject {
  const [entry] = listOf(isObject(payload) ? payload.entry : undefined);
  const [change] = listOf(entry?.changes);
  const [message] = listOf(isObject(change?.value) ? change.value.messages : undefined);
  assert.ok(message, 'the fixture has a message');
  return message;
}

test('every fixture names its source and date', () => {
  const names = readdirSync(new URL('../fixtures/', import.meta.url)).map((file) => file.replace('.json', ''));
  assert.ok(names.length >= 60);
  for (const name of names) {
    const { source, date, payload } = fixture(name);
    assert.match(String(source), /^https:\/\//, name);
    assert.match(String(date), /^20\d\d/, name);
    assert.ok(isObject(payload), name);
  }
});

test('statuses have the documented shape', () => {
  const built = {
    'status-sent': statusOf(SENT, 'sent', AT),
    'status-delivered': statusOf({ ...SENT, opaque: 'order 1001' }, 'delivered', AT),
    'status-read': statusOf(SENT, 'read', AT),
    'status-failed': statusOf(SENT, 'failed', AT, webhookError(131049)),
  };
  for (const [name, status] of Object.entries(built)) {
    assert.deepEqual(shapeOf(statusesEnvelope(NUMBER, [status])), shapeOf(fixture(name).payload), name);
  }
  assert.deepEqual(
    webhookError(131049),
    listOf(listOf(isObject(fixture('status-failed').payload) ? [fixture('status-failed').payload] : [])[0]?.entry)
      .flatMap((entry) => listOf(entry.changes))
      .flatMap((change) => listOf(isObject(change.value) ? change.value.statuses : undefined))
      .flatMap((status) => listOf(status.errors))[0],
  );
});

test('customers’ messages have the documented shape, whatever their type', () => {
  const types = [
    'text',
    'image',
    'reaction',
    'location',
    'contacts',
    'button',
    'button-reply',
    'list-reply',
    'order',
    'system',
  ];
  for (const name of [...types, 'unsupported']) {
    const { payload } = fixture(`inbound-${name}`);
    const message = messageIn(payload);
    const type = String(message.type);
    const built = messagesEnvelope(NUMBER, [
      {
        from: '16505551234',
        name: 'Sheena Nelson',
        id: 'wamid.B',
        type,
        payload: type === 'unsupported' ? message.errors : message[type],
        context: isObject(message.context) ? message.context : undefined,
        at: AT,
      },
    ]);
    assert.deepEqual(shapeOf(built), shapeOf(payload), name);
  }
});

test('errors and the news of a template have the documented shape', () => {
  assert.deepEqual(shapeOf(bodyOf(codedError(130429))), shapeOf(fixture('error').payload));
  assert.deepEqual(shapeOf(bodyOf(graphError('(#100) x'))), shapeOf(fixture('error-parameter').payload));
  assert.deepEqual(shapeOf(bodyOf(unknownObject('POST', '1'))), shapeOf(fixture('error-object').payload));
  const template = newTemplate({
    id: '1',
    name: 'a',
    language: 'en_US',
    category: 'UTILITY',
    parameter_format: 'POSITIONAL',
    components: [],
  });
  const approved = templateEnvelope('1', template, { kind: 'status', event: 'APPROVED' }, AT);
  assert.deepEqual(shapeOf(approved), shapeOf(fixture('template-status').payload));
});

test('what customers do over the wire has the documented shape', async (context) => {
  const world = await startWorld(context);
  const from = '16505551234';
  const name = 'Sheena Nelson';
  const expect = async (fixtureName: string, body: JsonObject): Promise<void> => {
    const before = world.receiver.received.length;
    const answer = await world.call('POST', '/_simulator/inbound', { name, ...body });
    assert.equal(answer.status, 200, answer.text);
    await world.receiver.until(() => world.receiver.received.length > before, fixtureName);
    const got: unknown = JSON.parse(world.receiver.received[before]?.raw ?? '');
    assert.deepEqual(shapeOf(got), shapeOf(fixture(fixtureName).payload), fixtureName);
  };
  const caption = { caption: 'Look' };
  await expect('inbound-text', { from, text: 'Hello' });
  await expect('inbound-image-url', { from, type: 'image', media: caption });
  await expect('inbound-video', { from, type: 'video', media: caption });
  await expect('inbound-audio', { from, type: 'audio', media: { voice: true } });
  await expect('inbound-document', { from, type: 'document', media: caption });
  await expect('inbound-sticker', { from, type: 'sticker' });
  await expect('inbound-edit', { from, type: 'edit', text: 'Hello!' });
  await expect('inbound-revoke', { from, type: 'revoke' });
  await expect('inbound-order', { from, type: 'order' });
  await expect('inbound-unsupported', { from, type: 'unsupported' });
  await expect('inbound-referral', { from, text: 'Hello', referral: true });
  const product = { catalog_id: '1', product_retailer_id: 'a' };
  await expect('inbound-product-inquiry', {
    from,
    text: 'Still there?',
    context: { message_id: 'wamid.A', referred_product: product },
  });
  await expect('user-preferences', { from, preference: 'stop' });
  const parameters = { flow_id: '1', flow_cta: 'Book', flow_message_version: '3' };
  const flow = { type: 'flow', body: { text: 'Book' }, action: { name: 'flow', parameters } };
  await world.call('PUT', '/_simulator/faults', {
    rules: [{ kind: 'webhook_lost', kinds: ['sent', 'delivered', 'read'] }],
  });
  await world.send(from, { type: 'interactive', interactive: flow });
  await expect('inbound-flow-reply', { from, tap: 'Book' });
  const userId = 'US.13491208655302741918';
  const named = { user_id: userId, username: '@realsheenanelson' };
  await expect('inbound-user-id', { ...named, parent_user_id: 'US.ENT.1', text: 'Hello' });
  const changed = { body: 'x', wa_id: '12195555358', user_id: 'US.2', type: 'user_changed_user_id' };
  await expect('inbound-user-changed-id', { from, type: 'system', payload: changed });
});

test('what Meta says of templates, numbers and accounts has the documented shape', () => {
  const template = {
    ...newTemplate({
      id: '1',
      name: 'a',
      language: 'en_US',
      category: 'MARKETING',
      parameter_format: 'POSITIONAL',
      components: [
        { type: 'HEADER', format: 'TEXT', text: 'Hello' },
        { type: 'BODY', text: 'Hi' },
        { type: 'FOOTER', text: 'Bye' },
        { type: 'BUTTONS', buttons: [{ type: 'URL', text: 'Go', url: 'https://example.com' }] },
      ],
    }),
  };
  const rejection = { reason: 'x', recommendation: 'y' };
  const news: Record<string, TemplateNews> = {
    'template-rejected': { kind: 'status', event: 'REJECTED', reason: 'INVALID_FORMAT', rejection_info: rejection },
    'template-paused': { kind: 'status', event: 'PAUSED', title: 'FIRST_PAUSE' },
    'template-disabled': { kind: 'status', event: 'DISABLED' },
    'template-quality': { kind: 'quality', previous: 'GREEN' },
    'template-components': { kind: 'components' },
    'template-category': { kind: 'category', previous: 'UTILITY' },
  };
  for (const [name, one] of Object.entries(news)) {
    assert.deepEqual(shapeOf(templateEnvelope('1', template, one, AT)), shapeOf(fixture(name).payload), name);
  }
  const usual = { ...NUMBER, throughput: 80, messaging_limit: 'TIER_2K' as const };
  const changes: [string, number, Partial<BusinessNumber>][] = [
    ['number-throughput', 0, { throughput: 1000 }],
    ['number-limit', 0, { messaging_limit: 'TIER_10K' }],
    ['business-capability', 1, { messaging_limit: 'TIER_10K' }],
    ['number-name', 0, { verified_name: 'Another' }],
  ];
  for (const [name, index, change] of changes) {
    const told = numberNews(usual, { ...usual, ...change })[index];
    assert.ok(told, name);
    assert.deepEqual(shapeOf(accountEnvelope('1', told.field, told.value, AT)), shapeOf(fixture(name).payload), name);
  }
  const sent: Sent = { ...SENT, wa_id: undefined, user_id: 'US.1', profile: { name: 'Pablo M.', username: '@p' } };
  const status = statusesEnvelope(NUMBER, [statusOf(sent, 'delivered', AT)], [sent]);
  assert.deepEqual(shapeOf(status), shapeOf(fixture('status-user-id').payload));
  const failed = statusOf({ ...SENT, user_id: 'US.1', by_phone: true }, 'failed', AT, webhookError(131049));
  assert.equal(failed.recipient_user_id, undefined, 'not told when it went to a phone number');
  const id = userIdEnvelope(NUMBER, { from: '1', user_id: 'US.1', name: 'Sheena Nelson' }, 'US.2', AT);
  assert.deepEqual(shapeOf(id), shapeOf(fixture('user-id-update').payload));
});

test('what is told of an account as it is given stands in the documented envelope', async (context) => {
  const world = await startWorld(context);
  const given = ['account-review', 'account-alert', 'account-restricted', 'security', 'business-username'];
  for (const name of [...given, 'template-category-coming']) {
    const { payload } = fixture(name);
    const [entry] = listOf(isObject(payload) ? payload.entry : undefined);
    const [change] = listOf(entry?.changes);
    const body = { waba_id: entry?.id, field: change?.field, value: change?.value };
    assert.equal((await world.call('POST', '/_simulator/account_events', body)).status, 200, name);
    await world.receiver.until(() => world.receiver.received.length === 1, name);
    const got: unknown = JSON.parse(world.receiver.received.pop()?.raw ?? '');
    assert.deepEqual(shapeOf(got), shapeOf(payload), name);
  }
  const { payload } = fixture('errors');
  await world.call('POST', '/_simulator/raw_webhook', { body: payload });
  await world.receiver.until(() => world.receiver.received.length === 1, 'errors');
  assert.deepEqual(JSON.parse(world.receiver.received[0]?.raw ?? ''), payload);
});

test('answers over the wire have the documented shape', async (context) => {
  const world = await startWorld(context, {}, false);
  const id = DEFAULT_NUMBER.phone_number_id;
  const waba = DEFAULT_NUMBER.waba_id;
  const same = (body: JsonObject, name: string): void => {
    assert.deepEqual(shapeOf(body), shapeOf(fixture(name).payload), name);
  };
  same((await world.send('+16505551234')).body, 'send-answer');
  const template = { name: 'hello_world', language: { code: 'en_US' } };
  same((await world.send('+16505551234', { type: 'template', template })).body, 'send-answer-template');
  const toUserId = await world.call('POST', `/v26.0/${id}/messages`, {
    messaging_product: 'whatsapp',
    recipient: 'US.13491208655302741918',
    type: 'text',
    text: { body: 'Hello' },
  });
  same(toUserId.body, 'send-answer-user-id');
  const mark = {
    messaging_product: 'whatsapp',
    status: 'read',
    message_id: 'wamid.X',
    typing_indicator: { type: 'text' },
  };
  same((await world.call('POST', `/v26.0/${id}/messages`, mark)).body, 'mark-read-answer');
  same((await world.call('GET', `/v26.0/${id}`)).body, 'phone-number');
  const limit = await world.call('GET', `/v26.0/${id}?fields=whatsapp_business_manager_messaging_limit`);
  same(limit.body, 'phone-number-limit');
  same((await world.call('GET', `/v26.0/${waba}/message_templates?name=hello_world`)).body, 'templates-answer');
  const created = { name: 'mine', language: 'en_US', category: 'UTILITY', components: [{ type: 'BODY', text: 'Hi' }] };
  same((await world.call('POST', `/v26.0/${waba}/message_templates`, created)).body, 'template-created-answer');
  const subscribed = await world.call('GET', `/v26.0/${waba}/subscribed_apps`);
  same(subscribed.body, 'subscribed-apps');
  same((await world.call('GET', '/v26.0/debug_token?input_token=any')).body, 'debug-token');
  const blocks = `/v26.0/${id}/block_users`;
  const block = (...users: string[]): Promise<Answer> =>
    world.call('POST', blocks, { messaging_product: 'whatsapp', block_users: users.map((user) => ({ user })) });
  same((await block('+16505551234')).body, 'block-users-answer');
  same((await world.call('GET', blocks)).body, 'blocked-users');
  await world.call('POST', '/_simulator/inbound', { from: '+16505550003', text: 'Hi' });
  await world.call('PUT', '/_simulator/settings', { enforce: { window: true } });
  same((await block('+16505550003', '+16505550004')).body, 'block-users-failed');
  const denied = await world.call('GET', `/v26.0/${id}`, undefined, { authorization: '' });
  assert.equal(denied.status, 401);
  same(denied.body, 'error-token');
  assert.equal((await register(world)).status, 200);
});
