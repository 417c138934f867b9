import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Queryable } from '../../db/pool.ts';
import type { UserId } from '../../domain/chat.ts';
import { type EventCursors, type EventPosition, isBefore } from '../../domain/event-cursor.ts';
import type { ConversationId, TenantId } from '../../domain/ids.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type EventRow, listEvents } from '../../store/events.read.ts';
import type { Audiences, Members } from './audiences.ts';
import { type Entry, entryOf, type LogReader } from './log-reader.ts';
import { LogWindow } from './log-window.ts';
import type { Socket } from './socket.ts';

/**
 * What sockets have missed, gathered for many at once: after a cut thousands come back within a second. What lies after the place of
 * the one is gone through once for all who wait, event by event, instead of once a socket; each gets what it may see. What had to be read for
 * it stays a moment for those who come next. So a storm costs what its events cost, not their number times that of the sockets.
 */
export interface Missed {
  /** Of what the room's reader keeps. When that does not reach back to its place, what is found is empty and its place the same. */
  kept(socket: Socket): Promise<Found>;
  /** Of the log, up to where what is kept begins. Rejects when it cannot be read. */
  logged(socket: Socket): Promise<Found>;
  /** Whether the log is being read for some already. */
  readonly reading: boolean;
  /** Gives up what was read for those who are served by now. */
  expire(now: number): void;
}

/** A part of what a socket has missed, the oldest first. */
export interface Found {
  entries: readonly Entry[];
  /** How far was looked for it. */
  place: EventPosition;
}

export interface MissedDeps {
  db: Queryable;
  clock: Pick<Clock, 'monotonic'>;
  tenant: TenantId;
  cursors: EventCursors;
  audiences: Audiences;
  reader: Pick<LogReader, 'after' | 'place' | 'since'>;
  /** Bytes that the instance keeps, shared by the rooms of all tenants. */
  kept: { bytes: number };
}

interface Asking {
  socket: Socket;
  place: EventPosition;
  xid: bigint;
  entries: Entry[];
  resolve(found: Found): void;
  reject(error: unknown): void;
}

/** Most events that are found for a socket at a time. */
const MOST_FOUND = 128;
/** Events that are looked at between two turns of the event loop. */
const LOOKED_AT = 500;
/** Pages of the log that are read for those who wait; then it is the turn of those who have waited longest. */
const PAGE = 500;
const PAGES = 8;
/** Milliseconds between a round and the next: others come meanwhile, and are served by the same. */
const GATHERING = 20;
/** Sockets that are given theirs between two turns of the event loop. */
const GIVEN_AT_ONCE = 64;
const NOBODY: Members = new Map();

export function createMissed(deps: MissedDeps): Missed {
  const { db, clock, tenant, cursors, audiences, reader } = deps;
  const kept = queueOf(sweepKept);
  const logged = queueOf(sweepLog);
  const window = new LogWindow(deps.kept);

  /** Goes over what is kept, from the place that lies furthest back. @returns nobody: all have had a part. */
  async function sweepKept(asking: Asking[]): Promise<Asking[]> {
    const within = asking.filter((one) => !isBefore(one.place, reader.since));
    const crew = new Crew(within);
    let place = crew.first;
    let ended = false;
    while (crew.size > 0 && !ended) {
      const entries = reader.after(place, LOOKED_AT);
      // They were forgotten meanwhile: the others are in the log.
      if (entries === null) break;
      for (const entry of entries) crew.offer(entry);
      ended = entries.length === 0;
      place = ended ? reader.place : (entries.at(-1)?.place ?? place);
      if (!ended) await nextTurn();
    }
    await crew.give(place);
    for (const one of asking) one.resolve({ entries: [], place: one.place });
    return [];
  }

  /** Reads on from the place of the one who has waited longest. @returns those who lie before or beyond what was read. */
  async function sweepLog(asking: Asking[]): Promise<Asking[]> {
    const first = asking[0]?.place ?? reader.since;
    const crew = new Crew(asking.filter((one) => !isBefore(one.place, first)));
    if (!window.has(first)) window.begin(first);
    let place = first;
    let reads = 0;
    while (crew.size > 0 && isBefore(place, reader.since)) {
      let entries = window.after(place, LOOKED_AT, clock.monotonic());
      if (entries.length === 0) {
        if (reads++ === PAGES) break;
        await readOn(reader.since);
        entries = window.after(place, LOOKED_AT, clock.monotonic());
      }
      for (const entry of entries) crew.offer(entry);
      place = entries.at(-1)?.place ?? window.high;
      await nextTurn();
    }
    const reached = place;
    const others = asking.filter((one) => isBefore(one.place, first) || isBefore(reached, one.place));
    await crew.give(reached);
    return others;
  }

  /**
   * The next page of the log, at most up to where what is kept begins: who is in a conversation is known as of the reader's place, and
   * says nothing of what lies beyond that.
   */
  async function readOn(until: EventPosition): Promise<void> {
    const rows = await listEvents(db, tenant, window.high, PAGE);
    const before = rows.filter((row) => !isBefore(until, placeOf(row)));
    const members = await audiences.of(conversationsIn(before));
    const entries = before.map((row) => entryOf(row, cursors, members.get(row.conversation_id) ?? NOBODY));
    const last = entries.at(-1);
    window.append(entries, entries.length === PAGE && last ? last.place : until);
  }

  return {
    kept: kept.ask,
    logged: logged.ask,
    get reading() {
      return logged.busy;
    },
    expire: (now) => window.expire(now),
  };
}

interface Queue {
  readonly busy: boolean;
  ask(socket: Socket): Promise<Found>;
}

/** Those who ask while others are served are served together next. */
function queueOf(sweep: (asking: Asking[]) => Promise<Asking[]>): Queue {
  let waiting: Asking[] = [];
  let busy = false;

  async function run(): Promise<void> {
    busy = true;
    // Those of the same turn of the event loop are served together.
    await nextTurn();
    while (waiting.length > 0) {
      const served = waiting;
      waiting = [];
      try {
        waiting = [...(await sweep(served)), ...waiting];
      } catch (error) {
        // Who was given something is not touched by it.
        for (const one of served) one.reject(error);
      }
      if (waiting.length > 0) await sleep(GATHERING);
    }
    busy = false;
  }

  return {
    get busy() {
      return busy;
    },
    ask: (socket) =>
      new Promise<Found>((resolve, reject) => {
        const { place } = socket;
        waiting.push({ socket, place, xid: BigInt(place.xid), entries: [], resolve, reject });
        if (!busy) void run();
      }),
  };
}

/** Those for whom events are looked for together. */
class Crew {
  /** The place that lies furthest back. */
  readonly first: EventPosition;
  readonly #users = new Map<UserId, Asking[]>();
  readonly #software = new Set<Asking>();
  readonly #asking: Set<Asking>;

  constructor(asking: readonly Asking[]) {
    this.#asking = new Set(asking);
    let first = asking[0]?.place ?? { xid: '0', id: '' };
    for (const one of asking) {
      if (isBefore(one.place, first)) first = one.place;
      const { user } = one.socket;
      if (user === null) this.#software.add(one);
      else {
        const others = this.#users.get(user);
        if (others) others.push(one);
        else this.#users.set(user, [one]);
      }
    }
    this.first = first;
  }

  /** How many still look for something. */
  get size(): number {
    return this.#asking.size;
  }

  offer(entry: Entry): void {
    const { user, members } = entry;
    if (members !== null) {
      if (user !== null) this.#offerTo(user, entry);
      else if (members.size <= this.#users.size) for (const one of members.keys()) this.#offerTo(one, entry);
      else for (const one of this.#users.keys()) if (members.has(one)) this.#offerTo(one, entry);
    }
    for (const one of this.#software) this.#add(one, entry);
  }

  #offerTo(user: UserId, entry: Entry): void {
    const asking = this.#users.get(user);
    if (asking !== undefined) for (const one of asking) this.#add(one, entry);
  }

  #add(one: Asking, entry: Entry): void {
    const { xid, place, entries, socket } = one;
    if (entry.xid < xid || (entry.xid === xid && entry.place.id <= place.id)) return;
    if (entries.length === MOST_FOUND || !socket.accepts(entry)) return;
    // Who has enough for now is given that, and asks again.
    if (entries.push(entry) < MOST_FOUND) return;
    this.#asking.delete(one);
    this.#software.delete(one);
    one.resolve({ entries, place: entry.place });
  }

  /** Gives the others what was found up to a place, a few at a time; those who are beyond it nothing. */
  async give(place: EventPosition): Promise<void> {
    const some: Asking[] = [];
    for (const one of this.#asking) {
      if (isBefore(place, one.place)) continue;
      // Nothing was missed: it costs nothing to say so, and is still so when it is heard.
      if (one.entries.length === 0) one.resolve({ entries: [], place });
      else some.push(one);
    }
    for (const [n, one] of some.entries()) {
      one.resolve({ entries: one.entries, place });
      if ((n + 1) % GIVEN_AT_ONCE === 0) await nextTurn();
    }
  }
}

function placeOf(row: EventRow): EventPosition {
  return { xid: row.xid, id: row.event_id };
}

function conversationsIn(rows: readonly EventRow[]): Set<ConversationId> {
  const found = new Set<ConversationId>();
  for (const { conversation_id } of rows) if (conversation_id !== null) found.add(conversation_id);
  return found;
}
