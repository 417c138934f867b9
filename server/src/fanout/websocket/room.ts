import type { Queryable } from '../../db/pool.ts';
import type { UserId } from '../../domain/chat.ts';
import { type EventCursors, eventCursors, isBefore } from '../../domain/event-cursor.ts';
import type { ConversationId, TenantId } from '../../domain/ids.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Signals, Word } from '../../signals/signals.ts';
import { type Audiences, createAudiences, type Members } from './audiences.ts';
import type { Credit } from './credit.ts';
import { createLogReader, type Entry, type LogReader } from './log-reader.ts';
import { createMissed, type Missed } from './missed.ts';
import type { Socket } from './socket.ts';
import { createTyping } from './typing.ts';

/** All sockets of one tenant on this instance, and the one reader of its log. */
export interface Room {
  readonly tenant: TenantId;
  readonly cursors: EventCursors;
  readonly reader: LogReader;
  readonly missed: Missed;
  readonly size: number;
  /** When the last socket left, in milliseconds of the monotonic clock. */
  emptySince: number;
  /** @returns the older socket of the same device, which is closed by that. */
  add(socket: Socket): Socket | null;
  /** @returns whether the user has no socket of this device any more. */
  remove(socket: Socket): boolean;
  /** Sockets of a user here, but for that of this device, whose place a newer one takes. */
  devicesBeside(user: UserId, device: string): number;
  /** What a user may still say. */
  sayingOf(user: UserId): Credit;
  /** Lets a socket that has caught up get events as they come. Before anything else is awaited. */
  goLive(socket: Socket): void;
  /**
   * Lets a socket hear of the presence of users. What comes of them before `settle` is kept back.
   * @returns those of whom it did not hear before.
   */
  watch(socket: Socket, users: readonly UserId[]): UserId[];
  /** Ends keeping back. @returns the last that came meanwhile, by user, as frames. */
  settle(socket: Socket): ReadonlyMap<UserId, string | null>;
  unwatch(socket: Socket, users: readonly UserId[] | null): void;
  /** A socket that hears of users with whom it may share no conversation any more, since somebody left one. Each is given once. */
  takeDoubtful(): Socket | undefined;
  /** The same is to be asked of it again. */
  doubt(socket: Socket): void;
  hear(word: Word): void;
  /** Tells of those who have stopped typing by saying nothing. */
  expireTyping(now: number): void;
}

export interface RoomDeps {
  db: Queryable;
  signals: Signals;
  clock: Clock;
  kept: { bytes: number };
  /** An event went to a socket: seconds since it was written. */
  delivered(seconds: number): void;
  failed(error: unknown): void;
}

interface UserHere extends Credit {
  sockets: Socket[];
}

export function createRoom(tenant: TenantId, deps: RoomDeps): Room {
  const { db, clock } = deps;
  const cursors = eventCursors(tenant);
  const audiences: Audiences = createAudiences({ db, tenant });
  const users = new Map<UserId, UserHere>();
  const software = new Set<Socket>();
  const watchers = new Map<UserId, Set<Socket>>();
  const doubtful = new Set<Socket>();
  const typing = createTyping();
  let size = 0;

  function deliver(entry: Entry): void {
    const now = clock.monotonic();
    const { user, members, said } = entry;
    if (said !== null && said.author !== null && typing.ended(said.conversation, said.author)) {
      if (members !== null) tellTyping(members, said.conversation, said.author, false);
    }
    let got = 0;
    const give = (here: UserHere | undefined) => {
      if (here === undefined) return;
      // A socket that is closed for being too slow leaves the list: a copy of it is gone through.
      for (const socket of here.sockets.length === 1 ? here.sockets : [...here.sockets]) {
        if (socket.live && isNew(socket, entry) && socket.take(entry, now)) got++;
      }
    };
    if (members !== null) {
      if (user !== null) give(users.get(user));
      else if (members.size <= users.size) for (const one of members.keys()) give(users.get(one));
      else for (const [one, here] of users) if (members.has(one)) give(here);
    }
    for (const socket of software) if (socket.live && isNew(socket, entry) && socket.take(entry, now)) got++;
    if (entry.left !== null && watchers.size > 0) doubtAfter(entry.left);
    if (got > 0) deps.delivered(Math.max(0, clock.now() - entry.at) / 1000);
  }

  function doubtAfter(left: UserId): void {
    for (const socket of users.get(left)?.sockets ?? []) if (socket.watched !== null) doubtful.add(socket);
    for (const socket of watchers.get(left) ?? []) if (socket.user !== null) doubtful.add(socket);
  }

  /** A socket may have come with a place that this instance's reader had not reached. */
  function isNew(socket: Socket, entry: Entry): boolean {
    if (socket.ahead === null) return true;
    if (!isBefore(socket.ahead, entry.place)) return false;
    socket.ahead = null;
    return true;
  }

  function tellTyping(members: Members, conversation: ConversationId, user: UserId, isTyping: boolean): void {
    const timestamp = new Date(clock.now()).toISOString();
    const payload = { conversation_id: conversation, user_id: user, timestamp, is_typing: isTyping };
    const text = JSON.stringify({ type: 'typing', payload });
    for (const [member, { left }] of members) {
      if (left !== null || member === user) continue;
      for (const socket of users.get(member)?.sockets ?? []) if (!socket.closing) socket.tellText('typing', text);
    }
  }

  /** Who is in a conversation is usually known; else it is asked, and the word told a moment later, unless it has ended by then. */
  function tellTypingIn(conversation: ConversationId, user: UserId, isTyping: boolean): void {
    audiences.of(new Set([conversation])).then((found) => {
      if (isTyping && !typing.has(conversation, user)) return;
      tellTyping(found.get(conversation) ?? new Map(), conversation, user, isTyping);
    }, deps.failed);
  }

  const reader = createLogReader({ ...deps, tenant, cursors, audiences, deliver });
  const missed = createMissed({ ...deps, tenant, cursors, audiences, reader });

  function unwatchOne(socket: Socket, user: UserId): void {
    const others = watchers.get(user);
    if (others?.delete(socket) && others.size === 0) watchers.delete(user);
    socket.watched?.delete(user);
  }

  const room: Room = {
    tenant,
    cursors,
    reader,
    missed,
    get size() {
      return size;
    },
    emptySince: clock.monotonic(),
    add(socket) {
      size++;
      if (socket.user === null) {
        software.add(socket);
        return null;
      }
      const here = users.get(socket.user);
      if (!here) {
        users.set(socket.user, { sockets: [socket], credit: 0, creditAt: 0 });
        return null;
      }
      const older = here.sockets.find((other) => other.device === socket.device) ?? null;
      here.sockets.push(socket);
      return older;
    },
    remove(socket) {
      size--;
      if (size === 0) room.emptySince = clock.monotonic();
      if (socket.watched !== null) for (const user of [...socket.watched]) unwatchOne(socket, user);
      doubtful.delete(socket);
      if (socket.user === null) {
        software.delete(socket);
        return false;
      }
      const here = users.get(socket.user);
      if (!here) return false;
      here.sockets = here.sockets.filter((other) => other !== socket);
      if (here.sockets.length === 0) users.delete(socket.user);
      return !here.sockets.some((other) => other.device === socket.device);
    },
    devicesBeside: (user, device) => users.get(user)?.sockets.filter((socket) => socket.device !== device).length ?? 0,
    sayingOf(user) {
      return users.get(user) ?? { credit: 0, creditAt: 0 };
    },
    goLive(socket) {
      socket.ahead = isBefore(reader.place, socket.place) ? socket.place : null;
      socket.live = true;
    },
    watch(socket, asked) {
      socket.watched ??= new Set();
      const { watched } = socket;
      const fresh = asked.filter((user) => !watched.has(user));
      socket.lookedUp = new Map(asked.map((user) => [user, null]));
      for (const user of asked) {
        watched.add(user);
        const others = watchers.get(user);
        if (others) others.add(socket);
        else watchers.set(user, new Set([socket]));
      }
      return fresh;
    },
    settle(socket) {
      const came = socket.lookedUp ?? new Map<UserId, string | null>();
      socket.lookedUp = null;
      return came;
    },
    unwatch(socket, asked) {
      for (const user of asked ?? [...(socket.watched ?? [])]) unwatchOne(socket, user);
    },
    takeDoubtful() {
      const [socket] = doubtful;
      if (socket !== undefined) doubtful.delete(socket);
      return socket;
    },
    doubt(socket) {
      if (!socket.closing) doubtful.add(socket);
    },
    hear(word) {
      if (word.kind === 'typing') {
        const { conversation, user, is_typing } = word;
        if (typing.note(conversation, user, is_typing, clock.monotonic())) tellTypingIn(conversation, user, is_typing);
        return;
      }
      const asking = watchers.get(word.user);
      if (!asking) return;
      const { user: user_id, online, last_seen } = word;
      const payload = { user_id, online, last_seen: last_seen === null ? null : new Date(last_seen).toISOString() };
      const text = JSON.stringify({ type: 'presence', payload });
      for (const socket of [...asking]) {
        if (socket.lookedUp?.has(word.user)) socket.lookedUp.set(word.user, text);
        else if (!socket.closing) socket.tellText('presence', text);
      }
    },
    expireTyping(now) {
      for (const { conversation, user } of typing.takeOverdue(now)) tellTypingIn(conversation, user, false);
    },
  };
  return room;
}
