import type { Queryable } from '../db/pool.ts';
import type { InstanceId, TenantId } from '../domain/ids.ts';
import type { EventPosition } from './events.read.ts';

/** Stands for all tenants: its row has the place where a consumer began. */
const EVERYONE = '00000000-0000-0000-0000-000000000000';

const begin = {
  name: 'event_consumers_begin',
  text: `
insert into event_consumers (tenant_id, consumer, xid, event_id)
values ($1, $2, pg_snapshot_xmin(pg_current_snapshot()), $1) on conflict do nothing`,
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

const hold = {
  name: 'event_consumers_hold',
  text: `
with waiting as (
  select c.tenant_id from tenants t join event_consumers c on c.tenant_id = t.id and c.consumer = $1
  where (c.held_until is null or c.held_until < clock_timestamp())
    and exists (select from events e where e.tenant_id = c.tenant_id and (e.xid, e.id) > (c.xid, c.event_id)
      and e.xid < pg_snapshot_xmin(pg_current_snapshot()))
  order by c.held_until nulls first limit $4
  for update of c skip locked
)
update event_consumers c set held_by = $2, held_until = clock_timestamp() + $3 * interval '1 ms'
from waiting w join tenants t on t.id = w.tenant_id
where c.tenant_id = w.tenant_id and c.consumer = $1
returning c.tenant_id, coalesce(t.external_id, t.id::text) as tenant_name, c.xid::text as xid, c.event_id as id`,
};

/** A tenant whose events are ours to read for a while, and how far they are read. */
export interface HeldTenant extends EventPosition {
  tenant_id: TenantId;
  /** Its external id, or its own. */
  tenant_name: string;
}

/**
 * Holds tenants that have unread events and are held by nobody, for `lease` ms, at most `limit`, those first that waited
 * longest.
 */
export function holdTenantConsumers(
  tx: Queryable,
  consumer: string,
  instance: InstanceId,
  lease: number,
  limit: number,
): Promise<HeldTenant[]> {
  return tx.query<HeldTenant>(hold, [consumer, instance, lease, limit]);
}

const move = {
  name: 'event_consumers_move',
  text: `
update event_consumers set xid = $4::text::xid8, event_id = $5, held_by = null,
  held_until = clock_timestamp() + $6 * interval '1 ms'
where tenant_id = $1 and consumer = $2 and held_by = $3
returning 1 as yes`,
};

/**
 * Moves a held tenant's position and lets it go; for `rest` ms nobody takes it.
 * @returns false when another instance holds it by now.
 */
export async function moveTenantConsumer(
  tx: Queryable,
  tenant: TenantId,
  consumer: string,
  instance: InstanceId,
  { xid, id }: EventPosition,
  rest: number,
): Promise<boolean> {
  return (await tx.query(move, [tenant, consumer, instance, xid, id, rest])).length === 1;
}
