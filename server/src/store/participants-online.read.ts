import { uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { UserId } from '../domain/chat.ts';
import type { ConversationId, TenantId } from '../domain/ids.ts';

/** A user in a conversation, and which of its events he may see: those of the transactions from `joined_xid` to `left_xid`. */
export interface MemberRow {
  conversation_id: ConversationId;
  user_id: UserId;
  /** Transaction ids of 64 bits, as decimal digits; null: he is still there. */
  joined_xid: string;
  left_xid: string | null;
}

const members = {
  name: 'participants_members',
  text: `
select p.conversation_id, p.user_id, p.joined_xid::text as joined_xid, p.left_xid::text as left_xid
from unnest($2::uuid[]) as c(id) join participants p on p.tenant_id = $1 and p.conversation_id = c.id`,
};

/** Who is or was in these conversations. */
export function listMembers(
  tx: Queryable,
  tenant: TenantId,
  conversations: readonly ConversationId[],
): Promise<MemberRow[]> {
  return tx.query<MemberRow>(members, [tenant, uuids(conversations, (id) => id)]);
}
