import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';
import { type Caller, learnUserIds, openWindows } from '../store/customers.write.ts';

/** What is learnt of customers beside their messages. */

/** Opens the windows of customers who called. */
export function hearCalls(db: Db, callers: readonly Caller[]): Promise<void> {
  return retryingOnConflict(() => openWindows(db, callers));
}

/** Both names of a customer whom we wrote to. */
export interface Recipient {
  tenant: TenantId;
  sender: SenderId;
  phone: string;
  userId: string;
}

/** Most pairs that are remembered as told: then all are forgotten, and told once more. */
const MOST_TOLD = 50_000;

/**
 * Learns the business-scoped user ids of customers whom we know by number, so that they are known when they write without one. Receipts
 * tell of each customer again and again: the store is asked once.
 */
export function createRecipientBook(db: Db): { learn(recipients: readonly Recipient[]): Promise<void> } {
  const told = new Set<string>();
  return {
    async learn(recipients) {
      const fresh = recipients.filter(({ tenant, phone, userId }) => !told.has(`${tenant} ${phone} ${userId}`));
      if (fresh.length === 0) return;
      await retryingOnConflict(() => learnUserIds(db, fresh));
      if (told.size + fresh.length > MOST_TOLD) told.clear();
      for (const { tenant, phone, userId } of fresh) told.add(`${tenant} ${phone} ${userId}`);
    },
  };
}
