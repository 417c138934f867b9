import type { Resolved } from '../actions/resolve-doubts.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';

/** Tells an operator of messages that stay unconfirmed: once when it begins, and then each minute for as long as it lasts. */
export interface DoubtReport {
  /** Takes what a look at the doubts found. Each look sees a part of them. */
  note(doubts: Pick<Resolved, 'waiting' | 'longest'>): void;
}

/** Milliseconds between two lines of the log. */
const EVERY = 60_000;

/** @param after milliseconds of doubt from which it is told. */
export function createDoubtReport(
  logger: Pick<Logger, 'warn'>,
  clock: Pick<Clock, 'monotonic'>,
  after: number,
): DoubtReport {
  let toldAt = Number.NEGATIVE_INFINITY;
  return {
    note({ waiting, longest }) {
      if (waiting === 0 || longest <= after) return;
      const now = clock.monotonic();
      if (now - toldAt < EVERY) return;
      toldAt = now;
      logger.warn(
        { messages: waiting, longest_ms: Math.round(longest) },
        'messages are unconfirmed and no receipts come: check that webhooks reach this server',
      );
    },
  };
}
