import type { Db, Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';
import type { LaneClaim } from '../domain/lane.ts';
import { type Pace, paceAfter, paceRoom, paceWait } from '../domain/schedule/pace.ts';
import { failpoint } from '../runtime/failpoints.ts';
import { findPaceWindows, type PaceWindows, type UsedWindow, writePaceWindows } from '../store/pace.write.ts';
import { type Begun, beginAttempts, type Claimed, findDue } from '../store/sending.write.ts';

/** A message whose attempt is recorded: its call may begin. */
export interface BegunSend extends Claimed {
  /** Milliseconds since 1970, by the database's clock. */
  started_at: number;
}

export interface Taken {
  begun: BegunSend[];
  /** How many each sender had due, up to what was asked. */
  found: Map<SenderId, number>;
}

/** How many may leave a sender now. */
export interface Ask {
  lane: number;
  sender: SenderId;
  room: number;
}

/**
 * Reads what is due for senders and records that the attempts begin, durably, before any call.
 * @param grace milliseconds until an attempt without an answer becomes doubtful.
 */
export async function beginSends(db: Db, owner: LaneClaim, asks: readonly Ask[], grace: number): Promise<Taken> {
  const claimed = await findDue(db, asks);
  if (claimed.length === 0) return { begun: [], found: new Map() };
  await failpoint('begin.before_commit');
  const recorded = await retryingOnConflict(() => beginAttempts(db, owner, claimed, grace));
  await failpoint('begin.after_commit');
  return { begun: begunOf(claimed, recorded), found: countBySender(claimed) };
}

/** Of a sender that keeps a pace. */
export interface PacedAsk extends Ask {
  tenant: TenantId;
  /** At least one. */
  paces: readonly Pace[];
}

export interface PacedTaken extends Taken {
  /** For each sender how many its paces let leave, and milliseconds until they let one more; 0: at once. */
  granted: Map<SenderId, { room: number; wait: number }>;
}

/**
 * The same for senders that keep a pace. What their windows have used is read and written by the transaction that records
 * the attempts, so that no restart and no takeover forgets any of it. An attempt counts whether it is the first or not.
 */
export async function beginPacedSends(
  db: Db,
  owner: LaneClaim,
  asks: readonly PacedAsk[],
  grace: number,
): Promise<PacedTaken> {
  const taken = await retryingOnConflict(() => db.transaction((tx) => beginPacedOnce(tx, owner, asks, grace)));
  await failpoint('begin.after_commit');
  return taken;
}

async function beginPacedOnce(
  tx: Queryable,
  owner: LaneClaim,
  asks: readonly PacedAsk[],
  grace: number,
): Promise<PacedTaken> {
  const windows = await findPaceWindows(tx, asks);
  const rooms = new Map(asks.map((ask) => [ask.sender, roomOf(ask, windows)]));
  const open = asks.flatMap((ask) => {
    const room = rooms.get(ask.sender) ?? 0;
    return room > 0 ? [{ ...ask, room }] : [];
  });
  const claimed = open.length === 0 ? [] : await findDue(tx, open);
  await failpoint('begin.before_commit');
  const recorded = claimed.length === 0 ? [] : await beginAttempts(tx, owner, claimed, grace);
  const begun = begunOf(claimed, recorded);
  const counts = countBySender(begun);
  const used: UsedWindow[] = [];
  const granted: PacedTaken['granted'] = new Map();
  for (const { tenant, sender, paces } of asks) {
    const count = counts.get(sender) ?? 0;
    let wait = 0;
    for (const pace of paces) {
      const before = windows.of(sender, pace.kind);
      const after = count > 0 ? paceAfter(pace, before, windows.now, count) : before;
      if (after && count > 0) used.push({ tenant, sender, kind: pace.kind, ...after });
      wait = Math.max(wait, paceWait(pace, after, windows.now));
    }
    granted.set(sender, { room: rooms.get(sender) ?? 0, wait });
  }
  if (used.length > 0) await writePaceWindows(tx, used);
  return { begun, found: countBySender(claimed), granted };
}

function roomOf({ sender, room, paces }: PacedAsk, windows: PaceWindows): number {
  return Math.min(room, ...paces.map((pace) => paceRoom(pace, windows.of(sender, pace.kind), windows.now)));
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
