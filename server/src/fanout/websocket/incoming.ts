import { createHash } from 'node:crypto';
import { may } from '../../access/principal.ts';
import type { Scope } from '../../domain/api-key.ts';
import type { Mention, UserId } from '../../domain/chat.ts';
import { CHAT_MESSAGE_TYPES } from '../../domain/chat.ts';
import { AldisError } from '../../domain/errors.ts';
import { typesMatching } from '../../domain/event-catalogue.ts';
import { type ClientFrame, MOST_IDS, nameOfFrame, readClientFrame } from '../../domain/socket-frames.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { PresenceRow } from '../../store/devices.read.ts';
import { type Allowance, spendCredit } from './credit.ts';
import type { Room } from './room.ts';
import type { Socket } from './socket.ts';
import type { SaidByFrame, SocketActions } from './socket-actions.ts';

/** What becomes of the frames of clients: each is checked, counted, and done in the order in which it came. */
export interface Incoming {
  /** Takes a frame. Never throws or rejects: what is refused is answered by an `error` frame. */
  take(room: Room, socket: Socket, text: string): Promise<void>;
}

export interface IncomingOptions {
  clock: Clock;
  actions: SocketActions;
  /** What one socket may send. */
  frames: Allowance;
  /** What one user may say, by all his sockets here. */
  saying: Allowance;
  /** Moves a socket to a cursor. */
  resume(room: Room, socket: Socket, cursor: string): Promise<void>;
  count(direction: 'in' | 'out', type: string): void;
  /** What an unexpected error is told as; it logs what is our mistake. */
  troubleOf(error: unknown): AldisError;
}

/** Refused frames after which a client that goes on is shut out. */
const MOST_REFUSALS = 200;
/** Frames of one socket that wait for those before them. */
const MOST_DOING = 200;

/** A frame that asks for something to be done. */
type Asking = Exclude<ClientFrame, { type: 'ping' | 'ack' }>;
type Of<T extends ClientFrame['type']> = Extract<ClientFrame, { type: T }>['payload'];

export function createIncoming({
  clock,
  actions,
  frames,
  saying,
  resume,
  count,
  troubleOf,
}: IncomingOptions): Incoming {
  /** What each socket is doing: its frames are done one after the other. */
  const doing = new WeakMap<Socket, Promise<void>>();

  function refuse(socket: Socket, text: string, error: AldisError): void {
    if (++socket.refusals > MOST_REFUSALS) {
      socket.close('abuse');
      return;
    }
    // Whoever sends more than he reads the answers to is not closed for that, as long as he may still be forgiven.
    if (!socket.hasRoom) return;
    const { type, client_id } = nameOfFrame(text);
    const details = error.field === null ? error.details : { field: error.field, ...error.details };
    const { code, message, retryAfter: retry_after } = error;
    socket.tell('error', { code, message, details, type, client_id, retry_after });
  }

  async function perform(room: Room, socket: Socket, frame: Asking): Promise<void> {
    const { principal } = socket;
    switch (frame.type) {
      case 'send':
        return send(room, socket, frame.payload);
      case 'read_receipt':
        demand(socket, 'conversations:read');
        userOf(socket);
        return actions.read(principal, frame.payload.message_id);
      case 'typing':
        demand(socket, 'conversations:write');
        userOf(socket);
        return actions.type(principal, frame.payload.conversation_id, frame.payload.is_typing);
      case 'edit': {
        const { message_id, content, mentions } = frame.payload;
        mayChange(room, socket);
        await actions.edit(principal, message_id, { content, ...(mentions && { mentions: mentionsOf(mentions) }) });
        return done(socket, frame);
      }
      case 'delete':
        mayChange(room, socket);
        await actions.remove(principal, frame.payload.message_id);
        return done(socket, frame);
      case 'react':
        mayChange(room, socket);
        await actions.react(principal, frame.payload.message_id, frame.payload.emoji);
        return done(socket, frame);
      case 'subscribe':
        return subscribe(room, socket, frame.payload);
      case 'unsubscribe': {
        const { users, client_id = null } = frame.payload;
        room.unwatch(socket, users ?? null);
        if (users === undefined) {
          socket.types = null;
          socket.conversations = null;
        }
        return socket.tell('subscribed', { client_id });
      }
      case 'resume':
        return resume(room, socket, frame.payload.cursor);
    }
  }

  function mayChange(room: Room, socket: Socket): void {
    demand(socket, 'conversations:write');
    spendSaying(room, socket);
  }

  async function send(room: Room, socket: Socket, payload: Of<'send'>): Promise<void> {
    mayChange(room, socket);
    const { client_id, conversation_id, ...rest } = payload;
    const said = saidIn(rest);
    const user = userOf(socket);
    const hash = createHash('sha256')
      .update(JSON.stringify([conversation_id, said]))
      .digest();
    // Another user's client may choose the same name.
    const key = `ws:${createHash('sha256').update(user).digest('base64url').slice(0, 22)}:${client_id}`;
    const message = await actions.say(socket.principal, conversation_id, said, { key, hash });
    socket.tell('sent', { client_id, message });
  }

  function spendSaying(room: Room, socket: Socket): void {
    const now = clock.monotonic();
    const wait = spendCredit(room.sayingOf(userOf(socket)), saying, now);
    if (wait > 0) throw tooMuch(wait);
    const rate = socket.principal.rate?.take(performance.now());
    if (rate && !rate.allowed) throw tooMuch(rate.reset * 1000);
  }

  async function subscribe(room: Room, socket: Socket, payload: Of<'subscribe'>): Promise<void> {
    const { users, types, conversations, client_id = null } = payload;
    if (socket.user !== null && (types || conversations)) {
      const field = types ? 'payload.types' : 'payload.conversations';
      throw new AldisError('invalid_field', `${field} is for software that speaks for no user.`, { field });
    }
    // All is checked before any of it holds.
    const chosen = types && typesIn(types);
    const present = users ? await watch(room, socket, [...new Set(users)]) : [];
    if (chosen) socket.types = chosen;
    if (conversations) socket.conversations = new Set(conversations);
    socket.tell('subscribed', { client_id });
    const came = room.settle(socket);
    for (const one of present) {
      const newer = came.get(one.user_id);
      if (newer) socket.tellText('presence', newer);
      else socket.tell('presence', one);
    }
  }

  /** Lets a socket hear of users from before their presence is read, so that no word is lost in between. */
  async function watch(room: Room, socket: Socket, users: readonly UserId[]): Promise<PresenceRow[]> {
    demand(socket, 'conversations:read');
    if (new Set([...users, ...(socket.watched ?? [])]).size > MOST_IDS) {
      const text = `At most ${MOST_IDS} users may be subscribed to by one socket.`;
      throw new AldisError('invalid_field', text, { field: 'payload.users', details: { limit: MOST_IDS } });
    }
    const fresh = room.watch(socket, users);
    try {
      const present = await actions.presence(socket.principal, users);
      const known = new Set(present.map((one) => one.user_id));
      const stranger = users.find((user) => !known.has(user));
      if (stranger === undefined) return present;
      throw new AldisError('forbidden', 'You share no conversation with this user.', {
        field: 'payload.users',
        details: { user_id: stranger },
      });
    } catch (error) {
      room.unwatch(socket, fresh);
      for (const [user, word] of room.settle(socket)) {
        if (word !== null && socket.watched?.has(user)) socket.tellText('presence', word);
      }
      throw error;
    }
  }

  return {
    async take(room, socket, text) {
      const wait = spendCredit(socket, frames, clock.monotonic());
      if (wait > 0) {
        count('in', 'refused');
        return refuse(socket, text, tooMuch(wait));
      }
      let frame: ClientFrame;
      try {
        frame = readClientFrame(text);
      } catch (error) {
        count('in', 'invalid');
        return refuse(socket, text, error as AldisError);
      }
      count('in', frame.type);
      if (frame.type === 'ping') return socket.tell('pong');
      if (frame.type === 'ack') return;
      const asking: Asking = frame;
      if (socket.doing >= MOST_DOING) return refuse(socket, text, tooMuch(1000));
      socket.doing++;
      const before = doing.get(socket) ?? Promise.resolve();
      const turn = before.then(async () => {
        try {
          if (!socket.closing) await perform(room, socket, asking);
        } catch (error) {
          refuse(socket, text, error instanceof AldisError ? error : troubleOf(error));
        } finally {
          socket.doing--;
        }
      });
      doing.set(socket, turn);
      return turn;
    },
  };
}

function done(socket: Socket, { type, payload }: ClientFrame): void {
  socket.tell('done', { client_id: 'client_id' in payload ? payload.client_id : null, type });
}

function tooMuch(wait: number): AldisError {
  return new AldisError('rate_limited', 'Too many frames; wait a moment.', { retryAfter: Math.ceil(wait / 1000) });
}

function demand(socket: Socket, scope: Scope): void {
  if (!may(socket.principal, scope)) {
    throw new AldisError('forbidden', `The key lacks the scope ${scope}.`, { details: { scope } });
  }
}

function userOf({ user }: Socket): string {
  if (user !== null) return user;
  throw new AldisError('missing_field', 'Say by X-User-ID, when connecting, which user does this.', {
    field: 'X-User-ID',
  });
}

/** The types of events that are named, patterns too. */
function typesIn(patterns: readonly string[]): ReadonlySet<string> {
  const types = new Set<string>();
  for (const pattern of patterns) {
    const matching = typesMatching(pattern);
    if (matching.length === 0) {
      const field = 'payload.types';
      throw new AldisError('invalid_field', `${field} names no type of event: ${pattern}.`, { field });
    }
    for (const type of matching) types.add(type);
  }
  return types;
}

function saidIn(payload: Omit<Of<'send'>, 'client_id' | 'conversation_id'>): SaidByFrame {
  const { content, message_type, mentions, parent_message_id, metadata, note } = payload;
  const known: readonly string[] = CHAT_MESSAGE_TYPES;
  if (message_type !== undefined && !known.includes(message_type)) {
    const text = `payload.message_type must be one of ${known.join(', ')}.`;
    throw new AldisError('unsupported_type', text, { field: 'payload.message_type' });
  }
  return {
    ...(content != null && { content }),
    ...(message_type !== undefined && { message_type }),
    ...(mentions && { mentions: mentionsOf(mentions) }),
    ...(parent_message_id != null && { parent_message_id }),
    ...(metadata != null && { metadata }),
    ...(note !== undefined && { note }),
  };
}

function mentionsOf(mentions: readonly unknown[]): Mention[] {
  return mentions.map((mention, at) => {
    const { user_id, offset, length, ...others } = (mention ?? {}) as Record<string, unknown>;
    const fits = typeof user_id === 'string' && Number.isSafeInteger(offset) && Number.isSafeInteger(length);
    if (!fits || Object.keys(others).length > 0) {
      const field = `payload.mentions[${at}]`;
      throw new AldisError('invalid_field', `${field} must be {user_id, offset, length}.`, { field });
    }
    return { user_id, offset: offset as number, length: length as number };
  });
}
