import { createBatcher } from '../db/batcher.ts';
import { type Db, isBadValue } from '../db/pool.ts';
import { persistently } from '../db/retry.ts';
import { type EventId, type MessageId, newId } from '../domain/ids.ts';
import type { LaneClaim } from '../domain/lane.ts';
import type { Outcome } from '../domain/outcome.ts';
import { afterError, backoff, type RetrySettings } from '../domain/retry.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import {
  type AttemptAgain,
  type AttemptKey,
  type FailedAttempt,
  type SettledRow,
  settleFailedAttempts,
  settleForAnother,
  settleSent,
  settleUnknownAttempts,
} from '../store/sending.write.ts';
import type { BegunSend } from './begin-sends.ts';

/**
 * Settling: what came of a call becomes the state of its message, many at a time. One function maps the closed union of
 * outcomes to what is written. A settlement that the database cannot take now is tried until it can: its attempt is
 * recorded, so at worst it becomes doubtful.
 */
export interface Settler {
  /** Settles one attempt. Resolves when that is durable, to whether it changed the message. */
  settle(send: BegunSend, outcome: Outcome): Promise<Settled>;
  /** Resolves when nothing waits. */
  idle(): Promise<void>;
}

export interface Settled {
  /** false: a receipt, another owner or a person was there before. */
  changed: boolean;
  kind: 'sent' | 'again' | 'failed' | 'unknown';
  /** From acceptance to sent, in seconds; 0 for other kinds. */
  seconds: number;
}

export interface SettlerOptions {
  db: Db;
  signals: Signals;
  /** The lanes owned now. */
  owner: () => LaneClaim;
  retry: RetrySettings;
  /** Most attempts of a message; null: until its validity ends. */
  maxAttempts: number | null;
  /** Milliseconds in which a message may be tried, from when it may leave. */
  validity: number;
  /** The first of the counters' rows that this instance adds to. */
  slot: number;
  random?: () => number;
}

type Settlement =
  | { kind: 'sent'; lane: number; key: AttemptKey; wamid: string }
  | { kind: 'again'; lane: number; row: AttemptAgain }
  | { kind: 'failed'; lane: number; row: FailedAttempt }
  | { kind: 'unknown'; lane: number; key: AttemptKey };

const MOST_TOGETHER = 250;
const MOST_WAITING = 50_000;
/** Milliseconds. Nobody waits for a settlement but the room for the next call. */
const GATHER = 3;

export function createSettler(options: SettlerOptions): Settler {
  const { db, signals, random = Math.random } = options;
  const batcher = createBatcher<Settlement, Settled>({
    max: MOST_TOGETHER,
    parallel: 2,
    limit: MOST_WAITING,
    gather: GATHER,
    run: (settlements, slot) =>
      persistently(() => writeSettlements(db, signals, options.owner(), settlements, options.slot + slot)),
    blameOne: isBadValue,
  });
  return {
    settle: (send, outcome) => batcher.add(settlementOf(send, outcome, options, random())),
    idle: () => batcher.idle(),
  };
}

/** What an outcome means for its message. `random` is a number from 0 to 1. */
export function settlementOf(
  send: BegunSend,
  outcome: Outcome,
  options: Pick<SettlerOptions, 'retry' | 'maxAttempts' | 'validity'>,
  random: number,
): Settlement {
  const lane = send.lane_id;
  const key: AttemptKey = {
    tenant: send.tenant_id,
    message: send.message_id,
    attempt: send.attempt,
    event: newId<EventId>(),
  };
  const failed = (code: number, title: string, detail: string | null): Settlement => {
    const row: FailedAttempt = {
      ...key,
      code,
      word: 'send_failed',
      title,
      detail,
      source: 'answer',
      outcome: 'refused',
    };
    return { kind: 'failed', lane, row };
  };
  const again = (delay: number, code: number | null, title: string): Settlement => {
    const exhausted = options.maxAttempts !== null && send.attempt >= options.maxAttempts;
    const over = send.started_at + delay > send.waiting_since.getTime() + options.validity;
    if (exhausted || over) return failed(code ?? 0, title, exhausted ? 'no attempts left' : 'no time left');
    return { kind: 'again', lane, row: { ...key, delay, outcome: 'retry', code, detail: title } };
  };
  switch (outcome.kind) {
    case 'sent':
      return { kind: 'sent', lane, key, wamid: outcome.wamid };
    case 'unknown':
      return { kind: 'unknown', lane, key };
    case 'refused':
      return failed(outcome.code, outcome.title, outcome.detail);
    case 'again': {
      const delay = backoff(send.attempt, options.retry, outcome.retryAfter, random);
      return again(
        delay,
        outcome.code,
        outcome.detail === null ? outcome.title : `${outcome.title}: ${outcome.detail}`,
      );
    }
    case 'not_sent':
      return again(backoff(send.attempt, options.retry, null, random), null, outcome.detail);
    case 'error': {
      const next = afterError(outcome.code, send.attempt, options.retry, outcome.retryAfter, random);
      if (next.kind === 'fail') return failed(outcome.code, outcome.title, outcome.detail);
      return again(next.delay, outcome.code, outcome.detail ?? outcome.title);
    }
  }
}

async function writeSettlements(
  db: Db,
  signals: Signals,
  owner: LaneClaim,
  settlements: readonly Settlement[],
  slot: number,
): Promise<Settled[]> {
  const sent = settlements.filter((s) => s.kind === 'sent');
  const again = settlements.filter((s) => s.kind === 'again');
  const failed = settlements.filter((s) => s.kind === 'failed');
  const unknown = settlements.filter((s) => s.kind === 'unknown');
  const changed = new Map<MessageId, SettledRow>();
  const keep = (rows: SettledRow[]) => {
    for (const row of rows) changed.set(row.message_id, row);
  };
  await failpoint('settle.before_commit');
  const sentKeys = sent.map((s) => ({ ...s.key, wamid: s.wamid }));
  if (sent.length > 0) keep(await settleSent(db, owner, sentKeys, slot));
  if (again.length > 0)
    keep(
      await settleForAnother(
        db,
        owner,
        again.map((s) => s.row),
      ),
    );
  if (failed.length > 0)
    keep(
      await settleFailedAttempts(
        db,
        owner,
        failed.map((s) => s.row),
        slot,
      ),
    );
  if (unknown.length > 0)
    keep(
      await settleUnknownAttempts(
        db,
        owner,
        unknown.map((s) => s.key),
      ),
    );
  await failpoint('settle.after_commit');
  for (const tenant of new Set([...changed.values()].map((row) => row.tenant_id))) signals.notify(`events:${tenant}`);
  for (const id of changed.keys()) signals.notify(`message:${id}`);
  return settlements.map((s) => {
    const row = changed.get('key' in s ? s.key.message : s.row.message);
    return { changed: row !== undefined, kind: s.kind, seconds: row?.seconds ?? 0 };
  });
}
