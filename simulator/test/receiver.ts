import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { isObject, type JsonObject } from '../src/json.ts';

export interface Received {
  raw: string;
  signature: string;
  at: number;
  /** `entry[0].changes[0].value`. */
  value: JsonObject;
}

/** Somebody who receives webhooks over a real socket, checks signatures and can be told to refuse. */
export interface Receiver {
  url: string;
  received: Received[];
  /** What the next deliveries are answered, 200 when the list is empty. `hang` never answers. */
  answers: (number | 'hang')[];
  badSignatures: number;
  /** Resolves once `when` holds. Rejects after ten seconds. */
  until(when: () => boolean, what: string): Promise<void>;
  /** The statuses received, in order, as "sent wamid…". */
  statuses(): { id: string; status: string; item: JsonObject; at: number }[];
  close(): Promise<void>;
}

export const APP_SECRET = 'an app secret';
export const VERIFY_TOKEN = 'a verify token';
const DEADLINE = 10_000;

export async function startReceiver(): Promise<Receiver> {
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      const query = new URL(request.url ?? '/', 'http://receiver').searchParams;
      const known = query.get('hub.mode') === 'subscribe' && query.get('hub.verify_token') === VERIFY_TOKEN;
      response.writeHead(known ? 200 : 403).end(known ? query.get('hub.challenge') : 'no');
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const signature = String(request.headers['x-hub-signature-256']);
      const expected = `sha256=${createHmac('sha256', APP_SECRET).update(bytes).digest('hex')}`;
      if (signature.length !== expected.length || !timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) {
        receiver.badSignatures++;
      }
      const answer = receiver.answers.shift() ?? 200;
      const raw = bytes.toString('utf8');
      receiver.received.push({ raw, signature, at: performance.now(), value: valueOf(JSON.parse(raw)) });
      if (answer !== 'hang') response.writeHead(answer).end();
      for (const check of waiting) check();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const receiver: Receiver = {
    url: `http://127.0.0.1:${address.port}/webhooks`,
    received: [],
    answers: [],
    badSignatures: 0,
    statuses: () =>
      receiver.received.flatMap(({ value, at }) =>
        listOf(value.statuses).map((item) => ({ id: String(item.id), status: String(item.status), item, at })),
      ),
    until: (when, what) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!when()) return;
          clearTimeout(deadline);
          waiting.delete(check);
          resolve();
        };
        const deadline = setTimeout(() => {
          waiting.delete(check);
          reject(new Error(`waited ${DEADLINE} ms in vain for ${what}; ${receiver.received.length} webhooks came`));
        }, DEADLINE);
        waiting.add(check);
        check();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

/** The objects of a list, none when it is no list. */
export function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function valueOf(envelope: unknown): JsonObject {
  const [entry] = listOf(isObject(envelope) ? envelope.entry : undefined);
  const [change] = listOf(entry?.changes);
  return isObject(change?.value) ? change.value : {};
}
