import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { type EventId, type MessageId, newId, type TenantId } from '../domain/ids.ts';
import type { Signals } from '../signals/signals.ts';
import { markMessageRead } from '../store/read-marks.write.ts';

/**
 * Marks a customer's message as read: the conversation has one unread message less, and that WhatsApp is to be told is stored
 * with it; a job tells it. A message that is read already stays as it is.
 */
export async function markRead(
  db: Db,
  signals: Signals,
  tenant: TenantId,
  id: MessageId,
): Promise<'read' | 'not_found' | 'outbound'> {
  const { done, direction } = await retryingOnConflict(() => markMessageRead(db, tenant, id, newId<EventId>()));
  if (direction === null) return 'not_found';
  if (direction === 'outbound') return 'outbound';
  if (done) {
    signals.notify(`events:${tenant}`);
    signals.notify('read_marks');
  }
  return 'read';
}

/**
 * Shows the customer that an answer to his message is being written, which marks it as read: WhatsApp has one call for both. It
 * is a signal and no event; what cannot be told soon is not told.
 */
export async function showTyping(
  db: Db,
  signals: Signals,
  tenant: TenantId,
  id: MessageId,
): Promise<'read' | 'not_found' | 'outbound'> {
  const { done, direction } = await retryingOnConflict(() => markMessageRead(db, tenant, id, newId<EventId>(), true));
  if (direction === null) return 'not_found';
  if (direction === 'outbound') return 'outbound';
  if (done) signals.notify(`events:${tenant}`);
  signals.notify('read_marks');
  return 'read';
}
