import { bigints, integers, texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { UserId } from '../domain/chat.ts';
import type { ConversationId, TenantId } from '../domain/ids.ts';

/** How far a user has got and read from now on. Each user and conversation at most once. */
export interface MovedMark {
  tenant: TenantId;
  conversation: ConversationId;
  user: UserId;
  delivered: number;
  read: number;
  /** Messages of his own after that. */
  ownAhead: number;
}

const move = {
  name: 'chat_receipts_move',
  text: `
update participants p set delivered_seq = i.delivered, read_seq = i.read, own_ahead = i.own_ahead,
  delivered_at = case when p.delivered_seq < i.delivered then now() else p.delivered_at end,
  read_at = case when p.read_seq < i.read then now() else p.read_at end
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::int[])
  as i(tenant_id, conversation_id, user_id, delivered, read, own_ahead)
where p.tenant_id = i.tenant_id and p.conversation_id = i.conversation_id and p.user_id = i.user_id`,
};

/** Moves marks ahead, as they were found in the same transaction. */
export async function moveMarks(tx: Queryable, marks: readonly MovedMark[]): Promise<void> {
  await tx.query(move, [
    uuids(marks, (m) => m.tenant),
    uuids(marks, (m) => m.conversation),
    texts(marks, (m) => m.user),
    bigints(marks, (m) => m.delivered),
    bigints(marks, (m) => m.read),
    integers(marks, (m) => m.ownAhead),
  ]);
}
