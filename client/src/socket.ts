import { AldisError } from './api-error.ts';
import { afterClose, waitAsked } from './close-codes.ts';
import { type Connection, openConnection, type Patience, type SocketClass } from './connection.ts';
import type { ChatMessage, Mention } from './events.ts';
import type { NewChatMessage, ServerFrame, ServerFrames, ServerFrameType } from './frames.ts';
import { createOutbox } from './outbox.ts';
import { createReadMarks } from './read-marks.ts';
import { createSubscriptions, type Subscription } from './subscriptions.ts';
import { createTypingMarks } from './typing-marks.ts';
import { backOff, newName } from './waiting.ts';

/**
 * `connecting`: a connection is being made. `live`: the server has said hello. `waiting`: the next try is some time away. `closed`: by
 * `close()`, or by the server for good.
 */
export type SocketState = 'connecting' | 'live' | 'waiting' | 'closed';

/** What could not be continued: something may have happened that this socket was not told of. */
export interface Gap {
  /** The last cursor; null: it had none. */
  after: string | null;
  /** The code by which the socket was closed; null: the chain of cursors was broken, again and again. */
  code: number | null;
}

/** Why a socket is closed for good. */
export interface Ending {
  /** The code of the server's; 1000: by `close()`; 0: the credentials were refused. */
  code: number;
  reason: string;
  error: unknown;
}

export interface SocketOptions {
  /** Where Aldis is: `https://aldis.example`. */
  url: string;
  /** Asked before each connection: `client.ticket`. What it throws with 400 to 404 closes the socket for good. */
  getTicket?: () => Promise<string>;
  /** Instead of a ticket, where the class takes headers: Authorization, X-User-ID. `renew`: what they carried has expired. */
  headers?: Record<string, string> | ((renew: boolean) => Record<string, string> | Promise<Record<string, string>>);
  /** Instead of the global one. */
  WebSocket?: SocketClass;
  /** Where this runs. A device without an id is a new one at each connection. */
  device?: { id?: string; platform?: string; appVersion?: string };
  /** Begins after this cursor. Absent: with what happens from now on. */
  after?: string;
  onState?: (state: SocketState) => void;
  /** Read conversations and messages anew: the socket tells what happens from now on. */
  onGap?: (gap: Gap) => void;
  /** A handler threw; the server refused a frame that nobody waits for; what a connection needs could not be had, and is asked for again. */
  onError?: (error: unknown) => void;
  /** Frames that wait for the connection or their answers, at most; 1000 unless told. */
  outbox?: number;
  /** Milliseconds. Back-off: between 0 and `first` doubled at each failure, at most `most`. */
  timing?: Partial<Patience & { first: number; most: number; stable: number }>;
}

/** A socket that connects again by itself and goes on where it was. */
export interface LiveSocket {
  readonly state: SocketState;
  /** The place after the last event that the handlers got; null: it was never connected. */
  readonly cursor: string | null;
  /** Calls a handler for each frame of a type. @returns what ends that. */
  on<T extends ServerFrameType>(
    type: T,
    handler: (payload: ServerFrames[T], frame: ServerFrame<T>) => void,
  ): () => void;
  /**
   * Says something. It is written again after each cut until its answer has come, and stored once.
   * @param clientId a name of your own, to go on after a restart of the program; at most 128 characters.
   * @throws {AldisError} as the server says; `outbox_full`; `closed`
   */
  send(message: NewChatMessage, clientId?: string): Promise<ChatMessage>;
  /** These three are done at most once: after a cut they throw `connection_lost`. */
  edit(messageId: string, content: string, mentions?: Mention[]): Promise<void>;
  remove(messageId: string): Promise<void>;
  /** @param emoji null takes the reaction back. */
  react(messageId: string, emoji: string | null): Promise<void>;
  /** The presence of users; of software, also which events it gets. It holds over connections. */
  subscribe(to: Subscription): Promise<void>;
  /** Ends that for some users, or all of it. */
  unsubscribe(users?: readonly string[]): Promise<void>;
  /** The user types: call it at each key. Told every 3 s, and only while there is a connection. */
  typing(conversationId: string, isTyping?: boolean): void;
  /** The user has read this message, and all before it in its conversation. */
  read(conversationId: string, messageId: string): void;
  /** Ends it; what was read is told before. What waits for an answer throws `closed`. */
  close(): void;
  /** Resolves when it is closed for good. */
  readonly closed: Promise<Ending>;
}

const TIMING = { connect: 15_000, quiet: 25_000, answer: 20_000, first: 250, most: 30_000, stable: 5000 };
const OUTBOX = 1000;
/** A chain that is broken so often at the same place is not mended by connecting again. */
const MOST_BREAKS = 3;
const TOO_LARGE = 1009;
const NORMAL = 1000;

type Handlers = Map<string, Set<(payload: unknown, frame: unknown) => void>>;

export function openSocket(options: SocketOptions): LiveSocket {
  const timing = { ...TIMING, ...options.timing };
  const handlers: Handlers = new Map();
  const closed = Promise.withResolvers<Ending>();
  let state: SocketState = 'connecting';
  let connection: Connection | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts the tries: who awaited something for an older one is too late. */
  let tries = 0;
  let failures = 0;
  let liveSince = 0;
  let renew = false;
  let cursor = options.after ?? null;
  /** Whether `cursor` came by this socket: then the server goes on exactly there. */
  let chained = false;
  let breaks = { at: '', times: 0 };
  let gap: Gap | null = null;

  const outbox = createOutbox((type, payload) => connection?.write(type, payload), options.outbox ?? OUTBOX);
  const reads = createReadMarks((payload) => connection?.write('read_receipt', payload));
  const typing = createTypingMarks();
  const subscriptions = createSubscriptions(outbox, (error) => tell(() => options.onError?.(error)));

  /** Whatever a handler does, the socket goes on: what `onError` throws itself is told as what nobody caught. */
  function tell(told: () => void): void {
    try {
      try {
        told();
      } catch (error) {
        options.onError?.(error);
      }
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  function become(next: SocketState): void {
    if (state === next) return;
    state = next;
    tell(() => options.onState?.(next));
  }

  async function connect(): Promise<void> {
    const turn = ++tries;
    become('connecting');
    try {
      const { address, headers } = await addressOf(options, cursor, renew);
      if (turn !== tries || state === 'closed') return;
      renew = false;
      connection = openConnection({
        address,
        headers,
        socketClass: options.WebSocket ?? (globalThis.WebSocket as unknown as SocketClass),
        patience: timing,
        heard,
        pinged: reads.pinged,
        ended,
      });
    } catch (error) {
      if (turn !== tries || state === 'closed') return;
      if (isDenied(error)) return finish({ code: 0, reason: error.code, error });
      tell(() => options.onError?.(error));
      if (turn === tries) again(0);
    }
  }

  /** Connects again after a while. */
  function again(atLeast: number): void {
    leave();
    become('waiting');
    if (state !== 'waiting') return;
    timer = setTimeout(() => void connect(), atLeast + backOff(failures++, timing.first, timing.most, Math.random));
  }

  /** Leaves the connection, if there is one. */
  function leave(): void {
    if (state === 'live' && performance.now() - liveSince >= timing.stable) failures = 0;
    tries++;
    clearTimeout(timer);
    connection?.drop();
    connection = null;
    outbox.cut();
    reads.cut();
    typing.clear();
  }

  function finish(ending: Ending): void {
    if (state === 'closed') return;
    leave();
    outbox.close();
    reads.close();
    become('closed');
    closed.resolve(ending);
  }

  function ended(code: number, reason: string): void {
    const then = afterClose(code);
    if (then === 'give_up') {
      finish({ code, reason, error: null });
      return;
    }
    if (code === TOO_LARGE) outbox.refuseLargest();
    // A browser does not tell why a connection was not let in.
    renew = then === 'renew' || state === 'connecting';
    if (then === 'begin_anew') {
      gap = { after: cursor, code };
      cursor = null;
    }
    again(waitAsked(reason));
  }

  function heard(frame: { type: string; payload?: unknown }): void {
    const { type, payload } = frame as ServerFrame;
    if (type === 'hello') {
      if (!begin(payload.cursor)) return;
    } else if (type === 'sent' || type === 'done' || type === 'subscribed') {
      outbox.answer(payload.client_id, payload);
    } else if (type === 'error') {
      refused(payload);
    } else if (type === 'pong') {
      reads.ponged();
    } else if (!follows(frame as ServerFrame)) {
      return;
    }
    for (const handler of [...(handlers.get(type) ?? [])]) tell(() => handler(payload, frame));
  }

  /** The server said hello. */
  function begin(from: string): boolean {
    if (chained && cursor !== null && from !== cursor && !mended(cursor)) return false;
    cursor = from;
    chained = true;
    liveSince = performance.now();
    become('live');
    if (gap !== null) {
      const told = gap;
      gap = null;
      tell(() => options.onGap?.(told));
    }
    if (state !== 'live') return false;
    subscriptions.open();
    outbox.open();
    reads.open();
    return true;
  }

  /** Whether an event is the next one. Frames that are no events follow anything. */
  function follows({ cursor: place, prev }: ServerFrame): boolean {
    if (place === undefined) return true;
    if (cursor !== null && prev !== cursor && !mended(cursor)) return false;
    cursor = place;
    return true;
  }

  /** The chain is broken behind a cursor: connects again there; if that does not help, tells of a gap. @returns whether to go on. */
  function mended(at: string): boolean {
    breaks = { at, times: breaks.at === at ? breaks.times + 1 : 1 };
    if (breaks.times < MOST_BREAKS) {
      again(0);
      return false;
    }
    tell(() => options.onGap?.({ after: at, code: null }));
    return state !== 'closed';
  }

  function refused({ code, message, details, type, client_id, retry_after }: ServerFrames['error']): void {
    const error = new AldisError(message, { code, details, retryAfter: retry_after });
    const known =
      type === 'read_receipt'
        ? reads.refuse(client_id, retry_after) && retry_after !== null
        : outbox.refuse(client_id, error, retry_after);
    if (!known) tell(() => options.onError?.(error));
  }

  async function ask(type: 'edit' | 'delete' | 'react', payload: object): Promise<void> {
    await outbox.push({ type, payload: { ...payload, client_id: newName() }, repeatable: false });
  }

  // A wrong address is the caller's mistake, and no reason to wait for better times.
  new URL(options.url);
  void connect();
  return {
    get state() {
      return state;
    },
    get cursor() {
      return cursor;
    },
    closed: closed.promise,
    on(type, handler) {
      const known = handlers.get(type) ?? new Set();
      handlers.set(type, known);
      const added = handler as (payload: unknown, frame: unknown) => void;
      known.add(added);
      return () => {
        known.delete(added);
      };
    },
    async send(message, clientId = newName()) {
      typing.said(message.conversation_id);
      const payload = { ...message, client_id: clientId };
      const answer = await outbox.push({ type: 'send', payload, repeatable: true });
      return (answer as ServerFrames['sent']).message;
    },
    edit: (message_id, content, mentions) => ask('edit', { message_id, content, ...(mentions && { mentions }) }),
    remove: (message_id) => ask('delete', { message_id }),
    react: (message_id, emoji) => ask('react', { message_id, emoji }),
    subscribe: subscriptions.add,
    unsubscribe: subscriptions.remove,
    typing(conversation, isTyping = true) {
      if (state !== 'live' || !typing.note(conversation, isTyping)) return;
      connection?.write('typing', { conversation_id: conversation, is_typing: isTyping });
    },
    read(conversation, message) {
      if (state !== 'closed') reads.mark(conversation, message);
    },
    close() {
      // Who reads and leaves has read.
      reads.flush();
      finish({ code: NORMAL, reason: '', error: null });
    },
  };
}

/** The address of the next connection, with what it needs to be let in. */
async function addressOf(
  { url, getTicket, headers, device }: SocketOptions,
  after: string | null,
  renew: boolean,
): Promise<{ address: string; headers: Record<string, string> | null }> {
  const address = new URL(`${url.replace(/\/+$/, '').replace(/^http/, 'ws')}/ws`);
  const query = {
    ticket: await getTicket?.(),
    after,
    device_id: device?.id,
    platform: device?.platform,
    app_version: device?.appVersion,
  };
  for (const [name, value] of Object.entries(query)) if (value) address.searchParams.set(name, value);
  const made = typeof headers === 'function' ? await headers(renew) : headers;
  return { address: address.href, headers: made ?? null };
}

/** Whether asking again would be answered the same. */
function isDenied(error: unknown): error is AldisError {
  return error instanceof AldisError && error.status >= 400 && error.status <= 404;
}
