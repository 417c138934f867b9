import { texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { EventPosition } from '../domain/event-cursor.ts';
import {
  type ConversationId,
  type DeliveryId,
  type EndpointId,
  type EventId,
  isUuid,
  type SenderId,
  type TenantId,
} from '../domain/ids.ts';
import type { DeliveryKind, DeliveryState, EventHead } from '../domain/webhook-endpoint.ts';
import { EVENT_COLUMNS, EVENT_JOINS, type EventRow } from './events.read.ts';

/** An event as far as it decides who gets it. */
export interface LoggedHead extends EventHead {
  xid: string;
  event_id: EventId;
}

const heads = {
  name: 'webhook_deliveries_heads',
  text: `
select e.xid::text as xid, e.id as event_id, e.type as event_type, coalesce(m.sender_id, c.sender_id) as sender_id,
  coalesce(e.conversation_id, m.conversation_id) as conversation_id
from (
  select * from events
  where tenant_id = $1 and (xid, id) > ($2::text::xid8, $3::uuid) and xid < (select event_horizon())
  order by xid, id limit $4
) e
left join messages m on m.tenant_id = $1 and m.id = e.message_id
left join conversations c on c.tenant_id = $1 and c.id = e.conversation_id
order by e.xid, e.id`,
};

/** The tenant's events after a place, the oldest first, at most `limit`. */
export function listEventHeads(
  tx: Queryable,
  tenant: TenantId,
  after: EventPosition,
  limit: number,
): Promise<LoggedHead[]> {
  return tx.query<LoggedHead>(heads, [tenant, after.xid, after.id, limit]);
}

const whole = {
  name: 'webhook_deliveries_whole',
  text: `
select ${EVENT_COLUMNS}, coalesce(m.sender_id, c.sender_id) as about_sender
from (
  select * from events
  where tenant_id = $1 and (xid, id) > ($2::text::xid8, $3::uuid) and xid < (select event_horizon())
  order by xid, id limit $4
) e${EVENT_JOINS}
left join conversations c on c.tenant_id = $1 and c.id = e.conversation_id
order by e.xid, e.id`,
};

/** An event as it is told, and what decides who gets it. */
export type WholeEvent = EventRow & {
  /** Of its message, or of its conversation. */
  about_sender: SenderId | null;
};

/** The tenant's events after a place, the oldest first, at most `limit`, with all that is told of them. */
export function listWholeEvents(
  tx: Queryable,
  tenant: TenantId,
  after: EventPosition,
  limit: number,
): Promise<WholeEvent[]> {
  return tx.query<WholeEvent>(whole, [tenant, after.xid, after.id, limit]);
}

/** An event by its place in the log of a tenant. */
export interface EventKey {
  tenant_id: TenantId;
  event_xid: string;
  event_id: EventId;
}

const events = {
  name: 'webhook_deliveries_events',
  text: `
select ${EVENT_COLUMNS}
from unnest($1::uuid[], $2::text[], $3::uuid[]) as k(tenant_id, xid, id)
join events e on e.tenant_id = k.tenant_id and e.xid = k.xid::xid8 and e.id = k.id
left join messages m on m.tenant_id = e.tenant_id and m.id = e.message_id
left join senders s on s.tenant_id = e.tenant_id and s.id = m.sender_id`,
};

/** Events of any tenants by their keys, in no order. What is no longer kept is missing. */
export function findEvents(tx: Queryable, keys: readonly EventKey[]): Promise<EventRow[]> {
  return tx.query<EventRow>(events, [
    uuids(keys, ({ tenant_id }) => tenant_id),
    texts(keys, ({ event_xid }) => event_xid),
    uuids(keys, ({ event_id }) => event_id),
  ]);
}

/** A delivery as it is told. */
export interface DeliveryRecord {
  id: DeliveryId;
  endpoint_id: EndpointId;
  kind: DeliveryKind;
  event_xid: string | null;
  event_id: EventId;
  event_type: string;
  conversation_id: ConversationId | null;
  state: DeliveryState;
  tries: number;
  due_at: Date | null;
  tried_at: Date | null;
  took_ms: number | null;
  status: number | null;
  detail: string | null;
  created_at: Date;
  ended_at: Date | null;
}

const COLUMNS = `
  id, endpoint_id, kind, event_xid::text as event_xid, event_id, event_type, conversation_id, state, tries, due_at, tried_at, took_ms,
  status, detail, created_at, ended_at`;

const find = {
  name: 'webhook_deliveries_find',
  text: `select ${COLUMNS} from webhook_deliveries where tenant_id = $1 and endpoint_id = $2 and id = $3`,
};

/** One delivery, or null when the endpoint has none of that id. */
export async function findDelivery(
  tx: Queryable,
  tenant: TenantId,
  endpoint: EndpointId,
  id: string,
): Promise<DeliveryRecord | null> {
  if (!isUuid(id)) return null;
  return (await tx.query<DeliveryRecord>(find, [tenant, endpoint, id]))[0] ?? null;
}

/** A try that failed. */
export interface AttemptRecord {
  attempt: number;
  started_at: Date;
  took_ms: number;
  status: number | null;
  detail: string | null;
  answer: string | null;
}

const attempts = {
  name: 'webhook_deliveries_attempts',
  text: `
select attempt, started_at, took_ms, status, detail, answer from webhook_attempts
where tenant_id = $1 and endpoint_id = $2 and delivery_id = $3 order by attempt`,
};

/** The tries of a delivery that failed, the first first. */
export function listAttempts(
  tx: Queryable,
  tenant: TenantId,
  endpoint: EndpointId,
  delivery: DeliveryId,
): Promise<AttemptRecord[]> {
  return tx.query<AttemptRecord>(attempts, [tenant, endpoint, delivery]);
}

/** Deliveries that one page looks through for those that match. */
const LOOKED_AT = 5000;

const listing = (name: string, where: string) => ({
  name: `webhook_deliveries_list_${name}`,
  text: `
with looked as (
  select * from webhook_deliveries
  where tenant_id = $1 and endpoint_id = $2 and id < coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid) ${where}
  order by id desc limit $4
)
select ${COLUMNS}, false as is_end from looked where ($5::text is null or state = $5) and ($6::text is null or event_type = $6)
union all
select * from (select ${COLUMNS}, true from looked order by id limit 1) last
order by is_end, id desc`,
});
const listAny = listing('any', '');
const listFailed = listing('failed', "and state = 'failed'");

/** Which deliveries of an endpoint. */
export interface DeliveryFilter {
  state?: DeliveryState | undefined;
  event_type?: string | undefined;
}

/**
 * The newest first, at most `limit`. A page looks through a bounded number, so it may be short or empty and not the last.
 * @param before a page begins behind this one; null: at the newest.
 * @returns `next`: where the next page begins; null: there is none.
 */
export async function listDeliveries(
  tx: Queryable,
  tenant: TenantId,
  endpoint: EndpointId,
  { state, event_type }: DeliveryFilter,
  before: string | null,
  limit: number,
): Promise<{ rows: DeliveryRecord[]; next: DeliveryId | null }> {
  const narrow = event_type !== undefined || (state !== undefined && state !== 'failed');
  const most = narrow ? LOOKED_AT : limit + 1;
  const statement = state === 'failed' ? listFailed : listAny;
  const values = [tenant, endpoint, before, most, state ?? null, event_type ?? null];
  const all = await tx.query<DeliveryRecord & { is_end: boolean }>(statement, values);
  const end = all.at(-1);
  const found = all.slice(0, -1).map(({ is_end: _, ...row }) => row);
  const rows = found.slice(0, limit);
  if (found.length > limit) return { rows, next: rows.at(-1)?.id ?? null };
  if (end === undefined) return { rows, next: null };
  const [more] = await tx.query<{ yes: boolean }>(beyond, [tenant, endpoint, end.id]);
  return { rows, next: more?.yes === true ? end.id : null };
}

const beyond = {
  name: 'webhook_deliveries_beyond',
  text: `
select exists (select from webhook_deliveries where tenant_id = $1 and endpoint_id = $2 and id < $3) as yes`,
};

const pending = {
  name: 'webhook_deliveries_pending',
  text: `
select count(*)::int as pending from (
  select from webhook_deliveries where due_at is not null limit $1) some_of_them`,
};

/** How many deliveries of all tenants are to be made, counted up to `most`. For metrics. */
export async function countPending(tx: Queryable, most: number): Promise<number> {
  return (await tx.query<{ pending: number }>(pending, [most]))[0]?.pending ?? 0;
}
