import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { type EventId, type MessageId, newId, type TenantId } from '../domain/ids.ts';
import type { RecordedContent } from '../domain/message.ts';
import type { Signals } from '../signals/signals.ts';
import type { ConversationRow } from '../store/contacts.read.ts';
import { insertRecorded } from '../store/recorded.write.ts';

/**
 * Records a message that was sent by somebody else: it is stored as *sent* with the provider's id, so that receipts find it. It
 * has no work and no attempt, and is never sent from here.
 * @returns `fresh` false: a message with that id of the provider's is known already; nothing was changed.
 */
export async function recordMessage(
  db: Db,
  signals: Signals,
  tenant: TenantId,
  conversation: Pick<ConversationRow, 'id' | 'sender_id' | 'contact_id' | 'address'>,
  said: RecordedContent,
): Promise<{ id: MessageId; fresh: boolean }> {
  const recorded = await retryingOnConflict(() =>
    insertRecorded(db, tenant, { id: newId<MessageId>(), event: newId<EventId>(), conversation, said }),
  );
  if (recorded.fresh) signals.notify(`events:${tenant}`);
  return recorded;
}
