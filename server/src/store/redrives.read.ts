import type { Queryable } from '../db/pool.ts';
import type { DeadLetterFilter, RedriveState, RetryRefusal } from '../domain/dead-letters.ts';
import { isUuid, type RedriveId, type TenantId } from '../domain/ids.ts';

/** A redrive as it is told. */
export interface RedriveRecord {
  id: RedriveId;
  filter: DeadLetterFilter;
  per_second: number;
  include_uncertain: boolean;
  state: RedriveState;
  /** Messages that are due again. */
  queued: number;
  /** Messages that were left failed, by reason. */
  skipped: Partial<Record<RetryRefusal, number>>;
  /** Whose key asked for it. */
  key_id: string;
  created_at: Date;
  ended_at: Date | null;
}

export const REDRIVE_COLUMNS =
  'id, filter, per_second, include_uncertain, state, queued, skipped, key_id, created_at, ended_at';

const find = {
  name: 'redrives_find',
  text: `select ${REDRIVE_COLUMNS} from redrives where tenant_id = $1 and id = $2`,
};

/** One redrive, or null when the tenant has none of that id. */
export async function findRedrive(tx: Queryable, tenant: TenantId, id: string): Promise<RedriveRecord | null> {
  if (!isUuid(id)) return null;
  const [row] = await tx.query<RedriveRecord>(find, [tenant, id]);
  return row ?? null;
}

const list = {
  name: 'redrives_list',
  text: `
select ${REDRIVE_COLUMNS} from redrives
where tenant_id = $1 and id < coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid) order by id desc limit $3`,
};

/** The newest first. @param before a page begins behind this one; null: at the newest. */
export function listRedrives(
  tx: Queryable,
  tenant: TenantId,
  before: string | null,
  limit: number,
): Promise<RedriveRecord[]> {
  return tx.query<RedriveRecord>(list, [tenant, before, limit]);
}

const nextDue = {
  name: 'redrives_next_due',
  text: `
select greatest(0, extract(epoch from due_at - clock_timestamp()) * 1000)::float8 as wait
from redrives where state = 'running' order by due_at limit 1`,
};

/** Milliseconds until the next step of any redrive; null: none runs. */
export async function findRedriveWait(tx: Queryable): Promise<number | null> {
  const [row] = await tx.query<{ wait: number }>(nextDue);
  return row?.wait ?? null;
}
