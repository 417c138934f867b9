import type { Db } from '../db/pool.ts';
import { persistently, retryingOnConflict } from '../db/retry.ts';
import type { InstanceId, RawWebhookId } from '../domain/ids.ts';
import { findRawWebhooks, finishWork, markRawWebhook, takeOrphanedWork } from '../store/inbound.write.ts';
import type { StoredWork } from './store-webhook.ts';

/**
 * Takes over stored webhooks whose instance is gone before it applied them.
 * @param ownAfter also what this instance stored itself so many milliseconds ago and does not hold: the commit's answer was lost, or
 *   there was no room. Only for who has nothing else in hand; null: none of it.
 */
export function takeStoredWork(
  db: Db,
  instance: InstanceId,
  limit: number,
  ownAfter: number | null,
): Promise<StoredWork[]> {
  // Taken and read in one: work that was taken and could not be read would be nobody's.
  return retryingOnConflict(() =>
    db.transaction(async (tx) => {
      const work: StoredWork[] = [];
      for (const { id, app_id, raw_ids } of await takeOrphanedWork(tx, instance, limit, ownAfter)) {
        work.push({ id, webhooks: await findRawWebhooks(tx, app_id, raw_ids) });
      }
      return work;
    }),
  );
}

/** Marks stored webhooks as applied. */
export function finishStoredWork(db: Db, ids: readonly string[]): Promise<void> {
  return finishWork(db, ids);
}

/** Notes that something of a webhook could not be applied. */
export function noteTrouble(db: Db, app: string, id: RawWebhookId, trouble: string): Promise<void> {
  // A parser may quote what it could not read, and the database holds no NUL.
  return markRawWebhook(db, app, id, trouble.replaceAll('\0', '\ufffd'));
}

/** Applies stored work, for as long as the database is away again and again: what was stored has to be applied. */
export function applyInTheEnd(attempt: () => Promise<void>): Promise<void> {
  return persistently(attempt);
}
