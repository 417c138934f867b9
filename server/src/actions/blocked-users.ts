import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { BlockTask } from '../domain/blocked-user.ts';
import type { ContactId, SenderId, TenantId } from '../domain/ids.ts';
import type { Signals } from '../signals/signals.ts';
import { type BlockedUserRow, findBlockedUser } from '../store/blocked-users.read.ts';
import {
  holdBlockTasks,
  type SettledBlock,
  settleBlockTasks,
  takeBlockTasks,
  wantBlocked,
} from '../store/blocked-users.write.ts';

/**
 * Records that a sender is to block a customer, or to let him write again. The provider is told by a job; whether it did, the
 * row says. What is so already, or is being done, is left as it is.
 */
export async function setBlocked(
  { db, signals }: { db: Db; signals: Signals },
  tenant: TenantId,
  sender: SenderId,
  contact: ContactId,
  blocked: boolean,
): Promise<BlockedUserRow> {
  await retryingOnConflict(() => wantBlocked(db, tenant, sender, contact, blocked));
  signals.notify('blocked_users');
  const row = await findBlockedUser(db, tenant, sender, contact);
  if (row === null) throw new Error('a blocked user that was just written is not there');
  return row;
}

/** Takes what the provider is to be told now; see `takeBlockTasks`. */
export function takeDueBlocks(db: Db, limit: number, retryAfter: number): Promise<BlockTask[]> {
  return retryingOnConflict(() => takeBlockTasks(db, limit, retryAfter));
}

/** Holds what was taken for so many milliseconds more. */
export function holdBlocks(db: Db, tasks: readonly BlockTask[], heldFor: number): Promise<void> {
  return retryingOnConflict(() => holdBlockTasks(db, tasks, heldFor));
}

/** Writes down what came of telling the provider. */
export async function settleBlocks(db: Db, settled: readonly SettledBlock[]): Promise<void> {
  if (settled.length > 0) await retryingOnConflict(() => settleBlockTasks(db, settled));
}
