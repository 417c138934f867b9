import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request } from 'undici';

/**
 * What stands before several instances: one address for clients and for the provider's webhooks. It hands each request to one
 * of them, and to another when there is no answer: every request here may be repeated. Nobody answers: the connection is cut.
 */
export interface Front extends AsyncDisposable {
  readonly url: string;
}

/** An instance that has not answered by then is given up, as load balancers do. Milliseconds. */
const PATIENCE_MS = 1500;
const MOST_TRIES = 3;

/** @param members where the instances are, the next one to ask first. */
export async function startFront(members: () => readonly string[]): Promise<Front> {
  const agent = new Agent({ connections: 64, pipelining: 1, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
  const handle = async (asked: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of asked) parts.push(part as Buffer);
    const { host: _, connection: __, ...headers } = asked.headers;
    for (const member of members().slice(0, MOST_TRIES)) {
      try {
        const given = await request(member + asked.url, {
          dispatcher: agent,
          method: asked.method as 'GET',
          headers: headers as Record<string, string>,
          body: parts.length === 0 ? null : Buffer.concat(parts),
        });
        const body = Buffer.from(await given.body.arrayBuffer());
        const { 'transfer-encoding': ___, connection: ____, ...kept } = given.headers;
        answer.writeHead(given.statusCode, kept as Record<string, string>).end(body);
        return;
      } catch {
        // Refused, cut or late: the next one.
      }
    }
    asked.socket.destroy();
  };
  const server = createServer((asked, answer) => {
    handle(asked, answer).catch(() => asked.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await agent.destroy();
    },
  };
}
