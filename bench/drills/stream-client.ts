import { WebSocket } from 'ws';
import type { Span } from './stream-notices.ts';

/**
 * A device that keeps to the documentation of the WebSocket: it notes every event that comes, connects again after a while when it
 * is cut off, and goes on behind the last cursor that it had. What must never happen it notes as a breach: a gap or a break of the chain,
 * an event twice, a close that tells it to give up.
 */
export interface StreamClient {
  readonly user: string;
  readonly name: string;
  /** Where its stream began; null: it was never told. */
  readonly start: string | null;
  /** Ids of the events that came, in their order. */
  readonly seen: readonly string[];
  readonly breaches: readonly string[];
  /** How often it has connected, and by what codes it was closed. */
  readonly connects: number;
  readonly closes: ReadonlyMap<number, number>;
  readonly connected: boolean;
  /** When it was connected and read what came. */
  readonly spans: readonly Span[];
  /** Reads nothing for so long: what comes waits at the server. */
  stall(ms: number): void;
  stop(): void;
}

export interface StreamClientOptions {
  url: string;
  user: string;
  device: string;
  headers: Record<string, string>;
  random: () => number;
}

interface Frame {
  type: string;
  id?: string;
  cursor?: string;
  prev?: string;
  payload?: { cursor?: string };
}

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2000;
/** Codes from here on mean that it would end the same way again. */
const GIVE_UP = 4500;
/** And from here on that what was read is to be read anew, which no stream of this drill has a reason for. */
const ANEW = 4201;

/** Connects at once, and again and again until it is stopped. */
export function streamClient({ url, user, device, headers, random }: StreamClientOptions): StreamClient {
  const seen: string[] = [];
  const ids = new Set<string>();
  const breaches: string[] = [];
  const closes = new Map<number, number>();
  const name = `${user}/${device}`;
  let start: string | null = null;
  let cursor: string | null = null;
  let socket: WebSocket | null = null;
  let connects = 0;
  let wait = FIRST_WAIT_MS;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const spans: Span[] = [];
  /** The last of them, while it lasts. */
  let span: Span | null = null;

  const begin = (): void => {
    if (span) return;
    span = { from: Date.now(), to: Number.POSITIVE_INFINITY };
    spans.push(span);
  };
  const end = (): void => {
    if (span) span.to = Date.now();
    span = null;
  };
  const breach = (what: string): void => {
    if (breaches.length < 5) breaches.push(`${name}: ${what}`);
  };

  function take(frame: Frame): void {
    if (frame.type === 'hello') {
      wait = FIRST_WAIT_MS;
      begin();
      cursor ??= frame.payload?.cursor ?? null;
      start ??= cursor;
    }
    if (frame.cursor === undefined || frame.id === undefined) return;
    if (frame.prev !== cursor)
      breach(`${frame.type} ${frame.id} follows ${frame.prev}, and the last cursor is ${cursor}`);
    if (ids.has(frame.id)) breach(`${frame.type} ${frame.id} came twice`);
    ids.add(frame.id);
    seen.push(frame.id);
    cursor = frame.cursor;
  }

  function connect(): void {
    if (stopped) return;
    const address = cursor === null ? url : `${url}?after=${encodeURIComponent(cursor)}`;
    const mine = new WebSocket(address, {
      headers: { ...headers, 'x-user-id': user, 'x-device-id': device, 'x-platform': 'drill' },
      handshakeTimeout: 5000,
    });
    socket = mine;
    mine.on('open', () => connects++);
    mine.on('message', (data) => take(JSON.parse((data as Buffer).toString()) as Frame));
    mine.on('error', () => {});
    mine.on('close', (code) => {
      end();
      closes.set(code, (closes.get(code) ?? 0) + 1);
      if (code >= GIVE_UP || code === ANEW || code === ANEW + 1) breach(`was closed with ${code}`);
      if (stopped) return;
      timer = setTimeout(connect, wait * (0.5 + random()));
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    });
  }

  connect();
  return {
    user,
    name,
    get start() {
      return start;
    },
    seen,
    breaches,
    get connects() {
      return connects;
    },
    closes,
    get connected() {
      return socket?.readyState === WebSocket.OPEN;
    },
    spans,
    stall(ms) {
      const mine = socket;
      if (mine?.readyState !== WebSocket.OPEN) return;
      mine.pause();
      // What ends it meanwhile is heard of only afterwards.
      end();
      setTimeout(() => {
        mine.resume();
        if (mine === socket && mine.readyState === WebSocket.OPEN) begin();
      }, ms);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      socket?.terminate();
    },
  };
}
