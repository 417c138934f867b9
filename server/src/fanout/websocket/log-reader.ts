import type { Queryable } from '../../db/pool.ts';
import type { UserId } from '../../domain/chat.ts';
import { SOFTWARE_ONLY } from '../../domain/event-catalogue.ts';
import { type EventCursors, type EventPosition, isBefore } from '../../domain/event-cursor.ts';
import { type ConversationId, type TenantId, timeOfId } from '../../domain/ids.ts';
import type { Clock } from '../../runtime/clock.ts';
import { createPause } from '../../runtime/pause.ts';
import type { Signals } from '../../signals/signals.ts';
import { findLogBounds } from '../../store/event-retention.read.ts';
import { type EventRow, LOG_START, listEvents } from '../../store/events.read.ts';
import { type Audiences, type Members, sees } from './audiences.ts';
import { type BegunFrame, beginFrame } from './event-frame.ts';

/** An event as it goes to sockets. */
export interface Entry {
  place: EventPosition;
  /** The transaction of the place, as a number: compared for each user. */
  xid: bigint;
  cursor: string;
  type: string;
  conversation: ConversationId | null;
  /** The only user who may see it; null: as `members` say. */
  user: UserId | null;
  /** Who was in its conversation; null: no user sees it. */
  members: Members | null;
  frame: BegunFrame;
  /** Of a new message between users, or note: what it comes to a device by. */
  said: { message: string; conversation: ConversationId; author: UserId | null } | null;
  /** Who left its conversation by it; null: nobody did. */
  left: UserId | null;
  /** When it was written, in milliseconds since 1970. */
  at: number;
}

export function entryOf(row: EventRow, cursors: EventCursors, members: Members | null): Entry {
  const place = { xid: row.xid, id: row.event_id };
  const cursor = cursors.write(place);
  return {
    place,
    xid: BigInt(row.xid),
    cursor,
    type: row.event_type,
    conversation: row.conversation_id,
    user: row.id === null ? row.user_id : null,
    members: SECRET.has(row.event_type) ? null : members,
    frame: beginFrame(row, cursor),
    said: saidIn(row),
    left: leftIn(row),
    at: timeOfId(row.event_id),
  };
}

const SECRET: ReadonlySet<string> = new Set(SOFTWARE_ONLY);

function saidIn(row: EventRow): Entry['said'] {
  if (row.event_type !== 'chat.created' || row.id !== null || !('message' in row.data)) return null;
  const { id, conversation_id, user_id } = row.data.message;
  return { message: id, conversation: conversation_id, author: user_id };
}

function leftIn(row: EventRow): UserId | null {
  if (row.event_type !== 'participant.left' || row.id !== null || !('user_id' in row.data)) return null;
  return row.data.user_id;
}

/** Whether a user may see it: the rule of store/visible-events.read.ts, on what is already in memory. */
export function isVisible({ user, members, xid }: Entry, to: UserId): boolean {
  if (members === null) return false;
  return user === null ? sees(members, to, xid) : user === to;
}

/**
 * Follows the log of one tenant from where it ended when the first socket came, for all sockets of the instance. The last events are
 * kept, so that clients who come back soon, in their thousands, cost no question to the store.
 *
 * A signal tells that events were committed; they appear when every transaction that began before them has ended. So after a signal
 * the log is looked at at once, then again soon and ever less often; without one every half second.
 */
export interface LogReader {
  /** Resolves when it is known where it begins. Rejects when that cannot be read. */
  started: Promise<void>;
  /** How far the log was read. */
  readonly place: EventPosition;
  readonly cursor: string;
  /** What is kept begins after it. */
  readonly since: EventPosition;
  /** The events after a place, the oldest first, at most `most`; null when the first of them are no longer kept. */
  after(place: EventPosition, most: number): readonly Entry[] | null;
  stop(): Promise<void>;
}

export interface LogReaderDeps {
  db: Queryable;
  signals: Signals;
  clock: Clock;
  tenant: TenantId;
  cursors: EventCursors;
  audiences: Audiences;
  /** Room for what is kept, shared by the readers of all tenants. */
  kept: { bytes: number };
  /** Called for each event in the order of the log. Must not throw. */
  deliver(entry: Entry): void;
  /** Called when a read failed; it is tried again. */
  failed(error: unknown): void;
}

const PAGE = 500;
const IDLE = 500;
const SOON = 3;
/** Events between two turns of the event loop: what a page writes to one socket has left by then, unless its client is slow. */
const AT_ONCE = 64;
const BYTES_AT_ONCE = 256 * 1024;
/** Of one tenant, and of all: bytes of frames. */
const MOST_KEPT = 8 * 2 ** 20;
const MOST_KEPT_IN_ALL = 64 * 2 ** 20;

/** Events that change who may see what. */
const CHANGES_MEMBERS: ReadonlySet<string> = new Set([
  'conversation.created',
  'participant.joined',
  'participant.left',
]);

export function createLogReader(deps: LogReaderDeps): LogReader {
  const { db, signals, tenant, cursors, audiences, kept } = deps;
  let ring: Entry[] = [];
  /** Entries before it in `ring` are gone. */
  let first = 0;
  let bytes = 0;
  /** What is kept begins after it. */
  let since: EventPosition = LOG_START;
  let place: EventPosition = LOG_START;
  let cursor = '';
  let ended = false;
  let signalled = false;
  let pause = IDLE;
  const rest = createPause();
  const unlisten = signals.listen(`events:${tenant}`, () => {
    signalled = true;
    // While one looks again and again, further signals wait for the next look: a stream of them is no stream of questions.
    if (pause === IDLE) rest.wake();
  });

  async function begin(): Promise<void> {
    place = since = (await findLogBounds(db, tenant, LOG_START.xid)).end;
    cursor = cursors.write(place);
  }

  async function run(): Promise<void> {
    while (!ended) {
      signalled = false;
      rest.reset();
      let found = 0;
      try {
        const rows = await listEvents(db, tenant, place, PAGE);
        found = rows.length;
        if (found > 0) await publish(rows);
      } catch (error) {
        deps.failed(error);
      }
      if (ended) return;
      if (found === PAGE) continue;
      if (found > 0 || signalled) pause = SOON;
      await rest.wait(pause);
      pause = signalled ? SOON : Math.min(pause * 2, IDLE);
    }
  }

  async function publish(rows: readonly EventRow[]): Promise<void> {
    const asked = new Set<ConversationId>();
    for (const row of rows) {
      if (row.conversation_id === null) continue;
      asked.add(row.conversation_id);
      if (CHANGES_MEMBERS.has(row.event_type)) audiences.forget(row.conversation_id);
    }
    const members = await audiences.of(asked);
    let turn = 0;
    let written = 0;
    for (const row of rows) {
      if (ended) return;
      const entry = entryOf(row, cursors, members.get(row.conversation_id) ?? NOBODY);
      keep(entry);
      place = entry.place;
      cursor = entry.cursor;
      deps.deliver(entry);
      written += entry.frame.text.length;
      if (++turn % AT_ONCE !== 0 && written < BYTES_AT_ONCE) continue;
      written = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  function keep(entry: Entry): void {
    ring.push(entry);
    bytes += entry.frame.text.length;
    kept.bytes += entry.frame.text.length;
    while (first < ring.length && (bytes > MOST_KEPT || kept.bytes > MOST_KEPT_IN_ALL)) {
      const oldest = ring[first++] as Entry;
      since = oldest.place;
      bytes -= oldest.frame.text.length;
      kept.bytes -= oldest.frame.text.length;
    }
    if (first > 1000 && first * 2 > ring.length) {
      ring = ring.slice(first);
      first = 0;
    }
  }

  const started = begin();
  const running = started.then(run, () => {});
  return {
    started,
    get place() {
      return place;
    },
    get cursor() {
      return cursor;
    },
    get since() {
      return since;
    },
    after(from, most) {
      if (isBefore(from, since)) return null;
      return entriesAfter(ring, first, from, most);
    },
    async stop() {
      ended = true;
      unlisten();
      rest.wake();
      await running;
      kept.bytes -= bytes;
      bytes = 0;
      ring = [];
      first = 0;
    },
  };
}

const NOBODY: Members = new Map();

/** Of entries in the order of the log, from a first one on, those after a place, at most `most`. */
export function entriesAfter(entries: readonly Entry[], first: number, place: EventPosition, most: number): Entry[] {
  // The first that lies after the place, by halves.
  let low = first;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(place, (entries[middle] as Entry).place)) high = middle;
    else low = middle + 1;
  }
  return entries.slice(low, low + most);
}
