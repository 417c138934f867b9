import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { type ConversationId, firstIdAt, type TenantId } from '../domain/ids.ts';
import { listRetainedConversations, listRetainingTenants } from '../store/chat-conversations.read.ts';
import { pruneConversationMessages, pruneTenantMessages } from '../store/chat-conversations.write.ts';

const MOST_TOGETHER = 500;
const FIRST = '00000000-0000-0000-0000-000000000000';

/**
 * Forgets what people said longer ago than their conversation keeps it, or else their tenant, in small steps: messages between users and
 * notes, with what they said before edits. What is gone is not unread any more. Events have a retention of their own.
 * @returns how many messages it were.
 */
export async function pruneChat(db: Db, ending: AbortSignal): Promise<number> {
  let gone = 0;
  for (const { id, before } of await listRetainingTenants(db)) {
    const end = firstIdAt(before);
    for (let last: string | null = FIRST; last !== null && !ending.aborted; ) {
      const from: { after: string; before: string; limit: number } = { after: last, before: end, limit: MOST_TOGETHER };
      const step: { n: number; last: string | null } = await retryingOnConflict(() =>
        pruneTenantMessages(db, id, from),
      );
      gone += step.n;
      last = step.last;
    }
  }
  for (let after = { tenant_id: FIRST as TenantId, id: FIRST as ConversationId }; ; ) {
    const page = await listRetainedConversations(db, after, MOST_TOGETHER);
    for (const { tenant_id, id } of page) {
      for (let step = MOST_TOGETHER; step === MOST_TOGETHER && !ending.aborted; gone += step) {
        step = await retryingOnConflict(() => pruneConversationMessages(db, tenant_id, id, MOST_TOGETHER));
      }
    }
    const last = page.at(-1);
    if (!last || ending.aborted) return gone;
    after = last;
  }
}
