/** A class that opens sockets: the browser's, Node's, or that of `ws`. The second argument is left out without headers. */
export type SocketClass = new (url: string, init?: { headers: Record<string, string> }) => object;

/** What is used of one. */
interface OpenedSocket {
  readyState: number;
  send(text: string): void;
  close(code?: number): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: (() => void) | null;
}

/** Milliseconds. */
export interface Patience {
  /** From the begin of a connection to its first frame. */
  connect: number;
  /** Without any frame, before the server is asked whether it is there. */
  quiet: number;
  /** From asking to any frame. */
  answer: number;
}

export interface ConnectionOptions {
  address: string;
  headers: Record<string, string> | null;
  socketClass: SocketClass;
  patience: Patience;
  /** A frame came. Must not throw. */
  heard(frame: { type: string; payload?: unknown }): void;
  pinged(): void;
  /** It is over, by the other side or because that is silent. Called once, and not after `drop`. */
  ended(code: number, reason: string): void;
}

/** One connection. A browser shows no pings of the protocol, so silence is measured by frames. */
export interface Connection {
  /** Nothing is written before it is open, or when it is over. */
  write(type: string, payload: object): void;
  /** Leaves it: nothing more is heard of it. */
  drop(): void;
}

const OPEN = 1;
/** As a browser says that a connection was lost. */
const LOST = 1006;

export function openConnection(options: ConnectionOptions): Connection {
  const { address, headers, socketClass: Socket, patience } = options;
  // The one place where the three kinds of sockets are taken for the same.
  const socket = (headers === null ? new Socket(address) : new Socket(address, { headers })) as OpenedSocket;
  let timer = setTimeout(() => end(LOST, 'no connection in time'), patience.connect);
  let over = false;
  let heardAt = 0;
  let asking = false;

  function write(type: string, payload: object): void {
    if (!over && socket.readyState === OPEN) socket.send(JSON.stringify({ type, payload }));
  }

  function leave(): void {
    over = true;
    clearTimeout(timer);
    socket.onmessage = null;
    socket.onclose = null;
    // What breaks while it is closed is nobody's concern, but it must be listened to.
    socket.onerror = () => {};
    // An answer to the close frame may never come; nobody waits for it.
    socket.close();
  }

  function end(code: number, reason: string): void {
    if (over) return;
    leave();
    options.ended(code, reason);
  }

  /** Sleeps until silence is long enough to ask, or the answer late. After a sleep of the machine it asks first. */
  function watch(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const silent = performance.now() - heardAt;
      if (silent < patience.quiet) {
        watch(patience.quiet - silent);
      } else if (asking) {
        end(LOST, 'no frame in time');
      } else {
        asking = true;
        write('ping', {});
        options.pinged();
        watch(patience.answer);
      }
    }, ms);
  }

  socket.onmessage = ({ data }) => {
    const first = heardAt === 0;
    heardAt = performance.now();
    if (first || asking) watch(patience.quiet);
    asking = false;
    const frame = frameIn(data);
    if (frame !== null) options.heard(frame);
  };
  socket.onclose = ({ code, reason }) => end(code, reason);
  // Its close event tells the same.
  socket.onerror = () => {};
  return {
    write,
    drop() {
      if (!over) leave();
    },
  };
}

function frameIn(data: unknown): { type: string; payload?: unknown } | null {
  if (typeof data !== 'string') return null;
  try {
    const frame: unknown = JSON.parse(data);
    return typeof frame === 'object' && frame !== null && 'type' in frame && typeof frame.type === 'string'
      ? (frame as { type: string })
      : null;
  } catch {
    return null;
  }
}
