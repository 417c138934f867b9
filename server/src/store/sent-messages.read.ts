import type { Queryable } from '../db/pool.ts';
import type { EventId, MessageId, TenantId } from '../domain/ids.ts';
import type { Message, SenderType } from '../domain/message.ts';
import type { EventPosition } from './events.read.ts';

/**
 * Whether an event made a message of ours *sent*: the answer did, or a receipt that came before it or in its place. A repeated
 * 'sent' did not, nor did what is only recorded here and was sent by somebody else.
 */
const BECAME_SENT = `
  coalesce((e.data ->> 'attempt')::int, 0) > 0 and case
    when e.type = 'message.sent' then not e.data ? 'was'
    when e.type in ('message.delivered', 'message.read', 'message.played') then e.data ? 'was'
    else false end`;

const list = {
  name: 'sent_messages_list',
  text: `
select e.xid::text as xid, e.id as event_id, m.id as message_id, e.data ->> 'wamid' as wamid, m.sender_type, m.content,
  m.template, coalesce(c.external_id, c.id::text) as conversation_id
from (
  select * from events
  where tenant_id = $1 and (xid, id) > ($2::text::xid8, $3::uuid) and xid < (select event_horizon())
  order by xid, id limit $4
) e
left join messages m on m.tenant_id = $1 and m.id = e.message_id and m.direction = 'outbound' and ${BECAME_SENT}
left join conversations c on c.tenant_id = $1 and c.id = m.conversation_id
order by e.xid, e.id`,
};

/** A message that became sent. */
export interface SentMessage extends Pick<Message, 'content' | 'template'> {
  message_id: MessageId;
  /** The conversation's external id, or its own. */
  conversation_id: string;
  wamid: string | null;
  sender_type: SenderType | null;
}

/** An event of a tenant, with the message that it made sent; all of that is null for every other event. */
export type SentEvent = { xid: string; event_id: EventId } & (SentMessage | { [K in keyof SentMessage]: null });

/** The tenant's events after a place, the oldest first, at most `limit`. */
export function listSentEvents(
  tx: Queryable,
  tenant: TenantId,
  after: EventPosition,
  limit: number,
): Promise<SentEvent[]> {
  return tx.query<SentEvent>(list, [tenant, after.xid, after.id, limit]);
}

const oldest = {
  name: 'event_consumers_oldest',
  text: `
select e.id from tenants t
join event_consumers c on c.tenant_id = t.id and c.consumer = $1
cross join lateral (
  select id from events where tenant_id = c.tenant_id and (xid, id) > (c.xid, c.event_id) order by xid, id limit 1
) e
order by e.id limit 1`,
};

/** The oldest event of all tenants that a consumer has not read. For metrics. */
export async function findOldestUnread(tx: Queryable, consumer: string): Promise<EventId | null> {
  return (await tx.query<{ id: EventId }>(oldest, [consumer]))[0]?.id ?? null;
}
