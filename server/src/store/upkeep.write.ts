import type { Queryable } from '../db/pool.ts';

/** Upkeep of the store itself, over all tenants. */
const findGrown = {
  name: 'upkeep_find_grown',
  text: `
select c.relname as table from pg_class c join pg_stat_user_tables s on s.relid = c.oid
where c.relnamespace = current_schema()::regnamespace and s.n_mod_since_analyze > greatest(50, 2 * c.reltuples)`,
};

/** The tables that have more than tripled since their statistics were taken. */
export async function findGrownTables(tx: Queryable): Promise<string[]> {
  return (await tx.query<{ table: string }>(findGrown)).map((row) => row.table);
}

/** Takes the statistics of a table anew; plans that stand on it are made again. */
export async function analyzeTable(tx: Queryable, table: string): Promise<void> {
  await tx.script(`analyze "${table.replaceAll('"', '""')}"`);
}

const pruneKeys = {
  name: 'upkeep_prune_keys',
  text: `
delete from idempotency_keys where (tenant_id, key) in (
  select k.tenant_id, k.key from idempotency_keys k
  left join batches b on b.tenant_id = k.tenant_id and b.id = k.batch_id
  where k.created_at < now() - $1 * interval '1 ms' and coalesce(b.complete, true)
  order by k.created_at limit $2)
returning 1 as yes`,
};

/** Forgets idempotency keys older than `age` ms, at most `limit`. One of a batch that is not whole yet is kept. */
export async function pruneIdempotencyKeys(tx: Queryable, age: number, limit: number): Promise<number> {
  return (await tx.query(pruneKeys, [age, limit])).length;
}

const pruneRaw = {
  name: 'upkeep_prune_raw',
  text: `
delete from raw_webhooks r where (r.app_id, r.id) in (
  select w.app_id, w.id from raw_webhooks w
  where w.id < $1 and not exists (select from inbound_work i where w.id = any(i.raw_ids))
  order by w.app_id, w.id limit $2)
returning 1 as yes`,
};

/** Forgets applied webhooks with an id below `before`, at most `limit`. */
export async function pruneRawWebhooks(tx: Queryable, before: string, limit: number): Promise<number> {
  return (await tx.query(pruneRaw, [before, limit])).length;
}

const pruneParked = {
  name: 'upkeep_prune_parked',
  text: `delete from parked_receipts where received_at < now() - $1 * interval '1 ms' returning 1 as yes`,
};

/** Forgets parked receipts older than `age` ms: their message was never ours. */
export async function pruneParkedReceipts(tx: Queryable, age: number): Promise<number> {
  return (await tx.query(pruneParked, [age])).length;
}

const fold = {
  name: 'upkeep_fold_counts',
  text: `
with many as materialized (
  select tenant_id, sender_id, direction, type, from_state, to_state from message_counts
  group by tenant_id, sender_id, direction, type, from_state, to_state having count(*) > $1 limit $2
), gone as (
  delete from message_counts c using many m
  where (c.tenant_id, c.sender_id, c.direction, c.type, c.from_state, c.to_state)
    = (m.tenant_id, m.sender_id, m.direction, m.type, m.from_state, m.to_state) and c.slot <> 0
  returning c.*
)
insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
select tenant_id, sender_id, direction, type, from_state, to_state, 0, sum(n) from gone
group by tenant_id, sender_id, direction, type, from_state, to_state
on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot)
do update set n = message_counts.n + excluded.n
returning 1 as yes`,
};

/**
 * Adds up counters that are spread over more than `most` rows into one, at most `limit` of them. Each start of an instance
 * draws slots of its own, so they would grow with the number of starts.
 */
export async function foldCounts(tx: Queryable, most: number, limit: number): Promise<number> {
  return (await tx.query(fold, [most, limit])).length;
}
