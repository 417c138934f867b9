import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { firstIdAt } from '../domain/ids.ts';
import { pruneLimits } from '../store/limits.write.ts';
import { pruneReached } from '../store/reached-users.write.ts';
import { pruneTickets } from '../store/tickets.write.ts';
import {
  analyzeTable,
  findGrownTables,
  foldCounts,
  pruneIdempotencyKeys,
  pruneParkedReceipts,
  pruneRawWebhooks,
} from '../store/upkeep.write.ts';

/** How long things are kept. Milliseconds. */
export interface Retention {
  keys: number;
  webhooks: number;
}

const MOST_TOGETHER = 1000;

/**
 * Takes the statistics of tables that have grown much since they were last taken. PostgreSQL does that by itself, but only
 * once a minute: too late for a store that a first import fills.
 * @returns the tables.
 */
export async function refreshStatistics(db: Db): Promise<string[]> {
  const grown = await findGrownTables(db);
  for (const table of grown) await analyzeTable(db, table);
  return grown;
}

/**
 * Forgets what is older than its retention, in small steps.
 * @returns whether there may be more.
 */
export async function pruneStore(db: Db, retention: Retention, now: number): Promise<boolean> {
  const keys = await pruneIdempotencyKeys(db, retention.keys, MOST_TOGETHER);
  const webhooks = await pruneRawWebhooks(db, firstIdAt(now - retention.webhooks), MOST_TOGETHER);
  await pruneParkedReceipts(db, retention.webhooks);
  const limits = await retryingOnConflict(() => pruneLimits(db, MOST_TOGETHER));
  const reached = await retryingOnConflict(() => pruneReached(db, MOST_TOGETHER));
  const tickets = await retryingOnConflict(() => pruneTickets(db, MOST_TOGETHER));
  return [keys, webhooks, limits, reached, tickets].includes(MOST_TOGETHER);
}

/** Rows that one counter may be spread over. Several instances at work need a few dozen. */
const MOST_SLOTS = 64;

/** Adds up counters that many starts have spread over many rows, so that statistics stay quick. */
export async function foldCounters(db: Db): Promise<void> {
  while ((await retryingOnConflict(() => foldCounts(db, MOST_SLOTS, MOST_TOGETHER))) === MOST_TOGETHER) {
    // A step at a time, so that those who count wait for none of them long.
  }
}
