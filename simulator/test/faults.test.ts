import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject, type JsonObject } from '../src/json.ts';
import { DEFAULT_NUMBER } from '../src/numbers.ts';
import { type Answer, startWorld, type World } from './world.ts';

function codeOf(answer: Answer): unknown {
  return isObject(answer.body.error) ? answer.body.error.code : undefined;
}

async function configure(world: World, rules: JsonObject[], seed = 1): Promise<void> {
  const answer = await world.call('PUT', '/_simulator/faults', { seed, rules });
  assert.equal(answer.status, 200, answer.text);
}

async function total(world: World): Promise<unknown> {
  return (await world.call('GET', '/_simulator/messages?limit=1')).body.total;
}

/** The words of the statuses that came about one message. */
function wordsOf(world: World, id: string): string[] {
  return world.receiver
    .statuses()
    .filter((status) => status.id === id)
    .map(({ status }) => status);
}

test('magic numbers: any code at once, by webhook, or the first time only', async (context) => {
  const world = await startWorld(context);
  const throttled = await world.send('+19990130429');
  assert.deepEqual([throttled.status, codeOf(throttled)], [400, 130429]);
  const down = await world.send('+19990000002');
  assert.deepEqual([down.status, codeOf(down)], [503, 2]);
  assert.equal(codeOf(await world.send('+19990999999')), 999999);
  assert.equal(await total(world), 0);
  const failing = world.wamid(await world.send('+19991131026', { biz_opaque_callback_data: 'm1' }));
  await world.receiver.until(() => world.receiver.statuses().length === 1, 'failed');
  const [failed] = world.receiver.statuses();
  assert.deepEqual([failed?.id, failed?.status, failed?.item.biz_opaque_callback_data], [failing, 'failed', 'm1']);
  assert.ok(Array.isArray(failed?.item.errors) && isObject(failed.item.errors[0]));
  assert.equal(failed.item.errors[0].code, 131026);
  assert.equal(codeOf(await world.send('+19992131056')), 131056);
  assert.equal((await world.send('+19992131056')).status, 200);
});

test('magic numbers: slow, broken pages, connections that are cut', async (context) => {
  const world = await startWorld(context);
  const began = performance.now();
  const slow = world.wamid(await world.send('+19993000300'));
  assert.ok(performance.now() - began >= 298);
  assert.ok(wordsOf(world, slow).includes('sent'), 'the status overtook the answer');
  assert.equal(await total(world), 1);
  const broken = await world.send('+19994502000');
  assert.equal(broken.status, 502);
  assert.match(broken.text, /<!DOCTYPE html>/);
  await assert.rejects(world.send('+19995000000'), /fetch failed/);
  assert.equal(await total(world), 1, 'cut before it was accepted');
  await assert.rejects(world.send('+19995100000'), /fetch failed/);
  assert.equal(await total(world), 2, 'cut after it was accepted');
  for (const [index, to] of ['+19995200000', '+19995300000'].entries()) {
    const garbage = await world.send(to);
    assert.equal(garbage.status, 200);
    assert.throws(() => JSON.parse(garbage.text));
    assert.equal(await total(world), 3, `accepted ${index === 0}`);
  }
  await assert.rejects(world.send('+19996100000'), /fetch failed/);
  assert.equal((await world.send('+19996100000')).status, 200, 'only the first time');
  await world.receiver.until(() => world.receiver.statuses().length >= 15, 'the statuses of all five accepted');
  assert.equal(await total(world), 5);
});

test('magic numbers: webhooks lost, doubled, reordered', async (context) => {
  const world = await startWorld(context);
  const send = async (to: string): Promise<string> => world.wamid(await world.send(to));
  const lost = await send('+19997000000');
  const skipping = await send('+19997100000');
  const unread = await send('+19997200000');
  const doubled = await send('+19997300000');
  const reordered = await send('+19997400000');
  await world.receiver.until(() => world.receiver.statuses().length === 2 + 2 + 6 + 3, 'thirteen statuses');
  assert.deepEqual(wordsOf(world, lost), []);
  assert.deepEqual(wordsOf(world, skipping), ['sent', 'read']);
  assert.deepEqual(wordsOf(world, unread), ['sent', 'delivered']);
  assert.deepEqual(wordsOf(world, doubled).sort(), ['delivered', 'delivered', 'read', 'read', 'sent', 'sent']);
  assert.deepEqual(wordsOf(world, reordered), ['read', 'delivered', 'sent']);
  const { body } = await world.call('GET', '/_simulator/stats');
  assert.ok(isObject(body.webhooks) && isObject(body.webhooks.lost));
  assert.deepEqual([body.webhooks.lost.sent, body.webhooks.lost.delivered, body.webhooks.lost.read], [1, 2, 2]);
  assert.ok(isObject(body.faults));
  assert.equal(body.faults.webhook_lost, 3);
});

test('rules: webhooks delayed, and never retried', async (context) => {
  const world = await startWorld(context);
  await configure(world, [{ kind: 'webhook_delay', delay: 150, kinds: ['sent'] }]);
  const late = world.wamid(await world.send('+16505551234'));
  await world.receiver.until(() => wordsOf(world, late).length === 3, 'three statuses');
  assert.deepEqual(wordsOf(world, late), ['delivered', 'read', 'sent']);
  await configure(world, [{ kind: 'webhook_never_retried' }, { kind: 'webhook_lost', kinds: ['delivered', 'read'] }]);
  world.receiver.answers = [500];
  const once = world.wamid(await world.send('+16505551234'));
  await world.receiver.until(() => wordsOf(world, once).length === 1, 'the only try');
  await world.call('POST', '/_simulator/inbound', { from: '16505551234', text: 'after it' });
  await world.receiver.until(() => world.receiver.received.length === 5, 'what came after');
  const { body } = await world.call('GET', '/_simulator/stats');
  assert.ok(isObject(body.webhooks) && isObject(body.webhooks.given_up));
  assert.deepEqual([body.webhooks.given_up.sent, body.webhooks.pending], [1, 0]);
});

test('rules: for one number or for all, by chance, and the same again with the same seed', async (context) => {
  const world = await startWorld(context);
  const rules = [{ kind: 'error', code: 131000, probability: 0.5 }];
  const outcomes = async (seed: number): Promise<string> => {
    await configure(world, rules, seed);
    const codes: number[] = [];
    for (let index = 0; index < 40; index++) codes.push((await world.send('+16505551234')).status);
    return codes.join(' ');
  };
  const first = await outcomes(7);
  assert.equal(await outcomes(7), first);
  assert.notEqual(await outcomes(8), first);
  const errors = first.split(' ').filter((status) => status === '500').length;
  assert.ok(errors > 8 && errors < 32, `${errors} of 40`);
  await configure(world, [{ kind: 'error', code: 131000, phone_number_id: '1' }]);
  assert.equal((await world.send('+16505551234')).status, 200);
  await configure(world, [{ kind: 'server_error', phone_number_id: DEFAULT_NUMBER.phone_number_id }]);
  assert.equal((await world.send('+16505551234')).status, 500);
  assert.deepEqual((await world.call('DELETE', '/_simulator/faults')).body.rules, []);
  assert.equal((await world.send('+16505551234')).status, 200);
});

test('rules: throughput and pair rate are enforced only when told', async (context) => {
  const world = await startWorld(context);
  const burst = async (to: (index: number) => string, count: number): Promise<unknown[]> => {
    const answers = await Promise.all(Array.from({ length: count }, (_, index) => world.send(to(index))));
    return answers.filter((answer) => answer.status !== 200).map(codeOf);
  };
  const another = (index: number): string => `+1650556${1000 + index}`;
  assert.deepEqual(await burst(another, 60), []);
  await configure(world, [{ kind: 'throughput', per_second: 20 }]);
  const refused = await burst(another, 30);
  assert.ok(refused.length >= 9 && refused.length <= 10, `${refused.length} refused`);
  assert.deepEqual([...new Set(refused)], [130429]);
  await configure(world, [{ kind: 'pair_rate' }]);
  const pair = await burst(() => '+16505551234', 50);
  assert.deepEqual(pair, [131056, 131056, 131056, 131056, 131056]);
  assert.equal((await world.send('+16505550000')).status, 200);
});

test('faults that make no sense are refused by the name of the field, and change nothing', async (context) => {
  const world = await startWorld(context);
  await configure(world, [{ kind: 'slow', delay: 1 }]);
  const wrong: [unknown, string][] = [
    [{}, 'rules'],
    [{ rules: {} }, 'rules'],
    [{ rules: [], colour: 1 }, 'colour'],
    [{ rules: [{}] }, 'rules.0.kind'],
    [{ rules: [{ kind: 'fire' }] }, 'rules.0.kind'],
    [{ rules: [{ kind: 'error' }] }, 'rules.0.code'],
    [{ rules: [{ kind: 'cut_before' }, { kind: 'slow', delay: '1s' }] }, 'rules.1.delay'],
    [{ rules: [{ kind: 'cut_before', delay: 5 }] }, 'rules.0.delay'],
    [{ rules: [{ kind: 'error', code: 1, probability: 2 }] }, 'rules.0.probability'],
    [{ rules: [{ kind: 'pair_rate', probability: 0.5 }] }, 'rules.0.probability'],
    [{ rules: [{ kind: 'webhook_lost', kinds: ['seen'] }] }, 'rules.0.kinds.0'],
  ];
  for (const [body, field] of wrong) {
    const refused = await world.call('PUT', '/_simulator/faults', body);
    assert.deepEqual([refused.status, refused.body.field], [400, field], refused.text);
  }
  assert.deepEqual((await world.call('GET', '/_simulator/faults')).body.rules, [{ kind: 'slow', delay: 1 }]);
  const settings = await world.call('PUT', '/_simulator/settings', { statuses_per_webhook: 0 });
  assert.deepEqual([settings.status, settings.body.field], [400, 'statuses_per_webhook']);
  assert.equal((await world.call('PUT', '/_simulator/faults', '{')).body.field, 'body');
  assert.equal((await world.call('GET', '/_simulator/nothing')).status, 404);
  assert.equal((await world.call('DELETE', '/_simulator/messages')).status, 405);
});
