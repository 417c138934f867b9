import type { Db } from '../db/pool.ts';
import type { InstanceId, RawWebhookId } from '../domain/ids.ts';
import { findRawWebhooks, finishWork, markRawWebhook, takeOrphanedWork } from '../store/inbound.write.ts';
import type { StoredWork } from './store-webhook.ts';

/** Takes over stored webhooks whose instance is gone before it applied them. */
export async function takeStoredWork(db: Db, instance: InstanceId, limit: number): Promise<StoredWork[]> {
  const taken = await takeOrphanedWork(db, instance, limit);
  const work: StoredWork[] = [];
  for (const { id, app_id, raw_ids } of taken) {
    work.push({ id, webhooks: await findRawWebhooks(db, app_id, raw_ids) });
  }
  return work;
}

/** Marks stored webhooks as applied. */
export function finishStoredWork(db: Db, ids: readonly string[]): Promise<void> {
  return finishWork(db, ids);
}

/** Notes that something of a webhook could not be applied. */
export function noteTrouble(db: Db, app: string, id: RawWebhookId, trouble: string): Promise<void> {
  return markRawWebhook(db, app, id, trouble);
}
