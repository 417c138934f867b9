import type { ConversationId } from '../ids.ts';

/**
 * How often one sender may write to one recipient (Meta: about-the-platform, read 2026-09): one message in 6 seconds, and up to
 * 45 at once, borrowed from what follows. Beyond that WhatsApp answers 131056. Times are milliseconds of a monotonic clock.
 */
export const PAIR_LIMIT = { every: 6000, burst: 45, date: '2026-09-30' } as const;

const SLACK = PAIR_LIMIT.every * (PAIR_LIMIT.burst - 1);
/** Recipients that are remembered. Of those written to longest ago the least is lost. */
const MOST = 200_000;
/** Recipients that have everything saved up again are forgotten, so many with each message. */
const FORGOTTEN = 2;

export interface PairRate {
  /** Milliseconds until the pair may have a message. 0: now. */
  wait(pair: ConversationId, now: number): number;
  take(pair: ConversationId, now: number): void;
  /** One that was taken did not leave. */
  giveBack(pair: ConversationId): void;
  /** Lets the pair have nothing before a time: WhatsApp said so. */
  shut(pair: ConversationId, until: number): void;
  /** Remembers messages that left before: so many, as far as is known just now. */
  restore(pair: ConversationId, count: number, now: number): void;
  readonly size: number;
}

export function createPairRate(): PairRate {
  /** When the pair has everything saved up. Those written to last stand last. */
  const full = new Map<ConversationId, number>();

  function set(pair: ConversationId, at: number): void {
    full.delete(pair);
    full.set(pair, at);
  }

  function forget(now: number): void {
    let looked = 0;
    for (const [pair, at] of full) {
      if (full.size <= MOST && (looked === FORGOTTEN || at > now)) break;
      full.delete(pair);
      looked++;
    }
  }

  return {
    wait: (pair, now) => Math.max(0, (full.get(pair) ?? now) - SLACK - now),
    take(pair, now) {
      set(pair, Math.max(full.get(pair) ?? now, now) + PAIR_LIMIT.every);
      forget(now);
    },
    giveBack(pair) {
      const at = full.get(pair);
      if (at !== undefined) full.set(pair, at - PAIR_LIMIT.every);
    },
    shut(pair, until) {
      set(pair, Math.max(full.get(pair) ?? 0, until + SLACK));
    },
    restore(pair, count, now) {
      set(pair, Math.max(full.get(pair) ?? 0, now + Math.min(count, PAIR_LIMIT.burst) * PAIR_LIMIT.every));
    },
    get size() {
      return full.size;
    },
  };
}
