import { foldCounters, pruneStore, type Retention, refreshStatistics } from '../actions/keep-store.ts';
import { pruneChat } from '../actions/prune-chat.ts';
import { findStrayWork } from '../actions/tend-senders.ts';
import type { Db } from '../db/pool.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createRounds } from '../runtime/rounds.ts';

/** Recurring upkeep of the store: statistics that follow its growth, and forgetting what is old. */
export interface UpkeepOptions {
  db: Db;
  clock: Clock;
  logger: Pick<Logger, 'debug' | 'warn'>;
  retention: Retention;
}

/** Milliseconds. A young store multiplies within seconds; an old one hardly changes. */
const STATISTICS_EVERY = 2000;
const PRUNE_EVERY = 60_000;
/** Counters are folded, and conversations pruned: by days, so that an hour is soon. */
const FOLD_EVERY = 3_600_000;

export function createUpkeep({ db, clock, logger, retention }: UpkeepOptions): Part {
  let prunedAt = clock.monotonic();
  let foldedAt = Number.NEGATIVE_INFINITY;

  async function round(ending: AbortSignal): Promise<void> {
    const tables = await refreshStatistics(db);
    if (tables.length > 0) logger.debug({ tables }, 'statistics were taken');
    if (clock.monotonic() - foldedAt > FOLD_EVERY) {
      foldedAt = clock.monotonic();
      await foldCounters(db);
      await pruneChat(db, ending);
    }
    if (clock.monotonic() - prunedAt < PRUNE_EVERY) return;
    prunedAt = clock.monotonic();
    while (!ending.aborted && (await pruneStore(db, retention, clock.now()))) {
      // A step at a time, so that nothing else waits long.
    }
    const senders = await findStrayWork(db);
    if (senders > 0) logger.warn({ senders }, 'messages stood in a lane that their sender has left: they follow');
  }

  const rounds = createRounds({
    every: STATISTICS_EVERY,
    round,
    failed: (error) => logger.warn({ error }, 'upkeep failed'),
  });
  return part('upkeep', async () => rounds.start(), rounds.stop);
}
