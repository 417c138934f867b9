import { join } from 'node:path';
import { createMediaActions } from '../actions/media.ts';
import { place } from '../actions/set-up.ts';
import { whatsappMedia } from '../channels/whatsapp/media-api.ts';
import { createProviderMedia, type ProviderMedia } from '../dispatch/provider-media.ts';
import { mediaLinks } from '../domain/media-link.ts';
import { LARGEST_DOCUMENT } from '../domain/media-types.ts';
import type { ObjectStore } from '../domain/object-store.ts';
import type { MediaDoor } from '../http/http-deps.ts';
import { createFetchMedia } from '../jobs/fetch-media.ts';
import { createRemoveMedia } from '../jobs/remove-media.ts';
import { fileClient } from '../net/file-client.ts';
import { guardedFetch } from '../net/guarded-fetch.ts';
import { configuredS3 } from '../outside/configured-s3.ts';
import { openMediaFiles } from '../outside/media-files.ts';
import { openDiskStore } from '../outside/object-store-disk.ts';
import { urlFiles } from '../outside/url-file.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Sealer } from '../runtime/sealer.ts';
import type { Config } from '../runtime/settings.ts';
import { StartError } from '../runtime/start-error.ts';
import type { Common } from './engine.ts';
import { guardOf } from './user-urls.ts';

export interface MediaOptions {
  sealer: Sealer;
  /** Where the provider is. */
  apiUrl: string;
  /** The data folder. */
  folder: string;
  /** A secret of the installation. */
  secret: Buffer;
}

/** All that has to do with files. */
export interface Media {
  /** Where they lie; exports lie there too. */
  store: ObjectStore;
  /** What the sending loop asks for. */
  provider: ProviderMedia;
  /** What the door serves. */
  door: MediaDoor;
  /** To be started before the engine. */
  parts: Part[];
}

/** To the provider: calls with files have connections of their own, so that they take no room from what is sent. */
const CONNECTIONS = 16;
/** Without any progress of a file. Milliseconds. */
const STALL = 30_000;
/** For all of a file that goes to the provider or comes from it. Milliseconds. */
const FILE_TIMEOUT = 300_000;
/** To one host of users' URLs. */
const URL_CONNECTIONS = 8;
/** Between looks for files that no signal of this instance told of, and for what is to be removed. Milliseconds. */
const FETCH_EVERY = 1000;
const REMOVE_EVERY = 15_000;

/** No upload to a bucket takes so long. Milliseconds. */
const ORPHANED_AFTER = 86_400_000;

export async function buildMedia(config: Config, common: Common, options: MediaOptions): Promise<Media> {
  const { db, logger } = common;
  const { sealer } = options;
  const store = await openObjectStore(config, options.folder, logger).catch(unusable);
  const drafts = join(options.folder, 'drafts');
  const files = await openMediaFiles({ store, drafts, maxFileSize: config.media.max_file_size }).catch(unusable);
  const provider = whatsappMedia({
    client: fileClient({ connections: CONNECTIONS, stall: STALL }),
    origin: options.apiUrl,
    version: config.whatsapp.api_version,
    timeout: config.whatsapp.request_timeout,
    fileTimeout: FILE_TIMEOUT,
  });
  const urls = guardedFetch({ guard: guardOf(config), connections: URL_CONNECTIONS, timeout: STALL });
  const kept = part(
    'media store',
    async () => {},
    async () => {
      await urls.close();
      await store.close();
    },
  );
  const fetching = createFetchMedia({
    ...common,
    logger: logger.child({ part: 'media fetching' }),
    files,
    source: provider,
    openToken: (one) => sealer.open(one.access_token_sealed, place.accessToken(one.tenant_id, one.sender_id)),
    pollInterval: FETCH_EVERY,
  });
  const removal = createRemoveMedia({
    db,
    logger: logger.child({ part: 'media removal' }),
    files,
    every: REMOVE_EVERY,
  });
  return {
    store,
    provider: createProviderMedia({ db, files, uploader: provider, logger: logger.child({ part: 'media uploads' }) }),
    door: {
      files,
      actions: createMediaActions(db),
      links: mediaLinks(options.secret),
      uploadTimeout: config.media.upload_timeout,
      linkLifetime: config.media.link_lifetime,
      publicUrl: config.server.public_url,
      fetchUrl: urlFiles({
        fetch: urls,
        timeout: config.media.fetch_timeout,
        most: Math.min(config.media.max_file_size, LARGEST_DOCUMENT),
      }),
    },
    parts: [kept, fetching, removal],
  };
}

function unusable(cause: unknown): never {
  const why = cause instanceof Error ? cause.message : String(cause);
  throw new StartError(`the folder of files cannot be used (${why}): check media.folder, or give this user the right`, {
    cause,
  });
}

async function openObjectStore({ media }: Config, folder: string, logger: Logger): Promise<ObjectStore> {
  const store = await configuredS3(media);
  if (store === null) return openDiskStore(media.folder ?? join(folder, 'media'));
  try {
    await store.check();
    await store.removeOrphans(new Date(Date.now() - ORPHANED_AFTER));
  } catch (error) {
    // What is sent without a file goes on, so it is no reason not to start.
    logger.error({ error, bucket: media.s3.bucket }, 'the bucket of files cannot be used as it should');
  }
  return store;
}
