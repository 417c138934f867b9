import type { WebSocket } from 'ws';
import type { Principal } from '../../access/principal.ts';
import type { UserId } from '../../domain/chat.ts';
import { CLOSE_CODES, type CloseName } from '../../domain/close-codes.ts';
import type { EventPosition } from '../../domain/event-cursor.ts';
import type { ConversationId } from '../../domain/ids.ts';
import type { ServerFrameType } from '../../domain/socket-frames.ts';
import { finishFrame } from './event-frame.ts';
import { type Entry, isVisible } from './log-reader.ts';

/** What a socket may hold, and whom it tells what it does. */
export interface SocketOptions {
  /** Most frames that wait for the client (ws.client_buffer_size). */
  buffer: number;
  count(direction: 'in' | 'out', type: string): void;
  closed(socket: Socket, code: number): void;
}

/** Most bytes that wait for a client, beside the number of frames. */
const MOST_BYTES = 2 ** 20;
/** Conversations whose last new message is remembered until the client proves that it came. Beyond it the oldest are left out. */
const MOST_UNPROVEN = 1000;
/** Bytes of a reason in a close frame (RFC 6455, 5.5). */
const LONGEST_REASON = 123;

/**
 * One open socket: what waits to be written to it, its chain of cursors, and what is known of its client. It knows nothing of the
 * store; the room of its tenant hands it events, and the heart looks at its times. A class, for there are ten thousand of them.
 */
export class Socket {
  readonly principal: Principal;
  /** For whom it speaks; null: the tenant's software. */
  readonly user: UserId | null;
  readonly device: string;
  /** Whether it gets events as they come. Else it is catching up from `place`. */
  live = false;
  /** Where in the log it is while it catches up. */
  place: EventPosition;
  /** A place up to which it has everything, although the instance's reader has not come so far; null: there is none. */
  ahead: EventPosition | null = null;
  /** Counts the times it was moved in the log: an older catching up gives up. */
  turn = 0;
  closing = false;
  /** When the client was last heard, and pinged; milliseconds of the monotonic clock. */
  heardAt: number;
  pingedAt = 0;
  closedAt = 0;
  /** Since when there are frames of which nothing proves that they came. 0: there are none. */
  unprovenSince = 0;
  /** Whose presence it asks for. */
  watched: Set<UserId> | null = null;
  /** Those of them whose presence is being read, each with the last word that came of him meanwhile: it is newer than what is read. */
  lookedUp: Map<UserId, string | null> | null = null;
  /** Of software: only these. */
  types: ReadonlySet<string> | null = null;
  conversations: ReadonlySet<string> | null = null;
  /** Frames that the client may send now, and how many were refused. */
  credit = 0;
  creditAt = 0;
  refusals = 0;
  /** Frames of the client that wait to be done. */
  doing = 0;
  #prev: string;
  #waiting = 0;
  #unproven: Map<ConversationId, string> | null = null;
  #drained: (() => void) | null = null;
  readonly #ws: WebSocket;
  readonly #options: SocketOptions;

  constructor(ws: WebSocket, { principal, device, place, cursor, now }: SocketStart, options: SocketOptions) {
    this.#ws = ws;
    this.#options = options;
    this.principal = principal;
    this.user = principal.user_id;
    this.device = device;
    this.place = place;
    this.#prev = cursor;
    this.heardAt = now;
  }

  /** Of the last event that it got. */
  get cursor(): string {
    return this.#prev;
  }

  /** Puts its chain behind a place of the log. */
  moveTo(place: EventPosition, cursor: string): void {
    this.live = false;
    this.ahead = null;
    this.place = place;
    this.#prev = cursor;
    this.turn++;
  }

  /** Hands it an event of the log, which it takes if its client may see it. */
  take(entry: Entry, now: number): boolean {
    if (!this.accepts(entry)) return false;
    if (!this.#write(finishFrame(entry.frame, this.#prev))) return false;
    this.#prev = entry.cursor;
    this.#options.count('out', entry.frame.type);
    const { said } = entry;
    if (said !== null && this.user !== null && said.author !== this.user) {
      this.#unproven ??= new Map();
      const unproven = this.#unproven;
      if (unproven.size < MOST_UNPROVEN || unproven.has(said.conversation))
        unproven.set(said.conversation, said.message);
      if (this.unprovenSince === 0) this.unprovenSince = now;
    }
    return true;
  }

  accepts(entry: Entry): boolean {
    if (this.user !== null) return isVisible(entry, this.user);
    if (this.types !== null && !this.types.has(entry.type)) return false;
    return this.conversations === null || (entry.conversation !== null && this.conversations.has(entry.conversation));
  }

  /** Tells the client something that is no event. */
  tell(type: ServerFrameType, payload?: object): void {
    this.#options.count('out', type);
    this.#write(payload === undefined ? `{"type":"${type}"}` : JSON.stringify({ type, payload }));
  }

  /** The same, written once for many sockets. */
  tellText(type: ServerFrameType, text: string): void {
    this.#options.count('out', type);
    this.#write(text);
  }

  #write(text: string): boolean {
    if (this.closing) return false;
    // What the system took at once does not wait, although its callback comes only when this turn of the event loop is over.
    const bytes = this.#ws.bufferedAmount;
    if (bytes > MOST_BYTES || (bytes > 0 && this.#waiting >= this.#options.buffer)) {
      this.close('too_slow');
      return false;
    }
    this.#waiting++;
    this.#ws.send(text, this.#written);
    return true;
  }

  readonly #written = (): void => {
    this.#waiting--;
    if (this.#drained !== null && this.hasRoom) this.#wake();
  };

  #wake(): void {
    const drained = this.#drained;
    this.#drained = null;
    drained?.();
  }

  /** Whether more may be written without haste: less than half of what may wait does. */
  get hasRoom(): boolean {
    const bytes = this.#ws.bufferedAmount;
    return bytes === 0 || (bytes * 2 < MOST_BYTES && this.#waiting * 2 < this.#options.buffer);
  }

  /** Resolves when it has room, or is closed. */
  room(): Promise<void> {
    if (this.hasRoom || this.closing) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  /** The client was heard: what was written before has come. @returns the last new message of each conversation. */
  heard(now: number): ReadonlyMap<ConversationId, string> | null {
    this.heardAt = now;
    // What is not even written has not come.
    if (this.#ws.bufferedAmount > 0) return null;
    const proven = this.#unproven;
    this.#unproven = null;
    this.unprovenSince = 0;
    return proven;
  }

  /** What is proven could not be written: the next proof stands for it too. */
  takeBack(proven: ReadonlyMap<ConversationId, string>, now: number): void {
    if (this.closing) return;
    const newer = this.#unproven ?? [];
    this.#unproven = new Map([...proven, ...newer].slice(-MOST_UNPROVEN));
    if (this.unprovenSince === 0) this.unprovenSince = now;
  }

  ping(now: number): void {
    this.pingedAt = now;
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
  }

  /** Closes it with one of our codes; nothing more is written. @param detail stands in the reason. */
  close(name: CloseName, detail = ''): void {
    if (this.closing) return;
    const { code } = CLOSE_CODES[name];
    this.#end(code);
    this.#ws.close(code, `${name}${detail && ` ${detail}`}`.slice(0, LONGEST_REASON));
  }

  /** The connection is over. */
  ended(code: number): void {
    this.#end(code);
  }

  #end(code: number): void {
    if (this.closing) return;
    this.closing = true;
    this.live = false;
    this.turn++;
    this.#unproven = null;
    this.#wake();
    this.#options.closed(this, code);
  }

  /** Ends the connection without waiting for the client. */
  terminate(): void {
    this.#ws.terminate();
  }
}

/** How a socket begins. */
export interface SocketStart {
  principal: Principal;
  device: string;
  /** Where it begins in the log. */
  place: EventPosition;
  cursor: string;
  /** Milliseconds of the monotonic clock. */
  now: number;
}
