import type { Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { TenantId } from '../domain/ids.ts';
import type { Signals } from '../signals/signals.ts';
import { writeProcessing } from '../store/processor.write.ts';

/**
 * Starts or stops the sending of a tenant, for good: a restart changes nothing. What is under way comes to its end. This
 * instance hears of it at once, others within five seconds. Doing it twice is doing it once.
 */
export async function setProcessing(
  db: Queryable,
  signals: Signals,
  tenant: TenantId,
  processing: boolean,
): Promise<void> {
  await retryingOnConflict(() => writeProcessing(db, tenant, processing));
  // Also when nothing changed: whoever asks again may do so because something has not heard.
  signals.notify('senders');
}
