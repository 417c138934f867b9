import { AldisError } from '../domain/errors.ts';
import type { GuardedFetch } from '../net/guarded-fetch.ts';
import { NotSent } from '../net/provider-client.ts';

/** A file at a URL that a user gave. */
export interface UrlFile {
  /** @throws {AldisError} `media_not_fetched` when it breaks off, is too long or takes too long. */
  bytes: AsyncIterable<Uint8Array>;
  /** The last part of the URL's path; null: it has none. */
  filename: string | null;
}

export interface UrlFilesOptions {
  fetch: GuardedFetch;
  /** Milliseconds for all of a file. */
  timeout: number;
  /** The most bytes of one. */
  most: number;
}

/** Who reads the bytes says by its own limit that a file is too long; this one only ends what nobody reads. */
const BEYOND = 1 << 20;

/**
 * Files from users' URLs, by the guarded fetch.
 * @returns what begins to read one.
 * @throws {AldisError} `invalid_media_url` for a URL that is none or leads where it may not; `media_not_fetched` when no file
 *   comes; `payload_too_large` when it says that it is too long.
 */
export function urlFiles({ fetch, timeout, most }: UrlFilesOptions): (url: string) => Promise<UrlFile> {
  return async (url) => {
    const found = await fetch
      .read({ url, headers: { accept: '*/*' }, timeout, most: most + BEYOND })
      .catch((error: unknown) => {
        // With a cause nobody refused it: its name leads nowhere, or nobody listens.
        if (!(error instanceof NotSent) || error.cause !== undefined) throw notFetched(error);
        throw new AldisError('invalid_media_url', `The URL cannot be used: ${error.message}.`, { field: 'url' });
      });
    if (found.status !== 200) {
      await leave(found.bytes);
      throw notFetched(`its server answered HTTP ${found.status}`);
    }
    const length = Number(found.headers['content-length']);
    if (length > most) {
      await leave(found.bytes);
      const text = `The file has ${length} bytes, and at most ${most} are taken.`;
      throw new AldisError('payload_too_large', text, { field: 'url', details: { limit: most } });
    }
    return { bytes: told(found.bytes), filename: nameIn(url) };
  };
}

async function* told(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    throw notFetched(error);
  }
}

/** Lets go of what is not wanted. */
async function leave(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes) break;
}

function notFetched(error: unknown): AldisError {
  const why = error instanceof Error ? error.message || error.name : String(error);
  return new AldisError('media_not_fetched', `The file could not be fetched: ${why}.`, { field: 'url' });
}

function nameIn(url: string): string | null {
  const last = new URL(url).pathname.split('/').at(-1) ?? '';
  try {
    return decodeURIComponent(last) || null;
  } catch {
    return null;
  }
}
