import type { Queryable } from '../db/pool.ts';
import type { ContactId, ConversationId, EventId, MessageId, SenderId, TenantId } from '../domain/ids.ts';
import { jsonText } from '../domain/json-text.ts';
import type { RecordedContent } from '../domain/message.ts';

const insert = {
  name: 'recorded_insert',
  text: `
with w as (
  insert into wamids (tenant_id, wamid, message_id) values ($1, $4, $2) on conflict do nothing returning message_id
), m as (
  insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, direction, state, state_before, type, category,
    priority, wamid, address, content, metadata, sender_type, created_at, sent_at)
  select $1, w.message_id, $5, $6, $7, 'outbound', 'sent', 'sent', $9, 'service', 1, $4, $8, $10, $11, $12, now(), now()
  from w
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select $1, $3, 'message.sent', w.message_id,
    jsonb_build_object('state', 'sent', 'wamid', $4::text, 'attempt', 0, 'sent_at', now())
  from w
), n as (
  insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
  select $1, $5, 'outbound', $9, '', 'sent', 0, 1 from w
  on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot)
  do update set n = message_counts.n + excluded.n
)
select message_id as id, true as fresh from w
union all
select message_id, false from wamids where tenant_id = $1 and wamid = $4`,
};

/** The ids to write it by, and where it stands. */
export interface RecordedMessage {
  id: MessageId;
  event: EventId;
  conversation: { id: ConversationId; sender_id: SenderId; contact_id: ContactId; address: string | null };
  said: RecordedContent;
}

/**
 * Writes a message that was sent elsewhere, with its event, its count and the provider's id, in one statement; or gives the
 * one that has that id already.
 */
export async function insertRecorded(
  tx: Queryable,
  tenant: TenantId,
  { id, event, conversation, said }: RecordedMessage,
): Promise<{ id: MessageId; fresh: boolean }> {
  const [row] = await tx.query<{ id: MessageId; fresh: boolean }>(insert, [
    tenant,
    id,
    event,
    said.wamid,
    conversation.sender_id,
    conversation.contact_id,
    conversation.id,
    conversation.address ?? '',
    said.type,
    jsonText(said.content),
    said.metadata === null ? null : jsonText(said.metadata),
    said.sender_type,
  ]);
  if (!row) throw new Error('a message was neither recorded nor there');
  return row;
}
