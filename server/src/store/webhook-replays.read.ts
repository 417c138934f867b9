import type { Queryable } from '../db/pool.ts';
import type { EventPosition } from '../domain/event-cursor.ts';
import type { EndpointId, TenantId } from '../domain/ids.ts';

/** A range of the log that an endpoint is told once more. */
export interface ReplayRecord {
  id: string;
  endpoint_id: EndpointId;
  since: Date;
  until: Date;
  only_failed: boolean;
  state: 'running' | 'done';
  /** Deliveries made so far. */
  replayed: number;
  created_at: Date;
  ended_at: Date | null;
}

export const REPLAY_COLUMNS = 'id, endpoint_id, since, until, only_failed, state, replayed, created_at, ended_at';

const list = {
  name: 'webhook_replays_list',
  text: `
select ${REPLAY_COLUMNS} from webhook_replays
where tenant_id = $1 and endpoint_id = $2 and id < coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
order by id desc limit $4`,
};

/** The newest first. @param before a page begins behind this one; null: at the newest. */
export function listReplays(
  tx: Queryable,
  tenant: TenantId,
  endpoint: EndpointId,
  before: string | null,
  limit: number,
): Promise<ReplayRecord[]> {
  return tx.query<ReplayRecord>(list, [tenant, endpoint, before, limit]);
}

const wait = {
  name: 'webhook_replays_wait',
  text: `
select greatest(0, extract(epoch from due_at - clock_timestamp()) * 1000)::float8 as wait
from webhook_replays where state = 'running' order by due_at limit 1`,
};

/** Milliseconds until the next step of any replay; null: none runs. */
export async function findReplayWait(tx: Queryable): Promise<number | null> {
  return (await tx.query<{ wait: number }>(wait))[0]?.wait ?? null;
}

const bounds = {
  name: 'webhook_replays_bounds',
  text: `
select (select xid from events where tenant_id = $1 order by xid, id limit 1)::text as first,
  event_horizon()::text as end`,
};

/** The number of the first transaction in a tenant's log (null: it is empty), and the one from which on nothing may be read yet. */
export async function findLogRange(tx: Queryable, tenant: TenantId): Promise<{ first: string | null; end: string }> {
  const [row] = await tx.query<{ first: string | null; end: string }>(bounds, [tenant]);
  if (!row) throw new Error('a select without a table gave no row');
  return row;
}

const next = {
  name: 'webhook_replays_next',
  text: `
select e.xid::text as xid, e.id from events e where e.tenant_id = $1 and e.xid >= $2::text::xid8 order by e.xid, e.id limit 1`,
};

/** The first event of a transaction or of a later one; null: there is none. */
export async function findEventFrom(tx: Queryable, tenant: TenantId, xid: string): Promise<EventPosition | null> {
  return (await tx.query<EventPosition>(next, [tenant, xid]))[0] ?? null;
}
