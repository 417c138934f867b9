import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type InstanceId, type MessageId, newId } from '../../src/domain/ids.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';
import { heldChannel, sendingLoop, sentBy } from './sending-loop.ts';

/* Two instances that send share two lanes: a lane changes hands between calls, never in the middle of one. */

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});

after(() => world.close());

const ownerOf = async (own: TenantWorld): Promise<InstanceId | null> => {
  const rows = await world.db.query<{ owner: InstanceId | null }>(
    { name: 'test_owner', text: 'select owner from lanes where id = $1' },
    [own.lane],
  );
  return rows[0]?.owner ?? null;
};

const doubts = async (): Promise<number> =>
  (await world.db.query({ name: 'test_doubts', text: `select id from events where type = 'message.unconfirmed'` }))
    .length;

test('a newcomer gets a lane when its calls are over; what is queued there leaves by the newcomer, and nothing is in doubt', async (t) => {
  const tenants = [await world.tenant(), await world.tenant()] as const;
  await world.db.script('update lanes set owner = null; delete from instances');
  const [first, second] = [newId<InstanceId>(), newId<InstanceId>()];
  const slow = heldChannel(t);
  const quick = heldChannel(t, sentBy);
  const one = sendingLoop(t, world, tenants[0], slow.channel, { instance: first, alone: false });
  await one.start();
  const began: MessageId[] = [];
  for (const own of tenants) began.push(await own.accept());
  await until('calls are under way in both lanes', () => slow.calls.length === 2);
  const other = sendingLoop(t, world, tenants[0], quick.channel, { instance: second, alone: false });
  await other.start();
  const before = one.lease.claim().lanes.length;
  assert.equal(before, 2);
  // The last one is handed over: what comes to it now waits for the newcomer.
  await until('it begins nothing more there', async () => {
    const id = await tenants[1].accept();
    // Whoever begins this one has seen the other, too.
    const later = await tenants[0].accept();
    const isCalled = (one: MessageId) => slow.calls.some(({ message }) => message === one);
    await until('the round after it', () => isCalled(later));
    return !isCalled(id);
  });
  assert.equal(await ownerOf(tenants[1]), first, 'not in the middle of a call');
  assert.equal(quick.calls.length, 0);
  for (const call of slow.calls) call.answer(sentBy(call));
  await until('the newcomer owns it', async () => (await ownerOf(tenants[1])) === second);
  await until('and sends what waited', () => quick.calls.length > 0);
  const waited = quick.calls.map(({ message }) => message);
  await until('all of it is sent', async () => {
    const states = await Promise.all([...began, ...waited].map(async (id) => (await tenantOf(tenants, id)).state));
    return states.every((state) => state === 'sent');
  });
  assert.equal(await ownerOf(tenants[0]), first);
  assert.equal(await doubts(), 0);
  assert.ok(
    slow.calls.every(({ message }) => !waited.includes(message)),
    'no message left twice',
  );
  await assertSound(world.db);
});

test('an instance that stops ends its calls first; the other sends what is left within a moment', async (t) => {
  const own = await world.tenant();
  await world.db.script('update lanes set owner = null; delete from instances');
  const slow = heldChannel(t);
  const quick = heldChannel(t, sentBy);
  const one = sendingLoop(t, world, own, slow.channel, { instance: newId<InstanceId>(), alone: false, maxInFlight: 1 });
  await one.start();
  const ids = [await own.accept(), await own.accept()];
  await until('a call is under way', () => slow.calls.length === 1);
  const other = sendingLoop(t, world, own, quick.channel, { instance: newId<InstanceId>(), alone: false });
  await other.start();
  const stopped = one.dispatcher.stop().then(() => one.lease.stop());
  for (const call of slow.calls) call.answer(sentBy(call));
  await stopped;
  await until('both are sent', async () => {
    const states = await Promise.all(ids.map(async (id) => (await own.read(id)).state));
    return states.every((state) => state === 'sent');
  });
  assert.equal(slow.calls.length + quick.calls.length, 2);
  assert.equal(await doubts(), 0);
});

/** A message, of whichever tenant it is. */
async function tenantOf(tenants: readonly TenantWorld[], id: Parameters<TenantWorld['read']>[0]) {
  for (const own of tenants) {
    const found = await own.read(id).catch(() => null);
    if (found) return found;
  }
  throw new Error(`no message ${id}`);
}
