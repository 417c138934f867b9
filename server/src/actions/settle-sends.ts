import { createBatcher } from '../db/batcher.ts';
import { type Db, isBadValue } from '../db/pool.ts';
import { persistently, retryingOnConflict } from '../db/retry.ts';
import type { DeferralCause } from '../domain/causes.ts';
import { type EventId, type MessageId, newId, type SenderId, type TenantId } from '../domain/ids.ts';
import { type LaneClaim, narrowed } from '../domain/lane.ts';
import type { Outcome } from '../domain/outcome.ts';
import { isTrouble } from '../domain/pause.ts';
import { WINDOW_CLOSED } from '../domain/provider-errors.ts';
import { afterError, backoff, type RetrySettings } from '../domain/retry.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import { type FallbackTaken, takeFallbacks } from '../store/fallbacks.write.ts';
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
import { doubtTemplates, type HeldAttempt, settleHeldAttempts } from '../store/template-holds.write.ts';
import type { BegunSend } from './begin-sends.ts';
import type { RefusedMessage } from './provider-stops.ts';

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
  kind: 'sent' | 'again' | 'held' | 'failed' | 'unknown';
  /** From acceptance to sent, in seconds; 0 for other kinds. */
  seconds: number;
  /** Milliseconds until the next attempt; null: there is none. */
  again: number | null;
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
  /** Told of what the provider refuses, once or more, before it is settled. Must not throw. */
  refused?: (refused: readonly RefusedMessage[]) => void;
  /** Told of messages that became sent, after the commit. Must not throw, nor take long. Absent: nobody wants to know. */
  sent?: ((sent: readonly SentMessage[]) => void) | undefined;
  /** Whether a sender's queue is shut. What the trouble that shut it did to a message is no attempt of the message's. */
  paused?: (sender: SenderId) => boolean;
  random?: () => number;
}

/** A message that the provider has. */
export interface SentMessage {
  tenant: TenantId;
  message: MessageId;
  /** The provider's id. */
  wamid: string;
  /** When it was settled, in milliseconds since 1970. */
  at: number;
}

type Settlement =
  | { kind: 'sent'; lane: number; key: AttemptKey; wamid: string }
  | { kind: 'again'; lane: number; row: AttemptAgain }
  | { kind: 'held'; lane: number; row: HeldAttempt }
  | { kind: 'failed'; lane: number; row: FailedAttempt }
  | { kind: 'unknown'; lane: number; key: AttemptKey };

/** The provider's word for a template that is disabled: this is the end of its messages. */
const DISABLED = 132016;
/** It is another than is known here, or none: missing, of other parameters, against a policy (Meta: support/error-codes). */
const DOUBTFUL: readonly number[] = [132_000, 132_001, 132_007, 132_012, DISABLED, 132_018];
/** One of a template is enough. */
const MOST_DOUBTED = 20;
/** Milliseconds between two readings of an account's templates for such a reason. */
const DOUBT_REST = 60_000;

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
    async run(settlements, slot) {
      const written: Written = { changed: new Map(), instead: new Map() };
      const settled = await persistently(() =>
        writeSettlements(db, signals, options.owner(), settlements, options.slot + slot, written),
      );
      options.sent?.(sentOf(settlements, settled));
      return settled;
    },
    blameOne: isBadValue,
  });
  return {
    settle: (send, outcome) => {
      if (outcome.kind === 'error') {
        const { tenant_id: tenant, message_id: message } = send;
        options.refused?.([{ tenant, message, code: outcome.code, at: Date.now() }]);
      }
      return batcher.add(settlementOf(send, outcome, options, random()));
    },
    idle: () => batcher.idle(),
  };
}

/** What an outcome means for its message. `random` is a number from 0 to 1. */
export function settlementOf(
  send: BegunSend,
  outcome: Outcome,
  options: Pick<SettlerOptions, 'retry' | 'maxAttempts' | 'validity' | 'paused'>,
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
  const end = send.expires_at?.getTime() ?? send.waiting_since.getTime() + options.validity;
  const isOver = (delay: number) => send.started_at + delay > end;
  const again = (delay: number, code: number | null, title: string): Settlement => {
    const exhausted = options.maxAttempts !== null && send.attempt >= options.maxAttempts;
    if (exhausted || isOver(delay)) return failed(code ?? 0, title, exhausted ? 'no attempts left' : 'no time left');
    return { kind: 'again', lane, row: { ...key, delay, outcome: 'retry', code, detail: title, cause: 'retry_wait' } };
  };
  /** It waits in its queue, which is shut, for as long as that lasts, however many attempts there were. */
  const held = (code: number | null, title: string): Settlement => {
    if (isOver(0)) return failed(code ?? 0, title, 'no time left');
    // At the place it had: before those that were accepted after it.
    const delay = Math.min(send.waiting_since.getTime() - send.started_at - 1, 0);
    return { kind: 'again', lane, row: { ...key, delay, outcome: 'retry', code, detail: title, cause: null } };
  };
  const isCaught = () => isTrouble(outcome) === true && (options.paused?.(send.sender_id) ?? false);
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
      if (isCaught()) return held(null, outcome.detail);
      return again(backoff(send.attempt, options.retry, null, random), null, outcome.detail);
    case 'error': {
      const { code } = outcome;
      const detail = outcome.detail ?? outcome.title;
      if (isCaught()) return held(code, detail);
      const next = afterError(code, send.attempt, options.retry, outcome.retryAfter, random);
      if (next.kind === 'fail') return failed(code, outcome.title, outcome.detail);
      if (next.kind === 'again') return waiting(again(next.delay, code, detail), next.cause);
      if (next.by === 'pause') return held(code, detail);
      const after = again(next.delay, code, detail);
      return after.kind === 'again' ? { kind: 'held', lane, row: { ...key, delay: next.delay, code, detail } } : after;
    }
  }
}

/** Those that became sent, of settlements and what came of each. */
function sentOf(settlements: readonly Settlement[], settled: readonly Settled[]): SentMessage[] {
  const at = Date.now();
  return settlements.flatMap((one, i) =>
    one.kind === 'sent' && settled[i]?.changed
      ? [{ tenant: one.key.tenant, message: one.key.message, wamid: one.wamid, at }]
      : [],
  );
}

/** Says what a message that is tried again waits for. */
function waiting(settlement: Settlement, cause: DeferralCause): Settlement {
  return settlement.kind === 'again' ? { ...settlement, row: { ...settlement.row, cause } } : settlement;
}

/** What a batch has written so far. A try that fails in the middle leaves it, and the next one finds no row of those any more. */
interface Written {
  changed: Map<MessageId, SettledRow>;
  /** Messages that became their fallback. */
  instead: Map<MessageId, FallbackTaken>;
}

async function writeSettlements(
  db: Db,
  signals: Signals,
  all: LaneClaim,
  settlements: readonly Settlement[],
  slot: number,
  { changed, instead }: Written,
): Promise<Settled[]> {
  const owner = narrowed(all, new Set(settlements.map((s) => s.lane)));
  const sent = settlements.filter((s) => s.kind === 'sent');
  const again = settlements.filter((s) => s.kind === 'again');
  const held = settlements.filter((s) => s.kind === 'held');
  const told = settlements.filter((s) => s.kind === 'failed');
  const unknown = settlements.filter((s) => s.kind === 'unknown');
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
  if (held.length > 0) {
    await failpoint('hold.before_commit');
    keep(
      // Two of these at once mark the same template; what was settled before is not to be settled again for that.
      await retryingOnConflict(() =>
        settleHeldAttempts(
          db,
          owner,
          held.map((s) => s.row),
        ),
      ),
    );
    await failpoint('hold.after_commit');
  }
  // What has a fallback is not failed: that goes instead.
  const outside = told.flatMap(({ row }) => (row.code === WINDOW_CLOSED && !changed.has(row.message) ? [row] : []));
  if (outside.length > 0) await failpoint('fallback.before_commit');
  const taken = outside.length > 0 ? await takeFallbacks(db, owner, outside, slot) : [];
  for (const row of taken) instead.set(row.message_id, row);
  keep(taken.map((row) => ({ ...row, seconds: 0 })));
  if (taken.length > 0) await failpoint('fallback.after_commit');
  const failed = told.filter(({ row }) => !instead.has(row.message));
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
  const doubtful = failed.flatMap(({ row }) =>
    DOUBTFUL.includes(row.code) && changed.has(row.message) ? [{ ...row, disabled: row.code === DISABLED }] : [],
  );
  // Those that say more go first.
  doubtful.sort((a, b) => Number(b.disabled) - Number(a.disabled)).splice(MOST_DOUBTED);
  if (doubtful.length > 0) await retryingOnConflict(() => doubtTemplates(db, doubtful, DOUBT_REST));
  await failpoint('settle.after_commit');
  if (held.length + doubtful.length > 0) signals.notify('templates');
  for (const tenant of new Set([...changed.values()].map((row) => row.tenant_id))) signals.notify(`events:${tenant}`);
  for (const id of changed.keys()) signals.notify(`message:${id}`);
  for (const lane of new Set([...instead.values()].map((row) => row.lane_id))) signals.notify(`due:${lane}`);
  return settlements.map((s) => {
    const message = 'key' in s ? s.key.message : s.row.message;
    const row = changed.get(message);
    const kind = instead.has(message) ? 'again' : s.kind;
    const again = row && s.kind === 'again' ? Math.max(s.row.delay, 0) : null;
    return { changed: row !== undefined, kind, seconds: row?.seconds ?? 0, again };
  });
}
