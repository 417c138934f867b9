import type { Queryable } from '../db/pool.ts';
import type { ConsentKeywords } from '../domain/consent.ts';
import { isReference, isUuid, type TenantId } from '../domain/ids.ts';
import type { QuietHours } from '../domain/schedule/quiet-hours.ts';

/** A tenant as an operator sees it. */
export interface TenantRow {
  id: TenantId;
  external_id: string | null;
  name: string;
  /** null in these three: what the configuration says. */
  monthly_quota: number | null;
  requests_per_second: number | null;
  request_burst: number | null;
  doubt_policy: DoubtPolicy;
  processing: boolean;
  /** Words by which its customers opt out and in; null: those of the configuration, also in place of one that is absent. */
  consent_keywords: Partial<ConsentKeywords> | null;
  quiet_hours: QuietHours;
  /** Days that what people say in its conversations is kept, where the conversation says nothing; null: for ever. */
  retention_days: number | null;
  created_at: Date;
}

/** By category: what is done when nobody knows whether a message left. */
export type DoubtPolicy = Readonly<Record<string, 'resend' | 'tell'>>;

const COLUMNS =
  'id, external_id, name, monthly_quota, requests_per_second, request_burst, doubt_policy, processing, consent_keywords, quiet_hours, retention_days, created_at';

const findOne = {
  name: 'tenants_find',
  text: `select ${COLUMNS} from tenants where id = $1 or external_id = $2 order by (id = $1) is true desc limit 1`,
};

/** The tenant with this own or external id; an own id goes before. */
export async function findTenant(tx: Queryable, reference: string): Promise<TenantRow | null> {
  if (!isReference(reference)) return null;
  const [row] = await tx.query<TenantRow>(findOne, [isUuid(reference) ? reference : null, reference]);
  return row ?? null;
}

const listAll = {
  name: 'tenants_list',
  text: `
select ${COLUMNS} from tenants
where id < coalesce($1, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid) order by id desc limit $2`,
};

/** Tenants, the newest first. @param before a page begins behind this one; null: at the newest. */
export function listTenants(tx: Queryable, before: string | null, limit: number): Promise<TenantRow[]> {
  return tx.query<TenantRow>(listAll, [before, limit]);
}
