import type { Db } from '../db/pool.ts';
import { retryingUnderContention } from '../db/retry.ts';
import { createTurns } from '../db/turns.ts';
import { type EventId, type MessageId, newId, type TenantId } from '../domain/ids.ts';
import type { Signals } from '../signals/signals.ts';
import { markMessageRead } from '../store/read-marks.write.ts';

/** Marks of a tenant that wait for others of his. */
const MOST_MARKS = 5000;

/** What is done about a customer's message by whoever reads it. @throws {BatcherFull} when too many wait. */
export interface CustomerReads {
  /**
   * Marks a customer's message as read: the conversation has one unread message less, and that WhatsApp is to be told is stored
   * with it; a job tells it. A message that is read already stays as it is.
   */
  markRead(tenant: TenantId, id: MessageId): Promise<'read' | 'not_found' | 'outbound'>;
  /**
   * Shows the customer that an answer to his message is being written, which marks it as read: WhatsApp has one call for both. It
   * is a signal and no event; what cannot be told soon is not told.
   */
  showTyping(tenant: TenantId, id: MessageId): Promise<'read' | 'not_found' | 'outbound'>;
}

/**
 * Those of a tenant take turns: who opens a conversation marks all that is unread there at once, and each mark writes the same rows of
 * the conversation and of the counts.
 */
export function createCustomerReads({ db, signals }: { db: Db; signals: Signals }): CustomerReads {
  const turns = createTurns(MOST_MARKS);

  async function mark(tenant: TenantId, id: MessageId, typing: boolean): Promise<'read' | 'not_found' | 'outbound'> {
    const { done, direction } = await turns.take(tenant, () =>
      retryingUnderContention(() => markMessageRead(db, tenant, id, newId<EventId>(), typing)),
    );
    if (direction === null) return 'not_found';
    if (direction === 'outbound') return 'outbound';
    if (done) signals.notify(`events:${tenant}`);
    if (done || typing) signals.notify('read_marks');
    return 'read';
  }

  return {
    markRead: (tenant, id) => mark(tenant, id, false),
    showTyping: (tenant, id) => mark(tenant, id, true),
  };
}
