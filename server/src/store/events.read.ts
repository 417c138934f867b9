import type { Queryable } from '../db/pool.ts';
import type { UserId } from '../domain/chat.ts';
import type { ConversationEvents, ConversationEventType, EventType } from '../domain/event-catalogue.ts';
import type { EventPosition } from '../domain/event-cursor.ts';
import type { ConversationId, EventId, MessageId, TenantId } from '../domain/ids.ts';
import type { EventData, FixedOfMessage } from '../domain/message-view.ts';

export type { EventPosition };

/** Before the first event that is kept. */
export const LOG_START: EventPosition = { xid: '0', id: '00000000-0000-0000-0000-000000000000' };

/** What every event has. */
interface Logged {
  xid: string;
  event_id: EventId;
  event_type: EventType;
}

/** An event of a message. */
export interface MessageEventRow extends Logged, FixedOfMessage {
  data: EventData;
  /** Our id of the message that it answers. */
  parent_id: MessageId | null;
}

/** An event of something else: all it tells is in `data`, as domain/event-catalogue.ts says. */
export interface ConversationEventRow extends Logged {
  event_type: ConversationEventType;
  id: null;
  conversation_id: ConversationId;
  /** The only user who may see it; null: whoever is in the conversation. */
  user_id: UserId | null;
  data: ConversationEvents[ConversationEventType];
}

export type EventRow = MessageEventRow | ConversationEventRow;

/** Of an event `e`, its message `m` and the sender `s` of that. */
export const EVENT_COLUMNS = `
  e.xid::text as xid, e.id as event_id, e.type as event_type, e.data, e.user_id, m.id, m.direction, m.type, m.category,
  m.priority, m.sender_id, coalesce(s.phone, s.name) as sender_phone, m.contact_id,
  coalesce(e.conversation_id, m.conversation_id) as conversation_id, m.batch_id, m.address, m.content,
  m.template, m.metadata, m.reply_to, m.reactions, m.edited_at, m.deleted_at, m.sender_type, m.author_id, m.created_at, m.scheduled_at, m.expires_at,
  case when m.reply_to is not null then (select w.message_id from wamids w where w.tenant_id = e.tenant_id and w.wamid = m.reply_to) end as parent_id`;

/** Its message `m` and the sender `s` of that. */
export const EVENT_JOINS = `
left join messages m on m.tenant_id = e.tenant_id and m.id = e.message_id
left join senders s on s.tenant_id = e.tenant_id and s.id = m.sender_id`;

const list = {
  name: 'events_list',
  text: `
select ${EVENT_COLUMNS}
from (
  select * from events
  where tenant_id = $1 and (xid, id) > ($2::text::xid8, $3::uuid) and xid < (select event_horizon())
  order by xid, id limit $4
) e${EVENT_JOINS}
order by e.xid, e.id`,
};

/** The tenant's events after a place, the oldest first, at most `limit`. */
export function listEvents(tx: Queryable, tenant: TenantId, after: EventPosition, limit: number): Promise<EventRow[]> {
  return tx.query<EventRow>(list, [tenant, after.xid, after.id, limit]);
}
