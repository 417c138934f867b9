import type { Db, Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { hashApiKey, newApiKey } from '../domain/api-key.ts';
import { type ApiKeyId, newId, type TenantId } from '../domain/ids.ts';
import type { Signals } from '../signals/signals.ts';
import { type ApiKeyRecord, findApiKeyRecord } from '../store/api-key-records.read.ts';
import {
  type ApiKeyValues,
  insertKeyValues,
  revokeKey,
  updateKeyValues,
  writeKeyUses,
} from '../store/api-keys.write.ts';

/** Keys are made, changed and ended by an operator. Who may give which scope is for the door to judge. */
export interface ApiKeyActions {
  /** Makes a key. `key` is told this once; only its hash is kept. */
  create(tenant: TenantId, values: ApiKeyValues): Promise<ApiKeyRecord & { key: string }>;
  /** Changes what is named. A revoked key can be renamed, and stays revoked. */
  change(tenant: TenantId, id: ApiKeyId, change: Partial<ApiKeyValues>): Promise<ApiKeyRecord | 'not_found'>;
  /**
   * Ends a key: on this instance for every request that begins from now on, on others within 5 s. A request that is under
   * way goes on. Doing it again changes nothing.
   */
  revoke(tenant: TenantId, id: ApiKeyId): Promise<ApiKeyRecord | 'not_found'>;
}

export function createApiKeys({ db, signals }: { db: Db; signals: Signals }): ApiKeyActions {
  async function write(
    tenant: TenantId,
    id: ApiKeyId,
    work: (tx: Queryable, before: ApiKeyRecord) => Promise<void>,
  ): Promise<ApiKeyRecord | 'not_found'> {
    const result = await retryingOnConflict(() =>
      db.transaction(async (tx) => {
        const before = await findApiKeyRecord(tx, tenant, id);
        if (before === null) return null;
        await work(tx, before);
        return findApiKeyRecord(tx, tenant, id);
      }),
    );
    if (result === null) return 'not_found';
    signals.notify('keys');
    return result;
  }

  return {
    async create(tenant, values) {
      const key = newApiKey();
      const id = newId<ApiKeyId>();
      await insertKeyValues(db, tenant, id, hashApiKey(key), values);
      const record = await findApiKeyRecord(db, tenant, id);
      if (record === null) throw new Error('a key that was just made is not there');
      return { ...record, key };
    },
    change: (tenant, id, change) =>
      write(tenant, id, (tx, before) => updateKeyValues(tx, tenant, id, { ...before, ...change })),
    revoke: (tenant, id) => write(tenant, id, (tx) => revokeKey(tx, tenant, id)),
  };
}

/** Records when keys were last used. */
export async function recordKeyUses(db: Db, uses: readonly KeyUse[]): Promise<void> {
  if (uses.length > 0) await retryingOnConflict(() => writeKeyUses(db, uses));
}

/** That a key was used, at a time in milliseconds since 1970. */
export interface KeyUse {
  tenant_id: TenantId;
  key_id: string;
  at: number;
}
