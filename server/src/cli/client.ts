import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isObject } from './answers.ts';
import { CliError, EXIT } from './exit-codes.ts';

/** How long troubles that may pass are borne, in milliseconds. */
export interface Patience {
  /** Until the first answer of any kind. A server that was never there is soon said to be missing. */
  first: number;
  /** After that: a server that was there and went away is probably being started again. */
  later: number;
}

export interface ClientOptions {
  url: string;
  apiKey: string;
  patience: Patience;
  /** Told before each wait, so that silence is explained. */
  onRetry?: (why: string) => void;
  /** Ends everything at once, also a request that is under way. */
  signal?: AbortSignal;
  /** Ends patience: what is under way may finish, but nothing is tried again. */
  giveUp?: AbortSignal;
}

export interface Request {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path and query, from the root. */
  path: string;
  /** JSON, or a form. */
  body?: string | FormData;
  /** The user it is asked for; a key needs the scope `act_as` for that. */
  user?: string;
  /** Makes a POST safe to repeat. A POST without one is tried once; the other methods can be repeated. */
  idempotencyKey?: string;
  /** A POST that may be repeated without a key: twice has the same effect as once. */
  repeatable?: boolean;
  /** How long one try may take, in milliseconds. 30 s if absent. */
  timeout?: number;
}

export interface Client {
  /** Tells the owner of one key from that of another without telling the key: the beginning of its SHA-256. */
  readonly account: string;
  /**
   * Asks the server and returns the JSON of a 2xx answer. Connections are kept alive. A connection that fails, 429, 5xx
   * and 409 `idempotency_in_progress` are tried again, with the same Idempotency-Key, until patience ends.
   * @throws {CliError} `unreachable` or `refused`
   */
  request(request: Request): Promise<unknown>;
  /**
   * Begins to read what is no JSON, such as a file. Tried once: whoever reads knows where to go on.
   * @throws {CliError} `unreachable` or `refused`
   */
  open(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/** What came of one try: an answer, or a trouble that may pass. */
type Try = { kind: 'answer'; body: unknown } | { kind: 'trouble'; why: string; retryAfter: number; answered: boolean };

/** A client of one server with one key. */
export function createClient(options: ClientOptions): Client {
  const base = options.url.replace(/\/+$/, '');
  let reached = false;

  async function attempt(request: Request): Promise<Try> {
    const headers: Record<string, string> = {
      authorization: `Bearer ${options.apiKey}`,
      accept: 'application/json',
      // Whatever dialect the key speaks, this program reads one.
      'x-api-case': 'snake',
    };
    if (typeof request.body === 'string') headers['content-type'] = 'application/json';
    if (request.idempotencyKey !== undefined) headers['idempotency-key'] = request.idempotencyKey;
    // A header's bytes: an id may have any letters.
    if (request.user !== undefined) headers['x-user-id'] = Buffer.from(request.user).toString('latin1');
    const timeout = AbortSignal.timeout(request.timeout ?? 30_000);
    let response: Response;
    let text: string;
    try {
      response = await fetch(base + request.path, {
        method: request.method,
        headers,
        body: request.body,
        redirect: 'error',
        signal: options.signal ? AbortSignal.any([timeout, options.signal]) : timeout,
      });
      text = await response.text();
    } catch (error) {
      options.signal?.throwIfAborted();
      return { kind: 'trouble', why: whyUnreachable(error), retryAfter: 0, answered: false };
    }
    reached = true;
    const body = parseJson(text);
    if (response.ok) {
      if (body === undefined) throw new CliError(EXIT.failure, 'strange_answer', `${base} does not answer in JSON`);
      return { kind: 'answer', body };
    }
    const refusal = refusalOf(response.status, body);
    const passing = response.status >= 500 || response.status === 429 || refusal.code === 'idempotency_in_progress';
    if (!passing) throw refusal;
    const seconds = Number(response.headers.get('retry-after'));
    const retryAfter = Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 60) * 1_000 : 0;
    return { kind: 'trouble', why: refusal.message, retryAfter, answered: true };
  }

  async function open(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const response = await fetch(base + path, {
      headers: { authorization: `Bearer ${options.apiKey}`, ...headers },
      redirect: 'error',
      ...(options.signal ? { signal: options.signal } : {}),
    }).catch((error: unknown) => {
      options.signal?.throwIfAborted();
      throw new CliError(EXIT.unreachable, 'unreachable', `${base}: ${whyUnreachable(error)}`);
    });
    if (response.ok) return response;
    const refusal = refusalOf(response.status, parseJson(await response.text().catch(() => '')));
    if (response.status < 500 && response.status !== 429) throw refusal;
    throw new CliError(EXIT.unreachable, 'unreachable', `${base}: ${refusal.message}`);
  }

  return {
    open,
    account: createHash('sha256').update(options.apiKey).digest('hex').slice(0, 16),
    async request(request) {
      const repeatable =
        request.method !== 'POST' || request.idempotencyKey !== undefined || request.repeatable === true;
      const began = performance.now();
      for (let tries = 0; ; tries++) {
        const outcome = await attempt(request);
        if (outcome.kind === 'answer') return outcome.body;
        const backoff = Math.min(FIRST_PAUSE * 2 ** tries, LONGEST_PAUSE);
        const pause = Math.max(outcome.retryAfter, backoff * (0.5 + Math.random() / 2));
        const patience = reached ? options.patience.later : options.patience.first;
        const spent = performance.now() - began;
        if (repeatable && spent + pause <= patience && !options.giveUp?.aborted) {
          options.onRetry?.(`${outcome.why}; trying again in ${(pause / 1_000).toFixed(1)} s`);
          await pauseFor(pause, options);
        } else {
          const hint = outcome.answered ? '' : '; is Aldis running (npm start), and is this its address?';
          throw new CliError(EXIT.unreachable, 'unreachable', `${base}: ${outcome.why}${hint}`);
        }
      }
    },
  };
}

/** Waits, unless told to give up. @throws {AbortError} when everything is to end */
async function pauseFor(milliseconds: number, { signal, giveUp }: ClientOptions): Promise<void> {
  const signals = [signal, giveUp].filter((one) => one !== undefined);
  await sleep(milliseconds, undefined, { signal: AbortSignal.any(signals) }).catch(() => signal?.throwIfAborted());
}

/** The refusal that an answer of another status than 2xx means. */
function refusalOf(status: number, body: unknown): CliError {
  const answer = isObject(body) ? body : {};
  const details = isObject(answer.details) ? answer.details : {};
  const code = typeof answer.error === 'string' ? answer.error : `http_${status}`;
  const told = typeof answer.message === 'string' ? answer.message : `the server answered ${status}`;
  const message = typeof details.detail === 'string' ? `${told}: ${details.detail}` : told;
  const field = [answer.field, details.field].find((value) => typeof value === 'string');
  return new CliError(EXIT.refused, code, `${message} (${status} ${code}${field ? `, field ${field}` : ''})`, {
    field: field ?? null,
  });
}

const NOT_TRUSTED = 'its certificate is not trusted: name the file of who signed it in NODE_EXTRA_CA_CERTS';

/** Why a connection failed, in the words of the layer that knows. */
function whyUnreachable(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = 'code' in cause ? String(cause.code) : '';
  const words: Record<string, string> = {
    ECONNREFUSED: 'connection refused',
    ECONNRESET: 'connection cut',
    UND_ERR_SOCKET: 'connection cut',
    ENOTFOUND: 'unknown host',
    EHOSTUNREACH: 'host unreachable',
    ETIMEDOUT: 'no answer in time',
    DEPTH_ZERO_SELF_SIGNED_CERT: NOT_TRUSTED,
    SELF_SIGNED_CERT_IN_CHAIN: NOT_TRUSTED,
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_TRUSTED,
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_TRUSTED,
    UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
  };
  return words[code] ?? (cause.message || code || 'connection failed');
}

/** Undefined when the text is no JSON. */
function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
