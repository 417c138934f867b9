import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readVisible } from '../../src/access/visible-events.ts';
import { forgetEvents } from '../../src/actions/prune-events.ts';
import { type EventPosition, eventCursors } from '../../src/domain/event-cursor.ts';
import { firstIdAt, newId, type TenantId } from '../../src/domain/ids.ts';
import { createPruneEvents } from '../../src/jobs/prune-events.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { insertConsumer } from '../../src/store/event-consumers.write.ts';
import { findConsumerLags, findLogBounds, findPrunable } from '../../src/store/event-retention.read.ts';
import { pruneEvents } from '../../src/store/event-retention.write.ts';
import { LOG_START, listEvents } from '../../src/store/events.read.ts';
import { listPlaces, listReached } from '../../src/store/offline-users.read.ts';
import { findScanEnd, listVisibleEvents } from '../../src/store/visible-events.read.ts';
import { type Customer, type DoorWorld, doorWorld } from '../http/door-world.ts';
import { logReadable } from '../readable-log.ts';
import { assertCheap } from '../store/cheap-plans.ts';
import { until } from '../until.ts';

let world: DoorWorld;
before(async () => {
  world = await doorWorld();
});
after(() => world.close());

const DAY = 86_400_000;
const NOW = Date.now();
/** Of a consumer's position that the tests write. */
const FIRST = '00000000-0000-0000-0000-000000000000';

/** Writes events as if they had been made so many days ago, each in a transaction of its own; several days in one number share it. */
async function past({ tenant }: Customer, ...transactions: (number | number[])[]): Promise<EventPosition[]> {
  const places: EventPosition[] = [];
  for (const days of transactions) {
    const ids = [days].flat().map((ago) => newId(NOW - ago * DAY));
    // A process never makes an id before its last one: the time is put into it.
    const dated = ids.map((id, i) => `${firstIdAt(NOW - ([days].flat()[i] ?? 0) * DAY).slice(0, 14)}${id.slice(14)}`);
    const text = `
      insert into events (tenant_id, id, type, conversation_id, data)
      select $1, id, 'participant.left', $1, jsonb_build_object('conversation_id', $1::uuid, 'user_id', 'a')
      from unnest($2::uuid[]) as id returning xid::text as xid, id`;
    const rows = await world.db.query<EventPosition>({ name: 'test_past', text }, [tenant, dated]);
    places.push(...rows.sort((a, b) => (a.id < b.id ? -1 : 1)));
  }
  await logReadable(world.db);
  return places;
}

const kept = async ({ tenant }: Customer) =>
  (await listEvents(world.db, tenant, LOG_START, 1000)).map((row) => row.event_id as string);
const forget = ({ tenant }: Customer, days = 30) => forgetEvents(world.db, tenant, days * DAY, NOW);
const ids = (places: readonly EventPosition[]) => places.map(({ id }) => id);

test('what is older than the retention goes, in the order of the log; readers are told exactly', async () => {
  const customer = await world.customer();
  // The fourth was written by a transaction that began later, with an id that is older: it waits for its turn.
  const places = await past(customer, 40, 35, 10, 50, 1);
  const cursors = eventCursors(customer.tenant);
  const ask = (place: EventPosition) => customer.get(`/api/v1/events?after=${cursors.write(place)}`);
  assert.deepEqual([await forget(customer), await kept(customer)], [false, ids(places.slice(2))]);
  const [first, second, third] = places as [EventPosition, EventPosition, EventPosition];
  const expired = await ask(first);
  assert.deepEqual([expired.status, expired.body.error], [410, 'cursor_expired']);
  assert.deepEqual(
    (await ask(second)).body.events.map(({ id }) => id),
    ids(places.slice(2)),
    'it has missed nothing',
  );
  assert.equal((await ask(third)).status, 200);
  // Who asks for all gets what is kept, and goes on from there later.
  const all = await customer.get('/api/v1/events');
  assert.deepEqual([all.body.events.length, all.body.events[0]?.prev], [3, cursors.write(second)]);
});

test('nothing is kept at all: who begins then can go on', async () => {
  const customer = await world.customer();
  await past(customer, 40, 35);
  await forget(customer);
  assert.deepEqual(await kept(customer), []);
  const { body } = await customer.get('/api/v1/events');
  assert.deepEqual(body.events, []);
  assert.equal((await customer.get(`/api/v1/events?after=${body.next_cursor}`)).status, 200);
  const now = (await customer.get('/api/v1/events?after=now')).body.next_cursor;
  assert.equal((await customer.get(`/api/v1/events?after=${now}`)).status, 200);
});

test('a transaction that is pruned in part tells who has missed something of it', async () => {
  const customer = await world.customer();
  const places = await past(customer, [40, 39, 38], 1);
  const limits = { before: firstIdAt(NOW - 30 * DAY), beforeAnyway: FIRST };
  assert.equal((await pruneEvents(world.db, customer.tenant, 2, limits)).removed, 2);
  assert.deepEqual(await kept(customer), ids(places.slice(2)));
  const cursors = eventCursors(customer.tenant);
  const statuses: number[] = [];
  for (const place of places) {
    statuses.push((await customer.get(`/api/v1/events?after=${cursors.write(place)}`)).status);
  }
  assert.deepEqual(statuses, [410, 200, 200, 200]);
});

test('what a consumer has not read waits for it, but no longer than seven days', async () => {
  const customer = await world.customer();
  const places = await past(customer, 45, 38, 36, 31, 29);
  const text = `insert into event_consumers (tenant_id, consumer, xid, event_id) values ($1, $2, $3::text::xid8, $4)`;
  const consumer = { name: 'test_consumer', text };
  const [, , third] = places;
  await world.db.query(consumer, [customer.tenant, 'quick', places.at(-1)?.xid, FIRST]);
  await world.db.query(consumer, [customer.tenant, 'slow', third?.xid, third?.id]);
  await forget(customer);
  assert.deepEqual(await kept(customer), ids(places.slice(2)), 'whole transactions below its place');
  const other = await world.customer();
  const others = await past(other, 45, 38, 36, 31, 29);
  await world.db.query(consumer, [other.tenant, 'standing', '1', FIRST]);
  await forget(other);
  assert.deepEqual(await kept(other), ids(others.slice(2)), 'what is older than 37 days goes anyway');
});

test('a consumer holds back a tenant that it has no place for yet, from where it began', async () => {
  const customer = await world.customer();
  await insertConsumer(world.db, 'began_before');
  try {
    const places = await past(customer, 35, 33);
    await forget(customer);
    assert.deepEqual(await kept(customer), ids(places));
  } finally {
    await world.db.script(`delete from event_consumers where consumer = 'began_before'`);
  }
});

test('the job goes through all tenants', async (t) => {
  const customers = [await world.customer(), await world.customer()];
  for (const customer of customers) await past(customer, 40, 1);
  const job = createPruneEvents({
    db: world.db,
    clock: systemClock,
    logger: { warn() {} },
    retention: 30 * DAY,
    every: 10,
  });
  t.after(() => job.stop());
  await job.start();
  for (const customer of customers) {
    await until('the old one is gone', async () => (await kept(customer)).length === 1);
  }
});

test('reading a part, following and pruning cost the same however long the log is', async () => {
  const customer = await world.customer();
  const { tenant } = customer;
  const many = `
    insert into events (tenant_id, id, type, conversation_id, data)
    select t, gen_random_uuid(), 'participant.left', t, '{}'
    from (values ($1::uuid), (gen_random_uuid())) as v(t), generate_series(1, 20000)`;
  await world.db.query({ name: 'test_many', text: many }, [tenant]);
  await world.db.script('analyze events');
  await until('they are readable', async () => (await findScanEnd(world.db, tenant, LOG_START, 500))?.scanned === 500);
  const until500 = (await findScanEnd(world.db, tenant, LOG_START, 500)) ?? LOG_START;
  const filter = { user: 'a', types: null, conversation: null };
  const old = { before: firstIdAt(NOW + DAY), beforeAnyway: firstIdAt(NOW + DAY) };
  await assertCheap(world.db, 600, (tx) => findScanEnd(tx, tenant, LOG_START, 500));
  await assertCheap(world.db, 600, (tx) => listVisibleEvents(tx, tenant, filter, LOG_START, until500, 500));
  await assertCheap(world.db, 600, (tx) => listPlaces(tx, tenant, LOG_START, 500));
  await assertCheap(world.db, 600, (tx) => listReached(tx, tenant, []));
  await assertCheap(world.db, 600, (tx) => findLogBounds(tx, tenant, '1').catch(() => null));
  await assertCheap(world.db, 600, (tx) => findPrunable(tx, FIRST as TenantId, old.before, 100));
  await assertCheap(world.db, 600, (tx) => findConsumerLags(tx));
  await assertCheap(world.db, 600, (tx) => pruneEvents(tx, tenant, 500, old));
  assert.deepEqual((await readVisible(world.db, tenant, filter, LOG_START, 10)).rows, []);
});
