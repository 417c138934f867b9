import type { Queryable } from '../db/pool.ts';
import type { EventPosition } from '../domain/event-cursor.ts';
import type { EventId, TenantId } from '../domain/ids.ts';
import { LOG_START } from './events.read.ts';

const bounds = {
  name: 'event_retention_bounds',
  text: `
select event_horizon()::text as horizon,
  $2::text::xid8 <= pg_snapshot_xmax(pg_current_snapshot()) as reached,
  t.events_pruned_xid::text as xid, t.events_pruned_id as id
from tenants t where t.id = $1`,
};

export interface LogBounds {
  /** What can be read later lies after it, all that could be read before does not. */
  end: EventPosition;
  /** Whether the log has come as far as the place that was asked about. One it has not reached is of another database. */
  reached: boolean;
  /** The latest event that is kept no longer: a place before it has missed something. The log's start when all is kept. */
  pruned: EventPosition;
}

/** From where to where a tenant's log can be read now. */
export async function findLogBounds(tx: Queryable, tenant: TenantId, xid: string): Promise<LogBounds> {
  const [row] = await tx.query<{ horizon: string; reached: boolean; xid: string | null; id: string | null }>(bounds, [
    tenant,
    xid,
  ]);
  if (!row) throw new Error(`no tenant ${tenant}`);
  const pruned = row.xid === null || row.id === null ? LOG_START : { xid: row.xid, id: row.id };
  return { end: { xid: row.horizon, id: LOG_START.id }, reached: row.reached, pruned };
}

const next = {
  name: 'event_retention_next',
  text: `
select t.id from tenants t
where t.id > $1 and exists (
  select from (select id from events e where e.tenant_id = t.id order by xid, id limit 1) o where o.id < $2::uuid)
order by t.id limit $3`,
};

/** Tenants behind one by id whose first kept event has an id below `before`, at most `limit`. */
export async function findPrunable(
  tx: Queryable,
  behind: TenantId,
  before: string,
  limit: number,
): Promise<TenantId[]> {
  return (await tx.query<{ id: TenantId }>(next, [behind, before, limit])).map((row) => row.id);
}

const lags = {
  name: 'event_retention_lags',
  text: `
select distinct on (c.consumer) c.consumer, e.id as oldest
from tenants t
join event_consumers c on c.tenant_id = t.id
left join lateral (
  select id from events where tenant_id = c.tenant_id and (xid, id) > (c.xid, c.event_id) order by xid, id limit 1
) e on true
order by c.consumer, e.id nulls last`,
};

/** The oldest event that each consumer has not read, of all tenants; null: it has read all. For metrics. */
export function findConsumerLags(tx: Queryable): Promise<{ consumer: string; oldest: EventId | null }[]> {
  return tx.query<{ consumer: string; oldest: EventId | null }>(lags);
}
