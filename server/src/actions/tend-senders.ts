import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import { mergeReached } from '../store/reached-users.write.ts';
import { adoptStrays, endTending, findTendedSenders, followLane, type TendedSender } from '../store/tending.write.ts';
import { endTokenPauses } from './pauses.ts';

/** Senders of one look, and messages of one statement. */
const SENDERS = 200;
const MESSAGES = 1000;
/** Milliseconds: many looks, so that one that failed is made up for. */
const REACHED_SINCE = 120_000;

/**
 * Looks after the due work of senders that were changed under it: what waited for a new token goes on, and is not stopped again by an
 * answer to the old one; what is in the lane before follows.
 * @returns how many messages were moved.
 */
export async function tendSenderWork(db: Db, signals: Signals, ending: AbortSignal): Promise<number> {
  let moved = 0;
  for (const sender of await findTendedSenders(db, SENDERS)) {
    const before = moved;
    await failpoint('tend.before_commit');
    await endTokenPauses(db, signals, [sender.id]);
    if (sender.previous_lane_id !== null) moved += await follow(db, sender, sender.previous_lane_id, ending);
    await failpoint('tend.after_commit');
    if (moved > before) signals.notify(`due:${sender.lane_id}`);
    if (ending.aborted) break;
    if (sender.over) await end(db, sender);
  }
  return moved;
}

/** The owner of the lane before may have begun some messages since the move, before it heard of it: whom they reach follows as well. */
async function follow(db: Db, sender: TendedSender, before: number, ending: AbortSignal): Promise<number> {
  await retryingOnConflict(() => mergeReached(db, [before], sender.lane_id, REACHED_SINCE));
  return all(() => followLane(db, sender, MESSAGES), ending);
}

/**
 * Finds queued work that stands in a lane its sender has left: accepting reads the lane one statement before it writes, and a database
 * that stood still between the two wrote when the move was over. The next look moves it.
 * @returns of how many senders.
 */
export function findStrayWork(db: Db): Promise<number> {
  return retryingOnConflict(() => adoptStrays(db));
}

function end(db: Db, sender: TendedSender): Promise<void> {
  return retryingOnConflict(() => endTending(db, sender));
}

async function all(some: () => Promise<number>, ending: AbortSignal): Promise<number> {
  let moved = 0;
  while (!ending.aborted) {
    const count = await retryingOnConflict(some);
    moved += count;
    if (count < MESSAGES) break;
  }
  return moved;
}
