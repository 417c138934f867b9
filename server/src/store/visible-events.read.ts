import type { Queryable } from '../db/pool.ts';
import type { UserId } from '../domain/chat.ts';
import { type EventType, SOFTWARE_ONLY } from '../domain/event-catalogue.ts';
import type { EventPosition } from '../domain/event-cursor.ts';
import type { ConversationId, TenantId } from '../domain/ids.ts';
import { EVENT_COLUMNS, EVENT_JOINS, type EventRow } from './events.read.ts';

/** Which part of a tenant's log is read. */
export interface EventFilter {
  /** What this user may see; null: everything. */
  user: UserId | null;
  types: readonly EventType[] | null;
  conversation: ConversationId | null;
}

const scan = {
  name: 'visible_events_scan',
  text: `
select xid::text as xid, id, count(*) over ()::int as scanned from (
  select xid, id from events
  where tenant_id = $1 and (xid, id) > ($2::text::xid8, $3::uuid) and xid < (select event_horizon())
  order by xid, id limit $4
) e
order by e.xid desc, e.id desc limit 1`,
};

/** How far the next `most` events of the log reach, and how many there are; null when there is none. */
export async function findScanEnd(
  tx: Queryable,
  tenant: TenantId,
  after: EventPosition,
  most: number,
): Promise<(EventPosition & { scanned: number }) | null> {
  return (await tx.query<EventPosition & { scanned: number }>(scan, [tenant, after.xid, after.id, most]))[0] ?? null;
}

/*
 * Who sees an event: the user it names; where it names none, whoever was in its conversation when it happened. A row of participants
 * tells from which transaction up to which.
 */
const list = {
  name: 'visible_events_list',
  text: `
select ${EVENT_COLUMNS}
from events e${EVENT_JOINS}
where e.tenant_id = $1 and (e.xid, e.id) > ($2::text::xid8, $3::uuid) and (e.xid, e.id) <= ($4::text::xid8, $5::uuid)
  and ($6::text[] is null or e.type = any ($6))
  and ($7::uuid is null or coalesce(e.conversation_id, m.conversation_id) = $7)
  and ($8::text is null or (e.type <> all ($9::text[]) and case when e.user_id is not null then e.user_id = $8 else exists (
    select from participants p
    where p.tenant_id = $1 and p.conversation_id = coalesce(e.conversation_id, m.conversation_id) and p.user_id = $8
      and p.joined_xid <= e.xid and (p.left_xid is null or e.xid <= p.left_xid)) end))
order by e.xid, e.id limit $10`,
};

/** The events between two places that a filter lets through, the oldest first, at most `limit`. */
export function listVisibleEvents(
  tx: Queryable,
  tenant: TenantId,
  { user, types, conversation }: EventFilter,
  after: EventPosition,
  until: EventPosition,
  limit: number,
): Promise<EventRow[]> {
  const places = [after.xid, after.id, until.xid, until.id];
  return tx.query<EventRow>(list, [tenant, ...places, types, conversation, user, SOFTWARE_ONLY, limit]);
}
