import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { Pool } from 'undici';
import type { AddressGuard } from './guarded-fetch-addresses.ts';
import { NotSent } from './provider-client.ts';

/**
 * The one client for URLs that users give. It looks the name up by itself, checks every address it leads to, and connects to
 * the address it has checked and to no other, so that a name that leads elsewhere a moment later changes nothing. The
 * name stays in the Host header and in TLS. It follows no redirect, decompresses nothing, repeats nothing, and limits time
 * and size.
 */
export interface GuardedFetch {
  /**
   * Makes one request.
   * @throws {NotSent} when certainly no byte of it left: the URL or an address is refused, nobody listens, `stop` said so.
   * Any other error: it may have arrived, and no answer came.
   */
  send(request: GuardedRequest): Promise<GuardedAnswer>;
  /**
   * Begins to read what a URL gives. A redirect is followed, a few times, and checked like the URL itself.
   * @throws {NotSent} when a URL or an address is refused, or nobody listens. Any other error: no answer came in time.
   */
  read(request: GuardedRead): Promise<GuardedFile>;
  /** Waits for what is under way, then closes all connections. */
  close(): Promise<void>;
}

export interface GuardedRequest {
  method: 'GET' | 'POST';
  url: string;
  headers: Record<string, string>;
  body: string | null;
  /** Asked right before the request is written to its socket. When it gives a reason, nothing is written. */
  stop?: () => string | null;
}

export interface GuardedAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** As UTF-8. */
  body: string;
  /** Why the body is not whole, or null when it is. */
  cut: string | null;
}

export interface GuardedRead {
  url: string;
  headers: Record<string, string>;
  /** Milliseconds for all of it, to the last byte; instead of the client's own time. */
  timeout: number;
  /** Most bytes that are read. */
  most: number;
}

/** What a URL gives, while it comes. */
export interface GuardedFile {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /**
   * To be read to the end, or left: both let the connection go. Reading throws when there are more than `most`, when the time
   * is over, when nothing comes for a while, and when the connection breaks off before the length that was told.
   */
  bytes: AsyncIterable<Uint8Array>;
}

export interface GuardedFetchOptions {
  guard: AddressGuard;
  /** Most connections at once to one address under one name. */
  connections: number;
  /** Milliseconds for all of it: looking up, connecting, sending, the whole answer. */
  timeout: number;
  /** The longest body of an answer that is read. Bytes. */
  longestBody?: number;
  /** Where names lead. Absent: what the system says. */
  resolve?: (host: string) => Promise<readonly string[]>;
}

const LONGEST_BODY = 1 << 20;
/** Of the head of an answer, in bytes. */
const LONGEST_HEAD = 16 << 10;
/** Pools of connections that are kept. An older one is closed for a new one. */
const MOST_POOLS = 256;
/** Where a name leads is believed for so long, in milliseconds. Every connection is checked all the same. */
const BELIEVED = 1000;
const MOST_NAMES = 1000;
/** Redirects that a read follows. */
const MOST_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Makes the client. Nothing is looked up or connected before the first request. */
export function guardedFetch(options: GuardedFetchOptions): GuardedFetch {
  const { guard, timeout, connections, longestBody = LONGEST_BODY, resolve = ask } = options;
  const pools = new Map<string, Pool>();
  const closing = new Set<Promise<void>>();
  const names = new Map<string, { addresses: Promise<readonly string[]>; until: number }>();

  function addressesOf(host: string): Promise<readonly string[]> {
    const known = names.get(host);
    const now = performance.now();
    if (known && known.until > now) return known.addresses;
    if (names.size >= MOST_NAMES) names.clear();
    const addresses = resolve(host);
    names.set(host, { addresses, until: now + BELIEVED });
    return addresses;
  }

  /** The address to connect to. Every one that a name leads to has to be good: who mixes them is up to something. */
  async function checked(url: URL): Promise<string> {
    const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
    const addresses = isIP(host) ? [host] : await addressesOf(host);
    const [first] = addresses;
    if (first === undefined) throw new NotSent(`${host} leads to no address`);
    if (guard.trusts(host)) return first;
    for (const address of addresses) {
      const why = guard.objection(address);
      if (why !== null) throw new NotSent(`the address ${address} may not be called: ${why}`);
    }
    return first;
  }

  /** The connections to one origin at one address. */
  function poolOf(origin: string, address: string): Pool {
    const name = `${origin} ${address}`;
    const known = pools.get(name);
    if (known) {
      pools.delete(name);
      pools.set(name, known);
      return known;
    }
    const family = isIP(address);
    const pool = new Pool(origin, {
      connections,
      pipelining: 1,
      headersTimeout: timeout,
      bodyTimeout: timeout,
      maxHeaderSize: LONGEST_HEAD,
      keepAliveTimeout: 10_000,
      connect: {
        timeout: Math.min(timeout, 10_000),
        autoSelectFamily: false,
        // Whatever the name leads to now: this is the address that was checked.
        lookup: (_host, { all }, done) => (all ? done(null, [{ address, family }]) : done(null, address, family)),
      },
    });
    pools.set(name, pool);
    if (pools.size > MOST_POOLS) {
      const [oldest = '', unused] = pools.entries().next().value ?? [];
      pools.delete(oldest);
      if (unused) {
        const closed = unused.close().finally(() => closing.delete(closed));
        closing.add(closed);
      }
    }
    return pool;
  }

  return {
    async send(request) {
      const url = readUrl(request.url);
      const deadline = performance.now() + timeout;
      const address = await within(timeout, checked(url)).catch((error: unknown) => {
        throw error instanceof NotSent ? error : new NotSent(messageOf(error), { cause: error });
      });
      return exchange(poolOf(url.origin, address), url, request, deadline - performance.now(), longestBody);
    },
    async read({ url: first, headers, timeout: time, most }) {
      const over = AbortSignal.timeout(time);
      let url = readUrl(first);
      for (let redirects = 0; ; redirects++) {
        const address = await within(Math.min(time, timeout), checked(url)).catch((error: unknown) => {
          throw error instanceof NotSent ? error : new NotSent(messageOf(error), { cause: error });
        });
        const answer = await poolOf(url.origin, address).request({
          path: url.pathname + url.search,
          method: 'GET',
          headers: { 'user-agent': 'Aldis', 'accept-encoding': 'identity', ...headers },
          signal: over,
        });
        const { statusCode: status, headers: received, body } = answer;
        if (!REDIRECTS.has(status)) return { status, headers: received, bytes: limited(body, most) };
        // Nothing in it is wanted; the connection goes with it.
        body.on('error', () => {}).destroy();
        if (redirects === MOST_REDIRECTS) throw new NotSent('it leads on and on');
        const { location } = received;
        if (typeof location !== 'string' || !URL.canParse(location, url)) throw new NotSent('it leads to no valid URL');
        url = readUrl(new URL(location, url).href);
      }
    },
    async close() {
      await Promise.all([...[...pools.values()].map((pool) => pool.close()), ...closing]);
      pools.clear();
    },
  };
}

async function* limited(bytes: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > most) throw new Error('it is longer than is read');
    yield chunk;
  }
}

async function ask(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true, order: 'verbatim' })).map(({ address }) => address);
}

/** @throws {NotSent} for what is no URL of http or https, or carries a name and password. */
function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw new NotSent('the URL is not valid');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new NotSent('the URL is neither http nor https');
  if (url.username !== '' || url.password !== '') throw new NotSent('the URL carries a name or a password');
  return url;
}

function exchange(
  pool: Pool,
  url: URL,
  request: GuardedRequest,
  timeout: number,
  longestBody: number,
): Promise<GuardedAnswer> {
  return new Promise((resolve, reject) => {
    let written = false;
    let status = 0;
    let headers: GuardedAnswer['headers'] = {};
    let size = 0;
    let abort: ((reason: Error) => void) | null = null;
    let ended: Error | null = null;
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => end(new Error('no whole answer within the time allowed')), timeout);

    function finish(cut: string | null): void {
      clearTimeout(timer);
      resolve({ status, headers, body: Buffer.concat(chunks).toString('utf8'), cut });
    }
    /** With a status in hand the answer is known, whatever becomes of its body. */
    function fail(error: Error): void {
      clearTimeout(timer);
      if (status > 0) finish(messageOf(error));
      else reject(written ? error : new NotSent(messageOf(error), { cause: error }));
    }
    function end(error: Error): void {
      ended = error;
      fail(error);
      abort?.(error);
    }

    try {
      pool.dispatch(
        {
          path: url.pathname + url.search,
          method: request.method,
          headers: { 'user-agent': 'Aldis', 'accept-encoding': 'identity', ...request.headers },
          body: request.body,
        },
        {
          onRequestStart(controller) {
            const reason = ended ? messageOf(ended) : (request.stop?.() ?? null);
            abort = (error) => controller.abort(error);
            if (reason === null) written = true;
            else controller.abort(new Error(reason));
          },
          onResponseStart(_, code, received) {
            // What comes before it (103 and its like) is no answer.
            if (code < 200) return;
            status = code;
            headers = received;
          },
          onResponseData(_, chunk) {
            size += chunk.length;
            if (size > longestBody) end(new Error('the answer is longer than is read'));
            else chunks.push(chunk);
          },
          onResponseEnd() {
            finish(null);
          },
          onResponseError(_, error) {
            fail(error);
          },
        },
      );
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

/** An answer in time, or an error. */
async function within<T>(milliseconds: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NotSent('its name could not be looked up in time')), milliseconds);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
