import { uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { TenantId } from '../domain/ids.ts';

/** A key as it is looked up: whose it is and what it may. */
export interface ApiKeyRow {
  tenant_id: TenantId;
  id: string;
  scopes: string[];
  dialect: 'aldis' | 'queue';
  expires_at: Date | null;
  /** To the minute or so. */
  last_used_at: Date | null;
  /** Its tenant's own rate; null: what the configuration says. */
  requests_per_second: number | null;
  request_burst: number | null;
}

const findByHash = {
  name: 'api_keys_find_by_hash',
  text: `
select k.tenant_id, k.id, k.scopes, k.dialect, k.expires_at, k.last_used_at, t.requests_per_second, t.request_burst
from api_keys k join tenants t on t.id = k.tenant_id
where k.key_hash = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())`,
};

/** The key with this SHA-256, unless revoked or expired. The one question that cannot name its tenant: it asks for it. */
export async function findApiKey(tx: Queryable, hash: Buffer): Promise<ApiKeyRow | null> {
  const [row] = await tx.query<ApiKeyRow>(findByHash, [hash]);
  return row ?? null;
}

const findLive = {
  name: 'api_keys_find_live',
  text: `
select k.id, k.scopes from unnest($1::uuid[], $2::uuid[]) as asked(tenant_id, id)
join api_keys k on k.tenant_id = asked.tenant_id and k.id = asked.id
where k.revoked_at is null and (k.expires_at is null or k.expires_at > now())`,
};

/** Those of these keys that are neither revoked nor expired, with what they may now. */
export function findLiveKeys(
  tx: Queryable,
  keys: readonly { tenant_id: TenantId; key_id: string }[],
): Promise<{ id: string; scopes: string[] }[]> {
  return tx.query(findLive, [uuids(keys, (key) => key.tenant_id), uuids(keys, (key) => key.key_id)]);
}
