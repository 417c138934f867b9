import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { ConversationEvents } from '../domain/event-catalogue.ts';
import type { EventPosition } from '../domain/event-cursor.ts';
import { type EventId, type InstanceId, newId, type TenantId } from '../domain/ids.ts';
import type { Signals } from '../signals/signals.ts';
import { insertConversationEvents } from '../store/chat-events.write.ts';
import { moveTenantConsumer } from '../store/event-consumers.write.ts';
import { insertConversingConsumers } from '../store/offline-users.write.ts';

/** The name of the position in the log. */
export const OFFLINE = 'offline';

/** Of one user and one message. */
export type OfflineNotice = ConversationEvents['notification.offline'];

/** Lets every tenant be followed whose users converse. */
export function followConversing(db: Db): Promise<void> {
  return retryingOnConflict(() => insertConversingConsumers(db, OFFLINE));
}

/**
 * Writes notices and keeps how far a held tenant was read, in one transaction, and lets the tenant go for `rest` ms at least. So each
 * is written once, whatever crashes.
 * @returns false when the tenant was no longer held: nothing is written, another instance reads on.
 */
export async function notifyOffline(
  { db, signals }: { db: Db; signals: Signals },
  tenant: TenantId,
  instance: InstanceId,
  notices: readonly OfflineNotice[],
  { place, rest }: { place: EventPosition; rest: number },
): Promise<boolean> {
  const events = notices.map((data) => ({
    id: newId<EventId>(),
    tenant,
    conversation: data.conversation_id,
    type: 'notification.offline' as const,
    user: data.user_id,
    data,
  }));
  const kept = await retryingOnConflict(() =>
    db.transaction(async (tx) => {
      // First, for it decides whether anything is to be written.
      if (!(await moveTenantConsumer(tx, tenant, OFFLINE, instance, place, rest))) return false;
      if (events.length > 0) await insertConversationEvents(tx, events);
      return true;
    }),
  );
  if (kept && notices.length > 0) signals.notify(`events:${tenant}`);
  return kept;
}
