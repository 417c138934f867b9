import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { settlementOf } from '../../src/actions/settle-sends.ts';
import { type EventId, type InstanceId, newId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { findMessageWithTrail } from '../../src/store/messages.read.ts';
import { beginAttempts, findDue, settleSent } from '../../src/store/sending.write.ts';
import {
  beginDue,
  type EngineWorld,
  engineWorld,
  GRACE,
  makeDue,
  RETRY,
  readLog,
  takeAllLanes,
} from '../engine-world.ts';
import { assertSound } from '../soundness.ts';

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

const refusal: Outcome = {
  kind: 'error',
  code: 131026,
  title: 'Undeliverable',
  detail: 'no WhatsApp',
  retryAfter: null,
};
const overload: Outcome = { kind: 'error', code: 131016, title: 'Overloaded', detail: null, retryAfter: 30_000 };

test('what is due leaves by priority, then by time, each sender within its room', async () => {
  const { db } = world;
  const { tenant, sender, lane, accept } = await world.tenant();
  const low = await accept({ priority: 2 });
  const first = await accept();
  const second = await accept();
  const high = await accept({ priority: 0 });
  await accept({ priority: 0, scheduled_at: Date.now() + 60_000 });
  const found = await findDue(db, [{ lane, sender, limits: [3, 2, 0] }]);
  assert.deepEqual(
    found.map((one) => one.message_id),
    [high, first, second],
  );
  assert.deepEqual((await findDue(db, [{ lane, sender, limits: [9, 9, 9] }])).map((one) => one.message_id).at(-1), low);
  assert.ok(found.every((one) => one.tenant_id === tenant && one.attempt === 0));
});

test('an attempt is recorded once, whoever read it as due', async () => {
  const { db } = world;
  const { sender, lane, claim, accept, read } = await world.tenant();
  const id = await accept();
  const rounds = await Promise.all([1, 2, 3, 4].map(() => beginDue(db, claim, [{ lane, sender }])));
  assert.equal(rounds.flat().length, 1);
  const message = await read(id);
  assert.deepEqual([message.state, message.attempt], ['sending', 1]);
  assert.ok((message.due_at?.getTime() ?? 0) - (message.sending_at?.getTime() ?? 0) >= GRACE - 1);
});

test('each outcome changes the row, its due work, its history and its events together', async () => {
  const { db } = world;
  const { tenant, sending, settle, read } = await world.tenant();
  const cases: [outcome: Outcome, state: string, trail: string[], failures: number][] = [
    [{ kind: 'sent', wamid: 'wamid.one' }, 'sent', ['sent'], 0],
    [refusal, 'failed', ['refused'], 1],
    [overload, 'queued', ['retry'], 0],
    [{ kind: 'not_sent', detail: 'ECONNREFUSED' }, 'queued', ['retry'], 0],
    [{ kind: 'unknown', detail: 'cut' }, 'unconfirmed', [], 0],
  ];
  for (const [outcome, state, trail, failures] of cases) {
    const send = await sending();
    const before = Date.now();
    const settled = await settle(send, outcome);
    assert.equal(settled.changed, true);
    const found = await findMessageWithTrail(db, tenant, send.message_id);
    assert.ok(found);
    assert.deepEqual(
      [found.state, found.attempts.map((one) => one.outcome), found.failures.length],
      [state, trail, failures],
    );
    if (outcome === overload) assert.ok((found.due_at?.getTime() ?? 0) >= before + 29_900, 'Retry-After is kept');
    if (outcome === refusal) {
      assert.deepEqual(found.error, {
        error: 'send_failed',
        code: 131026,
        title: 'Undeliverable',
        detail: 'no WhatsApp',
      });
    }
    // The same outcome again, and any other, change nothing: the attempt is settled.
    const again = await settle(send, outcome);
    const other = await settle(send, { kind: 'sent', wamid: 'wamid.other' });
    assert.deepEqual([again.changed, other.changed], [false, state === 'unconfirmed']);
    if (state !== 'unconfirmed')
      assert.deepEqual(await read(send.message_id), { ...(await read(send.message_id)), state });
  }
});

test('an answer that came too late for its attempt changes nothing', async () => {
  const { sending, settle, begin, read } = await world.tenant();
  const first = await sending();
  await settle(first, overload);
  await makeDue(world.db, first.message_id);
  const [second] = await begin();
  assert.equal(second?.attempt, 2);
  assert.equal((await settle(first, { kind: 'sent', wamid: 'wamid.late' })).changed, false);
  assert.equal((await settle(first, refusal)).changed, false);
  assert.equal((await settle(first, { kind: 'unknown', detail: 'cut' })).changed, false);
  assert.equal((await read(first.message_id)).state, 'sending');
});

test('a deposed owner begins and settles nothing', async () => {
  const { db } = world;
  const { sender, lane, claim, accept, sending, settle, read } = await world.tenant();
  const open = await sending();
  const waiting = await accept();
  const due = await findDue(db, [{ lane, sender, limits: [10, 10, 10] }]);
  await takeAllLanes(db, newId<InstanceId>());
  assert.deepEqual(await beginAttempts(db, claim, due, GRACE), []);
  for (const outcome of [
    { kind: 'sent', wamid: 'wamid.stale' },
    refusal,
    overload,
    { kind: 'unknown', detail: '' },
  ] as const) {
    assert.equal((await settle(open, outcome)).changed, false, outcome.kind);
  }
  assert.equal((await read(waiting)).state, 'queued');
  assert.equal((await read(open.message_id)).state, 'unconfirmed');
});

test('a takeover leaves a lane where a settlement has begun to the next look, and then finds nothing open', async () => {
  const { db } = world;
  const { tenant, claim, lane, sending, read } = await world.tenant();
  const send = await sending();
  const other = newId<InstanceId>();
  await db.transaction(async (tx) => {
    const key = { tenant, message: send.message_id, attempt: 1, event: newId<EventId>(), wamid: 'wamid.first' };
    assert.equal((await settleSent(tx, claim, [key], 0)).length, 1);
    assert.ok(!(await takeAllLanes(db, other)).lanes.includes(lane));
  });
  assert.ok((await takeAllLanes(db, other)).lanes.includes(lane));
  assert.equal((await read(send.message_id)).state, 'sent');
});

test('many settle together, and each gets its own answer', async () => {
  const { accept, begin, settler, read } = await world.tenant();
  await Promise.all(Array.from({ length: 120 }, () => accept()));
  const begun = await begin();
  const { settle, idle } = settler(() => 0.5);
  const settled = await Promise.all(
    begun.map((send, i) =>
      settle(send, i % 3 === 0 ? refusal : i % 3 === 1 ? overload : { kind: 'sent', wamid: `wamid.${i}` }),
    ),
  );
  await idle();
  assert.deepEqual(new Set(settled.map((one) => one.kind)), new Set(['failed', 'again', 'sent']));
  for (const [i, send] of begun.slice(0, 6).entries()) {
    assert.equal((await read(send.message_id)).state, ['failed', 'queued', 'sent'][i % 3]);
  }
});

test('one outcome that the database cannot hold does not spoil the others', async () => {
  const { accept, begin, settler, read } = await world.tenant();
  await Promise.all([accept(), accept(), accept()]);
  const [bad, ...good] = await begin();
  assert.ok(bad);
  const { settle } = settler();
  const results = await Promise.allSettled([
    settle(bad, { kind: 'sent', wamid: 'wamid.\0' }),
    ...good.map((send, i) => settle(send, { kind: 'sent', wamid: `wamid.good.${i}` })),
  ]);
  assert.deepEqual(
    results.map((one) => one.status),
    ['rejected', 'fulfilled', 'fulfilled'],
  );
  assert.equal((await read(bad.message_id)).state, 'sending');
});

test('a message is tried until its attempts or its time are used up', async () => {
  const { sending } = await world.tenant();
  const send = await sending();
  const limits = { retry: RETRY, maxAttempts: 3, validity: 100_000 };
  assert.equal(settlementOf({ ...send, attempt: 2 }, overload, limits, 0).kind, 'again');
  assert.equal(settlementOf({ ...send, attempt: 3 }, overload, limits, 0).kind, 'failed');
  const late = { ...send, started_at: send.started_at + 80_000 };
  assert.equal(settlementOf(late, overload, limits, 0).kind, 'failed');
  assert.equal(settlementOf(late, { kind: 'unknown', detail: '' }, limits, 0).kind, 'unknown');
});

test('the time of a scheduled message counts from when it may leave', async () => {
  const { db } = world;
  const { sending, accept, begin, settler, read } = await world.tenant();
  await sending();
  const id = await accept({ scheduled_at: Date.now() + 3_600_000 });
  // An hour later, seen from a message whose validity is less than that.
  await db.query(
    {
      name: 'test_age',
      text: `update messages set created_at = created_at - interval '2 days', scheduled_at = now() where id = $1`,
    },
    [id],
  );
  await makeDue(db, id);
  const [send] = await begin();
  assert.equal(send?.message_id, id);
  await settler().settle(send, overload);
  assert.equal((await read(id)).state, 'queued');
});

test('the log tells a life in order', async () => {
  const { db } = world;
  const { tenant, sending, settle, begin } = await world.tenant();
  const send = await sending();
  await settle(send, { kind: 'unknown', detail: 'cut' });
  await settle(send, overload);
  await makeDue(db, send.message_id);
  const [second] = await begin();
  assert.ok(second);
  await settle(second, { kind: 'sent', wamid: 'wamid.life' });
  const events = await readLog(db, tenant, 4);
  assert.deepEqual(
    events.map((event) => event.event_type),
    ['message.queued', 'message.unconfirmed', 'message.queued', 'message.sent'],
  );
});
