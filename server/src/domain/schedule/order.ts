import type { ConversationId, MessageId } from '../ids.ts';
import type { Priority } from '../message.ts';

/**
 * The order of one sender's messages to one recipient: of the same priority they leave in the order in which they were accepted,
 * campaigns excepted. One is under way at a time; what was put off holds back those behind it until its time, an attempt that
 * is to be repeated for at most 30 seconds in all, a doubt not at all. Times are milliseconds of a monotonic clock.
 *
 * It is the memory of the lane's owner. Who takes a lane over restores it from what was put off there.
 */
export const LONGEST_HOLD = 30_000;

/** A message's place in the order. */
export interface Placed {
  message_id: MessageId;
  conversation_id: ConversationId;
  priority: Priority;
  /** Of a campaign: it keeps no order. null: it is not. */
  batch_id: string | null;
  /** Since when it may leave. */
  waiting_since: Date;
}

export type Turn =
  | { kind: 'go' }
  /** An earlier one is under way: its end is told by `ended`. */
  | { kind: 'wait' }
  /** An earlier one is put off until then, and this one with it. */
  | { kind: 'behind'; until: number };

export interface Order {
  turn(message: Placed, now: number): Turn;
  began(message: Placed, now: number): void;
  /**
   * Its attempt is over. Tells whether another waited for that.
   * @param again when it is to be tried again; null: it is not, or nobody knows.
   */
  ended(message: Placed, again: number | null, now: number): boolean;
  /**
   * It, and whatever follows it, is put off until then.
   * @param since when it was tried, if it waits for another attempt: it holds the others back for so long only. null: as is known.
   */
  putOff(message: Placed, until: number, since?: number | null): void;
  readonly size: number;
}

interface Line {
  underWay: MessageId | null;
  beganAt: number;
  awaited: boolean;
  /** Those that hold back whoever is behind them, in order. */
  marks: Mark[];
}

/** A message that is put off: its place, by the time from which it may leave and its id, and until when it holds others back. */
interface Mark {
  at: number;
  id: MessageId;
  until: number;
  /** When the first of its attempts ended that are repeated; null: it waits for something else. */
  since: number | null;
}

/** Lines that are remembered. Lines in which nothing is under way and nothing waits are forgotten. */
const MOST = 200_000;
/** Of one line. The last one stands for those behind it. */
const MOST_MARKS = 100;
/**
 * The database writes a message's time a moment after it was decided here: so what follows may be due before it. It is held back for so
 * much longer, and looked at again this often, until what it follows has begun. Nobody tells that that was cancelled: hence no longer.
 */
const LATE = 5000;
const LOOK = 100;
const GO: Turn = { kind: 'go' };
const WAIT: Turn = { kind: 'wait' };

export function createOrder(): Order {
  const lines = new Map<string, Line>();

  function lineOf({ conversation_id, priority }: Placed): Line {
    const key = `${conversation_id}${priority}`;
    let line = lines.get(key);
    if (!line) {
      if (lines.size >= MOST) forgetOne();
      line = { underWay: null, beganAt: 0, awaited: false, marks: [] };
      lines.set(key, line);
    }
    return line;
  }

  function forgetOne(): void {
    const oldest = lines.keys().next();
    if (!oldest.done) lines.delete(oldest.value);
  }

  function markOf(line: Line, message: Placed): Mark {
    const { marks } = line;
    let place = marks.length;
    while (place > 0 && !isBehind(message, marks[place - 1] as Mark)) place--;
    const found = marks[place];
    if (found?.id === message.message_id) return found;
    const mark: Mark = {
      at: message.waiting_since.getTime(),
      id: message.message_id,
      until: Number.NEGATIVE_INFINITY,
      since: null,
    };
    marks.splice(place, 0, mark);
    if (marks.length <= MOST_MARKS) return mark;
    const last = marks.pop() as Mark;
    const before = marks.at(-1) as Mark;
    before.until = Math.max(before.until, last.until);
    return mark;
  }

  return {
    turn(message, now) {
      if (message.batch_id !== null) return GO;
      const line = lines.get(`${message.conversation_id}${message.priority}`);
      if (!line) return GO;
      if (line.underWay !== null) {
        line.awaited = true;
        return WAIT;
      }
      let until = now;
      for (const mark of line.marks) {
        if (!isBehind(message, mark)) break;
        const held = holdsUntil(mark);
        if (held > now) until = Math.max(until, Math.min(mark.until, held), now + LOOK);
      }
      return until > now ? { kind: 'behind', until } : GO;
    },
    began(message, now) {
      if (message.batch_id === null) Object.assign(lineOf(message), { underWay: message.message_id, beganAt: now });
    },
    ended(message, again, now) {
      if (message.batch_id !== null) return false;
      const key = `${message.conversation_id}${message.priority}`;
      const line = lines.get(key);
      if (line?.underWay !== message.message_id) return false;
      const { awaited } = line;
      line.underWay = null;
      line.awaited = false;
      // Nothing of the line could begin meanwhile: that time does not count.
      for (const mark of line.marks) {
        if (mark.until <= now) mark.until = Math.min(mark.until + now - line.beganAt, now);
      }
      if (again !== null) {
        const mark = markOf(line, message);
        mark.since ??= now;
        mark.until = Math.min(again, mark.since + LONGEST_HOLD);
      } else {
        line.marks = line.marks.filter(
          (mark) => mark.id !== message.message_id && (mark.since !== null || holdsUntil(mark) > now),
        );
        if (line.marks.length === 0) lines.delete(key);
      }
      return awaited;
    },
    putOff(message, until, since = null) {
      if (message.batch_id !== null) return;
      const mark = markOf(lineOf(message), message);
      mark.since ??= since;
      mark.until = until;
    },
    get size() {
      return lines.size;
    },
  };
}

function holdsUntil({ until, since }: Mark): number {
  return Math.min(until + LATE, (since ?? Number.POSITIVE_INFINITY) + LONGEST_HOLD);
}

function isBehind({ waiting_since, message_id }: Placed, mark: Mark): boolean {
  const at = waiting_since.getTime();
  return at > mark.at || (at === mark.at && message_id > mark.id);
}
