import { type BegunSend, beginSends } from '../actions/begin-sends.ts';
import { expireMessages } from '../actions/expire-messages.ts';
import type { Held } from '../actions/hold-lanes.ts';
import { resolveDoubts } from '../actions/resolve-doubts.ts';
import type { Settler } from '../actions/settle-sends.ts';
import type { Db } from '../db/pool.ts';
import type { Channel } from '../domain/channel.ts';
import type { Outcome } from '../domain/outcome.ts';
import { providerError } from '../domain/provider-errors.ts';
import { shareRoom } from '../domain/schedule/share-room.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Signals } from '../signals/signals.ts';
import { findLaneSenders } from '../store/lanes.read.ts';
import type { Lease } from './lease.ts';
import type { Senders } from './senders.ts';

/**
 * The sending loop. Each round: which senders have work and are allowed to send, how the room for calls is shared among
 * them, what of theirs is due, record that the attempts begin, call, settle. A round never waits for a call; what limits
 * it is the room for calls in flight.
 *
 * Besides the rounds, a slower beat looks for what no signal tells of: messages that became due, doubts whose grace is
 * over, messages that expired.
 */
export interface DispatcherOptions {
  db: Db;
  signals: Signals;
  channel: Channel;
  settler: Settler;
  lease: () => Lease;
  senders: Senders;
  clock: Clock;
  metrics: Metrics;
  logger: Logger;
  /** Most calls under way at once. */
  maxInFlight: number;
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
  readonly inFlight: number;
  /** Whether the loop is running and its lease is good. */
  readonly healthy: boolean;
}

/** No call begins with less than this left of the lease, in milliseconds. */
const LEAST_LEASE = 1000;
/** Senders are read again this often, in milliseconds: others may have changed them. */
const SENDERS_EVERY = 5000;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { db, signals, channel, settler, senders, clock, metrics, logger } = options;
  let stopping = false;
  let inFlight = 0;
  let turn = 0;
  let wakeUp: (() => void) | undefined;
  let woken = false;
  let loop: Promise<void> = Promise.resolve();
  let beats: Promise<void> = Promise.resolve();
  let beatTimer: NodeJS.Timeout | undefined;
  let sendersReadAt = Number.NEGATIVE_INFINITY;
  let listening = new Map<number, () => void>();
  const idleWaiters: (() => void)[] = [];

  function wake(): void {
    woken = true;
    wakeUp?.();
  }

  /** Waits, unless something woke the loop since its last round began. */
  function pause(milliseconds: number): Promise<void> {
    if (woken) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(done, milliseconds);
      function done(): void {
        clearTimeout(timer);
        wakeUp = undefined;
        resolve();
      }
      wakeUp = done;
    });
  }

  async function run(): Promise<void> {
    while (!stopping) {
      woken = false;
      const wait = await round().catch((error: unknown) => {
        logger.warn({ error }, 'a round of sending failed');
        return options.pollInterval;
      });
      if (wait > 0 && !stopping) await pause(wait);
    }
  }

  /** One round. Gives how long to wait for the next, unless something wakes the loop. Milliseconds. */
  async function round(): Promise<number> {
    const lease = options.lease();
    const room = options.maxInFlight - inFlight;
    // Rounds are for many: a quarter of the room is waited for, by the calls that end.
    if (room < options.maxInFlight / 4) return options.pollInterval;
    if (lease.left() < LEAST_LEASE) return options.pollInterval;
    const now = clock.monotonic();
    const ready = senders.ready(now);
    if (ready.length === 0) return Math.min(Math.max(senders.nextToken(now), 1), options.pollInterval);
    const shares = shareRoom(ready, room, turn++);
    for (const share of shares) senders.rest(share.sender);
    const { begun, found } = await beginSends(db, lease.claim(), shares, options.grace);
    for (const { sender, lane, room: asked } of shares) {
      const had = found.get(sender) ?? 0;
      if (had > 0) senders.take(sender, had, now);
      // As much as asked: there may be more. Less: until a signal tells otherwise, that was all.
      if (had === asked) senders.wake(lane);
    }
    for (const send of begun) void perform(send, lease);
    return 0;
  }

  async function perform(send: BegunSend, lease: Lease): Promise<void> {
    inFlight++;
    const since = clock.monotonic();
    try {
      const outcome = await call(send, lease);
      observe(send, outcome);
      const settled = await settler.settle(send, outcome);
      if (!settled.changed) metrics.staleSettles.add(1);
      else if (settled.kind === 'sent') metrics.acceptToSent.observe(settled.seconds);
      if (settled.kind === 'sent' || settled.kind === 'failed') metrics.processed.add(1);
      metrics.processingDuration.observe((clock.monotonic() - since) / 1000);
      if (settled.changed && settled.kind === 'failed') metrics.ended.add(1, { state: 'failed' });
    } catch (error) {
      // The attempt stands recorded: it becomes doubtful, and is decided then.
      logger.error({ error, message_id: send.message_id, sender_id: send.sender_id }, 'a send could not be settled');
    } finally {
      inFlight--;
      if (inFlight <= (options.maxInFlight * 3) / 4) wake();
      if (inFlight === 0) for (const resolve of idleWaiters.splice(0)) resolve();
    }
  }

  function call(send: BegunSend, lease: Lease): Promise<Outcome> {
    const sender = senders.get(send.sender_id);
    if (!sender) return Promise.resolve({ kind: 'not_sent', detail: 'the sender is gone' });
    const prepared = channel.prepare(send, sender);
    const stop = () => (lease.left() < LEAST_LEASE ? 'the lease is about to run out' : null);
    const since = clock.monotonic();
    return channel.call(prepared, stop).then((outcome) => {
      metrics.callDuration.observe((clock.monotonic() - since) / 1000, { outcome: outcome.kind });
      return outcome;
    });
  }

  function observe(send: BegunSend, outcome: Outcome): void {
    const code = outcome.kind === 'error' ? outcome.code : 0;
    metrics.outcomes.add(1, { outcome: outcome.kind, code: String(code) });
    if (outcome.kind === 'sent') return;
    const ids = { message_id: send.message_id, sender_id: send.sender_id, attempt: send.attempt };
    if (outcome.kind === 'error') {
      if (providerError(code).class === 'throttle') senders.slow(send.sender_id, clock.monotonic());
      logger.debug({ ...ids, code, title: outcome.title }, 'the provider answered with an error');
    } else logger.debug({ ...ids, outcome: outcome.kind, detail: outcome.detail }, 'a call had no answer');
  }

  async function beat(): Promise<void> {
    const lease = options.lease();
    const claim = lease.claim();
    if (claim.lanes.length > 0 && lease.left() >= LEAST_LEASE) {
      await expireMessages(db, signals, claim.lanes).then((count) => {
        if (count > 0) metrics.ended.add(count, { state: 'expired' });
      });
      const doubts = await resolveDoubts(db, signals, claim);
      if (doubts.resent > 0) metrics.doubts.add(doubts.resent, { decision: 'resend' });
      if (doubts.told > 0) metrics.doubts.add(doubts.told, { decision: 'tell' });
      if (doubts.longest > options.reportDoubtAfter) {
        logger.warn(
          { messages: doubts.waiting, longest_ms: Math.round(doubts.longest) },
          'messages are unconfirmed and no receipts come: check that webhooks reach this server',
        );
      }
    }
    senders.wake();
    wake();
  }

  function scheduleBeat(): void {
    if (stopping) return;
    beatTimer = setTimeout(() => {
      beats = beat()
        .catch((error: unknown) => logger.warn({ error }, 'looking for due work failed'))
        .then(scheduleBeat);
    }, options.pollInterval);
  }

  function listen(lanes: readonly number[]): void {
    const next = new Map<number, () => void>();
    for (const lane of lanes) {
      const known = listening.get(lane);
      listening.delete(lane);
      const hear = () => {
        senders.wake(lane);
        wake();
      };
      next.set(lane, known ?? signals.listen(`due:${lane}`, hear));
    }
    for (const unlisten of listening.values()) unlisten();
    listening = next;
  }

  return {
    ...part(
      'dispatch',
      async () => {
        loop = run();
        scheduleBeat();
      },
      async () => {
        stopping = true;
        clearTimeout(beatTimer);
        wake();
        await loop;
        await beats;
        listen([]);
        // What has begun is finished: its calls are waited for and settled.
        if (inFlight > 0) await new Promise<void>((resolve) => idleWaiters.push(resolve));
        await settler.idle();
      },
    ),
    async onHeld({ lanes, taken }) {
      const now = clock.monotonic();
      if (taken.length > 0 || now - sendersReadAt > SENDERS_EVERY) {
        senders.replace(
          await findLaneSenders(
            db,
            lanes.map((lane) => lane.id),
          ),
          now,
        );
        sendersReadAt = now;
        wake();
      }
      listen(lanes.map((lane) => lane.id));
      metrics.lanesOwned.set(lanes.length);
      metrics.takeovers.add(taken.length);
    },
    get inFlight() {
      return inFlight;
    },
    get healthy() {
      return !stopping && options.lease().left() > 0;
    },
  };
}
