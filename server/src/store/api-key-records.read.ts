import type { Queryable } from '../db/pool.ts';
import type { ApiKeyId, TenantId } from '../domain/ids.ts';

/** A key with all that may be told of it. The key itself is not kept. */
export interface ApiKeyRecord {
  id: ApiKeyId;
  name: string;
  scopes: string[];
  dialect: 'aldis' | 'queue';
  expires_at: Date | null;
  revoked_at: Date | null;
  /** To the minute or so. */
  last_used_at: Date | null;
  created_at: Date;
}

const COLUMNS = 'id, name, scopes, dialect, expires_at, revoked_at, last_used_at, created_at';

const findOne = {
  name: 'api_key_records_find',
  text: `select ${COLUMNS} from api_keys where tenant_id = $1 and id = $2`,
};

export async function findApiKeyRecord(tx: Queryable, tenant: TenantId, id: ApiKeyId): Promise<ApiKeyRecord | null> {
  const [row] = await tx.query<ApiKeyRecord>(findOne, [tenant, id]);
  return row ?? null;
}

const listAll = {
  name: 'api_key_records_list',
  text: `
select ${COLUMNS} from api_keys
where tenant_id = $1 and id < coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid) order by id desc limit $3`,
};

/** Keys of a tenant, revoked ones too, the newest first. @param before a page begins behind this one. */
export function listApiKeyRecords(
  tx: Queryable,
  tenant: TenantId,
  before: string | null,
  limit: number,
): Promise<ApiKeyRecord[]> {
  return tx.query<ApiKeyRecord>(listAll, [tenant, before, limit]);
}
