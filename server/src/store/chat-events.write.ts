import { jsons, texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { UserId } from '../domain/chat.ts';
import type { ConversationEvents, ConversationEventType } from '../domain/event-catalogue.ts';
import type { ConversationId, EventId, TenantId } from '../domain/ids.ts';

/** An event of a conversation, whole. */
export type NewConversationEvent = {
  [Type in ConversationEventType]: {
    id: EventId;
    tenant: TenantId;
    conversation: ConversationId;
    type: Type;
    /** The only user who may see it; null: whoever is in the conversation. */
    user: UserId | null;
    data: ConversationEvents[Type];
  };
}[ConversationEventType];

const insert = {
  name: 'chat_events_insert',
  text: `
insert into events (tenant_id, id, type, conversation_id, user_id, data)
select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::jsonb[])`,
};

/** Writes events of conversations, in the transaction that changed what they tell. */
export async function insertConversationEvents(tx: Queryable, events: readonly NewConversationEvent[]): Promise<void> {
  await tx.query(insert, [
    uuids(events, (e) => e.tenant),
    uuids(events, (e) => e.id),
    texts(events, (e) => e.type),
    uuids(events, (e) => e.conversation),
    texts(events, (e) => e.user),
    jsons(events, (e) => JSON.stringify(e.data)),
  ]);
}
