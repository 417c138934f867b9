import { type RefusedMessage, recordProviderStops, tellsOfPerson } from '../actions/provider-stops.ts';
import type { Db } from '../db/pool.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createRounds } from '../runtime/rounds.ts';
import type { Signals } from '../signals/signals.ts';

/** Hears of refused messages, and keeps what they tell of people beside the sending, which waits for none of it. */
export interface ProviderStops extends Part {
  /**
   * Tells of refusals; those that are about a person are kept soon. What is lost by a crash in between, the provider says again
   * at the next message.
   */
  note(refused: readonly RefusedMessage[]): void;
}

/** Refusals that wait. Beyond it they are let go. */
const MOST_WAITING = 10_000;
const MOST_TOGETHER = 500;
/** Milliseconds between tries while the store cannot be reached. */
const EVERY = 2000;

export function createProviderStops(options: {
  db: Db;
  signals: Signals;
  logger: Pick<Logger, 'warn'>;
}): ProviderStops {
  const { db, signals, logger } = options;
  let waiting: RefusedMessage[] = [];

  const rounds = createRounds({
    every: EVERY,
    async round() {
      if (waiting.length === 0) return;
      const some = waiting.slice(0, MOST_TOGETHER);
      await recordProviderStops({ db, signals }, some);
      waiting = waiting.slice(some.length);
      if (waiting.length > 0) rounds.wake();
    },
    failed: (error) => logger.warn({ error }, 'keeping what refusals tell of customers failed'),
  });

  return {
    ...part('provider stops', async () => rounds.start(), rounds.stop),
    note(refused) {
      let heard = false;
      for (const one of refused) {
        if (!tellsOfPerson(one)) continue;
        if (waiting.length >= MOST_WAITING) return;
        waiting.push(one);
        heard = true;
      }
      if (heard) rounds.wake();
    },
  };
}
