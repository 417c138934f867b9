import { Agent, request } from 'undici';

/**
 * The load generator, the same for every side: undici over kept-alive connections, each with one request at a time.
 */
export interface LoadClient extends AsyncDisposable {
  /** Posts and gives the status; the answer's body is read and dropped. */
  post(path: string, body: string | Buffer, headers: Record<string, string>): Promise<number>;
  /** Any request, with its answer's body as JSON, or as text where it is none. */
  ask(path: string, options?: AskOptions): Promise<Answer>;
}

export interface AskOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  body?: string | Buffer;
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  body: unknown;
}

const JSON_TYPE = { 'content-type': 'application/json' };

/**
 * @param url of the server, without a path
 * @param headers sent with each request
 */
export function openLoad(url: string, connections: number, headers: Record<string, string> = {}): LoadClient {
  const dispatcher = new Agent({ connections, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 });
  return {
    async post(path, body, own) {
      const answer = await request(url + path, {
        dispatcher,
        method: 'POST',
        headers: { ...JSON_TYPE, ...headers, ...own },
        body,
      });
      await answer.body.dump();
      return answer.statusCode;
    },
    async ask(path, { method = 'GET', body, headers: own } = {}) {
      const answer = await request(url + path, {
        dispatcher,
        method,
        headers: { ...(body === undefined ? {} : JSON_TYPE), ...headers, ...own },
        body: body ?? null,
      });
      const text = await answer.body.text();
      const json = String(answer.headers['content-type']).startsWith('application/json');
      return { status: answer.statusCode, body: json ? JSON.parse(text) : text };
    },
    [Symbol.asyncDispose]: () => dispatcher.close(),
  };
}

/**
 * Does `one` for 0 to `n - 1`, `width` at a time, as fast as answers come.
 * @returns how long it took, in seconds
 */
export async function pour(n: number, width: number, one: (index: number) => Promise<void>): Promise<number> {
  let next = 0;
  const began = performance.now();
  const worker = async (): Promise<void> => {
    while (next < n) await one(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, n) }, worker));
  return (performance.now() - began) / 1000;
}
