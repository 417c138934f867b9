import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { MessageId, SenderId, TenantId } from '../domain/ids.ts';
import { type Caller, learnPhones, learnUserIds, openWindows } from '../store/customers.write.ts';

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

/** WhatsApp's own number of whom a message was sent to. */
interface SentTo {
  tenant: TenantId;
  message: MessageId;
  phone: string;
}

/** What receipts tell of customers. They tell it again and again: the store is asked once. */
interface RecipientBook {
  /** Learns the business-scoped user ids of customers whom we know by number, so that they are known when they write without one. */
  learn(recipients: readonly Recipient[]): Promise<void>;
  /** Learns by which numbers WhatsApp knows whom we wrote to: what they write, and that they want no more, comes from there. */
  learnPhones(sent: readonly SentTo[]): Promise<void>;
}

export function createRecipientBook(db: Db): RecipientBook {
  const told = new Set<string>();

  async function once<T>(all: readonly T[], nameOf: (one: T) => string, write: (fresh: readonly T[]) => Promise<void>) {
    const fresh = all.filter((one) => !told.has(nameOf(one)));
    if (fresh.length === 0) return;
    await retryingOnConflict(() => write(fresh));
    if (told.size + fresh.length > MOST_TOLD) told.clear();
    for (const one of fresh) told.add(nameOf(one));
  }

  return {
    learn: (recipients) =>
      once(
        recipients,
        ({ tenant, phone, userId }) => `${tenant} ${phone} ${userId}`,
        (fresh) => learnUserIds(db, fresh),
      ),
    learnPhones: (sent) =>
      once(
        sent,
        ({ tenant, phone }) => `${tenant} ${phone}`,
        (fresh) => learnPhones(db, fresh),
      ),
  };
}
