import { AldisError } from './api-error.ts';
import type { AldisEvent } from './events.ts';
import type { Operation, QueryOf, RequestSettings } from './operations.ts';
import { backOff, wait } from './waiting.ts';

export interface ReadEvents {
  /** The cursor of the last event that was seen, or a `next_cursor`; `now` for the end. Absent: from the first that is kept. */
  after?: string;
  /** Only these types; `chat.*` means all that begin so. */
  types?: readonly string[];
  /** Only what is of this conversation. */
  conversationId?: string;
  signal?: AbortSignal;
}

/** Seconds that the server waits for the next event, and how much longer its answer may take. */
const POLL = 25;
const GRACE = 20;
const PAGE = 200;
/** Milliseconds between tries while the server is away. */
const FIRST = 250;
const MOST = 30_000;

/** Reads one page. */
type ReadPage = (
  query: QueryOf<Operation<'GET', '/api/v1/events'>>,
  settings: RequestSettings,
) => Promise<{ events: unknown[]; next_cursor: string }>;

/** See `Client.events`. A page that was not got is asked for again, so nothing is skipped; the chain of cursors proves it. */
export async function* readEvents(read: ReadPage, options: ReadEvents = {}): AsyncGenerator<AldisEvent, void> {
  const { types, conversationId, signal } = options;
  let { after } = options;
  let last: string | null = null;
  let failures = 0;
  while (!signal?.aborted) {
    let page: { events: AldisEvent[]; next_cursor: string };
    try {
      const query = {
        limit: PAGE,
        wait: POLL,
        ...(after !== undefined && { after }),
        ...(types && { types: types.join(',') }),
        ...(conversationId !== undefined && { conversation_id: conversationId }),
      };
      const settings = { timeout: (POLL + GRACE) * 1000, ...(signal && { signal }) };
      page = (await read(query, settings)) as typeof page;
      failures = 0;
    } catch (error) {
      if (signal?.aborted) return;
      if (!isMomentary(error)) throw error;
      await wait((error.retryAfter ?? 0) * 1000 + backOff(failures++, FIRST, MOST, Math.random), signal);
      continue;
    }
    for (const event of page.events) {
      if (last !== null && event.prev !== last) {
        throw new AldisError(`The event ${event.id} does not follow the one before it.`, { code: 'broken_chain' });
      }
      last = event.cursor;
      yield event;
      if (signal?.aborted) return;
    }
    after = page.next_cursor;
  }
}

function isMomentary(error: unknown): error is AldisError {
  if (!(error instanceof AldisError)) return false;
  const { status, code } = error;
  return code === 'unreachable' || code === 'invalid_answer' || status === 429 || status >= 500;
}
