import { times, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { ApiKeyId, TenantId } from '../domain/ids.ts';
import type { ApiKeyRecord } from './api-key-records.read.ts';

/** What can be written of a key. */
export type ApiKeyValues = Pick<ApiKeyRecord, 'name' | 'scopes' | 'dialect' | 'expires_at'>;

const insertOne = {
  name: 'api_keys_insert',
  text: `
insert into api_keys (tenant_id, id, key_hash, name, scopes, dialect, expires_at) values ($1, $2, $3, $4, $5, $6, $7)`,
};

/** Makes a key. @param hash SHA-256 of it. */
export async function insertKeyValues(
  tx: Queryable,
  tenant: TenantId,
  id: ApiKeyId,
  hash: Buffer,
  { name, scopes, dialect, expires_at }: ApiKeyValues,
): Promise<void> {
  await tx.query(insertOne, [tenant, id, hash, name, scopes, dialect, expires_at]);
}

const updateOne = {
  name: 'api_keys_update',
  text: `update api_keys set name = $3, scopes = $4, dialect = $5, expires_at = $6 where tenant_id = $1 and id = $2`,
};

export async function updateKeyValues(
  tx: Queryable,
  tenant: TenantId,
  id: ApiKeyId,
  { name, scopes, dialect, expires_at }: ApiKeyValues,
): Promise<void> {
  await tx.query(updateOne, [tenant, id, name, scopes, dialect, expires_at]);
}

const revokeOne = {
  name: 'api_keys_revoke',
  text: 'update api_keys set revoked_at = clock_timestamp() where tenant_id = $1 and id = $2 and revoked_at is null',
};

/** Ends a key for good. The time of the first revocation stays. */
export async function revokeKey(tx: Queryable, tenant: TenantId, id: ApiKeyId): Promise<void> {
  await tx.query(revokeOne, [tenant, id]);
}

const useMany = {
  name: 'api_keys_use',
  text: `
update api_keys k set last_used_at = greatest(k.last_used_at, u.at)
from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as u(tenant_id, id, at)
where k.tenant_id = u.tenant_id and k.id = u.id`,
};

/** Writes when keys were last used. Times are milliseconds since 1970. */
export async function writeKeyUses(
  tx: Queryable,
  uses: readonly { tenant_id: TenantId; key_id: string; at: number }[],
): Promise<void> {
  await tx.query(useMany, [
    uuids(uses, (use) => use.tenant_id),
    uuids(uses, (use) => use.key_id),
    times(uses, (use) => use.at),
  ]);
}
