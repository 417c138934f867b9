import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { firstIdAt, type TenantId } from '../domain/ids.ts';
import { pruneEvents } from '../store/event-retention.write.ts';

/** How long a consumer that does not read holds events back that are old enough to go: 7 days. */
const HELD_BACK = 7 * 86_400_000;
const MOST_TOGETHER = 1000;

/**
 * Forgets the oldest events of a tenant, in the log's order, that are older than `retention` ms: a step of at most a thousand.
 * @returns whether there may be more.
 */
export async function forgetEvents(db: Db, tenant: TenantId, retention: number, now: number): Promise<boolean> {
  const before = firstIdAt(now - retention);
  const beforeAnyway = firstIdAt(now - retention - HELD_BACK);
  const { removed } = await retryingOnConflict(() => pruneEvents(db, tenant, MOST_TOGETHER, { before, beforeAnyway }));
  return removed === MOST_TOGETHER;
}
