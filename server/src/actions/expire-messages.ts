import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { type EventId, newId } from '../domain/ids.ts';
import type { Signals } from '../signals/signals.ts';
import { expireQueued } from '../store/changes.write.ts';

const MOST_TOGETHER = 500;

/**
 * Ends messages of these lanes whose validity was over before they left.
 * @returns how many; when it is the most that one call does, there may be more.
 */
export async function expireMessages(db: Db, signals: Signals, lanes: readonly number[]): Promise<number> {
  const events = Array.from({ length: MOST_TOGETHER }, () => newId<EventId>());
  const expired = await retryingOnConflict(() => expireQueued(db, lanes, events));
  for (const tenant of new Set(expired.map((row) => row.tenant_id))) signals.notify(`events:${tenant}`);
  return expired.length;
}
