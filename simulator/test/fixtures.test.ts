import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { codedError, graphError, unknownObject, webhookError } from '../src/graph/errors.ts';
import { isObject, type JsonObject } from '../src/json.ts';
import { DEFAULT_NUMBER } from '../src/numbers.ts';
import type { Reply } from '../src/reply.ts';
import { messageEnvelope, type Sent, statusesEnvelope, statusOf, templateEnvelope } from '../src/webhooks/payloads.ts';
import { listOf } from './receiver.ts';
import { fixture, shapeOf } from './shape.ts';
import { register, startWorld } from './world.ts';

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
  assert.ok(names.length >= 30);
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
    const built = messageEnvelope(NUMBER, {
      from: '16505551234',
      name: 'Sheena Nelson',
      id: 'wamid.B',
      type,
      payload: type === 'unsupported' ? message.errors : message[type],
      context: isObject(message.context) ? message.context : undefined,
      at: AT,
    });
    assert.deepEqual(shapeOf(built), shapeOf(payload), name);
  }
});

test('errors and the news of a template have the documented shape', () => {
  assert.deepEqual(shapeOf(bodyOf(codedError(130429))), shapeOf(fixture('error').payload));
  assert.deepEqual(shapeOf(bodyOf(graphError('(#100) x'))), shapeOf(fixture('error-parameter').payload));
  assert.deepEqual(shapeOf(bodyOf(unknownObject('POST', '1'))), shapeOf(fixture('error-object').payload));
  const template = { id: '1', name: 'a', language: 'en_US', category: 'UTILITY' };
  assert.deepEqual(shapeOf(templateEnvelope('1', template, 'APPROVED')), shapeOf(fixture('template-status').payload));
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
  const denied = await world.call('GET', `/v26.0/${id}`, undefined, { authorization: '' });
  assert.equal(denied.status, 401);
  same(denied.body, 'error-token');
  assert.equal((await register(world)).status, 200);
});
