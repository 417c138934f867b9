import { keepMedia } from '../actions/keep-media.ts';
import { postponeMediaFetch, settleMediaFetch, takeDueMediaFetches } from '../actions/media-fetches.ts';
import type { Db } from '../db/pool.ts';
import { AldisError } from '../domain/errors.ts';
import { isSameHash, type MediaFetch, type MediaSource, nextMediaFetch } from '../domain/media-fetch.ts';
import type { MediaFiles } from '../domain/media-files.ts';
import { failpoint } from '../runtime/failpoints.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { createRounds } from '../runtime/rounds.ts';
import type { Signals } from '../signals/signals.ts';
import { HELD_FOR, whileHeld } from './while-held.ts';

/**
 * Fetches what customers sent from the provider, at once, and stores it. A file that cannot be had now is tried again, ever more
 * rarely, for as long as the provider keeps it; its message says how far it is.
 */
export interface FetchMediaOptions {
  db: Db;
  signals: Signals;
  logger: Pick<Logger, 'warn' | 'debug'>;
  metrics: Pick<Metrics, 'mediaFetches'>;
  files: MediaFiles;
  source: MediaSource;
  /** Opens the sealed access token of the sender. */
  openToken: (fetch: MediaFetch & { access_token_sealed: Buffer }) => string;
  /** Milliseconds between looks for what no signal tells of. */
  pollInterval: number;
  random?: () => number;
}

/** Most files at once. */
const TOGETHER = 8;
/** When stopping: another instance, or the next start, may take it at once. Milliseconds. */
const AT_ONCE = 0;

export function createFetchMedia(options: FetchMediaOptions): Part {
  const { db, signals, logger, metrics, files, source, random = Math.random } = options;
  const running = new Set<Promise<void>>();
  let unlisten = () => {};

  // Rounds only hand out work: a slow file holds up its own place and no other.
  const rounds = createRounds({
    every: options.pollInterval,
    atOnce: true,
    async round(ending) {
      const room = TOGETHER - running.size;
      if (room === 0) return;
      for (const fetch of await takeDueMediaFetches(db, room, HELD_FOR)) {
        const one = fetchOne(fetch, ending)
          // It is taken, and comes back by itself.
          .catch((error: unknown) => logger.warn({ error, message_id: fetch.message_id }, 'a file was not settled'))
          .finally(() => {
            running.delete(one);
            rounds.wake();
          });
        running.add(one);
      }
    },
    failed: (error) => logger.warn({ error }, "looking for customers' files failed"),
  });

  async function fetchOne(fetch: MediaFetch, ending: AbortSignal): Promise<void> {
    const about = { tenant_id: fetch.tenant_id, message_id: fetch.message_id, tries: fetch.tries };
    const result = await whileHeld(
      () => postponeMediaFetch(db, { ...fetch, delay: HELD_FOR, detail: null }),
      () => tryToFetch(fetch, ending),
    );
    if (result.kind === 'stored') {
      metrics.mediaFetches.add(1, { result: 'stored' });
      return;
    }
    const { detail } = result;
    const delay = ending.aborted
      ? AT_ONCE
      : result.kind === 'later'
        ? nextMediaFetch(fetch, result.retryAfter, Date.now(), random())
        : null;
    if (delay === null) {
      metrics.mediaFetches.add(1, { result: 'failed' });
      logger.warn({ ...about, detail }, "a customer's file could not be fetched, and will not be");
      await settleMediaFetch(db, signals, fetch, { state: 'failed', detail });
      return;
    }
    metrics.mediaFetches.add(1, { result: 'later' });
    logger.debug({ ...about, detail, delay }, "a customer's file is fetched later");
    await postponeMediaFetch(db, { ...fetch, delay, detail });
  }

  type Result =
    | { kind: 'stored' }
    | { kind: 'never'; detail: string }
    | { kind: 'later'; detail: string; retryAfter: number | null };

  async function tryToFetch(fetch: MediaFetch, ending: AbortSignal): Promise<Result> {
    const { tenant_id, sender_id: id, phone_number_id, access_token_sealed } = fetch;
    if (phone_number_id === null || access_token_sealed === null) {
      return { kind: 'never', detail: 'the sender is none of WhatsApp any more' };
    }
    try {
      const access_token = options.openToken({ ...fetch, access_token_sealed });
      const sender = { channel: 'whatsapp' as const, tenant_id, id, phone_number_id, access_token };
      await failpoint('fetch.before_call');
      const found = await source.fetch(sender, fetch.provider_id, ending);
      if (found.kind === 'later') return found;
      return await store(fetch, found.bytes);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      if (error instanceof AldisError && error.code === 'payload_too_large') return { kind: 'never', detail };
      return { kind: 'later', detail, retryAfter: null };
    }
  }

  async function store(fetch: MediaFetch, bytes: AsyncIterable<Uint8Array>): Promise<Result> {
    const draft = await files.draft(bytes, 'received');
    await failpoint('fetch.after_call');
    try {
      const { sha256, size, mime_type } = draft.file;
      if (!isSameHash(fetch.sha256, sha256)) {
        return { kind: 'later', detail: 'what came is not what the webhook told of', retryAfter: null };
      }
      const { media } = await keepMedia(db, fetch.tenant_id, draft, { source: 'inbound', filename: fetch.filename });
      await settleMediaFetch(db, signals, fetch, {
        state: 'stored',
        media_id: media.id,
        size,
        mime_type,
        detail: null,
      });
      return { kind: 'stored' };
    } finally {
      await draft.drop();
    }
  }

  return part(
    'media fetching',
    async () => {
      unlisten = signals.listen('media', rounds.wake);
      rounds.start();
    },
    async () => {
      unlisten();
      await rounds.stop();
      await Promise.all(running);
      await source.close();
    },
  );
}
