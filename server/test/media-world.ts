import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMediaActions } from '../src/actions/media.ts';
import type { Db } from '../src/db/pool.ts';
import type { MediaFiles } from '../src/domain/media-files.ts';
import { mediaLinks } from '../src/domain/media-link.ts';
import type { ObjectStore } from '../src/domain/object-store.ts';
import type { MediaDoor } from '../src/http/http-deps.ts';
import { guardedFetch } from '../src/net/guarded-fetch.ts';
import { addressGuard } from '../src/net/guarded-fetch-addresses.ts';
import { openMediaFiles } from '../src/outside/media-files.ts';
import { openDiskStore } from '../src/outside/object-store-disk.ts';
import { urlFiles } from '../src/outside/url-file.ts';

/** Files on the disk, in a folder of their own. */
export interface MediaWorld {
  folder: string;
  store: ObjectStore;
  files: MediaFiles;
  door: MediaDoor;
  close(): Promise<void>;
}

export interface MediaWorldOptions {
  maxFileSize?: number;
  /** Where users' URLs may lead beside public addresses. */
  allowed?: readonly string[];
  /** Milliseconds for a file from a URL. */
  fetchTimeout?: number;
}

export async function mediaWorld(db: Db, options: MediaWorldOptions = {}): Promise<MediaWorld> {
  const { maxFileSize = 100e6, allowed = [], fetchTimeout = 5000 } = options;
  const folder = mkdtempSync(join(tmpdir(), 'aldis-media-'));
  const store = await openDiskStore(join(folder, 'media'));
  const files = await openMediaFiles({ store, drafts: join(folder, 'drafts'), maxFileSize });
  const fetch = guardedFetch({ guard: addressGuard(allowed), connections: 4, timeout: 2000 });
  return {
    folder,
    store,
    files,
    door: {
      files,
      actions: createMediaActions(db),
      links: mediaLinks(Buffer.alloc(32, 5)),
      uploadTimeout: 600_000,
      linkLifetime: 900_000,
      publicUrl: null,
      fetchUrl: urlFiles({ fetch, timeout: fetchTimeout, most: maxFileSize }),
    },
    async close() {
      await fetch.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
