import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { expireStale } from '../../src/actions/expire-messages.ts';
import { type BatchId, type MessageId, newId, type TemplateId } from '../../src/domain/ids.ts';
import type { EventData } from '../../src/domain/message-view.ts';
import { expireStaleQueued } from '../../src/store/changes.write.ts';
import { listMessages } from '../../src/store/messages.read.ts';
import { makeDue, newPhone, readLog } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { assertCheap } from '../store/cheap-plans.ts';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
let own: Customer;
before(async () => {
  world = await doorWorld();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const run = (name: string, text: string, values: readonly unknown[]) =>
  world.db.query<Record<string, unknown>>({ name: `test_${name}`, text }, values);

async function accepted(more: object = {}): Promise<MessageId> {
  const { status, body } = await own.post('/api/v1/messages', { to: newPhone(), content: { text: 'x' }, ...more });
  assert.equal(status, 202, body.message);
  return body.id;
}

async function patch(id: string, body: unknown, headers: Record<string, string> = {}, customer = own) {
  const response = await fetch(`${world.url}/api/v1/messages/${id}`, {
    method: 'PATCH',
    headers: { 'x-api-key': customer.key, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    body: (await response.json()) as Record<string, string> & { details: { field?: string } },
  };
}

test('a scheduled message is moved, and goes at its new time', async () => {
  own = await world.customer();
  const id = await accepted({ scheduled_at: inMs(HOUR) });
  const later = inMs(300 * DAY);
  const moved = await patch(id, { scheduled_at: later, expires_at: inMs(301 * DAY) });
  assert.deepEqual([moved.status, moved.body.scheduled_at, moved.body.state], [200, later, 'queued']);
  assert.equal((await own.read(id)).due_at?.toISOString(), later);
  assert.deepEqual(await own.begin(), []);
  const now = await patch(id, { scheduled_at: null, expires_at: null });
  assert.deepEqual([now.status, now.body.expires_at], [200, null]);
  const told = await readLog(world.db, own.tenant, 3);
  assert.deepEqual(
    told.map(({ event_type }) => event_type),
    ['message.queued', 'message.rescheduled', 'message.rescheduled'],
  );
  const changed = told[1]?.data as EventData;
  assert.equal(new Date(String(changed.scheduled_at)).toISOString(), later);
  const [send] = await own.begin();
  assert.equal(send?.message_id, id);
  assert.deepEqual(
    [(await patch(id, { scheduled_at: inMs(HOUR) })).status, (await patch(id, { expires_at: inMs(HOUR) })).status],
    [409, 409],
  );
});

test('what waits for another attempt keeps its time, and may get another end', async () => {
  own = await world.customer();
  const send = await own.sending();
  await own.settle(send, { kind: 'error', code: 131000, title: 'later', detail: null, retryAfter: null });
  const { due_at } = await own.read(send.message_id);
  assert.equal((await patch(send.message_id, { scheduled_at: null })).body.error, 'too_late');
  assert.equal((await patch(send.message_id, { expires_at: inMs(HOUR) })).status, 200);
  assert.deepEqual((await own.read(send.message_id)).due_at, due_at);
});

test('times that cannot be are refused, and change nothing', async () => {
  own = await world.customer();
  const scheduled_at = inMs(HOUR);
  const id = await accepted({ scheduled_at, expires_at: inMs(2 * HOUR) });
  const cases: [unknown, string, string][] = [
    [{ scheduled_at: inMs(-1000) }, 'scheduled_in_past', 'scheduled_at'],
    [{ scheduled_at: inMs(367 * DAY) }, 'scheduled_too_far', 'scheduled_at'],
    [{ scheduled_at: inMs(3 * HOUR) }, 'invalid_field', 'expires_at'],
    [{ scheduled_at: 'tomorrow' }, 'invalid_field', 'scheduled_at'],
    [{ scheduled_at: '2027-02-30T00:00:00Z' }, 'invalid_field', 'scheduled_at'],
    [{ scheduled_at: 5 }, 'invalid_field', 'scheduled_at'],
    [{ expires_at: inMs(-1000) }, 'invalid_field', 'expires_at'],
    [{ expires_at: inMs(800 * DAY) }, 'invalid_field', 'expires_at'],
    [{ expires_at: inMs(1000) }, 'invalid_field', 'expires_at'],
    [{}, 'missing_field', 'scheduled_at'],
    [{ priority: 'high' }, 'unknown_field', 'priority'],
    [{ scheduled_at: null, constructor: 1 }, 'unknown_field', 'constructor'],
  ];
  for (const [body, error, field] of cases) {
    const answer = await patch(id, body);
    assert.deepEqual([answer.body.error, answer.body.details?.field], [error, field], JSON.stringify(body));
  }
  assert.equal((await own.read(id)).scheduled_at?.toISOString(), scheduled_at);
  const stranger = await world.customer();
  for (const [name, customer] of [
    [id, stranger],
    [newId<MessageId>(), own],
    ['x', own],
  ] as const) {
    assert.equal((await patch(name, { scheduled_at: null }, {}, customer)).body.error, 'not_found');
  }
});

test('a repeated key changes nothing more; the same key for another change is a mismatch', async () => {
  own = await world.customer();
  const id = await accepted({ scheduled_at: inMs(HOUR) });
  const key = { 'idempotency-key': 'move' };
  const change = { scheduled_at: inMs(2 * HOUR) };
  assert.equal((await patch(id, change, key)).status, 200);
  assert.equal((await patch(id, { scheduled_at: inMs(3 * HOUR) })).status, 200);
  const again = await patch(id, change, key);
  assert.deepEqual([again.status, again.body.scheduled_at === change.scheduled_at], [200, false]);
  assert.equal((await patch(id, { scheduled_at: null }, key)).body.error, 'idempotency_mismatch');
  assert.equal((await patch(await accepted(), change, key)).body.error, 'idempotency_mismatch');
});

test('of a change and a begin at the same moment one wins, for each message', async () => {
  own = await world.customer();
  const ids = await Promise.all(Array.from({ length: 30 }, () => own.accept()));
  const [begun, ...answers] = await Promise.all([
    own.begin(),
    ...ids.map((id) => patch(id, { scheduled_at: inMs(HOUR) })),
  ]);
  const left = new Set(begun.map(({ message_id }) => message_id));
  for (const [i, id] of ids.entries()) assert.equal(answers[i]?.status, left.has(id) ? 409 : 200);
});

test('nothing is changed of a batch that is being stored', async () => {
  own = await world.customer();
  const id = await accepted();
  const batch = newId<BatchId>();
  await run('batch', 'insert into batches (tenant_id, id, total) values ($1, $2, 2)', [own.tenant, batch]);
  await run('batched', 'update messages set batch_id = $2, batch_index = 0 where id = $1', [id, batch]);
  await run('undue', 'delete from due where message_id = $1', [id]);
  const { status, body } = await patch(id, { scheduled_at: inMs(HOUR) });
  assert.deepEqual([status, body.error], [409, 'batch_incomplete']);
  assert.equal((await own.post(`/api/v1/messages/${id}/cancel`)).body.error, 'batch_incomplete');
});

test('ttl counts from when it may leave, by the clock of the database', async () => {
  own = await world.customer();
  const about = (time: Date | null, ms: number) => {
    const off = Math.abs((time?.getTime() ?? 0) - Date.now() - ms);
    assert.ok(off < 5000, `${off} ms off`);
  };
  about((await own.read(await accepted({ ttl: 60 }))).expires_at, 60_000);
  about((await own.read(await accepted({ ttl: 60, scheduled_at: inMs(HOUR) }))).expires_at, HOUR + 60_000);
  const refused = async (body: object) =>
    (await own.post('/api/v1/messages', { to: newPhone(), content: { text: 'x' }, ...body })).body;
  for (const ttl of [0, -1, 1.5, '60', 31_622_401])
    assert.equal((await refused({ ttl })).details?.field, 'ttl', String(ttl));
  const both = await refused({ ttl: 60, expires_at: inMs(HOUR) });
  assert.deepEqual([both.error, both.details?.field], ['invalid_field', 'ttl']);
  const batch = await own.post('/api/v1/messages/batch', {
    messages: [
      { to: newPhone(), content: { text: 'x' }, ttl: 60 },
      { to: newPhone(), content: { text: 'x' }, ttl: 60, expires_at: inMs(HOUR) },
    ],
  });
  assert.deepEqual([batch.body.accepted, batch.body.errors[0]?.field], [1, 'ttl']);
  about((await own.read(batch.body.messages[0]?.id as MessageId)).expires_at, 60_000);
});

test('an instance whose own clock is wrong refuses nothing for it, and ends nothing early', async () => {
  let off = 0;
  const clock = { now: () => Date.now() + off, monotonic: () => performance.now() };
  const wrong = await doorWorld({ clock });
  try {
    for (off of [3 * DAY, -3 * DAY]) {
      const customer = await wrong.customer();
      const ask = (body: object) =>
        customer.post('/api/v1/messages', { to: newPhone(), content: { text: 'x' }, ...body });
      const soon = await ask({ scheduled_at: inMs(HOUR), expires_at: inMs(2 * HOUR) });
      assert.equal(soon.status, 202, soon.body.message);
      assert.equal((await ask({ scheduled_at: inMs(-HOUR) })).body.error, 'scheduled_in_past');
      const lasting = await customer.read((await ask({ ttl: 600 })).body.id);
      const left = (lasting.expires_at?.getTime() ?? 0) - Date.now();
      assert.ok(left > 590_000 && left <= 601_000, `${left} ms`);
      const due = await ask({});
      const begun = await customer.begin();
      assert.deepEqual(new Set(begun.map(({ message_id }) => message_id)), new Set([lasting.id, due.body.id]));
    }
  } finally {
    await wrong.close();
  }
});

test('scheduled messages are listed by their true state, and others too', async () => {
  own = await world.customer();
  const later = await accepted({ scheduled_at: inMs(HOUR) });
  const last = await accepted({ scheduled_at: inMs(2 * HOUR) });
  const due = await accepted();
  const list = async (query: string) => {
    const { status, body } = await own.get(`/api/v1/messages?${query}`);
    assert.equal(status, 200, body.message);
    return body;
  };
  const ids = async (query: string) => (await list(query)).messages.map(({ id }) => id);
  assert.deepEqual(await ids('state=scheduled'), [last, later]);
  assert.deepEqual(await ids('state=queued'), [due, last, later]);
  const page = await list('state=scheduled&limit=1');
  assert.deepEqual(await ids(`state=scheduled&limit=1&cursor=${page.next_cursor}`), [later]);
  assert.equal((await list('state=scheduled&page=1')).total, 2);
  await own.begin();
  assert.deepEqual([await ids('state=sending'), await ids('state=queued')], [[due], [last, later]]);
  await own.post(`/api/v1/messages/${last}/cancel`);
  assert.deepEqual([await ids('state=scheduled'), await ids('state=cancelled')], [[later], [last]]);
  assert.equal((await own.post(`/api/v1/messages/${due}/cancel`)).body.error, 'not_cancellable');
  assert.equal((await own.get('/api/v1/messages?state=scheduled&status=queued')).body.details?.field, 'state');
  assert.equal((await own.get('/api/v1/messages?state=waiting')).body.error, 'invalid_field');
});

test('what has waited for too long ends, in paused queues and held; what has its own end does not', async () => {
  own = await world.customer();
  const { db, signals } = world;
  const template = newId<TemplateId>();
  const old = await accepted();
  const held = await own.accept({ template_id: template, held: 'template' });
  const lasting = await accepted({ expires_at: inMs(100 * DAY) });
  const fresh = await accepted();
  const later = await accepted({ scheduled_at: inMs(HOUR) });
  await run('old', "update due set due_at = now() - interval '31 days' where message_id = any ($1)", [
    [old, held, lasting],
  ]);
  assert.equal(await expireStale(db, signals, [own.lane], 30 * DAY), 2);
  assert.equal(await expireStale(db, signals, [own.lane], 30 * DAY), 0);
  const states = await Promise.all([old, held, lasting, fresh, later].map(async (id) => (await own.read(id)).state));
  assert.deepEqual(states, ['expired', 'expired', 'queued', 'queued', 'queued']);
  await makeDue(db, lasting);
});

test('lists of open messages and the sweep look at what is bounded', async () => {
  own = await world.customer();
  const id = await own.accept();
  await run(
    'many',
    `insert into due (tenant_id, message_id, lane_id, sender_id, priority, due_at)
     select tenant_id, gen_random_uuid(), lane_id, sender_id, priority, due_at from due, generate_series(1, 20000) where message_id = $1`,
    [id],
  );
  await world.db.script('analyze due');
  await assertCheap(world.db, 10_001, (tx) => listMessages(tx, own.tenant, { open: 'scheduled' }, null, 50));
  await assertCheap(world.db, 1200, (tx) => expireStaleQueued(tx, [own.lane], [newId()], 30 * DAY));
  await run('gone', 'delete from due where tenant_id = $1 and message_id <> $2', [own.tenant, id]);
});
