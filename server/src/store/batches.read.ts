import type { Queryable } from '../db/pool.ts';
import type { BatchId, TenantId } from '../domain/ids.ts';
import { STATES, type State } from '../domain/message.ts';

export interface BatchRow {
  id: BatchId;
  /** false: still being stored. Nothing of it leaves before it is complete. */
  complete: boolean;
  /** Items in the request. */
  total: number;
  /** Items stored or refused so far. */
  stored_through: number;
  accepted: number;
  /** What was refused, by place in the request. */
  errors: { index: number; error: string; code: string; message: string; field: string | null }[];
  created_at: Date;
}

const find = {
  name: 'batches_find',
  text: `
select id, complete, total, stored_through, accepted, errors, created_at from batches where tenant_id = $1 and id = $2`,
};

/** One batch, or null when the tenant has none of that id. */
export async function findBatch(tx: Queryable, tenant: TenantId, id: BatchId): Promise<BatchRow | null> {
  const [row] = await tx.query<BatchRow>(find, [tenant, id]);
  return row ?? null;
}

const countByState = {
  name: 'batches_count_by_state',
  text: `
select coalesce(d.state, m.state) as state, count(*) as n
from messages m left join due d on d.tenant_id = m.tenant_id and d.message_id = m.id
where m.tenant_id = $1 and m.batch_id = $2 group by 1`,
};

/** How many messages of a batch are in each state; every state is named, zero too. */
export async function countBatchByState(tx: Queryable, tenant: TenantId, id: BatchId): Promise<Record<State, number>> {
  const rows = await tx.query<{ state: State; n: number }>(countByState, [tenant, id]);
  const found = new Map(rows.map(({ state, n }) => [state, n]));
  const counts: Partial<Record<State, number>> = {};
  for (const state of STATES) counts[state] = found.get(state) ?? 0;
  return counts as Record<State, number>;
}
