import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { type EventId, newId } from '../domain/ids.ts';
import type { MediaFetch, MediaFetchKey } from '../domain/media-fetch.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import {
  type FetchedMedia,
  finishMediaFetch,
  postponeMediaFetches,
  takeMediaFetches,
} from '../store/media-fetches.write.ts';

/** Takes customers' files that are to be fetched now; see `takeMediaFetches`. */
export function takeDueMediaFetches(db: Db, limit: number, again: number): Promise<MediaFetch[]> {
  return retryingOnConflict(() => takeMediaFetches(db, limit, again));
}

/** Lets a file wait for another try. `delay`: milliseconds from now. `detail` null: the try is under way still. */
export function postponeMediaFetch(
  db: Db,
  fetch: MediaFetchKey & { delay: number; detail: string | null },
): Promise<void> {
  return retryingOnConflict(() => postponeMediaFetches(db, [fetch]));
}

/** Writes into a customer's message what became of its file: it is stored, or will never be. */
export async function settleMediaFetch(
  db: Db,
  signals: Signals,
  { tenant_id: tenant, message_id: message }: Pick<MediaFetch, 'tenant_id' | 'message_id'>,
  fetched: FetchedMedia,
): Promise<void> {
  const event = newId<EventId>();
  const done = await retryingOnConflict(() => finishMediaFetch(db, { tenant, message, event }, fetched));
  await failpoint('fetch.after_commit');
  if (!done) return;
  signals.notify(`events:${tenant}`);
  signals.notify(`message:${message}`);
}
