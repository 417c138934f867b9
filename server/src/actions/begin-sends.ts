import type { Db, Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';
import type { LaneClaim } from '../domain/lane.ts';
import { type Pace, paceAfter, paceRoom, paceWait } from '../domain/schedule/pace.ts';
import type { Ask } from '../domain/schedule/schedule.ts';
import type { LaneLimit, PlaceLines } from '../domain/schedule/unique-users.ts';
import { failpoint } from '../runtime/failpoints.ts';
import { findPaceWindows, type PaceWindows, type UsedWindow, writePaceWindows } from '../store/pace.write.ts';
import { type Begun, beginAttempts, type Claimed, findDue, type PutOff, putOffDue } from '../store/sending.write.ts';
import { countReached, planReach, promisePlaces, type ReachPlan } from './reach-users.ts';

export type { Claimed, PutOff };

/** A message whose attempt is recorded: its call may begin. */
export interface BegunSend extends Claimed {
  /** Milliseconds since 1970, by the database's clock. */
  started_at: number;
}

/** Reads what is due for senders, for the schedule to choose from. */
export function findDueSends(db: Db, asks: readonly Pick<Ask, 'lane' | 'sender' | 'limits'>[]): Promise<Claimed[]> {
  return findDue(db, asks);
}

/**
 * Records that attempts begin, durably, before any call. What was cancelled, expired, moved or taken over since it was read is left out.
 * @param grace milliseconds until an attempt without an answer becomes doubtful.
 */
export async function beginSends(
  db: Db,
  owner: LaneClaim,
  claimed: readonly Claimed[],
  grace: number,
): Promise<BegunSend[]> {
  if (claimed.length === 0) return [];
  await failpoint('begin.before_commit');
  const recorded = await retryingOnConflict(() => beginAttempts(db, owner, claimed, grace));
  await failpoint('begin.after_commit');
  return begunOf(claimed, recorded);
}

/** A sender that keeps a pace. */
export interface Counted {
  tenant: TenantId;
  sender: SenderId;
  /** At least one. */
  paces: readonly Pace[];
}

/** What messages are counted by. */
export interface Counting {
  /** The senders that keep a pace: those of the messages, and others that are only asked about. */
  paced: readonly Counted[];
  /** How many users lanes may reach; those without a limit are absent. */
  limits: ReadonlyMap<number, LaneLimit>;
  /** Who waits for a place among them. */
  lines: PlaceLines;
}

export interface CountedBegun {
  begun: BegunSend[];
  /** For each sender with a pace the milliseconds until its paces let one more leave; 0: at once. */
  waits: Map<SenderId, number>;
  /** What has no place among the users of its lane. */
  putOff: (PutOff & { candidate: Claimed })[];
}

/** Whether a message is counted by the users of its lane: it is a template, and there is a limit. */
export function isReaching({ type, lane_id }: Pick<Claimed, 'type' | 'lane_id'>, { limits }: Pick<Counting, 'limits'>) {
  return type === 'template' && limits.has(lane_id);
}

/**
 * The same for what is counted: by the paces of its sender, by the users that its lane reaches, or both. What was counted is read and
 * written by the transaction that records the attempts, so that no restart and no takeover forgets any of it. An attempt counts
 * whether it is the first or not. What has no room in the windows of its paces is not begun.
 */
export async function beginCountedSends(
  db: Db,
  owner: LaneClaim,
  counting: Counting,
  claimed: readonly Claimed[],
  grace: number,
): Promise<CountedBegun> {
  const { begun, waits, plan } = await retryingOnConflict(() =>
    db.transaction((tx) => beginCountedOnce(tx, owner, counting, claimed, grace)),
  );
  if (begun.length > 0) await failpoint('counted.after_commit');
  return { begun, waits, putOff: promisePlaces(plan, counting.lines) };
}

async function beginCountedOnce(
  tx: Queryable,
  owner: LaneClaim,
  counting: Counting,
  claimed: readonly Claimed[],
  grace: number,
): Promise<{ begun: BegunSend[]; waits: CountedBegun['waits']; plan: ReachPlan }> {
  const asked = claimed.filter((message) => isReaching(message, counting));
  const plan = await planReach(tx, asked, counting.limits, counting.lines);
  const placed = plan.over.length === 0 ? claimed : claimed.filter((message) => !plan.late.has(message));
  const paces = counting.paced.length === 0 ? null : await findPaceWindows(tx, counting.paced);
  const fitting = paces === null ? placed : withinPaces(placed, counting.paced, paces);
  const begun = fitting.length === 0 ? [] : begunOf(fitting, await beginAttempts(tx, owner, fitting, grace));
  await countReached(tx, plan, begun);
  const waits = paces === null ? new Map<SenderId, number>() : await countPaces(tx, counting.paced, paces, begun);
  if (begun.length > 0) await failpoint('counted.before_commit');
  return { begun, waits, plan };
}

function withinPaces(claimed: readonly Claimed[], paced: readonly Counted[], windows: PaceWindows): readonly Claimed[] {
  const rooms = new Map(
    paced.map(({ sender, paces }) => [
      sender,
      Math.min(...paces.map((pace) => paceRoom(pace, windows.of(sender, pace.kind), windows.now))),
    ]),
  );
  return claimed.filter(({ sender_id }) => {
    const room = rooms.get(sender_id) ?? Number.POSITIVE_INFINITY;
    rooms.set(sender_id, room - 1);
    return room > 0;
  });
}

/** Writes what attempts have used of the paces of their senders. @returns how long each of these waits for its next. */
async function countPaces(
  tx: Queryable,
  paced: readonly Counted[],
  windows: PaceWindows,
  begun: readonly BegunSend[],
): Promise<CountedBegun['waits']> {
  const counts = countBySender(begun);
  const used: UsedWindow[] = [];
  const waits: CountedBegun['waits'] = new Map();
  for (const { tenant, sender, paces } of paced) {
    const count = counts.get(sender) ?? 0;
    let wait = 0;
    for (const pace of paces) {
      const before = windows.of(sender, pace.kind);
      const after = count > 0 ? paceAfter(pace, before, windows.now, count) : before;
      if (after && count > 0) used.push({ tenant, sender, kind: pace.kind, ...after });
      wait = Math.max(wait, paceWait(pace, after, windows.now));
    }
    waits.set(sender, wait);
  }
  if (used.length > 0) await writePaceWindows(tx, used);
  return waits;
}

/** Puts due work off, so that what is behind it can be read. @returns how many were still there to be put off. */
export async function putOffSends(db: Db, owner: LaneClaim, putOff: readonly PutOff[]): Promise<number> {
  if (putOff.length === 0) return 0;
  await failpoint('put_off.before_commit');
  const rows = await retryingOnConflict(() => putOffDue(db, owner, putOff));
  await failpoint('put_off.after_commit');
  return rows.length;
}

function begunOf(claimed: readonly Claimed[], recorded: readonly Begun[]): BegunSend[] {
  const byId = new Map(recorded.map((row) => [row.message_id, row]));
  const begun: BegunSend[] = [];
  for (const message of claimed) {
    const record = byId.get(message.message_id);
    if (record) begun.push({ ...message, attempt: record.attempt, started_at: record.started_at.getTime() });
  }
  return begun;
}

function countBySender(messages: readonly Claimed[]): Map<SenderId, number> {
  const counts = new Map<SenderId, number>();
  for (const { sender_id } of messages) counts.set(sender_id, (counts.get(sender_id) ?? 0) + 1);
  return counts;
}
