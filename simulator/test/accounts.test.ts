import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject, type JsonObject } from '../src/json.ts';
import { DEFAULT_NUMBER } from '../src/numbers.ts';
import { APP_SECRET, listOf, startReceiver, VERIFY_TOKEN } from './receiver.ts';
import { type Answer, startWorld, type World } from './world.ts';

const WABA = DEFAULT_NUMBER.waba_id;
const NUMBER = DEFAULT_NUMBER.phone_number_id;

/** The changes that came, as field and value. */
function changes(received: readonly { raw: string }[]): [unknown, JsonObject][] {
  return received.flatMap(({ raw }) => {
    const envelope: unknown = JSON.parse(raw);
    return listOf(isObject(envelope) ? envelope.entry : undefined)
      .flatMap((entry) => listOf(entry.changes))
      .map(({ field, value }): [unknown, JsonObject] => [field, isObject(value) ? value : {}]);
  });
}

function subcodeOf(answer: Answer): unknown {
  return isObject(answer.body.error) ? answer.body.error.error_subcode : undefined;
}

function change(world: World, body: JsonObject): Promise<Answer> {
  return world.call('PATCH', '/_simulator/numbers', { phone_number_id: NUMBER, ...body });
}

test('what changes about a number is told, and read', async (context) => {
  const world = await startWorld(context);
  await world.call('POST', '/_simulator/numbers', { phone_number_id: NUMBER, throughput: 80 });
  await change(world, { throughput: 1000 });
  await change(world, { quality_rating: 'RED' });
  await change(world, { quality_rating: 'GREEN', messaging_limit: 'TIER_2K' });
  await change(world, { messaging_limit: 'TIER_10K', verified_name: 'Another' });
  await world.receiver.until(() => world.receiver.received.length === 8, 'all that is told');
  const told = changes(world.receiver.received).map(([field, value]) => [field, value.event ?? value.decision]);
  const quality = 'phone_number_quality_update';
  assert.deepEqual(told, [
    [quality, 'THROUGHPUT_UPGRADE'],
    [quality, 'FLAGGED'],
    [quality, 'UNFLAGGED'],
    [quality, 'DOWNGRADE'],
    ['business_capability_update', undefined],
    [quality, 'UPGRADE'],
    ['business_capability_update', undefined],
    ['phone_number_name_update', 'APPROVED'],
  ]);
  const fields = 'quality_rating,throughput,verified_name,whatsapp_business_manager_messaging_limit,name_status';
  assert.deepEqual((await world.call('GET', `/v26.0/${NUMBER}?fields=${fields}`)).body, {
    quality_rating: 'GREEN',
    throughput: { level: 'HIGH' },
    verified_name: 'Another',
    whatsapp_business_manager_messaging_limit: 'TIER_10K',
    name_status: 'APPROVED',
    id: NUMBER,
  });
  const unknown = await world.call('PATCH', '/_simulator/numbers', { phone_number_id: '999999' });
  assert.deepEqual([unknown.status, unknown.body.field], [400, 'phone_number_id']);
});

test('accounts: numbers in pages, what Meta says of them, and what it means', async (context) => {
  const world = await startWorld(context);
  for (let index = 1; index <= 4; index++) {
    await world.call('POST', '/_simulator/numbers', { phone_number_id: `20000000000000${index}` });
  }
  const path = `/v26.0/${WABA}/phone_numbers?limit=2&fields=display_phone_number`;
  const seen: unknown[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const { body } = await world.call('GET', next);
    seen.push(...listOf(body.data).map(({ id }) => id));
    const url = isObject(body.paging) && typeof body.paging.next === 'string' ? new URL(body.paging.next) : undefined;
    next = url && url.pathname + url.search;
  }
  assert.deepEqual([seen.length, new Set(seen).size, seen[0]], [5, 5, NUMBER]);
  const tell = (field: string, value: JsonObject): Promise<Answer> =>
    world.call('POST', '/_simulator/account_events', { waba_id: WABA, field, value });
  await tell('account_review_update', { decision: 'REJECTED' });
  await tell('business_capability_update', { max_daily_conversations_per_business: 250 });
  await tell('security', { event: 'PIN_CHANGED', display_phone_number: '15550783881', requester: '61555822107539' });
  await world.receiver.until(() => world.receiver.received.length === 3, 'three webhooks');
  const envelope: unknown = JSON.parse(world.receiver.received[0]?.raw ?? '');
  const [entry] = listOf(isObject(envelope) ? envelope.entry : undefined);
  assert.deepEqual([entry?.id, typeof entry?.time], [WABA, 'number']);
  const account = await world.call('GET', `/v26.0/${WABA}?fields=account_review_status,name,owner_business_info`);
  assert.equal(account.body.account_review_status, 'REJECTED');
  const number = await world.call('GET', `/v26.0/${NUMBER}?fields=whatsapp_business_manager_messaging_limit`);
  assert.equal(number.body.whatsapp_business_manager_messaging_limit, 'TIER_250');
  assert.equal((await tell('security', 'x' as unknown as JsonObject)).body.field, 'value');
});

test('tokens: what they are good for, and when they end', async (context) => {
  const world = await startWorld(context);
  const ask = async (token: string): Promise<JsonObject> => {
    const { body } = await world.call('GET', `/v26.0/debug_token?input_token=${token}`);
    return isObject(body.data) ? body.data : {};
  };
  const good = await ask('good');
  assert.deepEqual([good.is_valid, good.expires_at, good.type], [true, 0, 'SYSTEM_USER']);
  assert.ok(Array.isArray(good.scopes) && good.scopes.includes('whatsapp_business_messaging'));
  const end = new Date(Date.now() + 3_600_000).toISOString();
  await world.call('POST', '/_simulator/tokens', { token: 'short', expires_at: end });
  const as = { authorization: 'Bearer short' };
  assert.equal((await world.call('GET', '/v26.0/me', undefined, as)).status, 200);
  await world.call('POST', '/_simulator/clock', { advance_ms: 3_600_001 });
  const late = await world.call('GET', '/v26.0/me', undefined, as);
  assert.deepEqual([late.status, subcodeOf(late)], [401, 463]);
  const ended = await ask('short');
  assert.deepEqual([ended.is_valid, isObject(ended.error) && ended.error.subcode], [false, 463]);
  const wrong = await world.call('POST', '/_simulator/tokens', { token: 'x', expires_at: 'soon' });
  assert.deepEqual([wrong.status, wrong.body.field], [400, 'expires_at']);
});

test('apps: an account’s webhooks go to those that are subscribed to it', async (context) => {
  const world = await startWorld(context);
  const other = await startReceiver();
  const own = await startReceiver();
  context.after(async () => {
    await other.close();
    await own.close();
  });
  const registration = { app_secret: APP_SECRET, verify_token: VERIFY_TOKEN };
  const app = { ...registration, url: other.url, app_id: 'other', tokens: ['of-other'] };
  assert.equal((await world.call('POST', '/_simulator/webhooks', app)).status, 200);
  const path = `/v26.0/${WABA}/subscribed_apps`;
  const as = { authorization: 'Bearer of-other' };
  const subscribed = async (): Promise<unknown[]> => {
    const { body } = await world.call('GET', path);
    return listOf(body.data).map(({ whatsapp_business_api_data: data }) => isObject(data) && data.id);
  };
  const say = async (text: string): Promise<void> => {
    await world.call('POST', '/_simulator/inbound', { from: '+16505551234', text });
  };
  await say('one');
  await world.receiver.until(() => world.receiver.received.length === 1, 'the default app');
  assert.equal((await world.call('POST', path, undefined, as)).body.success, true);
  assert.equal((await world.call('POST', path)).body.success, true);
  assert.deepEqual(await subscribed(), ['other', '670843887433847']);
  await say('two');
  await other.until(() => other.received.length === 1, 'the other app');
  await world.receiver.until(() => world.receiver.received.length === 2, 'and the default one');
  assert.equal((await world.call('DELETE', path)).body.success, true);
  await say('three');
  await other.until(() => other.received.length === 2, 'only the other app');
  const override = { override_callback_uri: own.url, verify_token: VERIFY_TOKEN };
  assert.equal((await world.call('POST', path, { ...override, verify_token: 'x' }, as)).status, 400);
  assert.equal((await world.call('POST', path, override, as)).status, 200);
  await say('four');
  await own.until(() => own.received.length === 1, 'the account’s own address');
  assert.deepEqual([own.badSignatures, other.received.length, world.receiver.received.length], [0, 2, 2]);
  await world.call('DELETE', path, undefined, as);
  await say('five');
  const stats = await world.call('GET', '/_simulator/stats');
  assert.deepEqual([await subscribed(), isObject(stats.body.webhooks) && stats.body.webhooks.pending], [[], 0]);
});
