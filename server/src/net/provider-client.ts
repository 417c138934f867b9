import { Pool } from 'undici';

/**
 * The HTTP client for the provider. It tells apart what matters for a message: whether a request can have left. It never
 * repeats a POST by itself, and follows no redirect.
 */
export interface ProviderClient {
  /**
   * Posts JSON (or deletes by it) over a kept-alive connection.
   * @throws {NotSent} when certainly no byte of the request left. Any other error: it may have arrived.
   */
  post(request: ProviderRequest): Promise<ProviderResponse>;
  /** Waits for what is under way, then closes all connections. */
  close(): Promise<void>;
}

export interface ProviderRequest {
  /** POST if absent. */
  method?: 'POST' | 'DELETE';
  /** Path and query. */
  path: string;
  headers: Record<string, string>;
  body: string;
  /**
   * Asked right before the request is written to its socket. When it gives a reason, nothing is written.
   */
  stop: () => string | null;
  /** Told when the whole request has been handed to the socket. */
  sent?: () => void;
}

export interface ProviderResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** Certainly no byte of the request left: it may be made again without any doubt. */
export class NotSent extends Error {
  override name = 'NotSent';
}

export interface ProviderClientOptions {
  /** `https://graph.facebook.com`: scheme, host and port. */
  origin: string;
  connections: number;
  /** Milliseconds for the answer's head, and again for its body. */
  timeout: number;
}

/** An answer longer than this is no answer of the provider's. Bytes. */
const LONGEST_ANSWER = 1 << 20;

/** Opens a pool of connections to one origin. Nothing connects before the first request. */
export function providerClient({ origin, connections, timeout }: ProviderClientOptions): ProviderClient {
  const pool = new Pool(origin, {
    connections,
    pipelining: 1,
    headersTimeout: timeout,
    bodyTimeout: timeout,
    connect: { timeout: Math.min(timeout, 10_000) },
    keepAliveTimeout: 30_000,
    maxResponseSize: LONGEST_ANSWER,
  });
  return {
    post: (request) => post(pool, request),
    close: () => pool.close(),
  };
}

function post(pool: Pool, request: ProviderRequest): Promise<ProviderResponse> {
  return new Promise((resolve, reject) => {
    let written = false;
    let status = 0;
    let headers: ProviderResponse['headers'] = {};
    let body = '';
    const chunks: Buffer[] = [];
    const fail = (error: Error) => reject(written ? error : new NotSent(error.message || error.name, { cause: error }));
    try {
      pool.dispatch(
        { path: request.path, method: request.method ?? 'POST', headers: request.headers, body: request.body },
        {
          onRequestStart(controller) {
            const reason = request.stop();
            if (reason === null) written = true;
            else controller.abort(new Error(reason));
          },
          onRequestSent() {
            request.sent?.();
          },
          onResponseStart(_, code, received) {
            status = code;
            headers = received;
          },
          onResponseData(_, chunk) {
            chunks.push(chunk);
          },
          onResponseEnd() {
            body = (chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)).toString('utf8');
            resolve({ status, headers, body });
          },
          onResponseError(_, error) {
            fail(error);
          },
        },
      );
    } catch (error) {
      fail(error as Error);
    }
  });
}
