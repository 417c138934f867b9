import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { newCustomer } from '../src/requests.ts';

/**
 * A steady load on one instance, by a client that keeps to the documentation: each message has an `Idempotency-Key` and is
 * repeated until it is acknowledged. It notes what must never happen, whatever is broken behind the instance: an answer of
 * 500, a refusal without a reason to come again, a request that hangs.
 */
export interface SteadyLoad {
  /** Ids of acknowledged messages by text. */
  readonly acknowledged: ReadonlyMap<string, string>;
  /** What must not happen and did, in words. */
  readonly breaches: readonly string[];
  /** Messages that were begun so far: the next one is the `begun`th. */
  readonly begun: number;
  readonly counts: LoadCounts;
  /** Milliseconds that the slowest request took to be answered, or to be given up. */
  readonly slowest: number;
  /** No new messages from here on; resolves when every one that was begun is acknowledged. */
  stop(): Promise<void>;
}

export interface LoadCounts {
  /** Answers that said to come again. */
  refused: number;
  /** Requests without an answer: refused connections and cut ones. */
  unanswered: number;
}

export interface LoadOptions {
  url: string;
  apiKey: string;
  perSecond: number;
  /** The body of the nth message; `text` must be in it, for it tells the message apart at the provider. */
  body: (n: number) => { text: string; body: Record<string, unknown> };
  /** Further headers of the nth message. */
  headers?: (n: number) => Record<string, string>;
  /** Every so many messages, one that was acknowledged is read. 0: never. */
  readEvery?: number;
  /** The words that a 503 may give. */
  reasons?: readonly string[];
}

/**
 * Longer than that no request may take, whatever is broken. A request asks the database three times at most before it accepts, each waits
 * four seconds at most for a connection. Milliseconds.
 */
const LONGEST = 16_000;
/** Repeated after what Retry-After says, or after this, and up to half of it more. Milliseconds. */
const REPEAT_AFTER_MS = 200;
const MOST_BREACHES = 20;
/** A message is given up, and the drill with it, when it is not acknowledged for that long. */
const PATIENCE_MS = 120_000;

interface Answered {
  status: number;
  body: unknown;
  /** Milliseconds; 0: it says nothing of it. */
  retryAfter: number;
}

/** The usual message of a drill, to somebody new. */
export function plainMessage(text: string, sender?: string): { text: string; body: Record<string, unknown> } {
  return { text, body: { recipient_phone: newCustomer(), content: { text }, ...(sender && { sender_id: sender }) } };
}

/** Begins at once. */
export function steadyLoad(options: LoadOptions): SteadyLoad {
  const { url, apiKey, perSecond, body, readEvery = 10, reasons = ['unavailable', 'overloaded'] } = options;
  const agent = new Agent({ connections: 128, pipelining: 1, headersTimeout: 30_000, bodyTimeout: 30_000 });
  const acknowledged = new Map<string, string>();
  const breaches: string[] = [];
  const counts: LoadCounts = { refused: 0, unanswered: 0 };
  const pending = new Set<Promise<void>>();
  const stopping = new AbortController();
  let slowest = 0;
  let begun = 0;

  const breach = (what: string): void => {
    if (breaches.length < MOST_BREACHES) breaches.push(what);
  };

  /** One request; null: no answer came. */
  async function ask(path: string, key?: string, json?: string, headers = {}): Promise<Answered | null> {
    const began = performance.now();
    const what = `${json === undefined ? 'GET' : 'POST'} ${path}`;
    try {
      const answer = await request(url + path, {
        dispatcher: agent,
        method: json === undefined ? 'GET' : 'POST',
        headers: {
          authorization: `Bearer ${apiKey}`,
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
          ...headers,
        },
        body: json ?? null,
      });
      const said = (await answer.body.json()) as { code?: string; message?: string; error?: string };
      const { statusCode: status } = answer;
      if (status >= 500 && status !== 503) breach(`${what} was answered ${status}: ${JSON.stringify(said)}`);
      if (status === 503) {
        counts.refused++;
        if (!answer.headers['retry-after']) breach(`${what} was answered 503 without Retry-After`);
        if (!reasons.includes(said.error ?? '')) breach(`${what} was answered 503 ${said.error}: ${said.message}`);
      }
      return { status, body: said, retryAfter: Number(answer.headers['retry-after'] ?? 0) * 1000 };
    } catch {
      counts.unanswered++;
      return null;
    } finally {
      const took = performance.now() - began;
      slowest = Math.max(slowest, took);
      if (took > LONGEST) breach(`${what} took ${(took / 1000).toFixed(1)} s`);
    }
  }

  async function send(n: number): Promise<void> {
    const { text, body: message } = body(n);
    const json = JSON.stringify(message);
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const answer = await ask('/api/v1/messages', text, json, options.headers?.(n));
      if (answer?.status === 202) {
        const { id } = answer.body as { id: string };
        acknowledged.set(text, id);
        if (readEvery > 0 && n % readEvery === 0) await read(id);
        return;
      }
      // 409: the first try is still being worked on. 429 and 5xx: later. Any other answer would never change.
      if (answer && answer.status < 500 && answer.status !== 409 && answer.status !== 429) {
        return breach(`"${text}" was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      }
      if (performance.now() > end) return breach(`"${text}" was not acknowledged in time`);
      await sleep((answer?.retryAfter || REPEAT_AFTER_MS) * (1 + Math.random() / 2));
    }
  }

  async function read(id: string): Promise<void> {
    const answer = await ask(`/api/v1/messages/${id}`);
    if (answer?.status === 404) breach(`message ${id} was acknowledged and is not there`);
  }

  const pouring = (async () => {
    const began = performance.now();
    for (let n = 0; !stopping.signal.aborted; n = ++begun) {
      const wait = began + (n * 1000) / perSecond - performance.now();
      if (wait > 1) await sleep(wait, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      const sending = send(n).finally(() => pending.delete(sending));
      pending.add(sending);
    }
  })();

  return {
    acknowledged,
    breaches,
    counts,
    get begun() {
      return begun;
    },
    get slowest() {
      return slowest;
    },
    async stop() {
      stopping.abort();
      await pouring;
      await Promise.all(pending);
      await agent.close();
    },
  };
}
