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
}

const findByHash = {
  name: 'api_keys_find_by_hash',
  text: `
select tenant_id, id, scopes, dialect, expires_at, last_used_at from api_keys
where key_hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())`,
};

/** The key with this SHA-256, unless revoked or expired. The one question that cannot name its tenant: it asks for it. */
export async function findApiKey(tx: Queryable, hash: Buffer): Promise<ApiKeyRow | null> {
  const [row] = await tx.query<ApiKeyRow>(findByHash, [hash]);
  return row ?? null;
}
