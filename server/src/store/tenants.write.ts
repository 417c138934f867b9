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
];

const insertOne = {
  name: 'tenants_insert',
  text: `
insert into tenants (id, external_id, name, monthly_quota, requests_per_second, request_burst, doubt_policy, processing,
  consent_keywords)
values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9::jsonb)`,
};

/** Makes a tenant. @throws on `tenants_external_id_key` when another has its external id. */
export async function insertTenantValues(tx: Queryable, id: TenantId, tenant: TenantValues): Promise<void> {
  await tx.query(insertOne, [id, ...valuesOf(tenant)]);
}

const updateOne = {
  name: 'tenants_update',
  text: `
update tenants set external_id = $2, name = $3, monthly_quota = $4, requests_per_second = $5, request_burst = $6,
  doubt_policy = $7::jsonb, processing = $8, consent_keywords = $9::jsonb
where id = $1`,
};

/** Writes all that can be written of a tenant. @throws on `tenants_external_id_key` when another has its external id. */
export async function updateTenantValues(tx: Queryable, id: TenantId, tenant: TenantValues): Promise<void> {
  await tx.query(updateOne, [id, ...valuesOf(tenant)]);
}

const deleteKeys = {
  name: 'tenants_delete_keys',
  text: 'delete from api_keys where tenant_id = $1 and not exists (select from senders s where s.tenant_id = $1)',
};
const deleteAccounts = {
  name: 'tenants_delete_accounts',
  text: 'delete from accounts where tenant_id = $1 and not exists (select from senders s where s.tenant_id = $1)',
};
const deleteAlerts = {
  name: 'tenants_delete_alerts',
  text: 'delete from account_alerts where tenant_id = $1 and not exists (select from senders s where s.tenant_id = $1)',
};
const deleteTemplates = {
  name: 'tenants_delete_templates',
  text: 'delete from templates where tenant_id = $1 and not exists (select from senders s where s.tenant_id = $1)',
};
const deleteOne = {
  name: 'tenants_delete',
  text: 'delete from tenants where id = $1 and not exists (select from senders s where s.tenant_id = $1) returning id',
};

/** Deletes a tenant, its keys, its accounts and what belongs to them. @returns false when it has senders, and nothing was done. */
export async function deleteTenant(tx: Queryable, id: TenantId): Promise<boolean> {
  await tx.query(deleteKeys, [id]);
  await tx.query(deleteAccounts, [id]);
  await tx.query(deleteAlerts, [id]);
  await tx.query(deleteTemplates, [id]);
  return (await tx.query(deleteOne, [id])).length === 1;
}
