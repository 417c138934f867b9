import { doubles, integers, smallints, texts, times, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { ConversationId, DeliveryId, EndpointId, EventId, TenantId } from '../domain/ids.ts';
import type { DeliveryKind } from '../domain/webhook-endpoint.ts';

/** A delivery that is to be made. */
export interface NewDelivery {
  endpoint_id: EndpointId;
  id: DeliveryId;
  kind: DeliveryKind;
  /** Null: of a test. */
  event_xid: string | null;
  event_id: EventId;
  event_type: string;
  /** The line it stands in; null: none. */
  conversation_id: ConversationId | null;
  /** Whether one of the same statement stands before it in its line. */
  behind: boolean;
}

const insert = {
  name: 'webhook_deliveries_insert',
  text: `
insert into webhook_deliveries (tenant_id, endpoint_id, id, kind, event_xid, event_id, event_type, conversation_id, due_at)
select $1, i.endpoint_id, i.id, i.kind, i.event_xid::xid8, i.event_id, i.event_type, i.conversation_id,
  case when i.behind = 0 and (i.conversation_id is null or not exists (
    select from webhook_deliveries p
    where p.tenant_id = $1 and p.endpoint_id = i.endpoint_id and p.conversation_id = i.conversation_id and p.state = 'pending'
  )) then clock_timestamp() end
from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::uuid[], $9::smallint[])
  as i(endpoint_id, id, kind, event_xid, event_id, event_type, conversation_id, behind)
on conflict do nothing`,
};

/**
 * Stores deliveries. What has to wait in its line is not due; so whoever stores such holds the endpoint (`lockEndpoints`). One that
 * is there already stays as it is.
 */
export async function insertDeliveries(
  tx: Queryable,
  tenant: TenantId,
  deliveries: readonly NewDelivery[],
): Promise<void> {
  await tx.query(insert, [
    tenant,
    uuids(deliveries, (one) => one.endpoint_id),
    uuids(deliveries, (one) => one.id),
    texts(deliveries, (one) => one.kind),
    texts(deliveries, (one) => one.event_xid),
    uuids(deliveries, (one) => one.event_id),
    texts(deliveries, (one) => one.event_type),
    uuids(deliveries, (one) => one.conversation_id),
    smallints(deliveries, (one) => (one.behind ? 1 : 0)),
  ]);
}

/** A delivery whose first try has begun, or has come to its good end, before it was stored. It stands in no line. */
export interface BegunDelivery extends Pick<NewDelivery, 'endpoint_id' | 'id' | 'event_id' | 'event_type'> {
  event_xid: string;
  /** Milliseconds until another may take it; null: it is delivered. */
  left: number | null;
  /** Of the try, where it is delivered. Milliseconds since 1970. */
  started_at: number | null;
  took_ms: number | null;
  status: number | null;
}

const insertBegun = {
  name: 'webhook_deliveries_insert_begun',
  text: `
insert into webhook_deliveries (tenant_id, endpoint_id, id, event_xid, event_id, event_type, tries, state, due_at, tried_at, took_ms, status,
  ended_at)
select $1, i.endpoint_id, i.id, i.event_xid::xid8, i.event_id, i.event_type, 1, case when i.left_ms is null then 'delivered' else 'pending' end,
  clock_timestamp() + i.left_ms * interval '1 ms', i.started_at, i.took_ms, i.status, case when i.left_ms is null then clock_timestamp() end
from unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::float8[], $8::timestamptz[], $9::int[], $10::int[])
  as i(endpoint_id, id, event_xid, event_id, event_type, left_ms, started_at, took_ms, status)
on conflict do nothing`,
};

/** Stores deliveries of events whose first try is made already, each with what came of it as far as that is known. */
export async function insertBegunDeliveries(
  tx: Queryable,
  tenant: TenantId,
  begun: readonly BegunDelivery[],
): Promise<void> {
  await tx.query(insertBegun, [
    tenant,
    uuids(begun, (one) => one.endpoint_id),
    uuids(begun, (one) => one.id),
    texts(begun, (one) => one.event_xid),
    uuids(begun, (one) => one.event_id),
    texts(begun, (one) => one.event_type),
    doubles(begun, (one) => one.left),
    times(begun, (one) => one.started_at),
    integers(begun, (one) => one.took_ms),
    integers(begun, (one) => one.status),
  ]);
}

const lock = {
  name: 'webhook_deliveries_lock_endpoints',
  text: `
select e.id from unnest($1::uuid[], $2::uuid[]) as k(tenant_id, id)
join webhook_endpoints e on e.tenant_id = k.tenant_id and e.id = k.id
order by e.tenant_id, e.id for no key update of e`,
};

/** Lets one change of the lines of endpoints come after another. */
export async function lockEndpoints(
  tx: Queryable,
  endpoints: readonly { tenant_id: TenantId; endpoint_id: EndpointId }[],
): Promise<void> {
  const keys = [uuids(endpoints, (one) => one.tenant_id), uuids(endpoints, (one) => one.endpoint_id)];
  await tx.query<{ id: EndpointId }>(lock, keys);
}

/** How many deliveries of an endpoint may be taken. */
export interface ClaimAsk {
  tenant_id: TenantId;
  endpoint_id: EndpointId;
  room: number;
}

/** A delivery in the hands of who makes it. */
export interface ClaimedDelivery {
  tenant_id: TenantId;
  endpoint_id: EndpointId;
  id: DeliveryId;
  kind: DeliveryKind;
  event_xid: string | null;
  event_id: EventId;
  conversation_id: ConversationId | null;
  /** The number of this try, from 1: who settles it names it. */
  tries: number;
}

const claim = {
  name: 'webhook_deliveries_claim',
  text: `
with found as (
  select d.* from unnest($1::uuid[], $2::uuid[], $3::int[]) as a(tenant_id, endpoint_id, room)
  cross join lateral (
    select tenant_id, endpoint_id, id from webhook_deliveries
    where tenant_id = a.tenant_id and endpoint_id = a.endpoint_id and due_at <= now()
    order by due_at limit a.room for update skip locked
  ) d
)
update webhook_deliveries d set tries = d.tries + 1, due_at = clock_timestamp() + $4::float8 * interval '1 ms'
from found f where d.tenant_id = f.tenant_id and d.endpoint_id = f.endpoint_id and d.id = f.id
returning d.tenant_id, d.endpoint_id, d.id, d.kind, d.event_xid::text as event_xid, d.event_id, d.conversation_id, d.tries`,
};

/** Takes what is due of endpoints for `hold` ms: who does not settle it by then leaves it to others. */
export function claimDeliveries(tx: Queryable, asks: readonly ClaimAsk[], hold: number): Promise<ClaimedDelivery[]> {
  return tx.query<ClaimedDelivery>(claim, [
    uuids(asks, (ask) => ask.tenant_id),
    uuids(asks, (ask) => ask.endpoint_id),
    integers(asks, (ask) => ask.room),
    hold,
  ]);
}

const giveBack = {
  name: 'webhook_deliveries_give_back',
  text: `
update webhook_deliveries d set tries = d.tries - 1, due_at = clock_timestamp()
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::smallint[]) as c(tenant_id, endpoint_id, id, tries)
where d.tenant_id = c.tenant_id and d.endpoint_id = c.endpoint_id and d.id = c.id and d.tries = c.tries and d.state = 'pending'`,
};

/** Gives deliveries back of which no byte has left. */
export async function giveBackDeliveries(tx: Queryable, claimed: readonly ClaimedDelivery[]): Promise<void> {
  await tx.query(giveBack, [
    uuids(claimed, (one) => one.tenant_id),
    uuids(claimed, (one) => one.endpoint_id),
    uuids(claimed, (one) => one.id),
    smallints(claimed, (one) => one.tries),
  ]);
}

/** What came of a try. */
export interface SettledDelivery extends Pick<ClaimedDelivery, 'tenant_id' | 'endpoint_id' | 'id' | 'tries'> {
  /** Milliseconds until the next try; null: there is none, for it is delivered or has failed. */
  again: number | null;
  status: number | null;
  /** What went wrong; null: nothing, it is delivered. */
  detail: string | null;
  /** The beginning of the answer, where it failed. */
  answer: string | null;
  /** Milliseconds since 1970. */
  started_at: number;
  took_ms: number;
}

/** A line in which a place became free. */
export interface FreedLine {
  tenant_id: TenantId;
  endpoint_id: EndpointId;
  conversation_id: ConversationId;
}

const settle = {
  name: 'webhook_deliveries_settle',
  text: `
with s as (
  select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::smallint[], $5::float8[], $6::int[], $7::text[], $8::text[],
    $9::timestamptz[], $10::int[])
    as s(tenant_id, endpoint_id, id, tries, again, status, detail, answer, started_at, took_ms)
), done as (
  update webhook_deliveries d set
    state = case when s.detail is null then 'delivered' when s.again is null then 'failed' else 'pending' end,
    due_at = clock_timestamp() + s.again * interval '1 ms',
    ended_at = case when s.detail is null or s.again is null then clock_timestamp() end,
    tried_at = s.started_at, took_ms = s.took_ms, status = s.status, detail = s.detail
  from s
  where d.tenant_id = s.tenant_id and d.endpoint_id = s.endpoint_id and d.id = s.id and d.tries = s.tries and d.state = 'pending'
  returning d.tenant_id, d.endpoint_id, d.id, d.state, d.conversation_id
), kept as (
  insert into webhook_attempts (tenant_id, endpoint_id, delivery_id, attempt, started_at, took_ms, status, detail, answer)
  select s.tenant_id, s.endpoint_id, s.id, s.tries, s.started_at, s.took_ms, s.status, s.detail, s.answer
  from s join done d on d.tenant_id = s.tenant_id and d.endpoint_id = s.endpoint_id and d.id = s.id
  where s.detail is not null
  on conflict do nothing
)
select distinct tenant_id, endpoint_id, conversation_id from done where conversation_id is not null and state <> 'pending'`,
};

/**
 * Records what came of tries, each named by its number: one that is somebody else's by now changes nothing.
 * @returns the lines whose next one may go (`releaseLines`); who settles such holds their endpoints.
 */
export function settleDeliveries(tx: Queryable, settled: readonly SettledDelivery[]): Promise<FreedLine[]> {
  return tx.query<FreedLine>(settle, [
    uuids(settled, (one) => one.tenant_id),
    uuids(settled, (one) => one.endpoint_id),
    uuids(settled, (one) => one.id),
    smallints(settled, (one) => one.tries),
    doubles(settled, (one) => one.again),
    integers(settled, (one) => one.status),
    texts(settled, (one) => one.detail),
    texts(settled, (one) => one.answer),
    times(settled, (one) => one.started_at),
    integers(settled, (one) => one.took_ms),
  ]);
}

const release = {
  name: 'webhook_deliveries_release',
  text: `
update webhook_deliveries d set due_at = clock_timestamp()
from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as l(tenant_id, endpoint_id, conversation_id)
cross join lateral (
  select id from webhook_deliveries
  where tenant_id = l.tenant_id and endpoint_id = l.endpoint_id and conversation_id = l.conversation_id and state = 'pending'
  order by event_xid, id limit 1
) n
where d.tenant_id = l.tenant_id and d.endpoint_id = l.endpoint_id and d.id = n.id and d.due_at is null`,
};

/** Lets the next of each line go. */
export async function releaseLines(tx: Queryable, lines: readonly FreedLine[]): Promise<void> {
  await tx.query(release, [
    uuids(lines, (one) => one.tenant_id),
    uuids(lines, (one) => one.endpoint_id),
    uuids(lines, (one) => one.conversation_id),
  ]);
}

const walk = {
  name: 'webhook_deliveries_walk_endpoints',
  text: `
with recursive first as (
  (select tenant_id, endpoint_id, 1 as n from webhook_deliveries
    where (tenant_id, endpoint_id) > ($1::uuid, $2::uuid) order by tenant_id, endpoint_id limit 1)
  union all
  select d.*, f.n + 1 from first f cross join lateral (
    select tenant_id, endpoint_id from webhook_deliveries
    where (tenant_id, endpoint_id) > (f.tenant_id, f.endpoint_id) order by tenant_id, endpoint_id limit 1
  ) d where f.n < $3
)
select f.tenant_id, f.endpoint_id, e.id is null as orphaned
from first f left join webhook_endpoints e on e.tenant_id = f.tenant_id and e.id = f.endpoint_id`,
};

/** An endpoint that has deliveries. `orphaned`: it was deleted. */
export interface KeptEndpoint {
  tenant_id: TenantId;
  endpoint_id: EndpointId;
  orphaned: boolean;
}

/** The endpoints that have deliveries, in a fixed order from a place on, at most `limit`. */
export function walkKeptEndpoints(
  tx: Queryable,
  after: Pick<KeptEndpoint, 'tenant_id' | 'endpoint_id'> | null,
  limit: number,
): Promise<KeptEndpoint[]> {
  const none = '00000000-0000-0000-0000-000000000000';
  return tx.query<KeptEndpoint>(walk, [after?.tenant_id ?? none, after?.endpoint_id ?? none, limit]);
}

const prune = {
  name: 'webhook_deliveries_prune',
  text: `
with gone as (
  delete from webhook_deliveries where tenant_id = $1 and endpoint_id = $2 and id = any (array(
    select id from webhook_deliveries where tenant_id = $1 and endpoint_id = $2 and id < $3 and ($4 or state <> 'pending')
    order by id limit $5))
  returning id
), tries as (
  delete from webhook_attempts a using gone g where a.tenant_id = $1 and a.endpoint_id = $2 and a.delivery_id = g.id
)
select id from gone`,
};

/**
 * Forgets deliveries of an endpoint with an id below `before`, and their tries, at most `limit`.
 * @param all those too that are to be made.
 * @returns how many.
 */
export async function pruneDeliveries(
  tx: Queryable,
  tenant: TenantId,
  endpoint: EndpointId,
  before: string,
  all: boolean,
  limit: number,
): Promise<number> {
  return (await tx.query<{ id: DeliveryId }>(prune, [tenant, endpoint, before, all, limit])).length;
}
