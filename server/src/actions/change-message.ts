import { randomInt } from 'node:crypto';
import type { Db, Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { RetryRefusal } from '../domain/dead-letters.ts';
import { type EventId, type MessageId, newId, type TenantId } from '../domain/ids.ts';
import { type Caps, NO_CAPS } from '../domain/limits.ts';
import { changedTimes, type TimesChange } from '../domain/message-times.ts';
import type { Signals } from '../signals/signals.ts';
import { type Change, cancelQueued, findWaiting, rescheduleQueued } from '../store/changes.write.ts';
import { findUsedKey } from '../store/idempotency-keys.read.ts';
import { insertUsedKey } from '../store/idempotency-keys.write.ts';
import { requeueFailed } from '../store/requeue.write.ts';
import type { Idempotency } from './accepted.ts';
import { takePlacesAgain } from './limit-room.ts';

/** Tenant, message, the event's id, and the counters' slot of one change. */
type ChangeOf = [tenant: TenantId, id: MessageId, event: EventId, slot: number];

/** People's changes come one by one and many at once, on any instance: they share slots that nobody else adds to. */
const PEOPLES_SLOTS = 32;

/** What was asked was done before under the same key, or the key was used for something else. */
type Repeated = 'again' | 'mismatch';

/** Cancels a message that has not begun to leave. A repeat with the same key has the same answer. */
export async function cancelMessage(
  db: Db,
  signals: Signals,
  tenant: TenantId,
  id: MessageId,
  idempotency: Idempotency | null,
): Promise<'cancelled' | 'not_found' | 'too_late' | 'mismatch'> {
  const change = await onceByKey(db, tenant, id, idempotency, cancelQueued);
  if (change === 'mismatch') return 'mismatch';
  if (change === 'again') return 'cancelled';
  if (!change.done) return change.known ? 'too_late' : 'not_found';
  signals.notify(`events:${tenant}`);
  return 'cancelled';
}

/** What came of a change of times. `batch_incomplete`: nothing can be changed before the whole batch is stored. */
export type Rescheduled = 'changed' | 'not_found' | 'too_late' | 'batch_incomplete' | 'mismatch';

/**
 * Changes when a message may leave, and until when, before it leaves. Its time to leave is changed before the first attempt only; then
 * a wait of its own decides. A repeat with the same key changes nothing more.
 * @throws {AldisError} for times that cannot be, by the database's clock.
 */
export async function rescheduleMessage(
  db: Db,
  signals: Signals,
  tenant: TenantId,
  id: MessageId,
  change: TimesChange,
  idempotency: Idempotency | null,
): Promise<Rescheduled> {
  const reschedule = async (tx: Queryable, ...[, , event]: ChangeOf) => {
    const before = await findWaiting(tx, tenant, id);
    const moved = change.scheduled_at !== undefined;
    const no = { done: false, known: before !== null, lane_id: null };
    if (before === null || before.state !== 'queued' || before.direction !== 'outbound') return no;
    if (!before.due) return { ...no, incomplete: true };
    if (moved && before.attempt > 0) return no;
    const lane_id = await rescheduleQueued(tx, tenant, id, event, changedTimes(before, change, before.now), moved);
    return { done: lane_id !== null, known: true, lane_id };
  };
  const inOne = idempotency
    ? reschedule
    : (_: Queryable, ...of: ChangeOf) => db.transaction((tx) => reschedule(tx, ...of));
  const made = await onceByKey<Change & { lane_id: number | null; incomplete?: boolean }>(
    db,
    tenant,
    id,
    idempotency,
    inOne,
  );
  if (made === 'mismatch') return 'mismatch';
  if (made === 'again') return 'changed';
  if (!made.done) return made.incomplete ? 'batch_incomplete' : made.known ? 'too_late' : 'not_found';
  if (made.lane_id !== null) signals.notify(`due:${made.lane_id}`);
  signals.notify(`events:${tenant}`);
  return 'changed';
}

/**
 * Makes a failed message due again: a person's decision, whatever the reason it failed for. It takes its places in the limits
 * again, in the windows it was accepted in.
 * @param acceptDuplicate whether it goes although an attempt of it may have arrived.
 * @param usual the configuration's limits, for a tenant or sender without own ones.
 * @param validity milliseconds in which a message without an end of its own is sent; null: for ever.
 * @throws {AldisError} `quota_exceeded`, `daily_limit_reached`: there is no room, and nothing was changed.
 */
export async function retryMessage(
  db: Db,
  signals: Signals,
  tenant: TenantId,
  id: MessageId,
  idempotency: Idempotency | null,
  {
    acceptDuplicate = false,
    usual = NO_CAPS,
    validity = null,
  }: { acceptDuplicate?: boolean; usual?: Caps; validity?: number | null } = {},
): Promise<'queued' | 'not_found' | 'mismatch' | RetryRefusal> {
  const requeue = async (tx: Queryable, ...[of, message, event, slot]: ChangeOf) => {
    const [made] = await requeueFailed(tx, of, [{ id: message, event }], slot, acceptDuplicate, validity);
    const done = made?.refusal === null;
    if (done) await takePlacesAgain(tx, tenant, id, usual);
    return { done, known: made !== undefined, refusal: made?.refusal ?? 'not_failed', lane_id: made?.lane_id ?? null };
  };
  const inOne = idempotency ? requeue : (_: Queryable, ...of: ChangeOf) => db.transaction((tx) => requeue(tx, ...of));
  const change = await onceByKey(db, tenant, id, idempotency, inOne);
  if (change === 'mismatch') return 'mismatch';
  if (change === 'again') return 'queued';
  if (!change.done) return change.known ? change.refusal : 'not_found';
  if (change.lane_id !== null) signals.notify(`due:${change.lane_id}`);
  signals.notify(`events:${tenant}`);
  return 'queued';
}

/** Makes a change and keeps its key in one transaction. A change that could not be made leaves its key free. */
function onceByKey<C extends Change>(
  db: Db,
  tenant: TenantId,
  id: MessageId,
  idempotency: Idempotency | null,
  make: (tx: Queryable, ...of: ChangeOf) => Promise<C>,
): Promise<C | Repeated> {
  // Drawn anew for each try: whoever was in the way may be there still.
  const of = (): ChangeOf => [tenant, id, newId<EventId>(), -randomInt(1, PEOPLES_SLOTS + 1)];
  if (!idempotency) return retryingOnConflict(() => make(db, ...of()));
  const { key, hash } = idempotency;
  return retryingOnConflict(() =>
    db.transaction(async (tx): Promise<C | Repeated> => {
      const used = await findUsedKey(tx, tenant, key);
      if (used) return used.message_id === id && used.request_hash.equals(hash) ? 'again' : 'mismatch';
      const change = await make(tx, ...of());
      if (change.done) await insertUsedKey(tx, tenant, key, hash, id);
      return change;
    }),
  );
}
