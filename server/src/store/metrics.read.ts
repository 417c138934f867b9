import type { Queryable } from '../db/pool.ts';

/** What operators see of the database, read at each scrape. These span all tenants, for the operator's eyes only. */
const queue = {
  name: 'metrics_queue',
  text: `
select lane_id, case when held is not null then 'held' when state = 'queued' and due_at > clock_timestamp() then 'scheduled'
    else state::text end as state,
  count(*)::int as count,
  coalesce(max(extract(epoch from clock_timestamp() - due_at)) filter (where state = 'queued' and held is null), 0)::float8
    as oldest
from due group by 1, 2`,
};

/** How many messages wait in a lane in one state, and the longest that one of them has been overdue, in seconds. */
export interface QueueDepth {
  lane_id: number;
  state: string;
  count: number;
  oldest: number;
}

export function findQueueDepths(tx: Queryable): Promise<QueueDepth[]> {
  return tx.query<QueueDepth>(queue);
}

const rest = {
  name: 'metrics_rest',
  text: `
select (select count(*) from parked_receipts)::int as parked,
  (select count(*) from inbound_work)::int as inbound_work,
  (select count(*) from due where state = 'unconfirmed'
    and started_at < clock_timestamp() - $1 * interval '1 ms')::int as overdue,
  coalesce((select extract(epoch from clock_timestamp() - min(xact_start)) from pg_stat_activity
    where backend_xid is not null and datname = current_database()), 0)::float8 as oldest_write,
  event_horizon()::text as horizon, pg_snapshot_xmax(pg_current_snapshot())::text as next`,
};

export interface StoreState {
  parked: number;
  inbound_work: number;
  /** Unconfirmed for longer than is reported. */
  overdue: number;
  /** How long the oldest write of this database that the role may look at has been open, in seconds. */
  oldest_write: number;
  /** The number of the transaction below which events may be read; that of the next one, when nothing holds them back. */
  horizon: string;
  next: string;
}

/** @param reportAfter milliseconds of doubt after which it is overdue. */
export async function findStoreState(tx: Queryable, reportAfter: number): Promise<StoreState> {
  const [row] = await tx.query<StoreState>(rest, [reportAfter]);
  return row ?? { parked: 0, inbound_work: 0, overdue: 0, oldest_write: 0, horizon: '0', next: '0' };
}
