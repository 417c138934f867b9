import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { type EventId, type MessageId, newId, type TenantId } from '../domain/ids.ts';
import { pausedCountry } from '../domain/pause.ts';
import { pauseOf, WINDOW_CLOSED } from '../domain/provider-errors.ts';
import { type FailedReceipt, mergeReceipts, type ParkedReceipt, type Receipt } from '../domain/receipt.ts';
import { type AfterError, afterError, type RetrySettings } from '../domain/retry.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import { type FallbackTaken, takeFallbacksByReceipt } from '../store/fallbacks.write.ts';
import { findMessage } from '../store/messages.read.ts';
import {
  applyFailedReceipts,
  applyMergedReceipts,
  deleteParkedReceipts,
  type FailedReceiptRow,
  findMessagesByWamid,
  findParkedReceipts,
  parkReceipts,
  type WamidRow,
} from '../store/receipts.write.ts';
import { openPauses, type Trouble } from './pauses.ts';
import type { RefusedMessage } from './provider-stops.ts';

/** Receipts that name their messages, and the work they came from. */
export interface ReceiptBatch {
  receipts: readonly Receipt[];
  failed: readonly FailedReceipt[];
  /** Inbound work that is done when these are applied. */
  doneWork: readonly string[];
}

/** What decides whether bad news is the end of a message. */
export interface ReceiptRules {
  retry: RetrySettings;
  /** Most attempts of a message; null: until its validity ends. */
  maxAttempts: number | null;
  /** Milliseconds from its acceptance in which a message may be tried. */
  validity: number;
  /** Which of the counters' rows to add to. */
  slot: number;
  /** Told of bad news, once or more, before it is applied. Must not throw. */
  refused?: (refused: readonly RefusedMessage[]) => void;
  random?: () => number;
}

export interface AppliedReceipts {
  /** Messages that changed. */
  changed: number;
  /** Of these, messages whose own answer had not come: the receipt settled a doubt. */
  byReceipt: number;
}

/**
 * Applies receipts in any order and any number of times: the rows are the same in the end. Bad news goes first, so that
 * good news of the same webhook beats it.
 */
export async function applyReceipts(
  db: Db,
  signals: Signals,
  batch: ReceiptBatch,
  rules: ReceiptRules,
): Promise<AppliedReceipts> {
  const { retry, maxAttempts, validity, slot, random = Math.random } = rules;
  const tenants = new Set<TenantId>();
  let changed = 0;
  if (batch.failed.length > 0) rules.refused?.(batch.failed);
  for (const round of oneAMessage(batch.failed)) {
    let rows = round.map((failed) => {
      const attempt = failed.attempt ?? 1;
      const next = afterError(failed.code, attempt, retry, null, random());
      return { ...failed, event: newId<EventId>(), ...followed(next, maxAttempts === null || attempt < maxAttempts) };
    });
    const instead = await takeInstead(db, rows, rules);
    for (const row of instead) {
      changed++;
      tenants.add(row.tenant_id);
      signals.notify(`due:${row.lane_id}`);
    }
    const gone = new Set<string>(instead.map((row) => row.message_id));
    if (gone.size > 0) rows = rows.filter((row) => !gone.has(row.message));
    const failed = await retryingOnConflict(() => applyFailedReceipts(db, rows, slot, validity));
    for (const row of failed) {
      changed++;
      tenants.add(row.tenant_id);
    }
    await shutQueues(db, signals, rows, new Set(failed.map((row) => row.message_id)), random);
  }
  const merged = mergeReceipts(batch.receipts).map((receipt) => ({ ...receipt, event: newId<EventId>() }));
  await failpoint('apply.before_commit');
  const rows = await retryingOnConflict(() => applyMergedReceipts(db, merged, slot, batch.doneWork));
  await failpoint('apply.after_commit');
  let byReceipt = 0;
  for (const row of rows) {
    if (row.by_receipt) byReceipt++;
    tenants.add(row.tenant_id);
  }
  for (const tenant of tenants) signals.notify(`events:${tenant}`);
  return { changed: changed + rows.length, byReceipt };
}

/** When the next attempt may be, and what it waits for; a null delay: there is none. What a pause holds, no lack of attempts ends. */
function followed(next: AfterError, isLeft: boolean): Pick<FailedReceiptRow, 'delay' | 'cause'> {
  if (next.kind === 'held' && next.by === 'pause') return { delay: 0, cause: null };
  if (next.kind === 'fail' || !isLeft) return { delay: null, cause: null };
  return { delay: next.delay, cause: next.kind === 'again' ? next.cause : 'retry_wait' };
}

/** Shuts what bad news says nothing will pass through. News that changed nothing was told before, and is none of the present. */
async function shutQueues(
  db: Db,
  signals: Signals,
  rows: readonly FailedReceiptRow[],
  changed: ReadonlySet<MessageId>,
  random: () => number,
): Promise<void> {
  const troubles: Trouble[] = [];
  for (const { tenant, sender, message, code, title, detail } of rows) {
    const shut = pauseOf(code);
    if (shut === null || !changed.has(message)) continue;
    const country =
      shut.scope === 'country' ? pausedCountry((await findMessage(db, tenant, message))?.address ?? '') : null;
    troubles.push({ tenant, sender, ...shut, code, title, detail, country });
  }
  await openPauses(db, signals, troubles, random);
}

/** Of messages whose customer's window is closed, those that have a fallback: it goes instead. */
async function takeInstead(
  db: Db,
  rows: readonly FailedReceiptRow[],
  { slot, validity }: ReceiptRules,
): Promise<FallbackTaken[]> {
  const outside = rows.filter(({ code }) => code === WINDOW_CLOSED);
  if (outside.length === 0) return [];
  await failpoint('fallback.before_commit');
  const taken = await retryingOnConflict(() => takeFallbacksByReceipt(db, outside, slot, validity));
  if (taken.length > 0) await failpoint('fallback.after_commit');
  return taken;
}

/** Splits receipts into rounds in which no message is named twice. */
function* oneAMessage(failed: readonly FailedReceipt[]): Generator<FailedReceipt[]> {
  let rest = [...failed];
  while (rest.length > 0) {
    const named = new Set<string>();
    const later: FailedReceipt[] = [];
    const now = rest.filter((one) => {
      if (named.has(one.message)) later.push(one);
      else named.add(one.message);
      return !later.includes(one);
    });
    yield now;
    rest = later;
  }
}

/** Finds the messages that the provider's ids name. */
export function findByWamid(db: Db, asked: readonly { tenant: TenantId; wamid: string }[]): Promise<WamidRow[]> {
  return findMessagesByWamid(db, asked);
}

/** Keeps receipts whose message is not known (yet). */
export function parkUnknown(db: Db, parked: readonly ParkedReceipt[]): Promise<void> {
  return parkReceipts(db, parked);
}

const MOST_PARKED = 500;

/** Parked receipts whose message is known by now. */
export function findParked(db: Db): Promise<ParkedReceipt[]> {
  return findParkedReceipts(db, MOST_PARKED);
}

/** Forgets parked receipts once they are applied. */
export function forgetParked(db: Db, parked: readonly ParkedReceipt[]): Promise<void> {
  return deleteParkedReceipts(db, parked);
}
