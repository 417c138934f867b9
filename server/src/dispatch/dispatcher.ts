import { type BegunSend, beginPacedSends, beginSends, type PacedAsk, type Taken } from '../actions/begin-sends.ts';
import { doubtConnection } from '../actions/check-connections.ts';
import { expireMessages } from '../actions/expire-messages.ts';
import type { Held } from '../actions/hold-lanes.ts';
import { resolveDoubts } from '../actions/resolve-doubts.ts';
import type { Settler } from '../actions/settle-sends.ts';
import type { Db } from '../db/pool.ts';
import type { Attempt, Channel, ChannelSender, Channels } from '../domain/channel.ts';
import type { SenderId } from '../domain/ids.ts';
import { namedMedia, withProviderMedia } from '../domain/named-media.ts';
import type { Outcome } from '../domain/outcome.ts';
import { providerError } from '../domain/provider-errors.ts';
import { type Share, shareRoom } from '../domain/schedule/share-room.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { createPause } from '../runtime/pause.ts';
import { createRounds } from '../runtime/rounds.ts';
import type { Signals } from '../signals/signals.ts';
import { findLaneSenders } from '../store/lanes.read.ts';
import { createFileCalls } from './file-calls.ts';
import type { Lease } from './lease.ts';
import type { ProviderMedia } from './provider-media.ts';
import type { Senders } from './senders.ts';

/**
 * The sending loop. Each round: which senders have work and are allowed to send, how the room for calls is shared among
 * them, what of theirs is due, record that the attempts begin, call, settle. A round never waits for a call; what limits
 * it is the room for calls in flight.
 *
 * Whatever a webhook's owner makes of his calls, it costs nobody else: calls to webhooks have at most a quarter of the room,
 * and each webhook a few of them. What keeps a pace is begun apart, in a transaction that counts it.
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
/** Senders are read again this often, in milliseconds: another instance may have changed them, or stopped their tenant. */
const SENDERS_EVERY = 5000;
/** A number is doubted for its token this often at most, in milliseconds, and so many are remembered. */
const DOUBT_EVERY = 30_000;
const MOST_DOUBTED = 10_000;
/** The part of the room for calls that webhooks may have. */
const WEBHOOK_SHARE = 1 / 4;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { db, signals, channels, settler, senders, clock, metrics, logger } = options;
  const pause = createPause();
  let stopping = false;
  let inFlight = 0;
  let turn = 0;
  let loop: Promise<void> = Promise.resolve();
  let webhookCalls = 0;
  const doubtedAt = new Map<SenderId, number>();
  let sendersReadAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;
  let readAgain = false;
  let unlisten: (() => void) | undefined;
  let listening = new Map<number, () => void>();
  const idleWaiters: (() => void)[] = [];
  const fileCalls = createFileCalls({
    ...options,
    pause: (sender) => senders.pause(sender, Number.POSITIVE_INFINITY),
    resume(sender) {
      senders.pause(sender, Number.NEGATIVE_INFINITY);
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
    const room = options.maxInFlight - inFlight;
    // Rounds are for many: a quarter of the room is waited for, by the calls that end.
    if (room < options.maxInFlight / 4) return options.pollInterval;
    if (lease.left() < LEAST_LEASE) return options.pollInterval;
    const now = clock.monotonic();
    const { numbers, webhooks } = senders.ready(now);
    if (numbers.length + webhooks.length === 0) {
      return Math.min(Math.max(senders.nextToken(now), 1), options.pollInterval);
    }
    turn++;
    const webhookRoom = Math.min(room, Math.max(1, Math.floor(options.maxInFlight * WEBHOOK_SHARE)) - webhookCalls);
    const toWebhooks = webhookRoom > 0 ? shareRoom(webhooks, webhookRoom, turn) : [];
    const left = toWebhooks.reduce((rest, share) => rest - share.room, room);
    const shares = [...shareRoom(numbers, left, turn), ...toWebhooks];
    // Only webhooks have work, and all their calls are under way: the end of one wakes the loop.
    if (shares.length === 0) return options.pollInterval;
    for (const share of shares) senders.rest(share.sender);
    const { free, paced } = splitByPace(shares);
    if (free.length > 0) {
      const taken = await beginSends(db, lease.claim(), free, options.grace);
      for (const { sender, lane, room: asked } of free) {
        const had = taken.found.get(sender) ?? 0;
        if (had > 0) senders.take(sender, had, now);
        // As much as asked: there may be more. Less: until a signal tells otherwise, that was all.
        if (had === asked) senders.wake(lane);
      }
      performAll(taken, lease);
    }
    if (paced.length > 0) {
      const taken = await beginPacedSends(db, lease.claim(), paced, options.grace);
      for (const { sender, lane } of paced) {
        const had = taken.found.get(sender) ?? 0;
        const granted = taken.granted.get(sender);
        if (had > 0) senders.take(sender, had, now);
        if (granted && granted.wait > 0) senders.pause(sender, clock.monotonic() + granted.wait);
        if (had === granted?.room) senders.wake(lane);
      }
      performAll(taken, lease);
    }
    return 0;
  }

  function splitByPace(shares: readonly Share[]): { free: readonly Share[]; paced: readonly PacedAsk[] } {
    const paced: PacedAsk[] = [];
    const free = shares.filter((share) => {
      const kept = senders.paces(share.sender);
      if (kept) paced.push({ ...share, ...kept });
      return kept === undefined;
    });
    return { free, paced };
  }

  function performAll({ begun }: Taken, lease: Lease): void {
    for (const send of begun) void perform(send, lease);
  }

  async function perform(send: BegunSend, lease: Lease): Promise<void> {
    const toWebhook = senders.get(send.sender_id)?.channel === 'webhook';
    inFlight++;
    if (toWebhook) {
      webhookCalls++;
      senders.calling(send.sender_id, 1);
    }
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
      if (toWebhook) {
        webhookCalls--;
        senders.calling(send.sender_id, -1);
      }
      if (inFlight <= (options.maxInFlight * 3) / 4) pause.wake();
      if (inFlight === 0) for (const resolve of idleWaiters.splice(0)) resolve();
    }
  }

  function call(send: BegunSend, lease: Lease): Promise<Outcome> {
    const sender = senders.get(send.sender_id);
    if (!sender) return Promise.resolve({ kind: 'not_sent', detail: 'the sender is gone' });
    const stop = () => (lease.left() < LEAST_LEASE ? 'the lease is about to run out' : null);
    const since = clock.monotonic();
    const files = namedMedia(send);
    const answer =
      sender.channel === 'webhook'
        ? callBy(channels.webhook, send, sender, stop)
        : files.length === 0
          ? callBy(channels.whatsapp, send, sender, stop)
          : fileCalls.make(send, sender, files, stop, (ids, late) =>
              callBy(channels.whatsapp, withProviderMedia(send, ids), sender, late),
            );
    return answer.then((outcome) => {
      metrics.callDuration.observe((clock.monotonic() - since) / 1000, { outcome: outcome.kind });
      return outcome;
    });
  }

  function observe(send: BegunSend, outcome: Outcome): void {
    const code = 'code' in outcome ? outcome.code : 0;
    metrics.outcomes.add(1, { outcome: outcome.kind, code: String(code) });
    if (outcome.kind === 'sent') return;
    const ids = { message_id: send.message_id, sender_id: send.sender_id, attempt: send.attempt };
    if ('code' in outcome) {
      if (isThrottle(outcome)) senders.slow(send.sender_id, clock.monotonic());
      if (isTokenTrouble(outcome)) doubtToken(send);
      logger.debug({ ...ids, code, title: outcome.title }, 'the provider answered with an error');
    } else logger.debug({ ...ids, outcome: outcome.kind, detail: outcome.detail }, 'a call had no answer');
  }

  /** A token that ended is learned from its first refused send, and not by the next look at the number. */
  function doubtToken({ tenant_id, sender_id }: BegunSend): void {
    const now = clock.monotonic();
    if (now - (doubtedAt.get(sender_id) ?? Number.NEGATIVE_INFINITY) < DOUBT_EVERY) return;
    if (doubtedAt.size >= MOST_DOUBTED) doubtedAt.clear();
    doubtedAt.set(sender_id, now);
    doubtConnection(db, signals, tenant_id, sender_id).catch((error: unknown) =>
      logger.warn({ error, sender_id }, 'a number could not be marked to be looked at'),
    );
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
    pause.wake();
  }

  const beats = createRounds({
    every: options.pollInterval,
    round: beat,
    failed: (error) => logger.warn({ error }, 'looking for due work failed'),
  });

  function listen(lanes: readonly number[]): void {
    const next = new Map<number, () => void>();
    for (const lane of lanes) {
      const known = listening.get(lane);
      listening.delete(lane);
      const hear = () => {
        senders.wake(lane);
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
        const rows = await findLaneSenders(db, options.lease().claim().lanes);
        const now = clock.monotonic();
        senders.replace(rows, now);
        sendersReadAt = now;
        pause.wake();
      }
    })().finally(() => {
      reading = undefined;
    });
    return reading;
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
      },
      async () => {
        stopping = true;
        unlisten?.();
        pause.wake();
        await Promise.all([loop, beats.stop()]);
        await reading?.catch(() => {});
        listen([]);
        options.media.stop();
        // What has begun is finished: its calls are waited for and settled.
        if (inFlight > 0) await new Promise<void>((resolve) => idleWaiters.push(resolve));
        await settler.idle();
      },
    ),
    async onHeld({ lanes, taken }) {
      if (taken.length > 0 || clock.monotonic() - sendersReadAt > SENDERS_EVERY) await readSenders();
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

/** Makes a call by the channel of its sender. */
function callBy<Sender extends ChannelSender>(
  channel: Channel<Sender>,
  send: BegunSend & Pick<Attempt, 'provider_media_id'>,
  sender: Sender,
  stop: () => string | null,
): Promise<Outcome> {
  return channel.call(channel.prepare(send, sender), stop);
}

/** Whether WhatsApp says that the token is missing, expired or invalid. */
function isTokenTrouble(outcome: Outcome): boolean {
  return outcome.kind === 'error' && (outcome.code === 190 || outcome.code === 0);
}

/** Whether the other side says that the sender is too fast. */
function isThrottle(outcome: Outcome): boolean {
  if (outcome.kind === 'error') return providerError(outcome.code).class === 'throttle';
  return outcome.kind === 'again' && outcome.code === 429;
}
