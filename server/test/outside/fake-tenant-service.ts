import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A tenant service as sender-service documents it, of which tests say what it answers. */
export interface FakeTenantService {
  url: string;
  /** The requests that came: `GET PATH as TENANT`. */
  asked: string[];
  /** What the next ones get. */
  answer(answer: Reply): void;
  /** Takes no connections any more, or does again, at the same address. */
  down(): Promise<void>;
  up(): Promise<void>;
}

export interface Reply {
  status?: number;
  /** An object is answered as JSON. */
  body: unknown;
  /** Resolves when the answer may go. */
  when?: Promise<unknown>;
}

export async function fakeTenantService(): Promise<FakeTenantService> {
  let reply: Reply = { body: { can_send_message: true, reason: '' } };
  const asked: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    asked.push(`${request.method} ${request.url} as ${String(request.headers['x-tenant-id'])}`);
    const { status = 200, body, when } = reply;
    void Promise.resolve(when).then(() => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      response.writeHead(status, { 'content-type': typeof body === 'string' ? 'text/html' : 'application/json' });
      response.end(text);
    });
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => {
      server.listen(port, '127.0.0.1', () => resolve());
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    answer(next) {
      reply = next;
    },
    down: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    up: () => listen(port),
  };
}
