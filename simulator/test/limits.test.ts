import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject, type JsonObject } from '../src/json.ts';
import { DEFAULT_NUMBER } from '../src/numbers.ts';
import { listOf } from './receiver.ts';
import { type Answer, startWorld, type World } from './world.ts';

const CUSTOMER = '+16505551234';
const HOUR = 3_600_000;
const HELLO = { type: 'template', template: { name: 'hello_world', language: { code: 'en_US' } } };
const WELCOME = { type: 'template', template: { name: 'welcome_message', language: { code: 'en' } } };

function codeOf(answer: Answer): unknown {
  return isObject(answer.body.error) ? answer.body.error.code : answer.status;
}

async function enforce(world: World, limits: JsonObject | boolean): Promise<void> {
  const answer = await world.call('PUT', '/_simulator/settings', { enforce: limits });
  assert.equal(answer.status, 200, answer.text);
}

async function advance(world: World, hours: number): Promise<void> {
  assert.equal((await world.call('POST', '/_simulator/clock', { advance_ms: hours * HOUR })).status, 200);
}

/** What becomes of a message: its last status, or the code with which it fails. */
async function fate(world: World, message?: JsonObject): Promise<unknown> {
  const id = world.wamid(await world.send(CUSTOMER, message));
  const statuses = (): { status: string; item: JsonObject }[] =>
    world.receiver.statuses().filter((one) => one.id === id);
  const done = (): boolean => statuses().some(({ status }) => status === 'read' || status === 'failed');
  await world.receiver.until(done, 'the end of a message');
  const last = statuses().at(-1);
  return last?.status === 'failed' ? listOf(last.item.errors)[0]?.code : last?.status;
}

test('nothing is enforced until told, and what is told wrongly is refused', async (context) => {
  const world = await startWorld(context);
  assert.equal(await fate(world), 'read');
  const { body } = await world.call('GET', '/_simulator/settings');
  assert.ok(isObject(body.enforce) && Object.values(body.enforce).every((on) => on === false));
  const wrong: [JsonObject, string][] = [
    [{ enforce: 'all' }, 'enforce'],
    [{ enforce: { windows: true } }, 'enforce.windows'],
    [{ enforce: { window: 1 } }, 'enforce.window'],
    [{ template_review: 'never' }, 'template_review'],
    [{ reads: 'no' }, 'reads'],
  ];
  for (const [settings, field] of wrong) {
    const refused = await world.call('PUT', '/_simulator/settings', settings);
    assert.deepEqual([refused.status, refused.body.field], [400, field]);
  }
  await enforce(world, true);
  const changed = await world.call('GET', '/_simulator/settings');
  assert.ok(isObject(changed.body.enforce) && Object.values(changed.body.enforce).every((on) => on === true));
});

test('the window: a day after a message, three after one that came by an advertisement, and never for templates', async (context) => {
  const world = await startWorld(context);
  await enforce(world, { window: true });
  assert.equal(await fate(world), 131047, 'never heard of');
  assert.equal(await fate(world, HELLO), 'read');
  await world.call('POST', '/_simulator/inbound', { from: CUSTOMER, text: 'Hi' });
  assert.equal(await fate(world), 'read');
  await advance(world, 23.9);
  assert.equal(await fate(world), 'read');
  await advance(world, 0.2);
  assert.equal(await fate(world), 131047);
  await world.call('POST', '/_simulator/inbound', { from: CUSTOMER, text: 'Hi', referral: true });
  await advance(world, 71);
  assert.equal(await fate(world), 'read');
  await advance(world, 2);
  assert.equal(await fate(world), 131047);
  const told = Number(world.receiver.statuses().at(-1)?.item.timestamp) * 1000;
  assert.ok(told - Date.now() > 96 * HOUR, 'webhooks tell the time of the clock');
});

test('the messaging limit counts users first written to, a portfolio’s numbers together, and moves on', async (context) => {
  const world = await startWorld(context);
  await enforce(world, { messaging_limit: true });
  const second = '200000000000001';
  await world.call('POST', '/_simulator/numbers', { phone_number_id: second, messaging_limit: 'TIER_250' });
  await world.call('POST', '/_simulator/numbers', {
    phone_number_id: DEFAULT_NUMBER.phone_number_id,
    messaging_limit: 'TIER_250',
  });
  const to = (index: number): string => `+1650556${1000 + index}`;
  for (let index = 0; index < 250; index++) assert.equal((await world.send(to(index), HELLO)).status, 200);
  assert.equal((await world.send(to(0), HELLO)).status, 200, 'the same user counts once');
  assert.equal(codeOf(await world.send(to(250), HELLO)), 131048);
  const body = { messaging_product: 'whatsapp', to: to(250), ...HELLO };
  assert.equal(codeOf(await world.call('POST', `/v26.0/${second}/messages`, body)), 131048);
  await world.call('POST', '/_simulator/inbound', { from: to(251), text: 'Hi' });
  assert.equal((await world.send(to(251))).status, 200, 'an answer does not count');
  await advance(world, 25);
  assert.equal((await world.send(to(250), HELLO)).status, 200);
});

test('throughput, pair rate and the cap on marketing', async (context) => {
  const world = await startWorld(context);
  await enforce(world, { marketing_cap: true });
  assert.deepEqual([await fate(world, WELCOME), await fate(world, WELCOME)], ['read', 'read']);
  assert.equal(await fate(world, WELCOME), 131049);
  assert.equal(await fate(world, HELLO), 'read', 'no marketing');
  await advance(world, 25);
  assert.equal(await fate(world, WELCOME), 'read');
  await enforce(world, { marketing_cap: false, pair_rate: true });
  const many = await Promise.all(Array.from({ length: 46 }, () => world.send('+16505550001')));
  assert.equal(many.filter((answer) => codeOf(answer) === 131056).length, 1);
  await enforce(world, { pair_rate: false, throughput: true });
  await world.call('POST', '/_simulator/numbers', { phone_number_id: DEFAULT_NUMBER.phone_number_id, throughput: 10 });
  const burst = await Promise.all(Array.from({ length: 20 }, (_, index) => world.send(`+1650556${1000 + index}`)));
  const refused = burst.filter((answer) => codeOf(answer) === 130429).length;
  assert.ok(refused >= 9 && refused <= 10, `${refused} refused`);
});

test('the clock goes on and never back, until a reset sets it right', async (context) => {
  const world = await startWorld(context);
  const change = (body: JsonObject): Promise<Answer> => world.call('POST', '/_simulator/clock', body);
  const later = new Date(Date.now() + 48 * HOUR).toISOString();
  const moved = await change({ now: later });
  assert.ok(Math.abs(Date.parse(String(moved.body.now)) - Date.parse(later)) < 1000, moved.text);
  const wrong: [JsonObject, string][] = [
    [{ now: new Date().toISOString() }, 'now'],
    [{ now: 'tomorrow' }, 'now'],
    [{ advance_ms: -1 }, 'advance_ms'],
    [{ advance_ms: 1, now: later }, 'now'],
    [{ forward: 1 }, 'forward'],
  ];
  for (const [body, field] of wrong) {
    const refused = await change(body);
    assert.deepEqual([refused.status, refused.body.field], [400, field]);
  }
  await world.call('POST', '/_simulator/reset');
  assert.equal((await world.call('GET', '/_simulator/clock')).body.ahead_ms, 0);
});

test('messages of every kind are held against Meta’s limits', async (context) => {
  const world = await startWorld(context);
  const form = new FormData();
  form.set('messaging_product', 'whatsapp');
  form.set('file', new Blob(['RIFF'], { type: 'image/webp' }), 'a.webp');
  const path = `${world.url}/v26.0/${DEFAULT_NUMBER.phone_number_id}/media`;
  const headers = { authorization: 'Bearer token' };
  const uploaded: unknown = await (await fetch(path, { method: 'POST', body: form, headers })).json();
  const id = isObject(uploaded) ? uploaded.id : undefined;
  form.set('file', new Blob(['x'.repeat(100_001)], { type: 'image/webp' }), 'a.webp');
  assert.equal((await fetch(path, { method: 'POST', body: form, headers })).status, 400, 'a sticker that stands still');
  const interactive = (content: JsonObject): JsonObject => ({
    type: 'interactive',
    interactive: { body: { text: 'Hi' }, ...content },
  });
  const cases: [JsonObject, unknown][] = [
    [{ type: 'sticker', sticker: { id } }, 200],
    [{ type: 'document', document: { id, filename: 'a.webp' } }, 200],
    [{ type: 'image', image: { id } }, 131053],
    [{ type: 'audio', audio: { link: 'https://example.com/a.ogg', voice: true } }, 200],
    [{ type: 'video', video: { link: 'https://example.com/a.mp4', voice: true } }, 100],
    [{ type: 'image', image: { link: 'https://example.com/a.png', filename: 'a.png' } }, 100],
    [{ type: 'contacts', contacts: [{ name: { formatted_name: 'Ana' } }] }, 131009],
    [
      interactive({
        type: 'cta_url',
        action: { name: 'cta_url', parameters: { display_text: 'Go', url: 'https://a.b' } },
      }),
      200,
    ],
    [
      interactive({ type: 'cta_url', action: { name: 'cta_url', parameters: { display_text: 'Go', url: 'a.b' } } }),
      100,
    ],
    [interactive({ type: 'location_request_message', action: { name: 'send_location' } }), 200],
    [interactive({ type: 'location_request_message', action: { name: 'send' } }), 100],
    [
      interactive({
        type: 'flow',
        action: { name: 'flow', parameters: { flow_id: '1', flow_cta: 'Go', flow_message_version: '3' } },
      }),
      200,
    ],
    [interactive({ type: 'flow', action: { name: 'flow', parameters: {} } }), 100],
    [interactive({ type: 'product', action: { catalog_id: '1', product_retailer_id: 'a' } }), 200],
    [
      interactive({
        type: 'product_list',
        header: { type: 'text', text: 'H' },
        action: { catalog_id: '1', sections: [{ product_items: [{ product_retailer_id: 'a' }] }] },
      }),
      200,
    ],
    [interactive({ type: 'product_list', action: { catalog_id: '1', sections: [] } }), 100],
    [interactive({ type: 'catalog_message', action: { name: 'catalog_message' } }), 200],
    [interactive({ type: 'address_message', action: { name: 'address_message' } }), 200],
    [interactive({ type: 'carousel', action: { cards: [{ card_index: 0, action: {} }] } }), 131009],
    [
      interactive({
        type: 'list',
        header: { type: 'image', image: { id: '1' } },
        action: { button: 'B', sections: [{ rows: [{ id: '1', title: 'T' }] }] },
      }),
      131009,
    ],
    [interactive({ type: 'poll', action: {} }), 100],
  ];
  for (const [message, expected] of cases) {
    assert.equal(codeOf(await world.send(CUSTOMER, message)), expected, JSON.stringify(message));
  }
});
