import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { type Gate, OPEN_GATE } from '../../src/dispatch/gate.ts';
import { type MessageId, newId } from '../../src/domain/ids.ts';
import { PAIR_LIMIT } from '../../src/domain/schedule/pair-rate.ts';
import { type EngineWorld, engineWorld, makeDue, newPhone } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';
import { type Call, heldChannel, sendingLoop, sentBy } from './sending-loop.ts';

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

const overload = { kind: 'error', code: 131016, title: 'overloaded', detail: null, retryAfter: null } as const;

async function causes(tenant: string): Promise<Record<string, number>> {
  const text = `select coalesce(cause, '') as cause, count(*)::int as count from due where tenant_id = $1 group by 1`;
  const rows = await world.db.query<{ cause: string; count: number }>({ name: 'test_causes', text }, [tenant]);
  return Object.fromEntries(rows.map(({ cause, count }) => [cause, count]));
}

async function called(calls: readonly Call[], message: MessageId | undefined): Promise<Call> {
  let call: Call | undefined;
  await until('a message to be called', () => {
    call = calls.find((one) => one.message === message);
    return call !== undefined;
  });
  return call as Call;
}

test('messages to one recipient leave one after the other, in order, while others pass them', async (t) => {
  const own = await world.tenant();
  const { channel, calls } = heldChannel(t);
  const address = newPhone();
  const line: MessageId[] = [];
  for (let i = 0; i < 3; i++) line.push(await own.accept({ address }));
  const other = await own.accept();
  const { start } = sendingLoop(t, world, own, channel);
  await start();
  await until('the first of each line to be called', () => calls.length === 2);
  assert.deepEqual(new Set(calls.map(({ message }) => message)), new Set([line[0], other]));
  for (let i = 0; i < 3; i++) {
    const call = await called(calls, line[i]);
    assert.ok(!calls.some(({ message }) => message === line[i + 1]), 'one at a time');
    call.answer(sentBy(call));
  }
  (await called(calls, other)).answer({ kind: 'sent', wamid: 'wamid.other' });
  await until('all to be sent', async () =>
    (await Promise.all(line.map(own.read))).every(({ state }) => state === 'sent'),
  );
});

test('what follows a retry waits behind it, says so, and the next owner of the lane knows it too', async (t) => {
  const own = await world.tenant();
  const address = newPhone();
  const first = await own.accept({ address });
  const { channel, calls } = heldChannel(t, (call) =>
    call.message === first && call.attempt === 1 ? overload : sentBy(call),
  );
  const one = sendingLoop(t, world, own, channel, { random: 1 });
  await one.start();
  await until('the first try to be settled', async () => (await causes(own.tenant))['retry_wait'] === 1);
  const second = await own.accept({ address });
  await until('the second to be put off', async () => (await causes(own.tenant))['order'] === 1);
  await one.dispatcher.stop();
  await one.lease.stop();
  const next = sendingLoop(t, world, own, channel, { instance: newId() });
  await next.start();
  const third = await own.accept({ address });
  await until('all three to be sent', async () => (await own.read(third)).state === 'sent', 20_000);
  assert.deepEqual(
    calls.map(({ message }) => message).filter((id) => [first, second, third].includes(id)),
    [first, first, second, third],
  );
});

test('a long wait for another attempt holds its followers for half a minute at most, whoever owns the lane', async (t) => {
  const own = await world.tenant();
  const address = newPhone();
  const first = await own.accept({ address });
  const { channel, calls } = heldChannel(t, (call) => (call.message === first ? overload : sentBy(call)));
  const one = sendingLoop(t, world, own, channel);
  await one.start();
  await until('the first try to be settled', async () => (await causes(own.tenant))['retry_wait'] === 1);
  await one.dispatcher.stop();
  await one.lease.stop();
  const later = (ago: string) =>
    `update due set due_at = now() + interval '10 minutes', started_at = now() - interval '${ago}' where message_id = $1`;
  await world.db.query({ name: 'test_tried_lately', text: later('10 seconds') }, [first]);
  const two = sendingLoop(t, world, own, channel, { instance: newId() });
  await two.start();
  const second = await own.accept({ address });
  await until('the second to be put off', async () => (await causes(own.tenant))['order'] === 1);
  const text = 'select extract(epoch from due_at - now())::float8 as wait from due where message_id = $1';
  const [row] = await world.db.query<{ wait: number }>({ name: 'test_wait', text }, [second]);
  assert.ok(row && row.wait <= 20.2, `it waits ${row?.wait} s`);
  await two.dispatcher.stop();
  await two.lease.stop();
  await world.db.query({ name: 'test_tried_long_ago', text: later('31 seconds') }, [first]);
  await makeDue(world.db, second);
  await sendingLoop(t, world, own, channel, { instance: newId() }).start();
  await until('the second to be sent', async () => (await own.read(second)).state === 'sent');
  assert.equal(calls.length, 2);
});

test('what the trouble that shut its queue sent back is still the first of its line when the queue goes on', async (t) => {
  const own = await world.tenant();
  const address = newPhone();
  const { channel, calls } = heldChannel(t);
  const line = [await own.accept({ address }), await own.accept({ address })];
  let isShut = false;
  const gate: Gate = {
    ...OPEN_GATE,
    room: () => (isShut ? 0 : Number.POSITIVE_INFINITY),
    until: () => (isShut ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY),
  };
  await sendingLoop(t, world, own, channel, { gate }).start();
  const first = await called(calls, line[0]);
  isShut = true;
  first.answer(overload);
  const text = `select message_id as id from due where tenant_id = $1 and state = 'queued' order by due_at`;
  await until('both to wait, in their order', async () => {
    const rows = await world.db.query<{ id: MessageId }>({ name: 'test_line', text }, [own.tenant]);
    return rows.length === 2 && rows[0]?.id === line[0];
  });
  isShut = false;
  await until('the first to be called again', () => calls.length === 2);
  assert.equal(calls[1]?.message, line[0]);
  calls[1]?.answer(sentBy(calls[1]));
  const second = await called(calls, line[1]);
  second.answer(sentBy(second));
  await until('all to be sent', async () => (await own.read(second.message)).state === 'sent');
});

test('campaigns keep no order, and a doubt holds nobody back', async (t) => {
  const own = await world.tenant();
  const address = newPhone();
  const { channel, calls } = heldChannel(t);
  const doubtful = await own.accept({ address });
  const follower = await own.accept({ address });
  const { start } = sendingLoop(t, world, own, channel);
  await start();
  const call = await called(calls, doubtful);
  call.answer({ kind: 'unknown', detail: 'the connection broke' });
  const next = await called(calls, follower);
  next.answer(sentBy(next));
  await until('it to be sent', async () => (await own.read(follower)).state === 'sent');
  assert.equal((await own.read(doubtful)).state, 'unconfirmed');
});

test('a pair that had its 45 waits for its six seconds, each message for its own, over a takeover too; others do not', async (t) => {
  const own = await world.tenant();
  const address = newPhone();
  for (let i = 0; i < PAIR_LIMIT.burst; i++) await own.accept({ address });
  const begun = await own.begin();
  await Promise.all(begun.map((send) => own.settle(send, { kind: 'sent', wamid: `wamid.${send.message_id}` })));
  const { channel, calls } = heldChannel(t, sentBy);
  await sendingLoop(t, world, own, channel, { instance: newId() }).start();
  for (let i = 0; i < 4; i++) await own.accept({ address });
  await until('they are put off', async () => (await causes(own.tenant))['pair_rate'] === 4);
  const text = `select extract(epoch from due_at - now())::float8 as wait from due where tenant_id = $1 order by due_at`;
  const waits = await world.db.query<{ wait: number }>({ name: 'test_waits', text }, [own.tenant]);
  const gaps = waits.slice(1).map(({ wait }, i) => wait - (waits[i]?.wait ?? 0));
  assert.ok((waits[0]?.wait ?? 0) <= 6);
  assert.ok(
    gaps.every((gap) => gap > 5.5 && gap < 7),
    `${gaps}`,
  );
  const other = await own.accept();
  await until('another recipient has his', async () => (await own.read(other)).state === 'sent');
  assert.ok(calls.some(({ message }) => message === other));
});
