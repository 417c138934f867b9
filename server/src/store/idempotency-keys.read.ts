import type { Queryable } from '../db/pool.ts';
import type { MessageId, TenantId } from '../domain/ids.ts';

export interface UsedKey {
  request_hash: Buffer;
  /** Null: the key was used for a batch. */
  message_id: MessageId | null;
}

const find = {
  name: 'idempotency_keys_find',
  text: 'select request_hash, message_id from idempotency_keys where tenant_id = $1 and key = $2',
};

/** What a key was used for, or null. */
export async function findUsedKey(tx: Queryable, tenant: TenantId, key: string): Promise<UsedKey | null> {
  const [row] = await tx.query<UsedKey>(find, [tenant, key]);
  return row ?? null;
}
