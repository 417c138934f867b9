import { uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { InstanceId, TenantId } from '../domain/ids.ts';
import type { EventPosition } from './events.read.ts';

/** Stands for all tenants: its row has the place where a consumer began. */
const EVERYONE = '00000000-0000-0000-0000-000000000000';

const begin = {
  name: 'event_consumers_begin',
  text: `
insert into event_consumers (tenant_id, consumer, xid, event_id)
values ($1, $2, event_horizon(), $1) on conflict do nothing`,
};

/** Notes the end of the log as the place where a consumer begins, unless it began before. */
export async function insertConsumer(tx: Queryable, consumer: string): Promise<void> {
  await tx.query(begin, [EVERYONE, consumer]);
}

const adopt = {
  name: 'event_consumers_adopt',
  text: `
insert into event_consumers (tenant_id, consumer, xid, event_id)
select t.id, s.consumer, s.xid, s.event_id from event_consumers s cross join tenants t
where s.tenant_id = $1 and s.consumer = $2
  and not exists (select from event_consumers c where c.tenant_id = t.id and c.consumer = $2)
on conflict do nothing`,
};

/** Gives every tenant without one a position: the place where the consumer began. */
export async function insertTenantConsumers(tx: Queryable, consumer: string): Promise<void> {
  await tx.query(adopt, [EVERYONE, consumer]);
}

const free = {
  name: 'event_consumers_free',
  text: `
update event_consumers c set held_by = null, held_until = null from tenants t
where c.tenant_id = t.id and c.consumer = $1 and c.held_until is not null`,
};

/** Takes all holds away: for an instance that is the only one. */
export async function freeTenantConsumers(tx: Queryable, consumer: string): Promise<void> {
  await tx.query(free, [consumer]);
}

const holding = (name: string, from: string) => ({
  name: `event_consumers_hold_${name}`,
  text: `
with waiting as (
  select c.tenant_id from ${from} join event_consumers c on c.tenant_id = t.id and c.consumer = $1
  where (c.held_until is null or c.held_until < clock_timestamp() or c.held_until > clock_timestamp() + $5 * interval '1 ms')
    and exists (select from events e where e.tenant_id = c.tenant_id and (e.xid, e.id) > (c.xid, c.event_id)
      and e.xid < (select event_horizon()))
  order by c.held_until nulls first limit $4
  for update of c skip locked
)
update event_consumers c set held_by = $2, held_until = clock_timestamp() + $3 * interval '1 ms'
from waiting w join tenants t on t.id = w.tenant_id
where c.tenant_id = w.tenant_id and c.consumer = $1
returning c.tenant_id, coalesce(t.external_id, t.id::text) as tenant_name, c.xid::text as xid, c.event_id as id`,
});
const holdAny = holding('any', 'tenants t');
const holdNamed = holding('named', 'unnest($6::uuid[]) as t(id)');

/** A tenant whose events are ours to read for a while, and how far they are read. */
export interface HeldTenant extends EventPosition {
  tenant_id: TenantId;
  /** Its external id, or its own. */
  tenant_name: string;
}

/** How tenants are held. */
export interface HoldTerms {
  /** For so many milliseconds. */
  lease: number;
  /** So many at most. */
  limit: number;
  /** The longest that a pass lets one rest, in milliseconds; absent: not at all. */
  longestRest?: number;
}

/**
 * What is held for longer than anybody would hold it or let it rest was held before the database's clock was set back. Not close: an
 * older version may have held for longer.
 */
const FARTHEST = 120_000;
const farthest = ({ lease, longestRest = 0 }: HoldTerms) => Math.max(lease, longestRest) + FARTHEST;

/**
 * Holds tenants that have unread events and are held by nobody, for `lease` ms, at most `limit`, those first that waited
 * longest.
 */
export function holdTenantConsumers(
  tx: Queryable,
  consumer: string,
  instance: InstanceId,
  terms: HoldTerms,
): Promise<HeldTenant[]> {
  return tx.query<HeldTenant>(holdAny, [consumer, instance, terms.lease, terms.limit, farthest(terms)]);
}

/** The same of some tenants only: it costs a look for each of them, however many others there are. */
export function holdNamedConsumers(
  tx: Queryable,
  consumer: string,
  instance: InstanceId,
  terms: HoldTerms,
  tenants: readonly TenantId[],
): Promise<HeldTenant[]> {
  const values = [consumer, instance, terms.lease, terms.limit, farthest(terms), uuids(tenants, (tenant) => tenant)];
  return tx.query<HeldTenant>(holdNamed, values);
}

const holdOn = {
  name: 'event_consumers_hold_on',
  text: `
update event_consumers set held_until = clock_timestamp() + $4 * interval '1 ms'
where tenant_id = $1 and consumer = $2 and held_by = $3
returning 1 as yes`,
};

/** Holds a held tenant for `lease` ms from now. @returns false when it is held no longer. */
export async function renewTenantConsumer(
  tx: Queryable,
  tenant: TenantId,
  consumer: string,
  instance: InstanceId,
  lease: number,
): Promise<boolean> {
  return (await tx.query(holdOn, [tenant, consumer, instance, lease])).length === 1;
}

const followed = {
  name: 'event_consumers_followed',
  text: `
select c.tenant_id from unnest($2::uuid[]) as k(id) join event_consumers c on c.tenant_id = k.id and c.consumer = $1`,
};

/** Of some tenants those that a consumer follows. */
export async function listFollowed(
  tx: Queryable,
  consumer: string,
  tenants: readonly TenantId[],
): Promise<Set<TenantId>> {
  const rows = await tx.query<{ tenant_id: TenantId }>(followed, [consumer, uuids(tenants, (tenant) => tenant)]);
  return new Set(rows.map((row) => row.tenant_id));
}

const move = {
  name: 'event_consumers_move',
  text: `
update event_consumers set xid = $4::text::xid8, event_id = $5, held_by = case when $7 then held_by end,
  held_until = clock_timestamp() + $6 * interval '1 ms'
where tenant_id = $1 and consumer = $2 and held_by = $3
returning 1 as yes`,
};

/**
 * Moves a held tenant's position and lets it go; for `rest` ms nobody takes it.
 * @param keep it is not let go, but held for `rest` ms more.
 * @returns false when another instance holds it by now.
 */
export async function moveTenantConsumer(
  tx: Queryable,
  tenant: TenantId,
  consumer: string,
  instance: InstanceId,
  { xid, id }: EventPosition,
  rest: number,
  keep = false,
): Promise<boolean> {
  return (await tx.query(move, [tenant, consumer, instance, xid, id, rest, keep])).length === 1;
}
