import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { logReadable } from '../readable-log.ts';
import { until } from '../until.ts';
import { type Answer, type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
let customer: Customer;
before(async () => {
  world = await doorWorld();
});
after(() => world.close());

/** All events, once there are so many. */
async function eventsOf(count: number): Promise<Answer> {
  let answer = await customer.get('/api/v1/events');
  await until(`${count} events are shown`, async () => {
    await logReadable(world.db);
    answer = await customer.get('/api/v1/events');
    return answer.body.events.length === count;
  });
  return answer;
}

const types = ({ body }: Answer) => body.events.map(({ type }) => type);

test('every change of state, in order, in an unbroken chain, with the message as it was', async () => {
  customer = await world.customer();
  const send = await customer.sending();
  await customer.settle(send, { kind: 'sent', wamid: 'wamid.chain' });
  const later = await customer.accept();
  await customer.post(`/api/v1/messages/${later}/cancel`);
  const answer = await eventsOf(4);
  assert.deepEqual(types(answer), ['message.queued', 'message.sent', 'message.queued', 'message.cancelled']);
  const { events, next_cursor } = answer.body;
  for (let i = 1; i < events.length; i++) assert.equal(events[i]?.prev, events[i - 1]?.cursor);
  assert.equal(events.at(-1)?.cursor, next_cursor);
  const [first, sent, , cancelled] = events;
  assert.deepEqual([first?.data['state'], first?.data['whatsapp_message_id']], ['queued', null]);
  // What an event tells of a message is what reading it tells, but for the begin of its attempt and what it waits for, which are no events.
  const {
    history: _history,
    sending_at: _sending,
    held,
    ...message
  } = (await customer.get(`/api/v1/messages/${send.message_id}`)).body;
  const { sending_at: _none, ...told } = sent?.data ?? {};
  assert.deepEqual(told, message);
  assert.equal(held, null);
  assert.notEqual(cancelled?.data['cancelled_at'], null);

  // Page by page it is the same chain.
  const paged: string[] = [];
  let after = '';
  for (;;) {
    const { body } = await customer.get(`/api/v1/events?limit=1${after && `&after=${after}`}`);
    if (body.events.length === 0) break;
    assert.equal(body.events[0]?.prev, after || events[0]?.prev);
    paged.push(body.next_cursor);
    after = body.next_cursor;
  }
  assert.deepEqual(
    paged,
    events.map(({ cursor }) => cursor),
  );
});

test('`now` is the end of the log', async () => {
  customer = await world.customer();
  await customer.accept();
  await eventsOf(1);
  const end = await customer.get('/api/v1/events?after=now');
  assert.deepEqual(end.body.events, []);
  await customer.accept();
  const { body } = await customer.get(`/api/v1/events?wait=20&after=${end.body.next_cursor}`);
  assert.deepEqual([body.events.length, body.events[0]?.prev], [1, end.body.next_cursor]);
});

test('who waits is woken by what happens', async () => {
  customer = await world.customer();
  const asked = performance.now();
  const waiting = customer.get('/api/v1/events?wait=30');
  await world.customer();
  await customer.accept();
  assert.deepEqual(types(await waiting), ['message.queued']);
  assert.ok(performance.now() - asked < 10_000);
});

test('what is committed late is not skipped, and nothing behind it is shown before', async () => {
  customer = await world.customer();
  const cursor = (await customer.get('/api/v1/events?after=now')).body.next_cursor;
  let finish = () => {};
  const open = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let begun = false;
  const slow = world.db.transaction(async (tx) => {
    await tx.query({ name: 'test_xid', text: 'select pg_current_xact_id()::text' });
    begun = true;
    await open;
  });
  await until('a transaction is open', () => begun);
  await customer.accept();
  assert.deepEqual(types(await customer.get(`/api/v1/events?after=${cursor}`)), []);
  const waiting = customer.get(`/api/v1/events?after=${cursor}&wait=20`);
  finish();
  await slow;
  assert.deepEqual(types(await waiting), ['message.queued']);
});

test('a client that goes away, and a server that stops, end the wait', async () => {
  const own = await doorWorld();
  const other = await own.customer();
  const gone = new AbortController();
  const url = `${own.url}/api/v1/events?wait=30`;
  const headers = { 'x-api-key': other.key };
  const left = fetch(url, { headers, signal: gone.signal });
  const stayed = fetch(url, { headers });
  await until('both wait', () => own.listeners() === 2);
  gone.abort();
  await assert.rejects(left, { name: 'AbortError' });
  await until('one is gone', () => own.listeners() === 1);
  const asked = performance.now();
  await own.close();
  assert.deepEqual(((await (await stayed).json()) as { events: unknown[] }).events, []);
  assert.ok(performance.now() - asked < 5000);
});
