import type { Queryable } from '../db/pool.ts';
import type { TenantId } from '../domain/ids.ts';
import { jsonText } from '../domain/json-text.ts';
import type { TenantRow } from './tenants.read.ts';

/** What can be written of a tenant. */
export type TenantValues = Omit<TenantRow, 'id' | 'created_at'>;

const valuesOf = (tenant: TenantValues) => [
  tenant.external_id,
  tenant.name,
  tenant.monthly_quota,
  tenant.requests_per_second,
  tenant.request_burst,
  JSON.stringify(tenant.doubt_policy),
  tenant.processing,
  tenant.consent_keywords && jsonText(tenant.consent_keywords),
  JSON.stringify(tenant.quiet_hours),
  tenant.retention_days,
];

const insertOne = {
  name: 'tenants_insert',
  text: `
insert into tenants (id, external_id, name, monthly_quota, requests_per_second, request_burst, doubt_policy, processing,
  consent_keywords, quiet_hours, retention_days)
values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9::jsonb, $10::jsonb, $11)`,
};

/** Makes a tenant. @throws on `tenants_external_id_key` when another has its external id. */
export async function insertTenantValues(tx: Queryable, id: TenantId, tenant: TenantValues): Promise<void> {
  await tx.query(insertOne, [id, ...valuesOf(tenant)]);
}

const updateOne = {
  name: 'tenants_update',
  text: `
update tenants set external_id = $2, name = $3, monthly_quota = $4, requests_per_second = $5, request_burst = $6,
  doubt_policy = $7::jsonb, processing = $8, consent_keywords = $9::jsonb, quiet_hours = $10::jsonb, retention_days = $11
where id = $1`,
};

/** Writes all that can be written of a tenant. @throws on `tenants_external_id_key` when another has its external id. */
export async function updateTenantValues(tx: Queryable, id: TenantId, tenant: TenantValues): Promise<void> {
  await tx.query(updateOne, [id, ...valuesOf(tenant)]);
}

/** Nobody sends for it, and nobody talks in it. */
const UNUSED = `not exists (select from senders s where s.tenant_id = $1)
  and not exists (select from conversations v where v.tenant_id = $1)`;
/** What goes with a tenant, in this order. */
const deletions = [
  'api_keys',
  'accounts',
  'account_alerts',
  'templates',
  'webhook_attempts',
  'webhook_deliveries',
  'webhook_replays',
  'webhook_endpoints',
  'event_consumers',
].map((table) => ({
  name: `tenants_delete_${table}`,
  text: `delete from ${table} where tenant_id = $1 and ${UNUSED}`,
}));
const deleteOne = {
  name: 'tenants_delete',
  text: `delete from tenants where id = $1 and ${UNUSED} returning id`,
};

/**
 * Deletes a tenant, its keys, accounts, webhooks and what belongs to them.
 * @returns false when it has senders or conversations, and nothing was done.
 */
export async function deleteTenant(tx: Queryable, id: TenantId): Promise<boolean> {
  for (const deletion of deletions) await tx.query(deletion, [id]);
  return (await tx.query(deleteOne, [id])).length === 1;
}
