import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { AldisError } from '../domain/errors.ts';
import { type MediaId, newId, type TenantId } from '../domain/ids.ts';
import type { MediaDraft } from '../domain/media-files.ts';
import { failpoint } from '../runtime/failpoints.ts';
import { findMediaByContent, type MediaRow } from '../store/media.read.ts';
import { insertMedia } from '../store/media.write.ts';

export interface Kept {
  media: MediaRow;
  /** false: the tenant had a file of this content already, and that one is it. */
  fresh: boolean;
}

/** Tries while bytes of the same content are being removed, and milliseconds between them. */
const TRIES = 20;
const PAUSE = 100;

/**
 * Keeps a draft as a file of a tenant: the bytes are stored first, then the row is written, so that no row is without its bytes. A
 * file that is there is not stored again. This is one of the places that wait for another service, and no transaction is
 * open while it does. The draft is left to its maker.
 * @throws {AldisError} `overloaded` when it is being removed for too long; whatever the store throws.
 */
export async function keepMedia(
  db: Db,
  tenant: TenantId,
  draft: MediaDraft,
  about: { source: MediaRow['source']; filename: string | null },
): Promise<Kept> {
  const known = await findMediaByContent(db, tenant, draft.file.sha256);
  if (known) return { media: known, fresh: false };
  for (let tries = 1; tries <= TRIES; tries++) {
    await draft.keep(tenant);
    await failpoint('keep.after_put');
    const file = { ...draft.file, ...about, id: newId<MediaId>() };
    const noted = await retryingOnConflict(() => insertMedia(db, tenant, file));
    await failpoint('keep.after_commit');
    const media = noted && (await findMediaByContent(db, tenant, draft.file.sha256));
    if (noted && media) return { media, fresh: noted.fresh };
    await sleep(PAUSE);
  }
  throw new AldisError('overloaded', 'A file of the same content is being removed; try again in a moment.');
}
