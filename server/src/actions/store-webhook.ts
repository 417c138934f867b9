import { createBatcher } from '../db/batcher.ts';
import type { Db } from '../db/pool.ts';
import { type InstanceId, newId, type RawWebhookId } from '../domain/ids.ts';
import { failpoint } from '../runtime/failpoints.ts';
import { insertRawWebhooks, type RawWebhook } from '../store/inbound.write.ts';

/**
 * Storing what the provider posts, byte for byte, before it is answered: from then on it is ours to apply. Webhooks that
 * arrive together share a commit and one record of work.
 */
export interface WebhookStore {
  /**
   * Resolves when the webhook is durable.
   * @throws BatcherFull or a transient database error: the provider is told to come again.
   */
  store(app: string, body: Buffer): Promise<void>;
}

/** Webhooks of one app that were stored together. */
export interface StoredWork {
  id: string;
  webhooks: RawWebhook[];
}

const MOST_TOGETHER = 250;
const MOST_WAITING = 5000;
/** Milliseconds. The provider asks for an answer within 250. */
const GATHER = 3;

/** @param onStored is handed what was stored, so that it need not be read back. */
export function createWebhookStore(
  db: Db,
  instance: InstanceId,
  onStored: (work: readonly StoredWork[]) => void,
): WebhookStore {
  const batcher = createBatcher<Omit<RawWebhook, 'id'>, void>({
    max: MOST_TOGETHER,
    parallel: 2,
    limit: MOST_WAITING,
    gather: GATHER,
    async run(arrived) {
      const byApp = new Map<string, StoredWork>();
      const raws: RawWebhook[] = [];
      const work: string[] = [];
      for (const { app, body } of arrived) {
        let group = byApp.get(app);
        if (!group) {
          group = { id: newId(), webhooks: [] };
          byApp.set(app, group);
        }
        const raw = { app, id: newId<RawWebhookId>(), body };
        group.webhooks.push(raw);
        raws.push(raw);
        work.push(group.id);
      }
      await failpoint('webhook.before_commit');
      await insertRawWebhooks(db, raws, work, instance);
      await failpoint('webhook.after_commit');
      onStored([...byApp.values()]);
      return new Array<undefined>(arrived.length);
    },
  });
  return { store: (app, body) => batcher.add({ app, body }) };
}
