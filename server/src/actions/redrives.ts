import { randomInt } from 'node:crypto';
import type { Db, Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { MOST_REDRIVES, type RetryRefusal, redriveStep } from '../domain/dead-letters.ts';
import { type EventId, type MessageId, newId, type RedriveId, type TenantId } from '../domain/ids.ts';
import type { Caps } from '../domain/limits.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import { type DeadLetter, walkDeadLetters } from '../store/dead-letters.read.ts';
import { foldChanges, type LimitUse } from '../store/limits.write.ts';
import { findRedrive, type RedriveRecord } from '../store/redrives.read.ts';
import {
  advanceRedrive,
  cancelRedrive,
  countOpenRedrives,
  forgetRedrives,
  type HeldRedrive,
  holdDueRedrive,
  holdPlaces,
  insertRedrive,
  lockRedrives,
  type NewRedrive,
  postponeRedrive,
} from '../store/redrives.write.ts';
import { requeueFailed } from '../store/requeue.write.ts';
import { REACHED } from './limit-room.ts';

/** What a tenant does with its redrives. */
export interface RedriveActions {
  create(tenant: TenantId, asked: NewRedrive): Promise<RedriveRecord | 'busy'>;
  /** What was made due stays due. */
  cancel(tenant: TenantId, id: string): Promise<RedriveRecord | 'not_found' | 'ended'>;
}

/** The topic of the signal that a redrive has begun. */
export const REDRIVES = 'redrives';

export function createRedrives({ db, signals }: { db: Db; signals: Signals }): RedriveActions {
  return {
    async create(tenant, asked) {
      const made = await db.inTurn(async (tx) => {
        await lockRedrives(tx, tenant);
        if ((await countOpenRedrives(tx, tenant)) >= MOST_REDRIVES) return 'busy';
        return insertRedrive(tx, tenant, newId<RedriveId>(), asked);
      });
      if (made !== 'busy') signals.notify(REDRIVES);
      return made;
    },

    async cancel(tenant, id) {
      const found = await findRedrive(db, tenant, id);
      if (found === null) return 'not_found';
      return (await retryingOnConflict(() => cancelRedrive(db, tenant, found.id))) ?? 'ended';
    },
  };
}

/** Failed messages that a step looks at. */
const MOST_LOOKED_AT = 2000;
/** Milliseconds until the next step after one that failed. */
const AFTER_FAILURE = 2000;
/** Whatever adds to the counters here shares slots with people's changes (change-message.ts). */
const PEOPLES_SLOTS = 32;

/**
 * Makes the next step of the redrive whose step is due longest: some failed messages are due again, and how far it is says so, in one
 * transaction. So whoever goes on after a crash makes none due twice, and leaves none out.
 * @param usual the configuration's limits, for a tenant or sender without own ones.
 * @param validity milliseconds in which a message without an end of its own is sent; null: for ever.
 * @returns the redrive as it is now; null: no step is due.
 */
export async function stepRedrives(
  { db, signals }: { db: Db; signals: Signals },
  usual: Caps,
  validity: number | null = null,
): Promise<(RedriveRecord & { tenant_id: TenantId }) | null> {
  const inHand: { held: HeldRedrive | null } = { held: null };
  let made: Awaited<ReturnType<typeof stepOnce>>;
  try {
    made = await retryingOnConflict(() => db.transaction((tx) => stepOnce(tx, usual, validity, inHand)));
  } catch (error) {
    // The others are not to wait behind one whose steps fail.
    if (inHand.held) await postponeRedrive(db, inHand.held, AFTER_FAILURE);
    throw error;
  }
  if (made === null) return null;
  await failpoint('redrive.after_commit');
  for (const lane of made.lanes) signals.notify(`due:${lane}`);
  if (made.lanes.size > 0) signals.notify(`events:${made.record.tenant_id}`);
  return made.record;
}

/** Forgets redrives that ended longer ago than `age` ms. */
export async function forgetOldRedrives(db: Db, age: number, limit: number): Promise<void> {
  await retryingOnConflict(() => forgetRedrives(db, age, limit));
}

async function stepOnce(tx: Queryable, usual: Caps, validity: number | null, inHand: { held: HeldRedrive | null }) {
  const held = await holdDueRedrive(tx);
  inHand.held = held;
  if (held === null) return null;
  const { tenant_id: tenant, per_second, include_uncertain } = held;
  // The database counts in microseconds: the millisecond in which it was asked for belongs to it.
  const asked = new Date(held.created_at.getTime() + 1);
  const looked = await walkDeadLetters(tx, tenant, held.filter, held.after_id, asked, MOST_LOOKED_AT);
  const { chosen, after, left } = choose(looked, held);
  const skipped: Partial<Record<RetryRefusal, number>> = {};
  const skip = (reason: RetryRefusal, n = 1) => {
    if (n > 0) skipped[reason] = (skipped[reason] ?? 0) + n;
  };
  skip('may_have_arrived', left);
  const { fitting, full, windows } = await takePlaces(tx, tenant, chosen, usual);
  for (const reason of full) skip(reason);
  const due = fitting.map((id) => ({ id, event: newId<EventId>() }));
  const slot = -randomInt(1, PEOPLES_SLOTS + 1);
  const requeued = due.length === 0 ? [] : await requeueFailed(tx, tenant, due, slot, include_uncertain, validity);
  // Those who wait for these windows see by that they were changed.
  if (windows.length > 0) await foldChanges(tx, windows, Number.MAX_SAFE_INTEGER);
  const lanes = new Set<number>();
  let queued = 0;
  for (const { refusal, lane_id } of requeued) {
    if (refusal !== null) skip(refusal);
    else queued++;
    if (lane_id !== null) lanes.add(lane_id);
  }
  const done = looked.length < MOST_LOOKED_AT && after === (looked.at(-1)?.message_id ?? null);
  const wait = (queued * 1000) / per_second;
  const record = await advanceRedrive(tx, held, { after, queued, skipped, wait, done });
  await failpoint('redrive.before_commit');
  return { record: { ...record, tenant_id: tenant }, lanes };
}

/** Of those that were looked at, in order, as many as a step takes. `left`: how many are left out, for they may have arrived. */
function choose(
  looked: readonly DeadLetter[],
  { per_second, include_uncertain }: HeldRedrive,
): { chosen: MessageId[]; after: MessageId | null; left: number } {
  const room = redriveStep(per_second);
  const chosen: MessageId[] = [];
  let after: MessageId | null = null;
  let left = 0;
  for (const { message_id, matches, uncertain } of looked) {
    if (matches && uncertain && !include_uncertain) left++;
    else if (matches) {
      if (chosen.length === room) break;
      chosen.push(message_id);
    }
    after = message_id;
  }
  return { chosen, after, left };
}

/** Holds the limits that messages were accepted under, and gives those that have a place there again, in their order. */
async function takePlaces(tx: Queryable, tenant: TenantId, messages: readonly MessageId[], usual: Caps) {
  const places = messages.length === 0 ? [] : await holdPlaces(tx, tenant, messages);
  if (places.length === 0) return { fitting: messages, full: [], windows: [] };
  const keyOf = ({ scope_id, starts_at }: Pick<LimitUse, 'scope_id' | 'starts_at'>) =>
    `${scope_id} ${starts_at.getTime()}`;
  const windows = new Map<string, LimitUse>();
  for (const place of places) windows.set(keyOf(place), { tenant_id: tenant, ...place });
  for (const use of await foldChanges(tx, [...windows.values()], Number.MAX_SAFE_INTEGER)) windows.set(keyOf(use), use);
  const ofMessage = Map.groupBy(places, (place) => place.message_id);
  const full: RetryRefusal[] = [];
  const fitting = messages.filter((id) => {
    const needed = ofMessage.get(id) ?? [];
    const over = needed.find((place) => {
      const most = place.most ?? (place.period === 'month' ? usual.monthly : usual.daily);
      return most !== null && (windows.get(keyOf(place)) as LimitUse).used >= most;
    });
    if (over) full.push(REACHED[over.period]);
    else for (const place of needed) (windows.get(keyOf(place)) as LimitUse).used++;
    return over === undefined;
  });
  return { fitting, full, windows: [...windows.values()] };
}
