import type { Queryable } from '../db/pool.ts';
import type { EventPosition } from '../domain/event-cursor.ts';
import type { TenantId } from '../domain/ids.ts';

/*
 * The oldest events of a tenant, in the log's order, up to the first that is young enough to be kept, or that a consumer has not read.
 * $3: what is made before is old. $4: what is made before goes whoever has not read it. A consumer that has no place in this tenant's
 * log stands where it began (the tenant 00000000-…).
 */
const prune = {
  name: 'event_retention_prune',
  text: `
with unread as (
  select (
    select c.xid from event_consumers c
    where c.tenant_id = $1 or (c.tenant_id = '00000000-0000-0000-0000-000000000000'
      and not exists (select from event_consumers o where o.tenant_id = $1 and o.consumer = c.consumer))
    order by c.xid limit 1) as xid
), oldest as (
  select e.xid, e.id, e.id < $3::uuid and (e.id < $4::uuid or u.xid is null or e.xid < u.xid) as old
  from (
    select xid, id from events
    where tenant_id = $1 and xid < (select event_horizon()) order by xid, id limit $2
  ) e, unread u
), gone as (
  select xid, id from (select xid, id, bool_and(old) over (order by xid, id) as all_old from oldest) o where all_old
), last as (
  select xid, id from gone order by xid desc, id desc limit 1
), removed as (
  delete from events e using gone g where e.tenant_id = $1 and e.xid = g.xid and e.id = g.id returning 1
), noted as (
  update tenants t set events_pruned_xid = l.xid, events_pruned_id = l.id from last l where t.id = $1 returning 1
)
select (select count(*) from removed)::int as removed, xid::text as xid, id from last`,
};

/**
 * Forgets the oldest events of a tenant, at most `limit`, and notes how far.
 * @param before ids below are old enough
 * @param beforeAnyway ids below go even when a consumer has not read them
 * @returns how many, and the last of them.
 */
export async function pruneEvents(
  tx: Queryable,
  tenant: TenantId,
  limit: number,
  { before, beforeAnyway }: { before: string; beforeAnyway: string },
): Promise<{ removed: number; last: EventPosition | null }> {
  const [row] = await tx.query<EventPosition & { removed: number }>(prune, [tenant, limit, before, beforeAnyway]);
  return row ? { removed: row.removed, last: { xid: row.xid, id: row.id } } : { removed: 0, last: null };
}
