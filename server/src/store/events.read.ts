import type { Queryable } from '../db/pool.ts';
import type { EventId, MessageId, TenantId } from '../domain/ids.ts';
import type { Message, MessageError, State } from '../domain/message.ts';

/**
 * A place in a tenant's event log: after the event with this transaction id and event id. Transactions get their ids when
 * they begin and end in any order, so only what lies below every open transaction is read: nothing can appear behind
 * a place once read.
 */
export interface EventPosition {
  /** A transaction id of 64 bits, as decimal digits. */
  xid: string;
  id: string;
}

/** Before the first event that is kept. */
export const LOG_START: EventPosition = { xid: '0', id: '00000000-0000-0000-0000-000000000000' };

/**
 * What may change of a message, as it was after an event. Absent is null; but what customers did to it later, reactions, edited_at and
 * deleted_at, is told only by the events of that, and stays until the next of them.
 */
export interface EventData {
  state: State;
  wamid?: string | null;
  error?: MessageError | null;
  attempt?: number;
  sending_at?: string | null;
  sent_at?: string | null;
  delivered_at?: string | null;
  read_at?: string | null;
  played_at?: string | null;
  failed_at?: string | null;
  ended_at?: string | null;
  /** Of good news by receipt: the state before, where `sent` is repeated or was skipped. */
  was?: State;
}

/** What of a message no event has to tell: it never changes, or is shown as it is now. */
type Fixed = Pick<
  Message,
  | 'direction'
  | 'type'
  | 'category'
  | 'priority'
  | 'sender_id'
  | 'sender_phone'
  | 'contact_id'
  | 'conversation_id'
  | 'batch_id'
  | 'address'
  | 'content'
  | 'template'
  | 'metadata'
  | 'reply_to'
  | 'reactions'
  | 'edited_at'
  | 'deleted_at'
  | 'sender_type'
  | 'created_at'
  | 'scheduled_at'
  | 'expires_at'
>;

export interface EventRow extends Fixed {
  xid: string;
  event_id: EventId;
  event_type: string;
  data: EventData;
  /** Of the message. */
  id: MessageId;
}

const list = {
  name: 'events_list',
  text: `
select e.xid::text as xid, e.id as event_id, e.type as event_type, e.data, m.id, m.direction, m.type, m.category,
  m.priority, m.sender_id, coalesce(s.phone, s.name) as sender_phone, m.contact_id, m.conversation_id, m.batch_id, m.address, m.content,
  m.template, m.metadata, m.reply_to, m.reactions, m.edited_at, m.deleted_at, m.sender_type, m.created_at, m.scheduled_at, m.expires_at
from (
  select * from events
  where tenant_id = $1 and (xid, id) > ($2::text::xid8, $3::uuid) and xid < pg_snapshot_xmin(pg_current_snapshot())
  order by xid, id limit $4
) e
join messages m on m.tenant_id = $1 and m.id = e.message_id
join senders s on s.tenant_id = $1 and s.id = m.sender_id
order by e.xid, e.id`,
};

/** The tenant's events after a place, the oldest first, at most `limit`. */
export function listEvents(tx: Queryable, tenant: TenantId, after: EventPosition, limit: number): Promise<EventRow[]> {
  return tx.query<EventRow>(list, [tenant, after.xid, after.id, limit]);
}

const horizon = {
  name: 'events_horizon',
  text: `
select pg_snapshot_xmin(pg_current_snapshot())::text as xid,
  $1::text::xid8 <= pg_snapshot_xmax(pg_current_snapshot()) as reached`,
};

/**
 * The end of the log now: what can be read later lies after it, all that could be read before does not.
 * `reached` says whether the log has come as far as `xid`; a place it has not reached is of another database.
 */
export async function findLogEnd(tx: Queryable, xid: string): Promise<{ end: EventPosition; reached: boolean }> {
  const [row] = await tx.query<{ xid: string; reached: boolean }>(horizon, [xid]);
  if (!row) throw new Error('a select without a table gave no row');
  return { end: { xid: row.xid, id: LOG_START.id }, reached: row.reached };
}
