import { integers, texts, times, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';
import type { PaceKind, PaceWindow } from '../domain/schedule/pace.ts';

/** The windows of paced senders, read and written by the transaction that records attempts. */
export interface PaceWindows {
  /** By the database's clock: milliseconds since 1970. */
  now: number;
  of(sender: SenderId, kind: PaceKind): PaceWindow | undefined;
}

// Nothing is locked: of two transactions that write the same window, the later fails and is repeated.
const find = {
  name: 'pace_find',
  text: `
select s.sender_id, p.kind, p.used, (extract(epoch from p.window_started_at) * 1000)::float8 as started_at,
  (extract(epoch from statement_timestamp()) * 1000)::float8 as now
from unnest($1::uuid[], $2::uuid[]) as s(tenant_id, sender_id)
left join sender_pace p on p.tenant_id = s.tenant_id and p.sender_id = s.sender_id`,
};

interface Row {
  sender_id: SenderId;
  kind: PaceKind | null;
  used: number;
  started_at: number;
  now: number;
}

/** Reads what senders, at least one, have used of their windows. */
export async function findPaceWindows(
  tx: Queryable,
  senders: readonly { tenant: TenantId; sender: SenderId }[],
): Promise<PaceWindows> {
  const rows = await tx.query<Row>(find, [uuids(senders, (s) => s.tenant), uuids(senders, (s) => s.sender)]);
  const windows = new Map<string, PaceWindow>();
  for (const { sender_id, kind, used, started_at } of rows) {
    if (kind !== null) windows.set(`${sender_id} ${kind}`, { startedAt: started_at, used });
  }
  return { now: rows[0]?.now ?? 0, of: (sender, kind) => windows.get(`${sender} ${kind}`) };
}

/** A window as it is after messages left. */
export interface UsedWindow extends PaceWindow {
  tenant: TenantId;
  sender: SenderId;
  kind: PaceKind;
}

const write = {
  name: 'pace_write',
  text: `
insert into sender_pace (tenant_id, sender_id, kind, window_started_at, used)
select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::int[])
as i(tenant_id, sender_id, kind, window_started_at, used) order by tenant_id, sender_id, kind
on conflict (tenant_id, sender_id, kind)
do update set window_started_at = excluded.window_started_at, used = excluded.used`,
};

/** Writes what has been used. */
export async function writePaceWindows(tx: Queryable, windows: readonly UsedWindow[]): Promise<void> {
  await tx.query(write, [
    uuids(windows, (w) => w.tenant),
    uuids(windows, (w) => w.sender),
    texts(windows, (w) => w.kind),
    times(windows, (w) => w.startedAt),
    integers(windows, (w) => w.used),
  ]);
}
