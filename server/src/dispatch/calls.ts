import type { BegunSend } from '../actions/begin-sends.ts';
import { doubtConnection } from '../actions/check-connections.ts';
import type { Settler } from '../actions/settle-sends.ts';
import type { Db } from '../db/pool.ts';
import type { Attempt, Channel, ChannelSender, Channels } from '../domain/channel.ts';
import type { ConversationId, SenderId } from '../domain/ids.ts';
import { namedMedia, withProviderMedia } from '../domain/named-media.ts';
import type { Outcome } from '../domain/outcome.ts';
import { pauseOf, providerError } from '../domain/provider-errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Signals } from '../signals/signals.ts';
import type { FileCalls } from './file-calls.ts';
import type { Gate } from './gate.ts';
import { LEAST_LEASE, type Lease } from './lease.ts';
import type { Senders } from './senders.ts';

/** The calls of attempts that are recorded: each is made by the channel of its sender, and what came of it is settled. */
export interface Calls {
  /** Makes one call and settles it. Never throws. @returns milliseconds until the next attempt; null: there is none. */
  perform(send: BegunSend, lease: Lease): Promise<number | null>;
}

export interface CallsOptions {
  db: Db;
  signals: Signals;
  channels: Channels;
  files: FileCalls;
  settler: Settler;
  senders: Senders;
  gate: Gate;
  clock: Clock;
  metrics: Metrics;
  logger: Logger;
  /** Told that the provider says that a sender is too fast. */
  slow: (sender: SenderId) => void;
  /** Told that the provider says that a pair of sender and recipient is. */
  shutPair: (pair: ConversationId) => void;
  /** Told that a call is over, whatever came of it; it is settled later. */
  answered: (send: BegunSend) => void;
}

/** A number is doubted for its token this often at most, in milliseconds, and so many are remembered. */
const DOUBT_EVERY = 30_000;
const MOST_DOUBTED = 10_000;

export function createCalls(options: CallsOptions): Calls {
  const { db, signals, channels, files, settler, senders, gate, clock, metrics, logger } = options;
  const doubtedAt = new Map<SenderId, number>();

  function call(send: BegunSend, lease: Lease, since: number): Promise<Outcome> {
    const sender = senders.get(send.sender_id);
    if (!sender) return Promise.resolve({ kind: 'not_sent', detail: 'the sender is gone', own: true });
    // It may have waited for its file, or for a connection.
    const end =
      send.expires_at === null ? Number.POSITIVE_INFINITY : since + send.expires_at.getTime() - send.started_at;
    const stop = () => {
      if (lease.left() < LEAST_LEASE) return 'the lease is about to run out';
      return clock.monotonic() >= end ? 'its time was over before it could leave' : null;
    };
    if (sender.channel === 'webhook') return callBy(channels.webhook, send, sender, stop);
    const named = namedMedia(send);
    if (named.length === 0) return callBy(channels.whatsapp, send, sender, stop);
    return files.make(send, sender, named, stop, (ids, late) => {
      // Its token may be another than when the waiting began.
      const now = senders.get(send.sender_id);
      const current = now?.channel === 'whatsapp' ? now : sender;
      return callBy(channels.whatsapp, withProviderMedia(send, ids), current, late);
    });
  }

  /** Makes the call. Its room is free before it is settled: a settlement takes longer than many a call. */
  async function outcomeOf(send: BegunSend, lease: Lease, since: number): Promise<Outcome> {
    try {
      const outcome = await call(send, lease, since);
      metrics.callDuration.observe((clock.monotonic() - since) / 1000, { outcome: outcome.kind });
      observe(send, outcome);
      return outcome;
    } finally {
      options.answered(send);
    }
  }

  function observe(send: BegunSend, outcome: Outcome): void {
    const code = 'code' in outcome ? outcome.code : 0;
    metrics.outcomes.add(1, { outcome: outcome.kind, code: String(code) });
    gate.observe(send, outcome);
    if (outcome.kind === 'sent') return;
    const ids = { message_id: send.message_id, sender_id: send.sender_id, attempt: send.attempt };
    if ('code' in outcome) {
      if (isThrottle(outcome)) options.slow(send.sender_id);
      if (outcome.kind === 'error' && providerError(code).class === 'pair') options.shutPair(send.conversation_id);
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

  return {
    async perform(send, lease) {
      const since = clock.monotonic();
      try {
        const outcome = await outcomeOf(send, lease, since);
        const { changed, kind, seconds, again } = await settler.settle(send, outcome);
        if (!changed) metrics.staleSettles.add(1);
        else if (kind === 'sent') metrics.acceptToSent.observe(seconds);
        if (kind === 'sent' || kind === 'failed') metrics.processed.add(1);
        metrics.processingDuration.observe((clock.monotonic() - since) / 1000);
        if (changed && kind === 'failed') metrics.ended.add(1, { state: 'failed' });
        return again;
      } catch (error) {
        // The attempt stands recorded: it becomes doubtful, and is decided then.
        logger.error({ error, message_id: send.message_id, sender_id: send.sender_id }, 'a send could not be settled');
        return null;
      }
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
  return outcome.kind === 'error' && pauseOf(outcome.code)?.cause === 'token_invalid';
}

/** Whether the other side says that the sender is too fast. */
function isThrottle(outcome: Outcome): boolean {
  if (outcome.kind === 'error') return providerError(outcome.code).class === 'throttle';
  return outcome.kind === 'again' && outcome.code === 429;
}
