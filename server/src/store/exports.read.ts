import type { Queryable } from '../db/pool.ts';
import type { ExportFormat, ExportKind, ExportState } from '../domain/export.ts';
import { type ExportId, isUuid, type TenantId } from '../domain/ids.ts';

/** An export as it is told. */
export interface ExportRecord {
  id: ExportId;
  kind: ExportKind;
  format: ExportFormat;
  bom: boolean;
  /** The filter as it was asked for. */
  asked: Record<string, unknown>;
  state: ExportState;
  /** How many rows there were when it was asked for; null: nobody counted. */
  total: number | null;
  rows: number;
  parts: number;
  /** Bytes. */
  size: number;
  error: string | null;
  created_at: Date;
  ended_at: Date | null;
  expires_at: Date | null;
}

export const EXPORT_COLUMNS =
  'id, kind, format, bom, asked, state, total, rows, parts, size, error, created_at, ended_at, expires_at';
/** What has expired is gone, though its files may still be there. */
const KEPT = '(expires_at is null or expires_at > clock_timestamp())';

const find = {
  name: 'exports_find',
  text: `select ${EXPORT_COLUMNS} from exports where tenant_id = $1 and id = $2 and ${KEPT}`,
};

/** One export, or null when the tenant has none of that id. */
export async function findExport(tx: Queryable, tenant: TenantId, id: string): Promise<ExportRecord | null> {
  if (!isUuid(id)) return null;
  const [row] = await tx.query<ExportRecord>(find, [tenant, id]);
  return row ?? null;
}

const list = {
  name: 'exports_list',
  text: `
select ${EXPORT_COLUMNS} from exports
where tenant_id = $1 and id < coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid) and ${KEPT}
order by id desc limit $3`,
};

/** The newest first. @param before a page begins behind this one; null: at the newest. */
export function listExports(
  tx: Queryable,
  tenant: TenantId,
  before: string | null,
  limit: number,
): Promise<ExportRecord[]> {
  return tx.query<ExportRecord>(list, [tenant, before, limit]);
}

/** A file of an export. `hold` says whose. */
export interface ExportPart {
  part: number;
  hold: number;
  /** Bytes. */
  size: number;
}

const listParts = {
  name: 'exports_parts',
  text: 'select part, hold, size from export_parts where tenant_id = $1 and export_id = $2 order by part',
};

/** The files of an export, in order. */
export function listExportParts(tx: Queryable, tenant: TenantId, id: ExportId): Promise<ExportPart[]> {
  return tx.query<ExportPart>(listParts, [tenant, id]);
}

const countAll = {
  name: 'exports_count_contacts',
  text: 'select count(*)::int as n from (select from contacts where tenant_id = $1 limit $2) c',
};

/** How many contacts a tenant has, counted as far as `most`. */
export async function countContacts(tx: Queryable, tenant: TenantId, most: number): Promise<number> {
  const [row] = await tx.query<{ n: number }>(countAll, [tenant, most]);
  return row?.n ?? 0;
}
