import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import pg from 'pg';
import { type BegunSend, beginSends, findDueSends, putOffSends } from '../../src/actions/begin-sends.ts';
import { cancelMessage, rescheduleMessage } from '../../src/actions/change-message.ts';
import { expireMessages, expireTooOld } from '../../src/actions/expire-messages.ts';
import { createSettler, type SentMessage } from '../../src/actions/settle-sends.ts';
import type { Db } from '../../src/db/pool.ts';
import type { MessageId } from '../../src/domain/ids.ts';
import { beginAttempts, putOffDue } from '../../src/store/sending.write.ts';
import { type EngineWorld, engineWorld, GRACE, makeDue, RETRY, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { assertCheap } from '../store/cheap-plans.ts';
import { heldChannel, sendingLoop } from './sending-loop.ts';

/* Between the moment in which due work is read and the one in which something is written of it, anything may have changed. */

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

const HOUR = 3_600_000;

const dueOf = ({ lane, sender }: Pick<TenantWorld, 'lane' | 'sender'>) =>
  findDueSends(world.db, [{ lane, sender, limits: [10, 10, 10] }]);

function reschedule(own: TenantWorld, id: MessageId, change: { scheduled_at?: number; expires_at?: number }) {
  return rescheduleMessage(world.db, world.signals, own.tenant, id, change, null);
}

async function write<R extends object>(text: string, ...values: unknown[]): Promise<R[]> {
  return world.db.query<R>({ name: `test_${text.slice(0, 40)}`, text }, values);
}

test('what is moved to a later time after it was read is neither begun nor put off, and leaves at that time', async () => {
  const own = await world.tenant();
  const id = await own.accept();
  const found = await dueOf(own);
  assert.equal(found.length, 1);
  const scheduled_at = Date.now() + HOUR;
  assert.equal(await reschedule(own, id, { scheduled_at }), 'changed');
  const candidates = found.map((candidate) => ({ candidate, delay: 0, cause: 'order' as const }));
  assert.equal(await putOffSends(world.db, own.claim, candidates), 0);
  assert.deepEqual(await beginSends(world.db, own.claim, found, GRACE), []);
  const [row] = await write<{ due_at: Date; cause: string | null }>(
    'select due_at, cause from due where message_id = $1',
    id,
  );
  assert.deepEqual(row, { due_at: new Date(scheduled_at), cause: null });
  assert.equal((await own.read(id)).state, 'queued');
  await makeDue(world.db, id);
  assert.equal((await own.begin()).length, 1);
});

test('what was given more time after it was found to be too old does not expire', async () => {
  const own = await world.tenant();
  const id = await own.accept();
  const found = await dueOf(own);
  assert.equal(await reschedule(own, id, { expires_at: Date.now() + HOUR }), 'changed');
  assert.equal(await expireTooOld(world.db, world.signals, found), 0);
  assert.equal((await own.read(id)).state, 'queued');
});

test('what begins and what is put off is found by its key, however much waits in the lane', async () => {
  const own = await world.tenant();
  await Promise.all(Array.from({ length: 200 }, () => own.accept()));
  const found = await dueOf(own);
  assert.equal(found.length, 10);
  await world.db.script('analyze due; analyze lanes');
  const putOff = found.slice(5).map((candidate) => ({ candidate, delay: 0, cause: 'order' as const }));
  await assertCheap(world.db, 20, (tx) => putOffDue(tx, own.claim, putOff));
  await assertCheap(world.db, 20, (tx) => beginAttempts(tx, own.claim, found.slice(0, 5), GRACE));
});

test('what followed its sender into another lane of the same owner after it was read begins there, and is settled', async () => {
  const [own, other] = [await world.tenant(), await world.tenant()];
  const id = await own.accept();
  const stays = await other.accept();
  const claim = {
    instance: own.claim.instance,
    lanes: [...own.claim.lanes, ...other.claim.lanes],
    epochs: [...own.claim.epochs, ...other.claim.epochs],
  };
  const found = [...(await dueOf(own)), ...(await dueOf(other))];
  await write('update due set lane_id = $2 where message_id = $1', id, other.lane);
  const begun = await beginSends(world.db, claim, found, GRACE);
  assert.deepEqual(
    begun.map(({ message_id }) => message_id),
    [stays],
  );
  const moved = await beginSends(world.db, claim, await dueOf({ lane: other.lane, sender: own.sender }), GRACE);
  for (const send of [...begun, ...moved]) {
    const settled = await other.settle(send, { kind: 'sent', wamid: `wamid.${send.message_id}` });
    assert.equal(settled.changed, true);
  }
  assert.equal((await own.read(id)).state, 'sent');
});

test("a message that was tried as often as can be counted stands in nobody's way", async () => {
  const own = await world.tenant();
  const id = await own.accept();
  await write('update due set attempt = 32767 where message_id = $1', id);
  const next = await own.accept();
  assert.deepEqual(
    (await own.begin()).map(({ message_id }) => message_id),
    [next],
  );
  await write('update due set attempt = 0 where message_id = $1', id);
});

test('whoever changes times while a lane is at work: nothing leaves before its time, after its end, or after it was cancelled', async () => {
  const own = await world.tenant();
  const { db, signals } = world;
  const ids = await Promise.all(Array.from({ length: 30 }, () => own.accept({ scheduled_at: Date.now() + 100 })));
  const cancelled = new Set<MessageId>();
  const begun: BegunSend[] = [];
  let over = false;
  const lane = async () => {
    while (!over) {
      const found = await dueOf(own);
      const [goes, waits] = [found.filter((_, i) => i % 3 > 0), found.filter((_, i) => i % 3 === 0)];
      const candidates = waits.map((candidate) => ({ candidate, delay: 3, cause: 'order' as const }));
      const [sends] = await Promise.all([
        beginSends(db, own.claim, goes, GRACE),
        putOffSends(db, own.claim, candidates),
        expireMessages(db, signals, [own.lane]),
      ]);
      begun.push(...sends);
    }
  };
  const person = async (ofMine: readonly MessageId[]) => {
    for (let round = 0; round < 12; round++) {
      for (const [i, id] of ofMine.entries()) {
        const scheduled_at = Date.now() + ((round * 7 + i * 13) % 60);
        if ((round + i) % 11 === 10 && (await cancelMessage(db, signals, own.tenant, id, null)) === 'cancelled')
          cancelled.add(id);
        else
          await reschedule(own, id, { scheduled_at, expires_at: scheduled_at + (i % 2 ? 40 : 60_000) }).catch(
            () => 'past',
          );
      }
    }
  };
  const people = [0, 1, 2].map((part) => person(ids.filter((_, i) => i % 3 === part)));
  const lanes = [lane(), lane()];
  await Promise.all(people).finally(() => {
    over = true;
  });
  await Promise.all(lanes);
  assert.ok(begun.length > 0);
  assert.equal(new Set(begun.map(({ message_id }) => message_id)).size, begun.length, 'each began once');
  for (const { message_id, started_at } of begun) {
    const { scheduled_at, expires_at, state } = await own.read(message_id);
    assert.equal(state, 'sending');
    assert.ok(!cancelled.has(message_id));
    assert.ok(scheduled_at !== null && scheduled_at.getTime() <= started_at, 'not before its time');
    assert.ok(expires_at === null || expires_at.getTime() > started_at, 'not after its end');
  }
});

test('what a batch has settled it tells as settled, though a later statement of it has to be repeated', async () => {
  const own = await world.tenant();
  const first = await own.sending();
  const second = await own.sending();
  let conflicts = 0;
  const query: Db['query'] = async (statement, values) => {
    if (statement.name === 'sending_settle_again' && conflicts++ === 0) {
      throw Object.assign(new pg.DatabaseError('could not serialize access', 0, 'error'), { code: '40001' });
    }
    return world.db.query(statement, values);
  };
  const told: SentMessage[] = [];
  const settler = createSettler({
    db: Object.create(world.db, { query: { value: query } }),
    ...{
      signals: world.signals,
      owner: () => own.claim,
      retry: RETRY,
      maxAttempts: null,
      validity: 86_400_000,
      slot: 0,
    },
    sent: (messages) => told.push(...messages),
  });
  const [sent, again] = await Promise.all([
    settler.settle(first, { kind: 'sent', wamid: 'wamid.settled' }),
    settler.settle(second, { kind: 'not_sent', detail: 'no connection' }),
  ]);
  assert.equal(conflicts, 2);
  assert.deepEqual([sent.changed, again.changed], [true, true]);
  assert.deepEqual(
    told.map(({ wamid }) => wamid),
    ['wamid.settled'],
  );
  assert.notEqual(again.again, null);
});

test('a lane is left at once when nothing began of what was about to', async (t) => {
  const own = await world.tenant();
  await write('update senders set enabled = (tenant_id = $1)', own.tenant);
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const query: Db['query'] = async (statement, values) => {
    if (statement.name === 'sending_begin') {
      reached.resolve();
      await released.promise;
    }
    return world.db.query(statement, values);
  };
  const db: Db = Object.create(world.db, { query: { value: query } });
  const { channel, calls } = heldChannel(t);
  const { dispatcher, start } = sendingLoop(t, { ...world, db }, own, channel);
  await start();
  const id = await own.accept();
  await reached.promise;
  assert.equal(await cancelMessage(world.db, world.signals, own.tenant, id, null), 'cancelled');
  const left = dispatcher.leave([own.lane]);
  released.resolve();
  await left;
  assert.equal(calls.length, 0);
});
