import type { Queryable } from '../db/pool.ts';
import type { ExportFormat, ExportKind } from '../domain/export.ts';
import type { ExportId, InstanceId, TenantId } from '../domain/ids.ts';
import { EXPORT_COLUMNS, type ExportRecord } from './exports.read.ts';

/** An export that is asked for. */
export interface NewExport {
  kind: ExportKind;
  format: ExportFormat;
  bom: boolean;
  asked: Readonly<Record<string, unknown>>;
  filter: object;
  total: number | null;
}

const lockTenant = {
  name: 'exports_lock_tenant',
  text: 'select id from tenants where id = $1 for no key update',
};

/** Lets one export of a tenant be asked for after another, so that none is counted too late. */
export async function lockExports(tx: Queryable, tenant: TenantId): Promise<void> {
  await tx.query<{ id: TenantId }>(lockTenant, [tenant]);
}

const count = {
  name: 'exports_count',
  text: `
select count(*)::int as kept, (count(*) filter (where state in ('queued', 'running')))::int as open
from exports where tenant_id = $1 and (expires_at is null or expires_at > clock_timestamp())`,
};

/** How many exports a tenant has, and how many of them are not ended. There are a hundred at most. */
export async function countExports(tx: Queryable, tenant: TenantId): Promise<{ kept: number; open: number }> {
  const [row] = await tx.query<{ kept: number; open: number }>(count, [tenant]);
  return row ?? { kept: 0, open: 0 };
}

const insert = {
  name: 'exports_insert',
  text: `
insert into exports (tenant_id, id, kind, format, bom, asked, filter, total) values ($1, $2, $3, $4, $5, $6, $7, $8)
returning ${EXPORT_COLUMNS}`,
};

export async function insertExport(
  tx: Queryable,
  tenant: TenantId,
  id: ExportId,
  { kind, format, bom, asked, filter, total }: NewExport,
): Promise<ExportRecord> {
  const values = [tenant, id, kind, format, bom, JSON.stringify(asked), JSON.stringify(filter), total];
  const [row] = await tx.query<ExportRecord>(insert, values);
  return row as ExportRecord;
}

const cancel = {
  name: 'exports_cancel',
  text: `
update exports set state = 'cancelled', ended_at = clock_timestamp(),
  expires_at = clock_timestamp() + $3::float8 * interval '1 ms'
where tenant_id = $1 and id = $2 and state in ('queued', 'running')
returning ${EXPORT_COLUMNS}`,
};

/** Ends an export before it is complete; null when it has ended. @param keep milliseconds until it is forgotten. */
export async function cancelExport(
  tx: Queryable,
  tenant: TenantId,
  id: ExportId,
  keep: number,
): Promise<ExportRecord | null> {
  const [row] = await tx.query<ExportRecord>(cancel, [tenant, id, keep]);
  return row ?? null;
}

const expire = {
  name: 'exports_expire',
  text: `
update exports set expires_at = clock_timestamp()
where tenant_id = $1 and id = $2 and state not in ('queued', 'running') returning id`,
};

/** Lets an export that has ended expire at once. @returns whether it has ended. */
export async function expireExport(tx: Queryable, tenant: TenantId, id: ExportId): Promise<boolean> {
  return (await tx.query<{ id: ExportId }>(expire, [tenant, id])).length > 0;
}

/** An export in the hands of one that writes it. */
export interface HeldExport {
  tenant_id: TenantId;
  id: ExportId;
  kind: ExportKind;
  format: ExportFormat;
  bom: boolean;
  filter: Record<string, unknown>;
  rows: number;
  parts: number;
  position: string | null;
  tries: number;
  /** Which time it is held: names the files. */
  holds: number;
  /** The last part that is recorded was written by this one; 0: there is none. */
  last_hold: number;
  created_at: Date;
}

const take = {
  name: 'exports_take',
  text: `
update exports e set state = 'running', held_by = $1, held_until = clock_timestamp() + $2::float8 * interval '1 ms',
  holds = e.holds + 1
from (
  select tenant_id, id from exports
  where state in ('queued', 'running') and (held_until is null or held_until <= clock_timestamp())
  order by held_until nulls first, created_at limit 1 for update skip locked
) x
where e.tenant_id = x.tenant_id and e.id = x.id
returning e.tenant_id, e.id, e.kind, e.format, e.bom, e.filter, e.rows, e.parts, e.position, e.tries, e.holds, e.created_at,
  coalesce((select p.hold from export_parts p
    where p.tenant_id = e.tenant_id and p.export_id = e.id and p.part = e.parts), 0) as last_hold`,
};

/** Takes the export that was left alone longest, of any tenant, for `lease` ms; null: there is nothing to do. */
export async function takeOpenExport(tx: Queryable, instance: InstanceId, lease: number): Promise<HeldExport | null> {
  const [row] = await tx.query<HeldExport>(take, [instance, lease]);
  return row ?? null;
}

/** Whose the export is: what somebody else holds by now is not changed. */
type Hold = Pick<HeldExport, 'tenant_id' | 'id' | 'holds'>;
const HELD = `tenant_id = $1 and id = $2 and holds = $3 and state = 'running'`;

const renew = {
  name: 'exports_renew',
  text: `update exports set held_until = clock_timestamp() + $4::float8 * interval '1 ms' where ${HELD} returning id`,
};

/** Holds it on for `lease` ms. @returns false: it was cancelled, or is somebody else's. */
export async function renewExport(tx: Queryable, { tenant_id, id, holds }: Hold, lease: number): Promise<boolean> {
  return (await tx.query<{ id: ExportId }>(renew, [tenant_id, id, holds, lease])).length > 0;
}

const release = {
  name: 'exports_release',
  text: 'update exports set held_until = clock_timestamp() where tenant_id = $1 and id = $2 and holds = $3',
};

/** Lets go of it: the next may go on, or remove its files. */
export async function releaseExport(tx: Queryable, { tenant_id, id, holds }: Hold): Promise<void> {
  await tx.query(release, [tenant_id, id, holds]);
}

const advance = {
  name: 'exports_advance',
  text: `
with advanced as (
  update exports set rows = rows + $5, parts = parts + ($6::bigint is not null)::int, size = size + coalesce($6::bigint, 0),
    position = $7, tries = 0, error = null,
    held_until = case when $7::text is not null then clock_timestamp() + $8::float8 * interval '1 ms' end,
    state = case when $7::text is null then 'complete' else state end,
    ended_at = case when $7::text is null then clock_timestamp() end,
    expires_at = case when $7::text is null then clock_timestamp() + $9::float8 * interval '1 ms' end
  where ${HELD} and parts = $4
  returning parts
), part as (
  insert into export_parts (tenant_id, export_id, part, hold, rows, size)
  select $1, $2, parts, $3, $5, $6 from advanced where $6::bigint is not null
)
select parts from advanced`,
};

/** What was written behind the parts there are. */
export interface ExportStep {
  rows: number;
  /** Bytes of a new part; null: nothing was found on the way, so none was written. */
  size: number | null;
  /** Behind which row the next part begins; null: the list has ended, and the export is complete. */
  position: string | null;
}

/**
 * Records a step, with its part. @param keep milliseconds that a complete export is kept.
 * @returns false: it was cancelled, or is somebody else's, and nothing is recorded.
 */
export async function advanceExport(
  tx: Queryable,
  { tenant_id, id, holds, parts }: Hold & Pick<HeldExport, 'parts'>,
  { rows, size, position }: ExportStep,
  lease: number,
  keep: number,
): Promise<boolean> {
  const values = [tenant_id, id, holds, parts, rows, size, position, lease, keep];
  return (await tx.query<{ parts: number }>(advance, values)).length > 0;
}

const fail = {
  name: 'exports_fail',
  text: `
update exports set tries = tries + 1, error = $4,
  held_until = clock_timestamp() + coalesce($5::float8, 0) * interval '1 ms',
  state = case when $5::float8 is null then 'failed' else state end,
  ended_at = case when $5::float8 is null then clock_timestamp() end,
  expires_at = case when $5::float8 is null then clock_timestamp() + $6::float8 * interval '1 ms' end
where ${HELD}`,
};

/** Records that a try failed. @param delay milliseconds until the next; null: it is given up, and kept for `keep` ms. */
export async function failExport(
  tx: Queryable,
  { tenant_id, id, holds }: Hold,
  error: string,
  delay: number | null,
  keep: number,
): Promise<void> {
  await tx.query(fail, [tenant_id, id, holds, error, delay, keep]);
}

/** An export whose files are to go: it has expired, or ended without being complete. */
export interface LeftExport {
  tenant_id: TenantId;
  id: ExportId;
  format: ExportFormat;
  parts: number;
  holds: number;
  last_hold: number;
  expired: boolean;
}

const leftColumns = (expired: boolean) => `
  tenant_id, id, format, parts, holds, ${expired} as expired,
  coalesce((select p.hold from export_parts p
    where p.tenant_id = e.tenant_id and p.export_id = e.id and p.part = e.parts), 0) as last_hold`;
// Whoever still writes one that was cancelled has noticed when his lease is over.
// now() stands still in a statement, so that an index can be walked up to it.
const LEFT_ALONE = '(held_until is null or held_until <= now())';

const listLeft = {
  name: 'exports_list_left',
  text: `
(select ${leftColumns(true)} from exports e
 where expires_at <= now() and ${LEFT_ALONE} order by expires_at limit $1)
union all
(select ${leftColumns(false)} from exports e
 where state in ('failed', 'cancelled') and parts > 0 and ${LEFT_ALONE}
 order by ended_at limit $1)`,
};

/** Exports whose files are to be removed, of all tenants. Removing twice does no harm, so nobody holds them. */
export function listLeftExports(tx: Queryable, limit: number): Promise<LeftExport[]> {
  return tx.query<LeftExport>(listLeft, [limit]);
}

const forget = {
  name: 'exports_forget',
  text: 'delete from exports where tenant_id = $1 and id = $2 and expires_at <= clock_timestamp()',
};

/** Forgets an export that has expired, when its files are gone. */
export async function forgetExport(tx: Queryable, tenant: TenantId, id: ExportId): Promise<void> {
  await tx.query(forget, [tenant, id]);
}

const strip = {
  name: 'exports_strip',
  text: `
with stripped as (
  update exports set parts = 0, size = 0 where tenant_id = $1 and id = $2 and state in ('failed', 'cancelled')
  returning tenant_id, id
)
delete from export_parts p using stripped s where p.tenant_id = s.tenant_id and p.export_id = s.id`,
};

/** Notes that an export which is not complete has no files any more. */
export async function stripExport(tx: Queryable, tenant: TenantId, id: ExportId): Promise<void> {
  await tx.query(strip, [tenant, id]);
}
