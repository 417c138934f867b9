import type { Queryable } from '../db/pool.ts';
import type { BatchId, InstanceId, MessageId, TenantId } from '../domain/ids.ts';
import type { ItemRefusal } from '../domain/message.ts';

const insertBatch = {
  name: 'batch_insert',
  text: 'insert into batches (tenant_id, id, total) values ($1, $2, $3)',
};

/** Makes an empty batch: nothing of it leaves before it is complete. */
export async function insertEmptyBatch(tx: Queryable, tenant: TenantId, id: BatchId, total: number): Promise<void> {
  await tx.query(insertBatch, [tenant, id, total]);
}

const insertKey = {
  name: 'batch_insert_key',
  text: `
insert into idempotency_keys (tenant_id, key, request_hash, batch_id, owner) values ($1, $2, $3, $4, $5)
on conflict do nothing returning batch_id`,
};

/** Takes an idempotency key for a batch. false: somebody has it. */
export async function insertBatchKey(
  tx: Queryable,
  tenant: TenantId,
  key: string,
  hash: Buffer,
  batch: BatchId,
  owner: InstanceId,
): Promise<boolean> {
  return (await tx.query(insertKey, [tenant, key, hash, batch, owner])).length === 1;
}

export interface BatchKey {
  request_hash: Buffer;
  batch_id: BatchId | null;
  complete: boolean | null;
  /** Whether the instance that was storing it still lives. */
  owned: boolean;
  owner: InstanceId | null;
}

const lockKey = {
  name: 'batch_lock_key',
  text: `
select k.request_hash, k.batch_id, b.complete, k.owner,
  exists (select from instances i where i.id = k.owner and i.expires_at > clock_timestamp()) as owned
from idempotency_keys k left join batches b on b.tenant_id = k.tenant_id and b.id = k.batch_id
where k.tenant_id = $1 and k.key = $2 for update of k`,
};

/** Reads a key and holds it until the transaction ends. */
export async function lockBatchKey(tx: Queryable, tenant: TenantId, key: string): Promise<BatchKey | undefined> {
  const [row] = await tx.query<BatchKey>(lockKey, [tenant, key]);
  return row;
}

const takeKey = {
  name: 'batch_take_key',
  text: 'update idempotency_keys set owner = $3 where tenant_id = $1 and key = $2',
};

/** Makes an instance the one that stores the batch on. */
export async function takeBatchKey(
  tx: Queryable,
  tenant: TenantId,
  key: string,
  owner: InstanceId | null,
): Promise<void> {
  await tx.query(takeKey, [tenant, key, owner]);
}

const checkOwner = {
  name: 'batch_check_owner',
  text: 'select 1 as yes from idempotency_keys where tenant_id = $1 and key = $2 and owner = $3 for share',
};

/** Whether an instance still is the one that stores the batch; holds that until the transaction ends. */
export async function ownsBatchKey(tx: Queryable, tenant: TenantId, key: string, owner: InstanceId): Promise<boolean> {
  return (await tx.query(checkOwner, [tenant, key, owner])).length === 1;
}

const advanceBatch = {
  name: 'batch_advance',
  text: `
update batches set stored_through = $4, accepted = accepted + $5, errors = errors || $6::jsonb, complete = ($4 = total)
where tenant_id = $1 and id = $2 and stored_through = $3 and not complete returning complete`,
};

/** One refused item, by its place in the batch. */
export type BatchError = { index: number } & ItemRefusal;

/**
 * Records that a batch is stored up to `to`. The last chunk completes it.
 * @throws when the batch is not where the caller thinks: then somebody else went on with it.
 */
export async function advance(
  tx: Queryable,
  tenant: TenantId,
  id: BatchId,
  chunk: { from: number; to: number; accepted: number; errors: readonly BatchError[] },
): Promise<void> {
  const values = [tenant, id, chunk.from, chunk.to, chunk.accepted, JSON.stringify(chunk.errors)];
  const rows = await tx.query(advanceBatch, values);
  if (rows.length !== 1) throw new Error(`batch ${id} is not stored through ${chunk.from}`);
}

// Its templates are looked for once each, however many messages they have.
const releaseBatch = {
  name: 'batch_release',
  text: `
with b as materialized (
  select m.tenant_id, m.id, m.sender_id, m.priority, m.scheduled_at, m.expires_at, m.template ->> 'name' as name,
    m.template ->> 'language' as language, s.lane_id, s.account_id
  from messages m join senders s on s.tenant_id = m.tenant_id and s.id = m.sender_id
  where m.tenant_id = $1 and m.batch_id = $2 and m.state = 'queued'
), t as materialized (
  select n.account_id, n.name, n.language, t.id, t.status
  from (select distinct account_id, name, language from b where name is not null) n
  join templates t on t.tenant_id = $1 and t.account_id = n.account_id and t.name = n.name and t.language = n.language
)
insert into due (tenant_id, message_id, lane_id, sender_id, priority, due_at, expires_at, template_id, held)
select b.tenant_id, b.id, b.lane_id, b.sender_id, b.priority, greatest(now(), b.scheduled_at), b.expires_at, t.id,
  case when t.status = 'PAUSED' then 'template' end
from b left join t on t.account_id = b.account_id and t.name = b.name and t.language = b.language
returning lane_id`,
};

/** Makes the messages of a complete batch due, and tells which lanes have work now. */
export async function releaseMessages(tx: Queryable, tenant: TenantId, id: BatchId): Promise<Set<number>> {
  const rows = await tx.query<{ lane_id: number }>(releaseBatch, [tenant, id]);
  return new Set(rows.map((row) => row.lane_id));
}

const findBatch = {
  name: 'batch_find_stored',
  text: 'select complete, stored_through, accepted, errors from batches where tenant_id = $1 and id = $2',
};

export interface StoredBatch {
  complete: boolean;
  stored_through: number;
  accepted: number;
  errors: BatchError[];
}

/** How far a batch is stored. */
export async function findStoredBatch(tx: Queryable, tenant: TenantId, id: BatchId): Promise<StoredBatch | undefined> {
  const [row] = await tx.query<StoredBatch>(findBatch, [tenant, id]);
  return row;
}

const findMessages = {
  name: 'batch_find_messages',
  text: `
select batch_index as index, id, coalesce(fallback ->> 'taken' = 'accepting', false) as sent_as_template
from messages where tenant_id = $1 and batch_id = $2 order by batch_index`,
};

/** The accepted messages of a batch by their place in it. */
export function findBatchMessages(
  tx: Queryable,
  tenant: TenantId,
  id: BatchId,
): Promise<{ index: number; id: MessageId; sent_as_template: boolean }[]> {
  return tx.query<{ index: number; id: MessageId; sent_as_template: boolean }>(findMessages, [tenant, id]);
}
