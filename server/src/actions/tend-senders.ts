import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { heldCodes } from '../domain/provider-errors.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import {
  endTending,
  findTendedSenders,
  followLane,
  releaseHeldMessages,
  type TendedSender,
} from '../store/tending.write.ts';

/** Senders of one look, and messages of one statement. */
const SENDERS = 200;
const MESSAGES = 1000;

/**
 * Looks after the due work of senders that were changed under it: what waited for a new token goes on, what is in the lane before
 * follows.
 * @returns how many messages were moved.
 */
export async function tendSenderWork(db: Db, signals: Signals, ending: AbortSignal): Promise<number> {
  let moved = 0;
  for (const sender of await findTendedSenders(db, SENDERS)) {
    const before = moved;
    await failpoint('tend.before_commit');
    // First: what follows from the lane before may be held back too.
    if (sender.previous_lane_id !== null) moved += await all(() => followLane(db, sender, MESSAGES), ending);
    moved += await all(() => releaseHeldMessages(db, sender, HELD, MESSAGES), ending);
    await failpoint('tend.after_commit');
    if (moved > before) signals.notify(`due:${sender.lane_id}`);
    if (ending.aborted) break;
    if (sender.over) await end(db, sender);
  }
  return moved;
}

const HELD = heldCodes();

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
