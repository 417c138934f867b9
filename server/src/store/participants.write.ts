import { smallints, texts } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { ParticipantRecord, ParticipantRole, UserId } from '../domain/chat.ts';
import type { ConversationId, TenantId } from '../domain/ids.ts';

/** Someone who is to be in a conversation. */
export interface JoiningParticipant {
  user_id: UserId;
  role: ParticipantRole;
  can_send_messages: boolean;
}

const insert = {
  name: 'participants_insert',
  text: `
with c as (update conversations set participant_count = participant_count + cardinality($3::text[]) where tenant_id = $1 and id = $2)
insert into participants (tenant_id, conversation_id, user_id, role, can_send_messages, joined_at, delivered_seq, read_seq, list, slot)
select $1, $2, i.user_id, i.role, i.can_send = 1, $6, $7, $7, conversation_list(v.type, v.closed_at, v.last_message_at),
  conversation_slot(v.last_message_at, v.created_at)
from conversations v cross join unnest($3::text[], $4::text[], $5::smallint[]) as i(user_id, role, can_send)
where v.tenant_id = $1 and v.id = $2
on conflict (tenant_id, conversation_id, user_id) do update set role = excluded.role,
  can_send_messages = excluded.can_send_messages, joined_at = excluded.joined_at, joined_xid = pg_current_xact_id(),
  left_at = null, left_xid = null, delivered_seq = excluded.delivered_seq, read_seq = excluded.read_seq, own_ahead = 0,
  list = excluded.list, slot = excluded.slot`,
};

/**
 * Lets users join who are not in the conversation; they may have been before.
 * @param seq the conversation's last message: what was said before they joined is not unread.
 */
export async function insertParticipants(
  tx: Queryable,
  tenant: TenantId,
  conversation: ConversationId,
  joining: readonly JoiningParticipant[],
  at: Date,
  seq: number,
): Promise<void> {
  await tx.query(insert, [
    tenant,
    conversation,
    texts(joining, (p) => p.user_id),
    texts(joining, (p) => p.role),
    smallints(joining, (p) => (p.can_send_messages ? 1 : 0)),
    at,
    seq,
  ]);
}

const change = {
  name: 'participants_change',
  text: `
update participants set role = $4, can_send_messages = $5
where tenant_id = $1 and conversation_id = $2 and user_id = $3 and left_at is null`,
};

export async function updateParticipant(
  tx: Queryable,
  tenant: TenantId,
  conversation: ConversationId,
  { user_id, role, can_send_messages }: ParticipantRecord,
): Promise<void> {
  await tx.query(change, [tenant, conversation, user_id, role, can_send_messages]);
}

const leave = {
  name: 'participants_leave',
  text: `
with p as (
  update participants set left_at = $4, left_xid = pg_current_xact_id()
  where tenant_id = $1 and conversation_id = $2 and user_id = $3 and left_at is null
  returning user_id
)
update conversations set participant_count = participant_count - (select count(*) from p) where tenant_id = $1 and id = $2`,
};

/** Lets a user go. His row stays: it says up to where he may see events. */
export async function endParticipation(
  tx: Queryable,
  tenant: TenantId,
  conversation: ConversationId,
  user: UserId,
  at: Date,
): Promise<void> {
  await tx.query(leave, [tenant, conversation, user, at]);
}
