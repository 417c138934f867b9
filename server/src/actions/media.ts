import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { MediaId, SenderId, TenantId } from '../domain/ids.ts';
import type { MediaDraft } from '../domain/media-files.ts';
import type { MediaRow } from '../store/media.read.ts';
import {
  deleteMedia,
  deleteMediaUpload,
  finishMediaRemoval,
  type MediaRemoval,
  takeMediaRemovals,
  writeMediaUpload,
} from '../store/media.write.ts';
import { type Kept, keepMedia } from './keep-media.ts';

/** What a tenant does with its files. */
export interface MediaActions {
  /** See `keepMedia`. */
  keep(
    tenant: TenantId,
    draft: MediaDraft,
    about: { source: MediaRow['source']; filename: string | null },
  ): Promise<Kept>;
  /** Deletes a file that no open message is to send. Its bytes are removed soon after. */
  remove(tenant: TenantId, id: MediaId): Promise<'deleted' | 'not_found' | 'in_use'>;
}

export function createMediaActions(db: Db): MediaActions {
  return {
    keep: (tenant, draft, about) => keepMedia(db, tenant, draft, about),
    remove: (tenant, id) => retryingOnConflict(() => deleteMedia(db, tenant, id)),
  };
}

/** Takes bytes that are to be removed now; see `takeMediaRemovals`. */
export function takeDueMediaRemovals(db: Db, limit: number, again: number): Promise<MediaRemoval[]> {
  return retryingOnConflict(() => takeMediaRemovals(db, limit, again));
}

/** Notes that bytes are removed. */
export function endMediaRemoval(db: Db, removal: MediaRemoval): Promise<void> {
  return retryingOnConflict(() => finishMediaRemoval(db, removal));
}

/** Remembers what the provider calls a file for a sender. @param upload `validity`: milliseconds from now. */
export function rememberMediaUpload(
  db: Db,
  tenant: TenantId,
  upload: { sender: SenderId; media: MediaId; providerId: string; validity: number },
): Promise<void> {
  return retryingOnConflict(() => writeMediaUpload(db, tenant, upload));
}

/** Forgets it, for the provider does not know it any longer. */
export function forgetMediaUpload(
  db: Db,
  tenant: TenantId,
  upload: { sender: SenderId; media: MediaId; providerId: string },
): Promise<void> {
  return retryingOnConflict(() => deleteMediaUpload(db, tenant, upload));
}
