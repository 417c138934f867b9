import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type BatchId,
  type ConversationId,
  type MessageId,
  newId,
  type SenderId,
  type TenantId,
} from '../../../src/domain/ids.ts';
import type { Priority } from '../../../src/domain/message.ts';
import {
  type Candidate,
  createSchedule,
  type Schedule,
  type ScheduledSender,
  type ScheduleOptions,
} from '../../../src/domain/schedule/schedule.ts';

const OPEN: ScheduleOptions = {
  room: 32,
  senderRoom: 32,
  tenantRoom: 32,
  validity: 86_400_000,
  gate: () => Number.POSITIVE_INFINITY,
  gateOpens: () => Number.NEGATIVE_INFINITY,
  holds: [],
};

function sender(change: Partial<ScheduledSender> = {}): ScheduledSender {
  return {
    ...{ id: newId<SenderId>(), tenant: newId<TenantId>(), lane: 1, channel: 'whatsapp', rate: 1000, inbound: 0 },
    ...{ active: true, pace: '' },
    ...change,
  };
}

/** A message that is due, as it lies in the store. */
interface Stored extends Candidate {
  due: number;
  place: number;
}

/** A store in memory, and a clock: what dispatch has around the schedule. */
function world(senders: readonly ScheduledSender[], options: Partial<ScheduleOptions> = {}) {
  const schedule: Schedule = createSchedule({ ...OPEN, ...options });
  schedule.replace(senders, 0);
  let stored: Stored[] = [];
  let places = 0;
  const now = { at: 0 };

  return {
    schedule,
    now,
    accept(by: ScheduledSender, change: Partial<Candidate> = {}): Stored {
      const message: Stored = {
        tenant_id: by.tenant,
        sender_id: by.id,
        lane_id: by.lane,
        message_id: newId<MessageId>(),
        conversation_id: newId<ConversationId>(),
        priority: 1,
        batch_id: null,
        category: 'service',
        address: '+6281',
        expires_at: null,
        waiting_since: new Date(now.at),
        due: now.at,
        place: places++,
        ...change,
      };
      stored.push(message);
      schedule.wake(by.lane);
      return message;
    },
    /** One round: gives those that go, and puts the others off. */
    round() {
      const asks = schedule.ask(now.at);
      const found = asks.flatMap((ask) =>
        ([0, 1, 2] as const).flatMap((priority) =>
          stored
            .filter((one) => one.sender_id === ask.sender && one.priority === priority && one.due <= now.at)
            .sort((a, b) => a.due - b.due || a.place - b.place)
            .slice(0, ask.limits[priority]),
        ),
      );
      const selection = schedule.select(asks, found, now.at, now.at);
      for (const { candidate, delay } of selection.putOff) candidate.due = now.at + delay;
      const gone = new Set([...selection.go, ...selection.stale]);
      stored = stored.filter((one) => !gone.has(one));
      return selection;
    },
    /** It lies in the store as before. */
    store(message: Stored): void {
      stored.push(message);
      schedule.wake(message.lane_id);
    },
    /** Its call is over, and settled: it left. */
    end(message: Stored): void {
      schedule.answered(message);
      schedule.ended(message, null, now.at);
    },
    /** It is to be tried again. */
    again(message: Stored, delay: number): void {
      schedule.answered(message);
      schedule.ended(message, delay, now.at);
      message.due = now.at + delay;
      stored.push(message);
    },
    get waiting() {
      return stored.length;
    },
  };
}

test('room, caps of senders and of tenants hold, and what leaves them free is used', () => {
  const tenant = newId<TenantId>();
  const senders = [1, 2, 3].map((lane) => sender({ tenant, lane }));
  const other = sender({ lane: 4 });
  const w = world([...senders, other], { room: 40, senderRoom: 10, tenantRoom: 16 });
  for (const one of [...senders, other]) for (let i = 0; i < 30; i++) w.accept(one);
  w.now.at = 1000;
  const { go } = w.round();
  const count = (by: ScheduledSender) => go.filter((one) => one.sender_id === by.id).length;
  assert.ok(senders.every((one) => count(one) <= 10));
  assert.equal(senders.reduce((sum, one) => sum + count(one), 0) <= 16, true);
  assert.ok(count(other) >= 5, `the other tenant had ${count(other)}`);
  for (const one of go) w.end(one);
  assert.equal(w.schedule.underWay(), 0);
});

test('a call that is over makes room before it is settled, until too many are not', () => {
  const one = sender({ rate: 10_000 });
  const w = world([one], { room: 16 });
  for (let i = 0; i < 100; i++) w.accept(one);
  const open: Stored[] = [];
  for (w.now.at = 1000; w.now.at < 2000; w.now.at += 50) {
    const { go } = w.round();
    for (const each of go) w.schedule.answered(each);
    open.push(...go);
  }
  assert.equal(w.schedule.calls, 0);
  assert.equal(w.schedule.underWay(), open.length);
  assert.ok(open.length >= 32 && open.length < 48, `${open.length} were begun`);
  assert.equal(w.schedule.next(w.now.at), Number.POSITIVE_INFINITY, 'a settlement wakes it');
  for (const each of open) w.schedule.ended(each, null, w.now.at);
  assert.equal(w.schedule.underWay(1), 0);
  assert.ok(w.round().go.length > 0);
});

test('while everything is taken by calls that do not end, high priority still leaves', () => {
  const one = sender();
  const w = world([one]);
  for (let i = 0; i < 100; i++) w.accept(one, { priority: 2 });
  for (w.now.at = 1000; w.now.at < 3000; w.now.at += 50) w.round();
  const before = w.schedule.underWay();
  assert.equal(before, 28, 'an eighth is kept');
  w.accept(one, { priority: 0 });
  w.now.at += 50;
  assert.deepEqual(
    w.round().go.map(({ priority }) => priority),
    [0],
  );
});

test('a pause lets nothing go, a probe one, and what was in the way is told', () => {
  const one = sender();
  let room = 0;
  const w = world([one], { gate: () => room, gateOpens: () => (room === 0 ? 7000 : Number.NEGATIVE_INFINITY) });
  for (let i = 0; i < 5; i++) w.accept(one);
  w.now.at = 1000;
  assert.equal(w.round().go.length, 0);
  assert.equal(w.schedule.next(1000), 6000);
  room = 1;
  assert.equal(w.round().go.length, 1);
  room = Number.POSITIVE_INFINITY;
  w.schedule.wake();
  assert.equal(w.round().go.length, 4);
});

test('what is too old does not go; what is held goes when it is not any more', () => {
  const one = sender();
  let night = true;
  const w = world([one], { validity: 5000, holds: [() => (night ? { delay: 1000, cause: 'quiet_hours' } : null)] });
  w.accept(one);
  w.now.at = 1000;
  const held = w.round();
  assert.deepEqual([held.go.length, held.putOff.map(({ cause }) => cause)], [0, ['quiet_hours']]);
  night = false;
  w.now.at = 2000;
  w.schedule.wake();
  assert.equal(w.round().go.length, 1);
  w.accept(one);
  w.now.at = 9000;
  w.schedule.wake();
  const late = w.round();
  assert.deepEqual([late.go.length, late.stale.length], [0, 1]);
});

test('a lane that is being handed over begins nothing', () => {
  const [mine, leaving] = [sender({ lane: 1 }), sender({ lane: 2 })];
  const w = world([mine, leaving]);
  w.accept(mine);
  w.accept(leaving);
  w.schedule.leave(new Set([2]));
  w.now.at = 1000;
  assert.deepEqual(
    w.round().go.map(({ lane_id }) => lane_id),
    [1],
  );
  assert.equal(w.schedule.underWay(2), 0);
});

test('calls of a sender that moves to another lane are calls of the lane they began in', () => {
  const one = sender({ lane: 1 });
  const w = world([one]);
  w.accept(one);
  w.now.at = 1000;
  const [call] = w.round().go;
  assert.ok(call);
  w.schedule.replace([{ ...one, lane: 2 }], w.now.at);
  assert.deepEqual([w.schedule.underWay(1), w.schedule.underWay(2)], [1, 0]);
  w.schedule.answered(call);
  assert.deepEqual([w.schedule.underWay(1), w.schedule.underWay(2)], [1, 0]);
  w.schedule.ended(call, null, w.now.at);
  assert.deepEqual([w.schedule.underWay(), w.schedule.underWay(1)], [0, 0]);
});

test('calls of a sender that goes count until they are over, and on when it comes back', () => {
  const [hook, other] = [sender({ channel: 'webhook', lane: 1 }), sender({ channel: 'webhook', lane: 2 })];
  const w = world([hook, other], { room: 16 });
  const begin = (by: ScheduledSender) => {
    for (let i = 0; i < 8; i++) w.accept(by);
    w.now.at += 1000;
    return w.round().go;
  };
  w.round();
  const first = begin(hook);
  assert.equal(first.length, 4, 'a quarter of the room is for webhooks');
  assert.equal(w.schedule.next(w.now.at), Number.POSITIVE_INFINITY, 'nobody looks again before one ends');
  w.schedule.replace([other], w.now.at);
  assert.equal(w.schedule.underWay(1), 4);
  assert.equal(begin(other).length, 0);
  w.schedule.replace([hook, other], w.now.at);
  assert.equal(w.schedule.underWay(1), 4);
  w.schedule.replace([other], w.now.at);
  for (const one of first) w.end(one);
  assert.deepEqual([w.schedule.underWay(), w.schedule.underWay(1)], [0, 0]);
  assert.equal(w.round().go.length, 4, 'the room is free again');
  w.schedule.replace([hook, other], w.now.at);
  assert.deepEqual([w.schedule.underWay(1), w.schedule.underWay(2)], [0, 4]);
});

test('what was not begun after all costs its pair nothing, and wakes who waits for it', () => {
  const one = sender({ rate: 10_000 });
  const w = world([one]);
  const conversation_id = newId<ConversationId>();
  const again = w.accept(one, { conversation_id });
  for (let i = 0; i < 100; i++) {
    w.now.at += 10;
    const { go, putOff } = w.round();
    assert.deepEqual([go, putOff], [[again], []]);
    const last = i === 99 ? w.accept(one, { conversation_id }) : null;
    if (last) assert.equal(w.round().go.length, 0, 'it waits for the first');
    w.schedule.dropped(again, w.now.at);
    if (last) assert.deepEqual(w.round().go, [last], 'and goes when that is not begun');
    else w.store(again);
  }
});

test('one recipient whose messages all wait does not stand in the way of the others', () => {
  const one = sender({ rate: 80 });
  const w = world([one], { room: 16 });
  const conversation_id = newId<ConversationId>();
  for (let i = 0; i < 500; i++) w.accept(one, { conversation_id });
  const other = w.accept(one);
  let wentAt = Number.NaN;
  for (w.now.at = 100; w.now.at < 5000 && Number.isNaN(wentAt); w.now.at += 20) {
    w.schedule.wake();
    const { go } = w.round();
    if (go.includes(other)) wentAt = w.now.at;
    // The first one never ends: everything behind it waits.
  }
  assert.ok(wentAt < 3000, `it left at ${wentAt}`);
});

const fate = fc.constantFrom('sent', 'sent', 'sent', 'retry', 'doubt');

test('everything leaves in the end, in order in each line, and within every rate', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(3), fc.constantFrom<Priority>(0, 1, 2), fc.nat(2), fc.boolean()), {
        minLength: 1,
        maxLength: 120,
      }),
      fc.array(fate, { maxLength: 40 }),
      (messages, fates) => {
        const senders = [sender({ lane: 1, rate: 20 }), sender({ lane: 1, rate: 20 }), sender({ lane: 2, rate: 5 })];
        const w = world(senders, { room: 8, senderRoom: 4 });
        const people = Array.from({ length: 4 * senders.length }, () => newId<ConversationId>());
        for (const [person, priority, by, campaign] of messages) {
          const conversation_id = people[person * senders.length + by] as ConversationId;
          const batch_id = campaign ? newId<BatchId>() : null;
          w.accept(senders[by] as ScheduledSender, { conversation_id, priority, batch_id });
        }
        const left: (Stored & { at: number })[] = [];
        const tries = new Map<MessageId, number>();
        const open: { message: Stored; ends: number; fate: string }[] = [];
        let next = 0;
        while (left.length < messages.length && w.now.at < 600_000) {
          w.now.at += 10;
          for (const one of open.filter(({ ends }) => ends <= w.now.at)) {
            open.splice(open.indexOf(one), 1);
            const tried = (tries.get(one.message.message_id) ?? 0) + 1;
            tries.set(one.message.message_id, tried);
            if (one.fate === 'retry' && tried < 4) w.again(one.message, 1000);
            else {
              w.end(one.message);
              left.push({ ...one.message, at: w.now.at });
            }
          }
          w.schedule.wake();
          for (const message of w.round().go) {
            open.push({ message, ends: w.now.at + 30, fate: fates[next++] ?? 'sent' });
          }
          assert.ok(open.length <= 8);
          assert.equal(w.schedule.underWay(), open.length);
        }
        assert.equal(left.length, messages.length, `${w.waiting} are left`);
        const lines = Map.groupBy(
          left.filter(({ batch_id }) => batch_id === null),
          ({ conversation_id, priority }) => `${conversation_id} ${priority}`,
        );
        for (const line of lines.values()) {
          const places = line.map(({ place }) => place);
          assert.deepEqual(
            places,
            [...places].sort((a, b) => a - b),
          );
        }
      },
    ),
    { numRuns: 60 },
  );
});
