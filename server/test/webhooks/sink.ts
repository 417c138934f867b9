import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** What was posted to it. */
export interface Posted {
  id: string;
  type: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  data: Record<string, unknown>;
  at: number;
}

/** How it answers; the status, or by itself. */
export type Answering = (posted: Posted, response: ServerResponse) => number | null | Promise<number | null>;

/** A customer's endpoint: a real HTTP server that remembers what it was told. */
export interface Sink {
  url: string;
  port: number;
  posted: Posted[];
  answer: Answering;
  /** Ids of what was answered 2xx, in order. */
  taken: string[];
  close(): Promise<void>;
}

export async function sink(port = 0): Promise<Sink> {
  const server: Server = createServer((request, response) => void take(request, response));
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { type, data } = JSON.parse(body) as { type: string; data: Record<string, unknown> };
    const id = String(request.headers['webhook-id']);
    const posted = { id, type, path: request.url ?? '', headers: request.headers, body, data, at: Date.now() };
    world.posted.push(posted);
    const status = await world.answer(posted, response);
    if (status === null || response.destroyed) return;
    if (status < 300) world.taken.push(id);
    response.writeHead(status).end(status < 300 ? '' : 'no, thank you');
  }
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const own = (server.address() as AddressInfo).port;
  const world: Sink = {
    url: `http://127.0.0.1:${own}/hook`,
    port: own,
    posted: [],
    taken: [],
    answer: () => 204,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return world;
}
