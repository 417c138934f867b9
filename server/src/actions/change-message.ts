import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { type MessageId, newId, type TenantId } from '../domain/ids.ts';
import type { Signals } from '../signals/signals.ts';
import { cancelQueued, requeueFailed } from '../store/changes.write.ts';

/** Cancels a message that has not begun to leave. */
export async function cancelMessage(
  db: Db,
  signals: Signals,
  tenant: TenantId,
  id: MessageId,
): Promise<'cancelled' | 'not_found' | 'too_late'> {
  const { done, known } = await retryingOnConflict(() => cancelQueued(db, tenant, id, newId()));
  if (!done) return known ? 'too_late' : 'not_found';
  signals.notify(`events:${tenant}`);
  return 'cancelled';
}

/** Makes a failed message due again: a person's decision, whatever the reason it failed for. */
export async function retryMessage(
  db: Db,
  signals: Signals,
  tenant: TenantId,
  id: MessageId,
): Promise<'queued' | 'not_found' | 'not_failed'> {
  const { done, known, lane_id } = await retryingOnConflict(() => requeueFailed(db, tenant, id, newId()));
  if (!done) return known ? 'not_failed' : 'not_found';
  if (lane_id !== null) signals.notify(`due:${lane_id}`);
  signals.notify(`events:${tenant}`);
  return 'queued';
}
