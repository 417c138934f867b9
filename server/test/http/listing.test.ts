import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { receiveMessages } from '../../src/actions/receive-messages.ts';
import { newPhone } from '../engine-world.ts';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
before(async () => {
  world = await doorWorld();
});
after(() => world.close());

const LIST = '/api/v1/messages';
const STATISTICS = '/api/v1/messages/statistics';

/** Adds messages like the newest of a tenant's, quickly; nothing but the rows. */
async function many(customer: Customer, n: number): Promise<void> {
  const text = `
    insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, direction, state, state_before, type,
      category, priority, address, created_at)
    select m.tenant_id, ('ffff' || substr(gen_random_uuid()::text, 5))::uuid, m.sender_id, m.contact_id, m.conversation_id,
      m.direction, m.state, m.state_before, 'text', m.category, m.priority, m.address, m.created_at
    from (select * from messages where tenant_id = $1 limit 1) m, generate_series(1, $2)`;
  await world.db.query({ name: 'test_many', text }, [customer.tenant, n]);
}

test('a page has the totals, and tells where the next one begins', async () => {
  const customer = await world.customer();
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.unshift(await customer.accept());
  const page = async (query: string) => (await customer.get(`${LIST}?${query}`)).body;
  const second = await page('page=2&limit=2');
  assert.deepEqual(
    second.messages.map(({ id }) => id),
    ids.slice(2, 4),
  );
  const { total, page: number, limit, total_pages } = second as unknown as Record<string, number>;
  assert.deepEqual([total, number, limit, total_pages], [5, 2, 2, 3]);
  assert.equal('total_capped' in second, false);
  const rest = await page(`cursor=${second.next_cursor}`);
  assert.deepEqual([rest.messages.map(({ id }) => id), 'total' in rest], [ids.slice(4), false]);
  const last = await page('page=3&limit=2');
  assert.deepEqual([last.messages.length, last.next_cursor], [1, null]);
  const beyond = await page('page=4&limit=2');
  assert.deepEqual([beyond.messages, beyond.next_cursor, beyond['total']], [[], null, 5]);
  const none = await page('page=1&sender_id=nobody');
  assert.deepEqual([none.messages, none['total'], none['total_pages']], [[], 0, 0]);
});

test('the total is of what the filter asks for', async () => {
  const customer = await world.customer();
  const sent = await customer.sending();
  await customer.settle(sent, { kind: 'sent', wamid: `wamid.${sent.message_id}` });
  await customer.accept({ type: 'image', content: { media_url: 'https://example.com/a.jpg' } });
  await customer.accept();
  const { conversation_id, contact_id, created_at } = await customer.read(sent.message_id);
  const totals: Record<string, number> = {
    '': 3,
    'status=queued': 2,
    'status=queued&type=text': 1,
    'direction=inbound': 0,
    [`sender_id=${customer.sender}&status=sent`]: 1,
    [`conversation_id=${conversation_id}`]: 1,
    [`contact_id=${contact_id}`]: 1,
    [`contact_id=${contact_id}&status=queued`]: 0,
    [`start_date=${created_at.toISOString().slice(0, 10)}`]: 3,
    'end_date=2020-01-01': 0,
    'batch_id=none': 0,
  };
  for (const [query, total] of Object.entries(totals)) {
    const { body } = await customer.get(`${LIST}?page=1&${query}`);
    assert.deepEqual([body['total'], body['total_capped']], [total, undefined], query);
    assert.equal(body.messages.length, total, query);
  }
});

test('counting stops at 10,000, pages too, and the cursor goes on', async () => {
  const customer = await world.customer();
  const first = await customer.accept();
  await many(customer, 10_000);
  const { conversation_id } = await customer.read(first);
  const filter = `conversation_id=${conversation_id}`;
  const { body } = await customer.get(`${LIST}?page=100&limit=100&${filter}`);
  assert.deepEqual([body.messages.length, body['total'], body['total_capped']], [100, 10_001, true]);
  const next = await customer.get(`${LIST}?${filter}&cursor=${body.next_cursor}`);
  assert.deepEqual([next.body.messages.map(({ id }) => id), next.body.next_cursor], [[first], null]);
});

test('a first page on which there would be nothing has what lies farther back', async () => {
  const customer = await world.customer();
  const image = await customer.accept({ type: 'image', content: { media_url: 'https://example.com/a.jpg' } });
  await many(customer, 10_500);
  const { body } = await customer.get(`${LIST}?page=1&type=image`);
  assert.deepEqual([body.messages.map(({ id }) => id), body['total'], body.next_cursor], [[image], 1, null]);
});

test('what cannot be asked for is refused, with what to do', async () => {
  const customer = await world.customer();
  const refused: [string, string, string][] = [
    ['page=0', 'invalid_field', 'page'],
    ['page=-1', 'invalid_field', 'page'],
    ['page=1e9', 'invalid_field', 'page'],
    ['page=1000000000', 'invalid_field', 'page'],
    ['page=101&limit=100', 'invalid_field', 'page'],
    ['page=1&cursor=AAAAAAAAAAAAAAAAAAAAAA', 'invalid_field', 'page'],
    ['limit=-1', 'invalid_field', 'limit'],
    ['limit=101', 'limit_too_large', 'limit'],
    ['start_date=2026-12-02&end_date=2026-12-01', 'invalid_field', 'start_date'],
    ['start_date=soon', 'invalid_field', 'start_date'],
    ['status=gone', 'invalid_field', 'status'],
    ['direction=sideways', 'invalid_field', 'direction'],
    ['colour=blue', 'unknown_field', 'colour'],
  ];
  for (const [query, error, field] of refused) {
    const { status, body } = await customer.get(`${LIST}?${query}`);
    assert.deepEqual([status, body.error, body.details?.field], [400, error, field], query);
  }
  const { body } = await customer.get(`${LIST}?page=1000000000`);
  assert.match(body.message, /at most 200 .*next_cursor/);
});

test('statistics: every word, and what they add up to', async () => {
  const customer = await world.customer();
  const empty = await customer.get(STATISTICS);
  assert.deepEqual(empty.body, {
    total: 0,
    by_status: { queued: 0, sent: 0, delivered: 0, read: 0, failed: 0 },
    by_direction: { inbound: 0, outbound: 0 },
    by_type: {},
    delivery_rate: null,
    read_rate: null,
  });
  const settled = await customer.sending();
  await customer.settle(settled, { kind: 'sent', wamid: `wamid.${settled.message_id}` });
  const failed = await customer.sending({ type: 'image', content: { media_url: 'https://example.com/a.jpg' } });
  await customer.settle(failed, { kind: 'error', code: 131026, title: 'x', detail: null, retryAfter: null });
  const cancelled = await customer.accept();
  await customer.post(`${LIST}/${cancelled}/cancel`);
  await customer.accept();
  const received = { tenant: customer.tenant, sender: customer.sender, wamid: 'wamid.s', type: 'text', at: Date.now() };
  const from = { phone: newPhone(), userId: null, name: null, content: { text: 'hi' }, replyTo: null };
  await receiveMessages(world.db, world.signals, [{ ...received, ...from }], 0);
  const expected = {
    total: 5,
    by_status: { queued: 1, sent: 1, delivered: 1, read: 0, failed: 2 },
    by_direction: { inbound: 1, outbound: 4 },
    by_type: { text: 4, image: 1 },
    delivery_rate: 0,
    read_rate: null,
  };
  assert.deepEqual((await customer.get(STATISTICS)).body, expected);
  assert.deepEqual((await customer.get(`${STATISTICS}?sender_id=${customer.sender}`)).body, expected);
});

test('statistics of a sender of nobody here are not found', async () => {
  const customer = await world.customer();
  const stranger = await world.customer();
  await stranger.accept();
  for (const id of [stranger.sender, 'nobody']) {
    const { status, body } = await customer.get(`${STATISTICS}?sender_id=${id}`);
    assert.deepEqual([status, body.error], [404, 'unknown_sender']);
  }
  assert.equal((await customer.get(STATISTICS)).body['total'], 0);
  assert.equal((await customer.get(`${STATISTICS}?page=1`)).body.error, 'unknown_field');
});

test('a retry that is refused says why', async () => {
  const customer = await world.customer();
  const late = await customer.sending({ expires_at: Date.now() + 60_000 });
  await customer.settle(late, { kind: 'error', code: 131026, title: 'x', detail: null, retryAfter: null });
  const past = { name: 'test_past', text: `update messages set expires_at = now() where id = $1` };
  await world.db.query(past, [late.message_id]);
  const over = await customer.post(`${LIST}/${late.message_id}/retry`);
  assert.deepEqual([over.status, over.body.error], [409, 'not_retryable']);
  assert.match(over.body.message, /has failed, but its expires_at has passed/);
  const open = await customer.post(`${LIST}/${await customer.accept()}/retry`);
  assert.deepEqual([open.status, open.body.message], [409, 'Only a failed message can be retried.']);
});
