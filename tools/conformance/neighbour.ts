import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { differences } from './match.ts';
import type { WrittenRequest } from './written-text.ts';

/** The most requests that are kept: what is documented is asked at the beginning. */
const KEPT = 1000;

/** What a neighbour was asked. */
interface Asked {
  method: string;
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** Another service, as the documents tell of it: it keeps what it was asked, and gives the documented answers. */
export interface Neighbour extends AsyncDisposable {
  url: string;
  /** By `METHOD PATH`, the JSON that is answered; all else is 404. */
  answers: Map<string, string>;
  /** Why no request so far is like the documented one; empty when one is. */
  lacks(documented: WrittenRequest): Promise<string[]>;
}

/** Starts a neighbour on a free port of the loopback. */
export async function startNeighbour(): Promise<Neighbour> {
  const asked: Asked[] = [];
  const answers = new Map<string, string>();
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      if (asked.length < KEPT) asked.push({ method, path, headers, body });
      const answer = answers.get(`${method} ${path}`);
      response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(answer ?? '{"error":"not_found"}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers,
    lacks: async (documented) => lacks(documented, asked),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function lacks({ method, path, headers, body }: WrittenRequest, asked: readonly Asked[]): string[] {
  const there = asked.filter((one) => one.method === method && one.path === path);
  const [last] = there.slice(-1);
  if (!last) {
    const others = [...new Set(asked.map((one) => `${one.method} ${one.path}`))].slice(0, 10);
    return [`was not asked ${method} ${path}, but ${others.join(', ') || 'nothing'}`];
  }
  const flawsOf = (one: Asked) => [
    ...Object.entries(headers)
      .filter(([name, value]) => one.headers[name.toLowerCase()] !== value)
      .map(([name, value]) => `the header ${name} is ${String(one.headers[name.toLowerCase()])}, not ${value}`),
    ...(body === null ? [] : differences(JSON.parse(body), parsed(one.body))),
  ];
  return there.some((one) => flawsOf(one).length === 0) ? [] : flawsOf(last);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** WhatsApp, which the simulator stands for: the bodies that it has accepted, under whichever path and version. */
export function simulatedWhatsApp(url: string): Neighbour {
  return {
    url,
    answers: new Map(),
    async lacks({ body }) {
      const response = await fetch(new URL('/_simulator/messages?limit=1000', url));
      const { messages } = (await response.json()) as { messages: { body: unknown }[] };
      if (messages.length === 0) return ['has accepted nothing'];
      const documented: unknown = JSON.parse(body ?? 'null');
      const flaws = messages.map((message) => differences(documented, message.body));
      return flaws.some((one) => one.length === 0) ? [] : (flaws[0] ?? []);
    },
    async [Symbol.asyncDispose]() {},
  };
}
