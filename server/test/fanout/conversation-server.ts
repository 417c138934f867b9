import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What was posted to it. */
export interface Posted {
  tenant: string;
  path: string;
  body: { conversation_id: string; sender_type: string; content: string; whatsapp_message_id: string };
}

/** How it answers. `answer` may wait. */
export type Answering = (posted: Posted, response: ServerResponse) => void | Promise<void>;

export const takes: Answering = (_posted, response) => {
  response.writeHead(201, { 'content-type': 'application/json' }).end('{"id":"1"}');
};
export const says =
  (status: number, text = '{}'): Answering =>
  (_posted, response) => {
    response.writeHead(status).end(text);
  };

/** A conversation service that remembers what it was told, and answers as it is set to. */
export interface ConversationServer {
  url: string;
  /** All that arrived, whatever was answered. */
  posted: Posted[];
  answer: Answering;
  /** The most requests that were open at once. */
  most: number;
  close(): Promise<void>;
}

export async function conversationServer(port = 0): Promise<ConversationServer> {
  const server = createServer((request, response) => void take(request, response));
  let now = 0;
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    world.most = Math.max(world.most, ++now);
    response.on('close', () => now--);
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const posted = { tenant: String(request.headers['x-tenant-id']), path: request.url ?? '', body: JSON.parse(text) };
    world.posted.push(posted);
    await world.answer(posted, response);
  }
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const world: ConversationServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posted: [],
    answer: takes,
    most: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return world;
}
