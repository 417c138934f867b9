import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { readVisible } from '../../access/visible-events.ts';
import type { Queryable } from '../../db/pool.ts';
import type { CloseName } from '../../domain/close-codes.ts';
import { type EventPosition, isBefore } from '../../domain/event-cursor.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Members } from './audiences.ts';
import { createSharedBounds } from './log-bounds.ts';
import { entryOf } from './log-reader.ts';
import type { Found } from './missed.ts';
import type { Room } from './room.ts';
import type { Socket } from './socket.ts';

/**
 * Catching up: a socket that begins at a cursor is given what lies after it, and then gets events as they come, with nothing missing and
 * nothing twice in between. What the room still keeps costs no question to the store. Older events are read from the log: for a few at a
 * time by the rule that says who sees what, and for all who come beside them in pages that they share. A client that reads slowly is
 * waited for.
 */
export interface CatchUp {
  /** Where a client wants to begin. @returns the name of the code that closes its socket, if it cannot. */
  find(room: Room, cursor: string): Promise<{ place: EventPosition; cursor: string } | CloseName>;
  /** Brings a socket from its place to the end of the log. Never rejects; ends early when the socket is closed or moved. */
  run(room: Room, socket: Socket): Promise<void>;
}

export interface CatchUpDeps {
  db: Queryable;
  clock: Clock;
  failed(error: unknown): void;
}

/** Events that are given between two turns of the event loop. */
const AT_ONCE = 64;
const PAGE = 200;
/** Reads of the log for one socket alone that are under way at once, on one instance. */
const MOST_READS = 4;
const TRIES = 20;
const REST = 250;
const SEEN_BY_SQL: Members = new Map();

export function createCatchUp({ db, clock, failed }: CatchUpDeps): CatchUp {
  const bounds = createSharedBounds(db);
  let reads = 0;

  /** The next of what the socket has missed. */
  async function next(room: Room, socket: Socket): Promise<Found> {
    if (!isBefore(socket.place, room.reader.since)) return room.missed.kept(socket);
    if (reads >= MOST_READS || room.missed.reading) return room.missed.logged(socket);
    reads++;
    try {
      return await readAlone(room, socket);
    } finally {
      reads--;
    }
  }

  async function readAlone({ tenant, cursors, reader }: Room, { user, place: from }: Socket): Promise<Found> {
    // What the room keeps from now on lies behind what is read below, or within it.
    const { since } = reader;
    const { rows, place, ended } = await readVisible(db, tenant, { user, types: null, conversation: null }, from, PAGE);
    const entries = rows.map((row) => {
      const entry = entryOf(row, cursors, SEEN_BY_SQL);
      return user === null ? entry : { ...entry, user };
    });
    return { entries, place: ended && isBefore(place, since) ? since : place };
  }

  async function give(socket: Socket, { entries, place }: Found, turn: number): Promise<void> {
    let given = 0;
    for (const entry of entries) {
      if (socket.turn !== turn) return;
      socket.take(entry, clock.monotonic());
      socket.place = entry.place;
      if (++given % AT_ONCE !== 0 && socket.hasRoom) continue;
      await nextTurn();
      await socket.room();
    }
    if (socket.turn === turn) socket.place = place;
  }

  return {
    async find({ tenant, reader, cursors }, cursor) {
      const read = cursors.read(cursor);
      if (read === null) return 'invalid_cursor';
      const place = { xid: read.xid, id: read.id };
      const start = { place, cursor: cursors.write(read.seen ?? place) };
      if (!isBefore(place, reader.since) && !isBefore(reader.place, place)) return start;
      const { reached, pruned } = await bounds.of(tenant, place.xid);
      if (!reached) return 'invalid_cursor';
      return isBefore(place, pruned) ? 'cursor_expired' : start;
    },
    async run(room, socket) {
      const { turn } = socket;
      let tries = 0;
      while (socket.turn === turn) {
        // From here on nothing is waited for, so nothing comes in between.
        if (!isBefore(socket.place, room.reader.place)) return room.goLive(socket);
        try {
          const found = await next(room, socket);
          await give(socket, found, turn);
          tries = 0;
        } catch (error) {
          failed(error);
          if (++tries === TRIES) socket.close('unavailable');
          else await sleep(REST);
        }
      }
    },
  };
}
