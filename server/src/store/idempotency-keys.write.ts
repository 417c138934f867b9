import type { Queryable } from '../db/pool.ts';
import type { MessageId, TenantId } from '../domain/ids.ts';

const insert = {
  name: 'idempotency_keys_insert',
  text: 'insert into idempotency_keys (tenant_id, key, request_hash, message_id) values ($1, $2, $3, $4)',
};

/**
 * Keeps a key with what it was used for.
 * @throws a unique violation when it was used meanwhile.
 */
export async function insertUsedKey(
  tx: Queryable,
  tenant: TenantId,
  key: string,
  hash: Buffer,
  message: MessageId,
): Promise<void> {
  await tx.query(insert, [tenant, key, hash, message]);
}
