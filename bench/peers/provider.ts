import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';

/**
 * The barest provider that a sender can have: it answers each send after a while, in the shape of the Graph API, and keeps nothing of it.
 * Whatever else it is asked it passes on to a simulator, which knows the numbers.
 *
 * usage: provider.ts --simulator URL [--delay MS]
 * Prints `provider ready http://127.0.0.1:PORT`. `GET /_sends` gives how many sends came; `GET /_sends?from=N&to=N` waits until the
 * second of these came, and gives the seconds between them.
 */
const { values: options } = parseArgs({
  options: { simulator: { type: 'string' }, delay: { type: 'string', default: '5' } },
});
const { simulator } = options;
const delay = Number(options.delay);
if (!simulator || !Number.isInteger(delay) || delay < 0)
  throw new Error('usage: provider.ts --simulator URL [--delay MS]');

interface Watch {
  from: number;
  to: number;
  began: number;
  done: (seconds: number) => void;
}

let sends = 0;
let watches: Watch[] = [];

function count(): void {
  sends++;
  if (watches.length === 0) return;
  const now = performance.now();
  for (const watch of watches) {
    if (sends === watch.from) watch.began = now;
    if (sends === watch.to) watch.done((now - watch.began) / 1000);
  }
  watches = watches.filter(({ to }) => to > sends);
}

function answerSend(asked: IncomingMessage, answer: ServerResponse): void {
  asked.resume();
  asked.once('end', () => {
    count();
    setTimeout(() => {
      // As long as the real ones, and like them in no order.
      const id = `wamid.HBgNNjI4MTIzNDU2Nzg5MBUCABEY${randomUUID().replaceAll('-', '').toUpperCase()}`;
      const body = `{"messaging_product":"whatsapp","contacts":[{"input":"0","wa_id":"0"}],"messages":[{"id":"${id}"}]}`;
      answer.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
    }, delay);
  });
}

async function tell(asked: URL): Promise<object> {
  const [from, to] = ['from', 'to'].map((name) => Number(asked.searchParams.get(name) ?? 0)) as [number, number];
  if (to <= sends) return { sends };
  const seconds = await new Promise<number>((done) => {
    watches.push({ from, to, began: performance.now(), done });
  });
  return { sends, seconds };
}

async function passOn(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of asked) parts.push(part as Buffer);
  const { host: _, connection: __, 'content-length': ___, ...headers } = asked.headers;
  const given = await fetch(simulator + (asked.url ?? '/'), {
    method: asked.method ?? 'GET',
    headers: headers as Record<string, string>,
    body: parts.length === 0 ? null : Buffer.concat(parts),
  });
  const body = Buffer.from(await given.arrayBuffer());
  answer.writeHead(given.status, { 'content-type': given.headers.get('content-type') ?? 'text/plain' }).end(body);
}

async function handle(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
  const path = asked.url ?? '/';
  if (path.startsWith('/_sends')) {
    const body = JSON.stringify(await tell(new URL(path, 'http://provider')));
    answer.writeHead(200, { 'content-type': 'application/json' }).end(body);
  } else await passOn(asked, answer);
}

const server = createServer((asked, answer) => {
  if (asked.method === 'POST' && asked.url?.endsWith('/messages')) answerSend(asked, answer);
  else handle(asked, answer).catch(() => asked.socket.destroy());
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
if (address === null || typeof address === 'string') throw new Error('no port was given');
process.on('SIGTERM', () => process.exit(0));
console.log(`provider ready http://127.0.0.1:${address.port}`);
