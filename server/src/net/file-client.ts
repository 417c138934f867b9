import { Readable } from 'node:stream';
import { Agent } from 'undici';

/**
 * The HTTP client for the provider's files: bytes go up and come down as they are read and written, and are never whole in
 * memory. It follows no redirect and repeats nothing.
 */
export interface FileClient {
  /** @throws when no answer comes. */
  send(request: FileRequest): Promise<FileAnswer>;
  /** Ends what is under way, and closes all connections. */
  close(): Promise<void>;
}

export interface FileRequest {
  method: 'GET' | 'POST';
  url: URL;
  headers: Record<string, string>;
  /** What is sent, with how many bytes it has. */
  body?: { bytes: AsyncIterable<Uint8Array>; size: number };
  /** Milliseconds for all of it, the reading of the answer included. */
  timeout: number;
  /** Ends it early. */
  ending?: AbortSignal;
}

export interface FileAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** To be read to its end, or left: both let the connection go. Reading throws when it breaks off. */
  bytes: AsyncIterable<Uint8Array>;
  /** Reads it as text instead. @throws when it is longer than 1 MiB. */
  text(): Promise<string>;
}

export interface FileClientOptions {
  /** Most connections at once to one host. */
  connections: number;
  /** Milliseconds without any progress. */
  stall: number;
}

const LONGEST_TEXT = 1 << 20;

/** Makes the client. Nothing connects before the first request. */
export function fileClient({ connections, stall }: FileClientOptions): FileClient {
  const agent = new Agent({
    connections,
    pipelining: 1,
    headersTimeout: stall,
    bodyTimeout: stall,
    connect: { timeout: Math.min(stall, 10_000) },
    keepAliveTimeout: 10_000,
  });
  const closing = new AbortController();
  return {
    async send({ method, url, headers, body, timeout, ending }) {
      const ends = [AbortSignal.timeout(timeout), closing.signal, ...(ending ? [ending] : [])];
      const answer = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers: body ? { ...headers, 'content-length': String(body.size) } : headers,
        body: body ? Readable.from(body.bytes, { objectMode: false }) : null,
        signal: AbortSignal.any(ends),
      });
      return {
        status: answer.statusCode,
        headers: answer.headers,
        bytes: answer.body,
        text: () => textOf(answer.body),
      };
    },
    async close() {
      closing.abort(new Error('the client is closing'));
      await agent.close();
    },
  };
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > LONGEST_TEXT) throw new Error('the answer is longer than 1 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
