import {
  type BegunSend,
  beginCountedSends,
  beginSends,
  type Claimed,
  type Counted,
  findDueSends,
  isReaching,
  type PutOff,
  putOffSends,
} from '../actions/begin-sends.ts';
import { expireMessages, expireStale, expireTooOld } from '../actions/expire-messages.ts';
import type { Held } from '../actions/hold-lanes.ts';
import { resolveDoubts } from '../actions/resolve-doubts.ts';
import type { Settler } from '../actions/settle-sends.ts';
import type { Db } from '../db/pool.ts';
import type { Channels } from '../domain/channel.ts';
import { PAIR_LIMIT } from '../domain/schedule/pair-rate.ts';
import { type Ask, createSchedule } from '../domain/schedule/schedule.ts';
import { createPlaceLines } from '../domain/schedule/unique-users.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { createPause } from '../runtime/pause.ts';
import { createRounds } from '../runtime/rounds.ts';
import type { Signals } from '../signals/signals.ts';
import { findPutOffMessages, findRecentPairs } from '../store/handover.read.ts';
import { findLaneSenders } from '../store/lanes.read.ts';
import { createCalls } from './calls.ts';
import { createDoubtReport } from './doubt-report.ts';
import { createFileCalls } from './file-calls.ts';
import type { Gate } from './gate.ts';
import type { LaneRules } from './lane-rules.ts';
import { LEAST_LEASE, type Lease } from './lease.ts';
import type { ProviderMedia } from './provider-media.ts';
import type { Senders } from './senders.ts';

/**
 * The sending loop. Each round: the schedule says of whom how much due work is to be read, and of what was found which goes now;
 * record that the attempts begin, call, settle. What does not go is put off, with the reason, or waits for one that is under way. A
 * round never waits for a call; what limits it is the room for calls in flight, and that what was called is settled in time.
 *
 * What is counted durably is begun apart, in a transaction that counts it.
 *
 * Besides the rounds, a slower beat looks for what no signal tells of: messages that became due, doubts whose grace is
 * over, messages that expired.
 */
export interface DispatcherOptions {
  db: Db;
  signals: Signals;
  channels: Channels;
  /** What the provider calls our files. */
  media: ProviderMedia;
  settler: Settler;
  lease: () => Lease;
  senders: Senders;
  gate: Gate;
  /** Quiet hours, and how many users lanes may reach. */
  rules: LaneRules;
  clock: Clock;
  metrics: Metrics;
  logger: Logger;
  /** Most calls under way at once; of these of one sender, and of one tenant. null: a half, and three quarters. */
  maxInFlight: number;
  senderInFlight?: number | null;
  tenantInFlight?: number | null;
  /** Milliseconds in which a message may be sent, from when it may leave. */
  validity: number;
  /** Milliseconds until an attempt without an answer becomes doubtful. */
  grace: number;
  /** Milliseconds between looks for what no signal tells of. */
  pollInterval: number;
  /** Milliseconds of doubt after which a person is told. */
  reportDoubtAfter: number;
}

export interface Dispatcher extends Part {
  /** Told after each renewal of the lease: lanes may have come or gone. */
  onHeld(held: Held): Promise<void>;
  /** Begins nothing more in these lanes. Resolves when their calls are over and settled. */
  leave(lanes: readonly number[]): Promise<void>;
  readonly inFlight: number;
  /** Whether the loop is running and its lease is good. */
  readonly healthy: boolean;
}

/** Senders are read again this often, in milliseconds: another instance may have changed them, or stopped their tenant. */
const SENDERS_EVERY = 5000;
/** Milliseconds between two looks for what is too old in queues that stand still. */
const SWEEP_EVERY = 60_000;
/** Of a lane that is taken over, so many messages that were put off are remembered, and of each number so many that left. */
const MOST_PUT_OFF = 50_000;
const MOST_RECENT = 2000;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { db, signals, settler, senders, gate, rules, clock, metrics, logger, maxInFlight } = options;
  const pause = createPause();
  const doubtReport = createDoubtReport(logger, clock, options.reportDoubtAfter);
  const schedule = createSchedule({
    room: maxInFlight,
    senderRoom: options.senderInFlight ?? Math.ceil(maxInFlight / 2),
    tenantRoom: options.tenantInFlight ?? Math.ceil((maxInFlight * 3) / 4),
    validity: options.validity,
    gate: gate.room,
    gateOpens: gate.until,
    holds: [gate.holds, rules.hold],
  });
  const lines = createPlaceLines(Math.random);
  let stopping = false;
  let loop: Promise<void> = Promise.resolve();
  let sendersReadAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;
  let readAgain = false;
  let unlisten: (() => void) | undefined;
  let listening = new Map<number, () => void>();
  let leaving = new Set<number>();
  /** Lanes taken of which it is not read yet what their last owner knew. */
  const unread = new Set<number>();
  const idleWaiters: { lanes: readonly number[] | null; resolve: () => void }[] = [];
  const files = createFileCalls({
    ...options,
    pause: (sender) => schedule.pause(sender, Number.POSITIVE_INFINITY),
    resume(sender) {
      schedule.pause(sender, Number.NEGATIVE_INFINITY);
      pause.wake();
    },
  });
  const calls = createCalls({
    ...options,
    files,
    slow: (sender) => schedule.slow(sender, clock.monotonic()),
    shutPair: (pair) => schedule.shutPair(pair, clock.monotonic() + PAIR_LIMIT.every),
    answered(send) {
      schedule.answered(send);
      pause.wake();
    },
  });

  async function run(): Promise<void> {
    while (!stopping) {
      pause.reset();
      const wait = await round().catch((error: unknown) => {
        logger.warn({ error }, 'a round of sending failed');
        return options.pollInterval;
      });
      if (wait > 0 && !stopping) await pause.wait(wait);
    }
  }

  /** One round. Gives how long to wait for the next, unless something wakes the loop. Milliseconds. */
  async function round(): Promise<number> {
    // They were changed: a tenant that is stopped may be among them.
    if (reading) await reading;
    const lease = options.lease();
    if (lease.left() < LEAST_LEASE) return options.pollInterval;
    const asked = clock.monotonic();
    const asks = schedule.ask(asked);
    if (asks.length === 0) return Math.min(Math.max(schedule.next(asked), 1), options.pollInterval);
    let found: Claimed[];
    try {
      found = await findDueSends(db, asks);
      const learning = rules.learn(found);
      if (learning) await learning;
    } catch (error) {
      // Nothing is known of what they have.
      schedule.wake();
      throw error;
    }
    const { go, putOff, stale } = schedule.select(asks, found, clock.monotonic(), found[0]?.wall ?? 0);
    // At once: what was selected counts as under way until it has begun, or was dropped.
    await begin(lease, asks, go, putOff);
    if (stale.length > 0) await expire(stale);
    return 0;
  }

  /** Records that attempts begin, and begins their calls. What is not recorded has not been under way. */
  async function begin(lease: Lease, asks: readonly Ask[], go: Claimed[], putOff: PutOff[]): Promise<void> {
    const left = new Map(go.map((one) => [one.message_id, one]));
    const performAll = (begun: readonly BegunSend[]) => {
      gate.begun(begun);
      for (const send of begun) {
        left.delete(send.message_id);
        void perform(send, lease);
      }
    };
    try {
      const paced = pacedOf(asks);
      const { limits } = rules;
      const isCounted = (message: Claimed) => senders.paces(message.sender_id) || isReaching(message, rules);
      const free = paced.length + limits.size === 0 ? go : go.filter((message) => !isCounted(message));
      const begun = await beginSends(db, lease.claim(), free, options.grace);
      performAll(begun);
      countStale('begin', free.length - begun.length);
      if (paced.length > 0 || free.length < go.length) {
        const counting = { paced, limits, lines };
        const taken = await beginCountedSends(db, lease.claim(), counting, go.filter(isCounted), options.grace);
        for (const [sender, wait] of taken.waits) if (wait > 0) schedule.pause(sender, clock.monotonic() + wait);
        performAll(taken.begun);
        putOff.push(...taken.putOff);
      }
      countStale('put_off', putOff.length - (await putOffSends(db, lease.claim(), putOff)));
    } catch (error) {
      schedule.wake();
      throw error;
    } finally {
      for (const one of left.values()) schedule.dropped(one, clock.monotonic());
      if (left.size > 0) tellIdle();
    }
  }

  /** What others had changed since it was read, or an owner that was deposed tried. */
  function countStale(write: string, count: number): void {
    if (count > 0) metrics.staleWrites.add(count, { write });
  }

  function pacedOf(asks: readonly Ask[]): Counted[] {
    return asks.flatMap(({ sender }) => {
      const kept = senders.paces(sender);
      return kept ? [{ sender, ...kept }] : [];
    });
  }

  async function perform(send: BegunSend, lease: Lease): Promise<void> {
    const again = await calls.perform(send, lease);
    schedule.ended(send, again, clock.monotonic());
    pause.wake();
    tellIdle();
  }

  /** Tells those who wait for lanes, or for all, to have no call under way. */
  function tellIdle(): void {
    for (let i = idleWaiters.length - 1; i >= 0; i--) {
      const { lanes, resolve } = idleWaiters[i] as (typeof idleWaiters)[number];
      const busy = lanes === null ? schedule.underWay() > 0 : lanes.some((lane) => schedule.underWay(lane) > 0);
      if (busy) continue;
      idleWaiters.splice(i, 1);
      resolve();
    }
  }

  function idle(lanes: readonly number[] | null): Promise<void> {
    return new Promise((resolve) => {
      idleWaiters.push({ lanes, resolve });
      tellIdle();
    });
  }

  async function expire(stale: readonly Claimed[]): Promise<void> {
    countExpired(await expireTooOld(db, signals, stale));
  }

  function countExpired(count: number): void {
    if (count > 0) metrics.ended.add(count, { state: 'expired' });
  }

  async function beat(): Promise<void> {
    const lease = options.lease();
    const claim = lease.claim();
    if (claim.lanes.length > 0 && lease.left() >= LEAST_LEASE) {
      countExpired(await expireMessages(db, signals, claim.lanes));
      const databaseTime = lease.databaseTime();
      const doubts = await resolveDoubts(db, signals, claim, { databaseTime, validity: options.validity });
      if (doubts.resent > 0) metrics.doubts.add(doubts.resent, { decision: 'resend' });
      if (doubts.told > 0) metrics.doubts.add(doubts.told, { decision: 'tell' });
      doubtReport.note(doubts);
    }
    schedule.wake();
    pause.wake();
  }

  const beats = createRounds({
    every: options.pollInterval,
    round: beat,
    failed: (error) => logger.warn({ error }, 'looking for due work failed'),
  });

  /** Rounds meet what is too old when they read it. What stands still is read by none. */
  const sweeps = createRounds({
    every: SWEEP_EVERY,
    async round() {
      const { claim, left } = options.lease();
      if (claim().lanes.length === 0 || left() < LEAST_LEASE) return;
      countExpired(await expireStale(db, signals, claim().lanes, options.validity));
    },
    failed: (error) => logger.warn({ error }, 'looking for messages that are too old failed'),
  });

  function listen(lanes: readonly number[]): void {
    const next = new Map<number, () => void>();
    for (const lane of lanes) {
      const known = listening.get(lane);
      listening.delete(lane);
      const hear = () => {
        schedule.wake(lane);
        pause.wake();
      };
      next.set(lane, known ?? signals.listen(`due:${lane}`, hear));
    }
    for (const unlisten of listening.values()) unlisten();
    listening = next;
  }

  /** Reads the senders of our lanes. Told in the middle of it that they changed, it reads them once more. */
  function readSenders(): Promise<void> {
    readAgain = true;
    reading ??= (async () => {
      while (readAgain) {
        readAgain = false;
        const claim = options.lease().claim();
        const rows = await findLaneSenders(db, claim.lanes);
        await gate.refresh(claim.lanes);
        await rules.refresh(claim);
        const now = clock.monotonic();
        schedule.replace(senders.replace(rows, now), now);
        sendersReadAt = now;
        pause.wake();
      }
    })().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  /** What the owner before knew by heart. */
  async function takeUp(lanes: readonly number[]): Promise<void> {
    const putOff = await findPutOffMessages(db, lanes, MOST_PUT_OFF);
    const recent = await findRecentPairs(db, lanes, PAIR_LIMIT.every * PAIR_LIMIT.burst, MOST_RECENT);
    const now = clock.monotonic();
    const waiting = putOff.map((one) => ({
      ...one,
      until: now + one.wait,
      since: one.tried === null ? null : now - one.tried,
    }));
    schedule.restore(waiting, recent, now);
  }

  return {
    ...part(
      'dispatch',
      async () => {
        unlisten = signals.listen('senders', () => {
          readSenders().catch((error: unknown) => logger.warn({ error }, 'senders could not be read'));
        });
        loop = run();
        beats.start();
        sweeps.start();
      },
      async () => {
        stopping = true;
        unlisten?.();
        pause.wake();
        await Promise.all([loop, beats.stop(), sweeps.stop()]);
        await reading?.catch(() => {});
        listen([]);
        options.media.stop();
        // What has begun is finished: its calls are waited for and settled.
        await idle(null);
        await settler.idle();
      },
    ),
    async onHeld({ lanes, taken, released }) {
      for (const { id } of taken) unread.add(id);
      for (const id of released) unread.delete(id);
      if (unread.size > 0) {
        await takeUp([...unread]);
        unread.clear();
      }
      if (taken.some(({ id }) => leaving.delete(id))) schedule.leave(leaving);
      if (taken.length + released.length > 0 || clock.monotonic() - sendersReadAt > SENDERS_EVERY) await readSenders();
      listen(lanes.map((lane) => lane.id));
      metrics.lanesOwned.set(lanes.length);
      metrics.takeovers.add(taken.length);
    },
    leave(lanes) {
      leaving = new Set(lanes);
      schedule.leave(leaving);
      return idle(lanes);
    },
    get inFlight() {
      return schedule.calls;
    },
    get healthy() {
      return !stopping && options.lease().left() > 0;
    },
  };
}
