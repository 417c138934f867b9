import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { SenderId } from '../domain/ids.ts';
import type { LaneClaim } from '../domain/lane.ts';
import { failpoint } from '../runtime/failpoints.ts';
import { beginAttempts, type Claimed, findDue } from '../store/sending.write.ts';

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

/**
 * Reads what is due for senders and records that the attempts begin, durably, before any call.
 * @param asks for each sender how many may leave now.
 * @param grace milliseconds until an attempt without an answer becomes doubtful.
 */
export async function beginSends(
  db: Db,
  owner: LaneClaim,
  asks: readonly { lane: number; sender: SenderId; room: number }[],
  grace: number,
): Promise<Taken> {
  const found = new Map<SenderId, number>();
  const claimed = await findDue(db, asks);
  if (claimed.length === 0) return { begun: [], found };
  for (const { sender_id } of claimed) found.set(sender_id, (found.get(sender_id) ?? 0) + 1);
  await failpoint('begin.before_commit');
  const recorded = await retryingOnConflict(() => beginAttempts(db, owner, claimed, grace));
  await failpoint('begin.after_commit');
  const byId = new Map(recorded.map((row) => [row.message_id, row]));
  const begun: BegunSend[] = [];
  for (const message of claimed) {
    const record = byId.get(message.message_id);
    if (record) begun.push({ ...message, attempt: record.attempt, started_at: record.started_at.getTime() });
  }
  return { begun, found };
}
