import type { Queryable } from '../db/pool.ts';
import type { ParticipantRecord, ParticipantRole, UserId } from '../domain/chat.ts';
import type { ConversationId, TenantId } from '../domain/ids.ts';

interface ParticipantRow {
  user_id: UserId;
  role: ParticipantRole;
  can_send_messages: boolean;
  joined_at: Date;
}

function participantRecord({ user_id, role, can_send_messages, joined_at }: ParticipantRow): ParticipantRecord {
  return { user_id, role, can_send_messages, joined_at: joined_at.toISOString() };
}

const list = {
  name: 'participants_list',
  text: `
select user_id, role, can_send_messages, joined_at from participants
where tenant_id = $1 and conversation_id = $2 and left_at is null
order by joined_at, user_id`,
};

/** Who is in a conversation, the longest in it first. */
export async function listParticipants(
  tx: Queryable,
  tenant: TenantId,
  conversation: ConversationId,
): Promise<ParticipantRecord[]> {
  return (await tx.query<ParticipantRow>(list, [tenant, conversation])).map(participantRecord);
}
