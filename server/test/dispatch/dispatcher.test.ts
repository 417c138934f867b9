import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, type TestContext, test } from 'node:test';
import { cancelMessage } from '../../src/actions/change-message.ts';
import type { Channel } from '../../src/domain/channel.ts';
import { type InstanceId, newId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { type EngineWorld, engineWorld, makeDue, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';
import { heldChannel, type SendingOptions, sendingLoop, sentBy } from './sending-loop.ts';

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
// What an earlier test left open would be sent by the next one's loop.
beforeEach(() => world.db.script('update senders set enabled = false'));
afterEach(() => assertSound(world.db));
after(() => world.close());

/** The sending loop of an instance that is alone, over a channel. */
const sending = (t: TestContext, own: TenantWorld, channel: Channel, options?: SendingOptions) =>
  sendingLoop(t, world, own, channel, options);

/** Messages a second that a sender may send. */
async function setRate({ sender }: TenantWorld, rate: number): Promise<void> {
  const text = 'update senders set messages_per_second = $2 where id = $1';
  await world.db.query({ name: 'test_rate', text }, [sender, rate]);
}

test('what is accepted is called once, settled, and told', async (t) => {
  const own = await world.tenant();
  const { channel, calls } = heldChannel(t, sentBy);
  const { start } = sending(t, own, channel);
  const waiting = await own.accept();
  const running = await start();
  const later = await Promise.all([own.accept({ priority: 2 }), own.accept(), own.accept({ priority: 0 })]);
  const ids = [waiting, ...later];
  await until('all are sent', async () =>
    (await Promise.all(ids.map(own.read))).every(({ state }) => state === 'sent'),
  );
  assert.deepEqual(new Set(calls.map((call) => call.message)), new Set(ids));
  assert.equal(calls.length, ids.length);
  assert.deepEqual(await running.stop(), []);
});

test('no more calls are under way than there is room for', async (t) => {
  const own = await world.tenant();
  const { channel, calls } = heldChannel(t);
  await Promise.all(Array.from({ length: 30 }, () => own.accept()));
  await setRate(own, 5000);
  const { start, dispatcher } = sending(t, own, channel, { maxInFlight: 8 });
  await start();
  for (let answered = 0; answered < 30; ) {
    await until('some are under way', () => calls.length > answered);
    assert.ok(dispatcher.inFlight <= 8, `${dispatcher.inFlight} in flight`);
    const call = calls[answered++];
    call?.answer(sentBy(call));
  }
  await until('none is under way', () => dispatcher.inFlight === 0);
  assert.equal(new Set(calls.map((call) => call.message)).size, 30);
});

test('stopping waits for the calls that have begun, settles them, and begins no more', async (t) => {
  const own = await world.tenant();
  const { channel, calls } = heldChannel(t);
  const begun = await own.accept();
  const { start } = sending(t, own, channel);
  const running = await start();
  await until('it is under way', () => calls.length === 1);
  const stopped = running.stop();
  const late = await own.accept();
  const [call] = calls;
  assert.ok(call);
  call.answer(sentBy(call));
  assert.deepEqual(await stopped, []);
  assert.deepEqual([(await own.read(begun)).state, (await own.read(late)).state, calls.length], ['sent', 'queued', 1]);
  const owned = await world.db.query({ name: 'test_owned', text: 'select id from lanes where owner is not null' });
  assert.deepEqual(owned, [], 'the lanes are free at once');
  // The lane is anybody's now: the next test is not to send it.
  assert.equal(await cancelMessage(world.db, world.signals, own.tenant, late, null), 'cancelled');
});

test('a call is told to stop while less than a second of the lease is left', async (t) => {
  const own = await world.tenant();
  const { channel, calls } = heldChannel(t);
  await own.accept();
  const { start, lease, skip } = sending(t, own, channel);
  await start();
  await until('it is under way', () => calls.length === 1);
  const [call] = calls;
  assert.equal(call?.stop(), null);
  // As after a pause of the whole process: no renewal has run since.
  skip(lease.left() - 900);
  assert.match(call?.stop() ?? '', /lease/);
  call?.answer({ kind: 'not_sent', detail: 'stopped' });
  await until('it waits again', async () => (await own.read(call?.message ?? newId())).state === 'queued');
});

test('too fast for the provider: the sender pauses, and the message goes later', async (t) => {
  const own = await world.tenant();
  const throttled: Outcome = { kind: 'error', code: 130429, title: 'Rate limit hit', detail: null, retryAfter: null };
  const { channel, calls } = heldChannel(t, (call) => (call.attempt === 1 ? throttled : sentBy(call)));
  const id = await own.accept();
  const { start } = sending(t, own, channel);
  await start();
  await until('it was told so', () => calls.length === 1);
  await until('it is sent in the end', async () => {
    await makeDue(world.db, id);
    return (await own.read(id)).state === 'sent';
  });
  assert.deepEqual(
    calls.map((call) => call.attempt),
    [1, 2],
  );
});

test('a sender leaves no faster than its rate', async (t) => {
  const own = await world.tenant();
  const { channel, calls } = heldChannel(t, sentBy);
  await setRate(own, 20);
  await Promise.all(Array.from({ length: 12 }, () => own.accept()));
  const since = performance.now();
  const { start } = sending(t, own, channel);
  await start();
  await until('all have left', () => calls.length === 12);
  // The first may leave at once, each of the others after a twentieth of a second.
  assert.ok(performance.now() - since >= (11 / 20) * 1000 - 1);
});

test('when another instance has taken the lane, nothing more is begun', async (t) => {
  const own = await world.tenant();
  const { channel, calls } = heldChannel(t, sentBy);
  const { start, lease } = sending(t, own, channel);
  await start();
  const other = newId<InstanceId>();
  await world.db.script('delete from instances');
  await world.db.query({ name: 'test_take', text: 'update lanes set owner = $1, epoch = epoch + 1' }, [other]);
  await world.db.query(
    { name: 'test_live', text: `insert into instances values ($1, now() + interval '1 minute', now(), 'other')` },
    [other],
  );
  const id = await own.accept();
  await until('it knows', () => lease.claim().lanes.length === 0);
  assert.deepEqual([calls.length, (await own.read(id)).state], [0, 'queued']);
});
