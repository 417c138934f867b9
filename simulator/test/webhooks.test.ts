import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject } from '../src/json.ts';
import { DEFAULT_NUMBER } from '../src/numbers.ts';
import { listOf, startReceiver } from './receiver.ts';
import { register, startWorld, type World } from './world.ts';

async function webhookStats(world: World): Promise<Record<string, unknown>> {
  const { body } = await world.call('GET', '/_simulator/stats');
  return isObject(body.webhooks) ? body.webhooks : {};
}

test('an address is registered only when it answers the challenge', async (context) => {
  const world = await startWorld(context, {}, false);
  const good = { url: world.receiver.url, app_secret: 's', verify_token: 'wrong' };
  const refused = await world.call('POST', '/_simulator/webhooks', good);
  assert.deepEqual([refused.status, refused.body.error], [400, 'not_verified']);
  assert.match(String(refused.body.message), /status 403/);
  assert.equal((await register(world, 'http://127.0.0.1:1/')).status, 400);
  assert.deepEqual((await world.call('GET', '/_simulator/webhooks')).body.webhooks, []);
  assert.equal((await register(world)).body.verified, true);
  const { body } = await world.call('GET', '/_simulator/webhooks');
  assert.deepEqual(body.webhooks, [{ url: world.receiver.url, phone_number_ids: null }]);
  for (const [field, value] of Object.entries({ url: 'nowhere', app_secret: '', verify_token: 7 })) {
    const bad = await world.call('POST', '/_simulator/webhooks', { ...good, [field]: value });
    assert.deepEqual([bad.status, bad.body.field], [400, field]);
  }
});

test('a webhook that is refused comes again after 1 and 2 seconds', async (context) => {
  const world = await startWorld(context);
  world.receiver.answers = [503, 202];
  const { wamid } = (await world.call('POST', '/_simulator/inbound', { from: '+16505551234', text: 'Hi' })).body;
  assert.match(String(wamid), /^wamid\./);
  await world.receiver.until(() => world.receiver.received.length === 3, 'three tries');
  const [first, second, third] = world.receiver.received;
  assert.ok(first && second && third);
  assert.deepEqual([second.raw, third.raw], [first.raw, first.raw]);
  const waits = [second.at - first.at, third.at - second.at];
  for (const [index, wait] of waits.entries()) {
    const expected = [1000, 2000][index] ?? 0;
    assert.ok(wait >= expected - 2 && wait < expected + 800, `try ${index + 2} came after ${wait} ms`);
  }
  assert.deepEqual((await webhookStats(world)).pending, 0);
});

test('what waits goes to the address that is registered last, signed with its secret', async (context) => {
  const world = await startWorld(context, {}, false);
  await world.send('+16505551234');
  const before = await webhookStats(world);
  assert.deepEqual(before.posts, { answered_200: 0, refused: 0 });
  await register(world);
  await world.receiver.until(() => world.receiver.statuses().length === 3, 'what waited for an address');
  await world.receiver.close();
  await world.call('POST', '/_simulator/inbound', { from: '+16505551234', text: 'Are you there?' });
  const next = await startReceiver();
  context.after(() => next.close());
  await register(world, next.url);
  await next.until(() => next.received.length === 1, 'the retry at the new address');
  assert.equal(next.badSignatures, 0);
});

test('several statuses share a webhook when told, and none waits long', async (context) => {
  const world = await startWorld(context, { settings: { statuses_per_webhook: 10 } });
  await Promise.all(Array.from({ length: 25 }, (_, index) => world.send(`+1650555${1000 + index}`)));
  await world.receiver.until(() => world.receiver.statuses().length === 75, 'all statuses');
  const sizes = world.receiver.received.map(({ value }) => listOf(value.statuses).length);
  assert.ok(Math.max(...sizes) > 1 && Math.max(...sizes) <= 10, `sizes ${sizes.join(' ')}`);
  assert.ok(sizes.length < 40, `${sizes.length} webhooks`);
  assert.equal(world.receiver.badSignatures, 0);
});

test('numbers may have an address of their own', async (context) => {
  const world = await startWorld(context);
  const own = await startReceiver();
  context.after(() => own.close());
  await world.call('POST', '/_simulator/numbers', { phone_number_id: '200000000000001' });
  const registration = { url: own.url, app_secret: 'an app secret', verify_token: 'a verify token' };
  await world.call('POST', '/_simulator/webhooks', { ...registration, phone_number_ids: ['200000000000001'] });
  await world.call('POST', '/_simulator/inbound', {
    phone_number_id: '200000000000001',
    from: '4915112345678',
    text: 'A',
  });
  await world.call('POST', '/_simulator/inbound', { from: '4915112345678', text: 'B' });
  await own.until(() => own.received.length === 1, 'the own one');
  await world.receiver.until(() => world.receiver.received.length === 1, 'the other');
  assert.deepEqual(own.received[0]?.value.metadata, {
    display_phone_number: '15550000001',
    phone_number_id: '200000000000001',
  });
});

test('too much that waits: the oldest is dropped and counted', async (context) => {
  const world = await startWorld(context, { bounds: { webhook_bytes: 3000 } }, false);
  for (let index = 0; index < 10; index++) {
    await world.call('POST', '/_simulator/inbound', { from: '16505551234', text: `${index} ${'x'.repeat(500)}` });
  }
  const stats = await webhookStats(world);
  assert.ok(Number(stats.pending_bytes) <= 3000);
  const dropped = isObject(stats.dropped) ? Number(stats.dropped.message) : 0;
  assert.equal(dropped + Number(stats.pending), 10);
  await register(world);
  await world.receiver.until(() => world.receiver.received.length === 10 - dropped, 'the newest');
  assert.ok(world.receiver.received.some(({ raw }) => raw.includes('9 xxx')));
});

test('a customer writes: text, other types, replies, and without a phone number', async (context) => {
  const world = await startWorld(context);
  const say = async (body: unknown): Promise<void> => {
    assert.equal((await world.call('POST', '/_simulator/inbound', body)).status, 200);
  };
  await say({ from: '+16505551234', text: 'Hello', name: 'Ana', context: { message_id: 'wamid.A' } });
  await say({ from: '16505551234', type: 'image', payload: { id: '1', mime_type: 'image/jpeg', sha256: 'x' } });
  await say({ from: '16505551234', type: 'unsupported' });
  await say({ user_id: 'US.13491208655302741918', text: 'I have a username' });
  await world.receiver.until(() => world.receiver.received.length === 4, 'four messages');
  const messages = world.receiver.received.flatMap(({ value }) => listOf(value.messages));
  const byType = (type: string): unknown => messages.find((message) => message.type === type)?.[type];
  assert.deepEqual(byType('text'), { body: 'Hello' });
  assert.deepEqual(byType('image'), { id: '1', mime_type: 'image/jpeg', sha256: 'x' });
  assert.deepEqual(messages.find((message) => message.context)?.context, {
    from: DEFAULT_NUMBER.display_phone_number,
    id: 'wamid.A',
  });
  const named = messages.find((message) => message.from_user_id);
  assert.deepEqual([named?.from, named?.from_user_id], [undefined, 'US.13491208655302741918']);
  const wrong: [Record<string, unknown>, string][] = [
    [{ text: 'Hi' }, 'from'],
    [{ from: 'x', text: 'Hi' }, 'from'],
    [{ from: '16505551234' }, 'text'],
    [{ from: '16505551234', type: 'interactive' }, 'payload'],
    [{ from: '16505551234', type: 'image', media: { data: '!' } }, 'media.data'],
    [{ from: '16505551234', tap: 'Yes' }, 'tap'],
    [{ from: '16505551234', text: 'Hi', colour: 'red' }, 'colour'],
    [{ from: '16505551234', text: 'Hi', phone_number_id: '1' }, 'phone_number_id'],
  ];
  for (const [body, field] of wrong) {
    const refused = await world.call('POST', '/_simulator/inbound', body);
    assert.deepEqual([refused.status, refused.body.field], [400, field]);
  }
});

test('reset forgets messages, faults and what waits, and leaves the address', async (context) => {
  const world = await startWorld(context);
  await world.send('+16505551234');
  await world.call('PUT', '/_simulator/faults', { rules: [{ kind: 'error', code: 131000 }] });
  await world.call('POST', '/_simulator/reset');
  const stats = await world.call('GET', '/_simulator/stats');
  assert.deepEqual([stats.body.accepted, stats.body.statuses_ahead], [0, 0]);
  assert.deepEqual((await world.call('GET', '/_simulator/faults')).body.rules, []);
  await world.send('+16505551234');
  await world.receiver.until(() => world.receiver.statuses().some(({ status }) => status === 'read'), 'a read');
  assert.equal((await world.call('GET', '/_simulator/messages')).body.total, 1);
});
