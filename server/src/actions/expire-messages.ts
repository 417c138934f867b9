import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { type EventId, type MessageId, newId, type TenantId } from '../domain/ids.ts';
import type { Signals } from '../signals/signals.ts';
import { expireNamedMessages, expireQueued, expireStaleQueued } from '../store/changes.write.ts';

const MOST_TOGETHER = 500;

/**
 * Ends messages of these lanes whose validity was over before they left.
 * @returns how many; when it is the most that one call does, there may be more.
 */
export async function expireMessages(db: Db, signals: Signals, lanes: readonly number[]): Promise<number> {
  const events = Array.from({ length: MOST_TOGETHER }, () => newId<EventId>());
  const expired = await retryingOnConflict(() => expireQueued(db, lanes, events));
  for (const tenant of new Set(expired.map((row) => row.tenant_id))) signals.notify(`events:${tenant}`);
  return expired.length;
}

/** Ends messages that are too old to be sent, unless they have begun to leave. @returns how many. */
export async function expireTooOld(
  db: Db,
  signals: Signals,
  messages: readonly { tenant_id: TenantId; message_id: MessageId }[],
): Promise<number> {
  const events = messages.map(() => newId<EventId>());
  const expired = await retryingOnConflict(() => expireNamedMessages(db, messages, events));
  for (const tenant of new Set(expired.map((row) => row.tenant_id))) signals.notify(`events:${tenant}`);
  return expired.length;
}

/**
 * Ends messages of these lanes that have no `expires_at`, and have been due for longer than a message may wait, where nobody selects
 * them: in queues that are paused or stopped, and held ones.
 * @param validity how long one may wait, in milliseconds.
 * @returns how many; when it is the most that one call does, there may be more.
 */
export async function expireStale(
  db: Db,
  signals: Signals,
  lanes: readonly number[],
  validity: number,
): Promise<number> {
  const events = Array.from({ length: MOST_TOGETHER }, () => newId<EventId>());
  const expired = await retryingOnConflict(() => expireStaleQueued(db, lanes, events, validity));
  for (const tenant of new Set(expired.map((row) => row.tenant_id))) signals.notify(`events:${tenant}`);
  return expired.length;
}
