import { createBatcher } from '../db/batcher.ts';
import type { Db, Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { ERRORS } from '../domain/errors.ts';
import { type BatchId, type InstanceId, type MessageId, newId, type TenantId } from '../domain/ids.ts';
import type { LimitReached } from '../domain/limits.ts';
import type { NewMessage } from '../domain/message.ts';
import { type Refusal, ruleOn } from '../domain/recipient-rules.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import { type AcceptRow, insertAcceptedMessages } from '../store/accept.write.ts';
import {
  advance,
  type BatchError,
  findBatchMessages,
  findStoredBatch,
  insertBatchKey,
  insertEmptyBatch,
  lockBatchKey,
  ownsBatchKey,
  releaseMessages,
  takeBatchKey,
} from '../store/batches.write.ts';
import { announce, INSTEAD, lookUp, newPlan } from './accept-messages.ts';
import type {
  AcceptedBatch,
  AcceptedItem,
  BatchItem,
  Idempotency,
  IdempotencyConflict,
  ItemRefusal,
} from './accepted.ts';
import { isLimited, type LimitRoom, openLimitRoom } from './limit-room.ts';

/**
 * Accepting a batch. Without a key it is one transaction: all of it or nothing. With a key it is stored in chunks, each a
 * transaction that records how far it came; a repeat after a crash goes on from there, and nothing of it leaves before its
 * last chunk, which makes all its messages due at once.
 */
export interface BatchAcceptorDeps {
  db: Db;
  signals: Signals;
  instance: InstanceId;
  /** The first of the counters' rows that this instance adds to. */
  slot: number;
}

export type AcceptBatch = (
  tenant: TenantId,
  items: readonly BatchItem[],
  idempotency: Idempotency | null,
) => Promise<AcceptedBatch>;

const CHUNK = 500;
/** Of the counters: behind those that single messages use. */
const BATCH_SLOT = 2;
/** Transactions that store batches at once. Each has counters of its own; more would only take from single messages. */
const WRITERS = 2;
const MOST_WAITING = 1000;

/** What stores batches: the dependencies, and turns for their transactions. */
interface Storing extends BatchAcceptorDeps {
  /**
   * Does a transaction when it is its turn, again when another came between. `counters`: the row that it may add to.
   * @param limited whether it waits for limits: then it has to see what others left of them.
   */
  inTurn<T>(limited: boolean, write: (tx: Queryable, counters: number) => Promise<T>): Promise<T>;
}

/** Makes the acceptor of batches. */
export function createBatchAcceptor(options: BatchAcceptorDeps): AcceptBatch {
  const turns = createBatcher<(counters: number) => Promise<void>, void>({
    max: 1,
    parallel: WRITERS,
    limit: MOST_WAITING,
    run: async (writes, slot) => {
      for (const write of writes) await write(options.slot + BATCH_SLOT + slot);
      return [];
    },
  });
  const deps: Storing = {
    ...options,
    async inTurn<T>(limited: boolean, write: (tx: Queryable, counters: number) => Promise<T>): Promise<T> {
      const { db } = options;
      const result: T[] = [];
      await turns.add(async (counters) => {
        const work = (tx: Queryable) => write(tx, counters);
        result.push(await retryingOnConflict(() => (limited ? db.inTurn(work) : db.transaction(work))));
      });
      return result[0] as T;
    },
  };
  // What this instance is storing now: a repeat that comes meanwhile is told so.
  const storing = new Set<string>();
  return async (tenant, items, idempotency) => {
    if (!idempotency) return acceptWhole(deps, tenant, items);
    const name = `${tenant} ${idempotency.key}`;
    if (storing.has(name)) return { kind: 'in_progress' };
    storing.add(name);
    try {
      return await acceptInChunks(deps, tenant, items, idempotency);
    } catch (error) {
      // Where the database cannot be told, the key is free when this instance is gone.
      await letKeyGo(deps, tenant, idempotency.key).catch(() => {});
      throw error;
    } finally {
      storing.delete(name);
    }
  };
}

async function acceptWhole(
  { signals, inTurn }: Storing,
  tenant: TenantId,
  items: readonly BatchItem[],
): Promise<AcceptedBatch> {
  const batch = newId<BatchId>();
  const limited = items.some(isLimitedItem);
  const chunks = await inTurn(limited, async (tx, slot) => {
    const room = limited ? await roomFor(tx, tenant, items) : null;
    await insertEmptyBatch(tx, tenant, batch, items.length);
    const stored: StoredChunk[] = [];
    for (let from = 0; from < items.length; from += CHUNK) {
      stored.push(await storeChunk(tx, tenant, batch, items, from, { due: true, slot, room }));
    }
    await failpoint('accept.before_commit');
    return stored;
  });
  await failpoint('accept.after_commit');
  const messages: AcceptedItem[] = [];
  const errors: BatchError[] = [];
  for (const chunk of chunks) {
    announce(signals, chunk.rows);
    for (const { batchIndex, id, fallback } of chunk.rows) {
      messages.push(itemOf(batchIndex as number, id, fallback !== null && 'taken' in fallback));
    }
    errors.push(...chunk.errors);
  }
  return answer(batch, false, messages, errors);
}

async function acceptInChunks(
  deps: Storing,
  tenant: TenantId,
  items: readonly BatchItem[],
  { key, hash }: Idempotency,
): Promise<AcceptedBatch> {
  const { db, signals, instance } = deps;
  const claim = await retryingOnConflict(() => claimKey(deps, tenant, key, hash, items.length));
  if (claim.kind !== 'mine') return claim.kind === 'done' ? storedAnswer(db, tenant, claim.batch, true) : claim;
  const { batch } = claim;
  let from = (await findStoredBatch(db, tenant, batch))?.stored_through ?? 0;
  while (from < items.length) {
    const start = from;
    const part = items.slice(start, start + CHUNK);
    const limited = part.some(isLimitedItem);
    const chunk = await deps.inTurn(limited, async (tx, slot) => {
      if (!(await ownsBatchKey(tx, tenant, key, instance))) return null;
      const room = limited ? await roomFor(tx, tenant, part) : null;
      const stored = await storeChunk(tx, tenant, batch, items, start, { due: false, slot, room });
      const lanes = stored.to === items.length ? await releaseMessages(tx, tenant, batch) : new Set<number>();
      await failpoint('accept.before_commit');
      return { ...stored, lanes };
    });
    if (!chunk) return { kind: 'in_progress' };
    await failpoint('batch.after_chunk');
    signals.notify(`events:${tenant}`);
    for (const lane of chunk.lanes) signals.notify(`due:${lane}`);
    from = chunk.to;
  }
  return storedAnswer(db, tenant, batch, claim.resumed);
}

type Claim =
  | { kind: 'mine'; batch: BatchId; resumed: boolean }
  | { kind: 'done'; batch: BatchId }
  | IdempotencyConflict;

/** Makes this instance the one that stores the batch of a key, or tells why not. */
function claimKey(
  { db, instance }: BatchAcceptorDeps,
  tenant: TenantId,
  key: string,
  hash: Buffer,
  total: number,
): Promise<Claim> {
  return db.transaction(async (tx): Promise<Claim> => {
    const batch = newId<BatchId>();
    if (await insertBatchKey(tx, tenant, key, hash, batch, instance)) {
      await insertEmptyBatch(tx, tenant, batch, total);
      return { kind: 'mine', batch, resumed: false };
    }
    const known = await lockBatchKey(tx, tenant, key);
    if (!known?.batch_id || !known.request_hash.equals(hash)) return { kind: 'mismatch' };
    if (known.complete) return { kind: 'done', batch: known.batch_id };
    if (known.owned && known.owner !== instance) return { kind: 'in_progress' };
    await takeBatchKey(tx, tenant, key, instance);
    return { kind: 'mine', batch: known.batch_id, resumed: true };
  });
}

/** Lets any instance go on with the batch of a key, if it is still this one's. */
function letKeyGo({ db, instance }: BatchAcceptorDeps, tenant: TenantId, key: string): Promise<void> {
  return db.transaction(async (tx) => {
    if (await ownsBatchKey(tx, tenant, key, instance)) await takeBatchKey(tx, tenant, key, null);
  });
}

interface StoredChunk {
  to: number;
  rows: readonly AcceptRow[];
  errors: readonly BatchError[];
}

/** Stores one chunk: its good items as messages, its refused ones as errors of the batch. */
async function storeChunk(
  tx: Queryable,
  tenant: TenantId,
  batch: BatchId,
  items: readonly BatchItem[],
  from: number,
  { due, slot, room }: { due: boolean; slot: number; room: LimitRoom | null },
): Promise<StoredChunk> {
  const to = Math.min(from + CHUNK, items.length);
  const errors: BatchError[] = [];
  const good: { tenant: TenantId; message: NewMessage; idempotency: null }[] = [];
  const indexes: number[] = [];
  for (let index = from; index < to; index++) {
    const item = items[index] as BatchItem;
    if (item.kind === 'refused') errors.push({ index, ...item.error });
    else {
      good.push({ tenant, message: item.message, idempotency: null });
      indexes.push(index);
    }
  }
  const plan = newPlan(slot, due);
  if (good.length > 0) {
    const known = await lookUp(tx, good);
    for (let i = 0; i < good.length; i++) {
      const request = good[i] as (typeof good)[number];
      const before = known[i] as (typeof known)[number];
      const index = indexes[i] as number;
      const ruling = ruleOn(request.message, before);
      if (ruling.kind === 'refused') {
        errors.push({ index, ...refusalOf(ruling.code) });
        continue;
      }
      const ruled = { ...request, message: ruling.message };
      const instead = ruling.kind === 'instead';
      if (room === null) plan.add(ruled, before, { id: batch, index }, null, instead);
      else {
        const stored = plan.addWithin(room, ruled, before, { id: batch, index }, instead);
        if ('code' in stored) errors.push({ index, ...refusalOf(stored.code) });
      }
    }
    if (room !== null) plan.write.taken = room.taken();
    errors.sort((one, other) => one.index - other.index);
    if (plan.write.rows.length > 0) await insertAcceptedMessages(tx, plan.write);
  }
  await advance(tx, tenant, batch, { from, to, accepted: plan.write.rows.length, errors });
  return { to, rows: plan.write.rows, errors };
}

function isLimitedItem(item: BatchItem): boolean {
  return item.kind === 'message' && isLimited(item.message);
}

/** Holds what all these items may need, at once and so in one order: two batches then never wait for each other. */
function roomFor(tx: Queryable, tenant: TenantId, items: readonly BatchItem[]): Promise<LimitRoom> {
  return openLimitRoom(
    tx,
    items.flatMap((item) => (item.kind === 'message' ? [{ tenant, message: item.message }] : [])),
  );
}

function refusalOf(code: LimitReached['code'] | Refusal): ItemRefusal {
  return { error: code, code: code.toUpperCase(), message: ERRORS[code].text, field: null };
}

async function storedAnswer(db: Db, tenant: TenantId, batch: BatchId, replayed: boolean): Promise<AcceptedBatch> {
  const stored = await findStoredBatch(db, tenant, batch);
  const messages = await findBatchMessages(db, tenant, batch);
  const items = messages.map(({ index, id, sent_as_template }) => itemOf(index, id, sent_as_template));
  return answer(batch, replayed, items, stored?.errors ?? []);
}

function itemOf(index: number, id: MessageId, instead: boolean): AcceptedItem {
  return instead ? { index, id, warnings: [...INSTEAD] } : { index, id };
}

function answer(batch_id: BatchId, replayed: boolean, messages: AcceptedItem[], errors: BatchError[]): AcceptedBatch {
  return {
    kind: 'accepted',
    replayed,
    batch_id,
    accepted: messages.length,
    refused: errors.length,
    messages,
    errors,
  };
}
