import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { cancelMessage, retryMessage } from '../../src/actions/change-message.ts';
import { giveConsents } from '../../src/actions/consent.ts';
import { expireMessages } from '../../src/actions/expire-messages.ts';
import { type MessageId, newId } from '../../src/domain/ids.ts';
import { type EngineWorld, engineWorld, makeDue } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

const refusal = { kind: 'error', code: 131026, title: 'no', detail: null, retryAfter: null } as const;

test('a message is cancelled once, while it waits', async () => {
  const { db, signals } = world;
  const own = await world.tenant();
  const other = await world.tenant();
  const id = await own.accept({ scheduled_at: Date.now() + 60_000 });
  assert.equal(await cancelMessage(db, signals, other.tenant, id, null), 'not_found');
  assert.equal(await cancelMessage(db, signals, own.tenant, newId<MessageId>(), null), 'not_found');
  const answers = await Promise.all([1, 2, 3].map(() => cancelMessage(db, signals, own.tenant, id, null)));
  assert.deepEqual(answers.sort(), ['cancelled', 'too_late', 'too_late']);
  const { state, ended_at } = await own.read(id);
  assert.ok(state === 'cancelled' && ended_at);
  const send = await own.sending();
  assert.equal(await cancelMessage(db, signals, own.tenant, send.message_id, null), 'too_late');
});

test('what is cancelled or expires between two attempts keeps the number of them', async () => {
  const { db, signals } = world;
  const own = await world.tenant();
  const later = { kind: 'error', code: 2, title: 'later', detail: null, retryAfter: null } as const;
  const [cancelled, expired] = [await own.sending(), await own.sending({ expires_at: Date.now() + 60_000 })];
  for (const send of [cancelled, expired]) await own.settle(send, later);
  assert.equal(await cancelMessage(db, signals, own.tenant, cancelled.message_id, null), 'cancelled');
  await db.script(`update due set expires_at = clock_timestamp() where message_id = '${expired.message_id}'`);
  assert.equal(await expireMessages(db, signals, [own.lane]), 1);
  for (const [send, ended] of [
    [cancelled, 'cancelled'],
    [expired, 'expired'],
  ] as const) {
    const { state, attempt } = await own.read(send.message_id);
    assert.deepEqual([state, attempt], [ended, 1]);
  }
});

test('of a cancellation and a begin at the same moment one wins, for each message', async () => {
  const { db, signals } = world;
  const own = await world.tenant();
  const ids = await Promise.all(Array.from({ length: 40 }, () => own.accept()));
  const [begun, ...answers] = await Promise.all([
    own.begin(),
    ...ids.map((id) => cancelMessage(db, signals, own.tenant, id, null)),
  ]);
  const left = new Set(begun.map((send) => send.message_id));
  for (const [i, id] of ids.entries()) {
    assert.equal(left.has(id), answers[i] === 'too_late');
    assert.equal((await own.read(id)).state, left.has(id) ? 'sending' : 'cancelled');
  }
});

test('many people change messages of one sender at once, and none is turned away', async () => {
  const { db, signals } = world;
  const own = await world.tenant();
  const ids = await Promise.all(Array.from({ length: 100 }, () => own.accept({ scheduled_at: Date.now() + 60_000 })));
  const answers = await Promise.all(ids.map((id) => cancelMessage(db, signals, own.tenant, id, null)));
  assert.deepEqual(
    answers,
    ids.map(() => 'cancelled'),
  );
});

test('a failed message is made due again once, and its attempts count on', async () => {
  const { db, signals } = world;
  const own = await world.tenant();
  const send = await own.sending();
  assert.equal(await retryMessage(db, signals, own.tenant, send.message_id, null), 'not_failed');
  await own.settle(send, refusal);
  const answers = await Promise.all([1, 2, 3].map(() => retryMessage(db, signals, own.tenant, send.message_id, null)));
  assert.deepEqual(answers.sort(), ['not_failed', 'not_failed', 'queued']);
  const { state, error, failed_at } = await own.read(send.message_id);
  assert.deepEqual([state, error, failed_at], ['queued', null, null]);
  const [second] = await own.begin();
  assert.equal(second?.attempt, 2);
  assert.equal(await retryMessage(db, signals, own.tenant, newId<MessageId>(), null), 'not_found');
});

test('a failed message whose validity is over is not tried again', async () => {
  const own = await world.tenant();
  const send = await own.sending({ expires_at: Date.now() + 60_000 });
  await own.settle(send, refusal);
  const text = `update messages set expires_at = now() - interval '1 second' where id = $1`;
  await world.db.query({ name: 'test_over', text }, [send.message_id]);
  assert.equal(await retryMessage(world.db, world.signals, own.tenant, send.message_id, null), 'expired');
});

test('one without an end of its own is not tried again when it has waited for longer than a message may', async () => {
  const own = await world.tenant();
  const send = await own.sending();
  await own.settle(send, refusal);
  const { db, signals } = world;
  const answer = (validity: number) => retryMessage(db, signals, own.tenant, send.message_id, null, { validity });
  assert.equal(await answer(1), 'expired');
  assert.equal(await answer(60_000), 'queued');
});

test('what failed before its scheduled time is sent again at that time, and not before', async () => {
  const { db, signals } = world;
  const own = await world.tenant();
  const scheduled_at = Date.now() + 3_600_000;
  const id = await own.accept({ scheduled_at, category: 'marketing' });
  const { contact_id: contact } = await own.read(id);
  const consent = {
    tenant: own.tenant,
    contact,
    source: 'api',
    detail: null,
    message: null,
    scope: 'marketing',
  } as const;
  await giveConsents(world, [{ ...consent, state: 'out', at: Date.now() - 1 }]);
  assert.equal((await own.read(id)).state, 'failed');
  await giveConsents(world, [{ ...consent, state: 'in', at: Date.now() }]);
  assert.equal(await retryMessage(db, signals, own.tenant, id, null), 'queued');
  assert.deepEqual(await own.begin(), []);
  assert.equal((await own.read(id)).due_at?.getTime(), scheduled_at);
});

test('what has expired ends and never begins; what is on its way goes on', async () => {
  const { db, signals } = world;
  const own = await world.tenant();
  const open = await own.sending({ expires_at: Date.now() + 60_000 });
  const over = await Promise.all([1, 2, 3].map(() => own.accept({ expires_at: Date.now() + 60_000 })));
  const other = await own.accept({ expires_at: Date.now() + 120_000 });
  await db.script(
    `update due set expires_at = clock_timestamp() where expires_at < clock_timestamp() + interval '90 seconds'`,
  );
  const [begun, ...counts] = await Promise.all([
    own.begin(),
    expireMessages(db, signals, [own.lane]),
    expireMessages(db, signals, [own.lane]),
  ]);
  assert.deepEqual(
    begun.map((send) => send.message_id),
    [other],
  );
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    3,
  );
  for (const id of over) assert.equal((await own.read(id)).state, 'expired');
  assert.equal((await own.read(open.message_id)).state, 'sending');
  await own.settle(open, { kind: 'error', code: 2, title: 'later', detail: null, retryAfter: null });
  await makeDue(db, open.message_id);
  assert.deepEqual(await own.begin(), []);
  assert.equal(await expireMessages(db, signals, [own.lane]), 1);
});

test('more than one call may expire are expired by the next', async () => {
  const { db, signals } = world;
  const own = await world.tenant();
  await Promise.all(Array.from({ length: 501 }, () => own.accept({ expires_at: Date.now() + 60_000 })));
  await db.script('update due set expires_at = clock_timestamp() where expires_at is not null');
  assert.deepEqual(
    [await expireMessages(db, signals, [own.lane]), await expireMessages(db, signals, [own.lane])],
    [500, 1],
  );
});
