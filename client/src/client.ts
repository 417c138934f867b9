import { AldisError, errorOfAnswer } from './api-error.ts';
import { type ReadEvents, readEvents } from './event-stream.ts';
import type { AldisEvent } from './events.ts';
import { TAKES_KEY } from './keyed-requests.ts';
import type {
  AnswerOf,
  ItemOf,
  Method,
  Operation,
  PagedPath,
  PathOf,
  RequestOf,
  RequestSettings,
} from './operations.ts';
import { newName, wait } from './waiting.ts';

export interface ClientOptions {
  /** Where Aldis is: `https://aldis.example`. A path in it stays before those of the API. */
  url: string;
  apiKey?: string;
  /** A JWT of a user. */
  token?: string;
  /** Gives the JWT that is good now; asked before each request. `renew`: the one before was refused, so make another. */
  getToken?: (renew: boolean) => string | Promise<string>;
  /** The user for whom a key with the scope `act_as` speaks. */
  userId?: string;
  /** Instead of the global one. */
  fetch?: typeof globalThis.fetch;
  /** Milliseconds for one try; 60,000 unless told. */
  timeout?: number;
  /** How often a request is repeated that was answered with 429 or 503 and `Retry-After`; 3 unless told. */
  retries?: number;
}

type Options<O> = object extends RequestOf<O> ? [options?: RequestOf<O>] : [options: RequestOf<O>];

/** A client of Aldis. All methods throw AldisError. */
export interface Client {
  /**
   * Makes a request. What was refused for a moment (429, 503 with `Retry-After`) is repeated when that does no harm: it only reads, says
   * the same twice, or carries an Idempotency-Key, which is made for what takes one.
   * @param path as in docs/openapi.json, with `{names}` for what stands in `params`.
   * @returns the answer, which is a success; other answers are thrown.
   */
  request<M extends Method, P extends PathOf<M>>(
    method: M,
    path: P,
    ...options: Options<Operation<M, P>>
  ): Promise<AnswerOf<Operation<M, P>>>;
  /** All items of a list, page after page. */
  pages<P extends PagedPath>(path: P, ...options: Options<Operation<'GET', P>>): AsyncIterable<ItemOf<P>>;
  /** What happens, in order, without a gap, until the signal is aborted. A moment without the server is waited out. */
  events(options?: ReadEvents): AsyncGenerator<AldisEvent, void>;
  /** A ticket by which one socket can be opened, once, within half a minute: for browsers, which cannot set headers. */
  ticket(): Promise<string>;
}

const TIMEOUT = 60_000;
const RETRIES = 3;
/** Seconds that are waited for a retry; who is told to wait longer is told so. */
const LONGEST_WAIT = 60;
/** Of the wait, at most so much more, so that those who were refused together do not come together. */
const JITTER = 0.25;
const REPEATABLE: ReadonlySet<Method> = new Set(['GET', 'PUT', 'DELETE']);

interface AnyRequest extends RequestSettings {
  params?: Record<string, string | number>;
  query?: Record<string, unknown>;
  body?: unknown;
}

interface AnyAnswer {
  status: number;
  headers: Headers;
  body: unknown;
}

export function createClient(options: ClientOptions): Client {
  const { url, apiKey, token, getToken, userId, timeout = TIMEOUT, retries = RETRIES } = options;
  const base = url.replace(/\/+$/, '');
  const fetch = options.fetch ?? globalThis.fetch.bind(globalThis);

  async function headersOf(given: AnyRequest, key: string | null, renew: boolean): Promise<Headers> {
    const headers = new Headers(given.headers);
    const bearer = apiKey ?? token ?? (await getToken?.(renew));
    if (bearer !== undefined) headers.set('authorization', `Bearer ${bearer}`);
    if (userId !== undefined) headers.set('x-user-id', userId);
    // Whatever the key's own dialect is: the types are of this one.
    headers.set('x-api-case', 'snake');
    if (key !== null) headers.set('idempotency-key', key);
    // A form says by itself where its parts end.
    if (given.body !== undefined && !(given.body instanceof FormData)) headers.set('content-type', 'application/json');
    return headers;
  }

  async function tryOnce(method: Method, address: string, given: AnyRequest, headers: Headers): Promise<Response> {
    const { body, signal } = given;
    const deadline = AbortSignal.timeout(given.timeout ?? timeout);
    try {
      return await fetch(address, {
        method,
        headers,
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
        ...(body !== undefined && { body: body instanceof FormData ? body : JSON.stringify(body) }),
      });
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      throw new AldisError(`${address} gave no answer.`, { code: 'unreachable', cause });
    }
  }

  async function send(method: Method, path: string, given: AnyRequest = {}): Promise<AnyAnswer> {
    const address = base + fill(path, given.params ?? {}) + queryText(given.query ?? {});
    const key = given.idempotencyKey ?? (TAKES_KEY.has(`${method} ${path}`) ? newName() : null);
    const mayRepeat = REPEATABLE.has(method) || key !== null;
    let renew = false;
    for (let repeats = 0; ; ) {
      const answer = await tryOnce(method, address, given, await headersOf(given, key, renew));
      if (answer.ok) return { status: answer.status, headers: answer.headers, body: await bodyOf(answer) };
      const error = await errorOfAnswer(answer);
      if (error.status === 401 && getToken !== undefined && !renew) {
        renew = true;
        continue;
      }
      const { retryAfter } = error;
      const momentary = error.status === 429 || error.status === 503;
      if (!momentary || !mayRepeat || retryAfter === null || retryAfter > LONGEST_WAIT || repeats++ >= retries)
        throw error;
      await wait((retryAfter + Math.random() * Math.max(1, retryAfter) * JITTER) * 1000, given.signal);
      if (given.signal?.aborted) throw given.signal.reason;
    }
  }

  async function* pages(path: string, given: AnyRequest = {}): AsyncGenerator<unknown, void> {
    let cursor: unknown = given.query?.['cursor'];
    do {
      const query = { ...given.query, ...(cursor !== undefined && { cursor }) };
      const { body } = await send('GET', path, { ...given, query });
      const page = body as Record<string, unknown>;
      yield* Object.values(page).find(Array.isArray) ?? [];
      cursor = page['next_cursor'];
    } while (typeof cursor === 'string');
  }

  const client: Client = {
    request: ((method: Method, path: string, given?: AnyRequest) => send(method, path, given)) as Client['request'],
    pages: ((path: string, given?: AnyRequest) => pages(path, given)) as Client['pages'],
    events: (reading) =>
      readEvents(
        async (query, settings) => (await client.request('GET', '/api/v1/events', { query, ...settings })).body,
        reading,
      ),
    async ticket() {
      return (await client.request('POST', '/api/v1/tickets')).body.ticket;
    },
  };
  return client;
}

function fill(path: string, params: Record<string, string | number>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    // An empty one would be another path.
    if (value === undefined || value === '') throw new TypeError(`params.${name} is needed for ${path}`);
    return encodeURIComponent(value);
  });
}

function queryText(query: Record<string, unknown>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => {
    if (value === undefined || value === null) return [];
    return [[name, `${value as string | number | boolean}`]];
  });
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}

async function bodyOf(answer: Response): Promise<unknown> {
  const { status } = answer;
  const type = answer.headers.get('content-type') ?? '';
  try {
    if (status === 204) return null;
    if (type.startsWith('application/json')) return (await answer.json()) as unknown;
    return await (type.startsWith('text/plain') ? answer.text() : answer.blob());
  } catch (cause) {
    throw new AldisError('The answer broke off, or is not what it says.', { code: 'invalid_answer', status, cause });
  }
}
