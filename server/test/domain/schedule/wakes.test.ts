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
  type Ask,
  type Candidate,
  createSchedule,
  type ScheduledSender,
} from '../../../src/domain/schedule/schedule.ts';

/*
 * Nobody sleeps who has work, and nobody overtakes. Calls end, messages come and are cancelled between any two steps of a round: after its question, after
 * its reading, before its attempts are recorded. Nothing here looks around from time to time, as dispatch does: only what is accepted or
 * put off wakes anybody from outside.
 */

interface Stored extends Candidate {
  due: number;
  place: number;
  cancelled: boolean;
}

const tenant = newId<TenantId>();
const senders: ScheduledSender[] = (
  [
    ['whatsapp', 1, 20],
    ['whatsapp', 1, 500],
    ['webhook', 2, 500],
  ] as const
).map(([channel, lane, rate]) => ({
  id: newId<SenderId>(),
  tenant,
  lane,
  channel,
  rate,
  inbound: 0,
  active: true,
  pace: '',
}));

function loop() {
  const schedule = createSchedule({
    ...{ room: 8, senderRoom: 4, tenantRoom: 6, validity: 86_400_000, holds: [] },
    gate: () => Number.POSITIVE_INFINITY,
    gateOpens: () => Number.NEGATIVE_INFINITY,
  });
  schedule.replace(senders, 0);
  const stored = new Set<Stored>();
  const open: Stored[] = [];
  /** Of each line the place of the last that left. */
  const last = new Map<string, number>();
  let now = 0;
  let places = 0;
  let asks: Ask[] = [];
  let found: Stored[] = [];
  let chosen: { go: Stored[]; putOff: { candidate: Stored; delay: number }[] } = { go: [], putOff: [] };
  let step = 0;

  const steps = [
    () => {
      asks = schedule.ask(now);
      return asks.length > 0;
    },
    () => {
      found = asks.flatMap((ask) =>
        ([0, 1, 2] as const).flatMap((priority) =>
          [...stored]
            .filter((one) => one.sender_id === ask.sender && one.priority === priority && one.due <= now)
            .sort((a, b) => a.due - b.due || a.place - b.place)
            .slice(0, ask.limits[priority]),
        ),
      );
      return true;
    },
    () => {
      chosen = schedule.select(asks, found, now, now);
      return true;
    },
    () => {
      for (const one of chosen.go) {
        stored.delete(one);
        if (one.cancelled) schedule.dropped(one, now);
        else {
          open.push(one);
          const line = `${one.conversation_id} ${one.priority}`;
          if (one.batch_id !== null) continue;
          assert.ok((last.get(line) ?? -1) < one.place, 'it leaves before one that was accepted before it');
          last.set(line, one.place);
        }
      }
      for (const { candidate, delay } of chosen.putOff) candidate.due = now + delay;
      return true;
    },
  ];

  return {
    stored,
    open,
    /** One step of the loop. false: it would wait. */
    step(): boolean {
      const goesOn = (steps[step] as () => boolean)();
      step = goesOn ? (step + 1) % steps.length : 0;
      return goesOn;
    },
    accept(by: number, person: ConversationId, priority: Priority, campaign: boolean): void {
      const { id: sender_id, lane: lane_id } = senders[by] as ScheduledSender;
      stored.add({
        ...{ tenant_id: tenant, sender_id, lane_id, message_id: newId<MessageId>(), conversation_id: person, priority },
        ...{ batch_id: campaign ? newId<BatchId>() : null, category: 'service', address: '+6281', expires_at: null },
        ...{ waiting_since: new Date(now), due: now, place: places++, cancelled: false },
      });
      schedule.wake(lane_id);
      // Of two in the same millisecond nobody can say which was first.
      now++;
    },
    cancel(n: number): void {
      const one = [...stored][n % Math.max(stored.size, 1)];
      if (one) one.cancelled = true;
    },
    end(n: number): void {
      const [one] = open.splice(n % Math.max(open.length, 1), 1);
      if (!one) return;
      schedule.answered(one);
      schedule.ended(one, null, now);
    },
    pass(milliseconds: number): void {
      const before = now;
      now += milliseconds;
      if ([...stored].some(({ due }) => due > before && due <= now)) schedule.wake();
    },
    /** Milliseconds until something is to happen by itself. */
    next: () =>
      Math.min(schedule.next(now), ...[...stored].map(({ due }) => (due > now ? due - now : Number.POSITIVE_INFINITY))),
    get isBetweenRounds() {
      return step === 0;
    },
    underWay: () => schedule.underWay(),
  };
}

const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('step' as const), n: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const), n: fc.nat(7) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('accept' as const), n: fc.oneof(fc.nat(2), fc.nat(107)) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), n: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), n: fc.nat(700) }) },
);

test('whatever happens between the steps of a round, everything leaves, and no wake is lost', () => {
  fc.assert(
    fc.property(
      fc.array(action, { minLength: 10, maxLength: 400 }),
      fc.array(fc.nat(300), { minLength: 1 }),
      (actions, delays) => {
        const one = loop();
        const people = Array.from({ length: 9 }, () => newId<ConversationId>());
        for (const { kind, n } of actions) {
          if (kind === 'step') one.step();
          else if (kind === 'end') one.end(n);
          else if (kind === 'cancel') one.cancel(n);
          else if (kind === 'pass') one.pass(n);
          else {
            const by = n % 3;
            const person = people[by * 3 + (Math.floor(n / 3) % 3)] as ConversationId;
            one.accept(by, person, (Math.floor(n / 9) % 3) as Priority, n >= 81);
          }
        }
        for (let turns = 0; one.stored.size + one.open.length > 0; turns++) {
          assert.ok(turns < 100_000, 'it does not come to an end');
          one.pass(delays[turns % delays.length] as number);
          if (turns % 40 === 39) one.end(turns);
          if (one.step() || !one.isBetweenRounds) continue;
          const wait = one.next();
          if (one.open.length > 0) one.end(turns);
          else if (wait < 60_000) one.pass(Math.max(wait, 1));
          else if (one.stored.size > 0) assert.fail(`${one.stored.size} messages are due, and nobody is awake`);
        }
        assert.equal(one.underWay(), 0);
      },
    ),
    { numRuns: 500 },
  );
});
