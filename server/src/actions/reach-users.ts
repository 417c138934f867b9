import type { Queryable } from '../db/pool.ts';
import type { MessageId } from '../domain/ids.ts';
import { MESSAGING_LIMIT } from '../domain/messaging-limit.ts';
import {
  admit,
  freeAt,
  isHeldEarlier,
  type LaneLimit,
  type Line,
  mostFor,
  type PlaceLines,
  PROMISED_AHEAD,
  type Reaching,
} from '../domain/schedule/unique-users.ts';
import { findReach, findReachedBefore, forgetReached, notePutOff, writeReached } from '../store/reached-users.write.ts';
import type { Claimed, PutOff } from '../store/sending.write.ts';

/**
 * Counts whom a portfolio writes to first, in the transaction that records the attempts: no crash and no takeover forgets
 * anybody, and nobody counts twice. A user counts from the attempt on, even if it turns out that nothing left: too many are
 * never written to, a few too few may be.
 */
export interface ReachPlan {
  /** Those that count. */
  counting: ReadonlySet<MessageId>;
  /** Those that have no place. */
  late: ReadonlySet<Claimed>;
  /** The same by line, and when the next places get free. */
  over: OverLimit[];
}

/** Messages of one line that wait for places. */
export interface OverLimit {
  line: Line;
  messages: Claimed[];
  /** When places get free that are promised to nobody yet, in milliseconds since 1970. */
  places: number[];
  now: number;
}

/** Rows of a lane that are forgotten at once when there is no room. */
const MOST_FORGOTTEN = 5000;

/** Decides which templates, all of lanes with a limit, have a place. */
export async function planReach(
  tx: Queryable,
  asked: readonly Claimed[],
  limits: ReadonlyMap<number, LaneLimit>,
  lines: PlaceLines,
): Promise<ReachPlan> {
  if (asked.length === 0) return { counting: new Set(), late: new Set(), over: [] };
  const facts = await findReach(
    tx,
    asked.map(({ lane_id, tenant_id, conversation_id, address }) => ({
      lane: lane_id,
      tenant: tenant_id,
      conversation: conversation_id,
      address,
    })),
  );
  const users = new Map<number, number>();
  const noted = new Map<number, number | null>();
  const reaching: (Reaching & { message: Claimed })[] = [];
  asked.forEach((message, i) => {
    const { open, known, users: before, put_off_under } = facts[i] as (typeof facts)[number];
    const { lane_id: lane, address, category } = message;
    users.set(lane, before);
    noted.set(lane, put_off_under);
    if (!open) reaching.push({ lane, address, category, known, message });
  });
  const admitted = await admitOnceMore(tx, reaching, users, limits);
  const counting = new Set(admitted.go.map(({ message }) => message.message_id));
  const late = new Set(admitted.over.map(({ message }) => message));
  const now = facts[0]?.now ?? 0;
  const over = await waitingLines(tx, [...late], users, limits, lines, now);
  const lanes = new Set([...late].map(({ lane_id }) => lane_id));
  const raised = [...lanes].flatMap((lane) => {
    const most = limits.get(lane)?.most;
    return most === undefined || noted.get(lane) === most ? [] : [{ lane, most }];
  });
  if (raised.length > 0) await notePutOff(tx, raised);
  return { counting, late, over };
}

/** Lets in who fits; where somebody does not, those who count no more are forgotten first. */
async function admitOnceMore<M extends Reaching>(
  tx: Queryable,
  reaching: readonly M[],
  users: Map<number, number>,
  limits: ReadonlyMap<number, LaneLimit>,
): Promise<{ go: M[]; over: M[] }> {
  const before = new Map(users);
  const first = admit(reaching, users, limits);
  if (first.over.length === 0) return first;
  const full = [...new Set(first.over.map(({ lane }) => lane))];
  const fewer = await forgetReached(tx, full, MOST_FORGOTTEN);
  if (fewer.length === 0) return first;
  for (const [lane, count] of before) users.set(lane, count);
  for (const { lane_id, users: count } of fewer) users.set(lane_id, count);
  return admit(reaching, users, limits);
}

async function waitingLines(
  tx: Queryable,
  late: readonly Claimed[],
  users: ReadonlyMap<number, number>,
  limits: ReadonlyMap<number, LaneLimit>,
  lines: PlaceLines,
  now: number,
): Promise<OverLimit[]> {
  if (late.length === 0) return [];
  const over = new Map<string, OverLimit>();
  for (const message of late) {
    const line = { lane: message.lane_id, early: isHeldEarlier(message.category) };
    const key = `${line.lane}${line.early}`;
    const waiting = over.get(key);
    if (waiting) waiting.messages.push(message);
    else over.set(key, { line, messages: [message], places: [], now });
  }
  const all = [...over.values()];
  const asks = all.map(({ line, messages }) => {
    const promised = lines.promised(line, now);
    const most = mostFor((messages[0] as Claimed).category, limits.get(line.lane) as LaneLimit);
    // As many have to go before one more may come; who is promised a place waits for that already.
    const skipped = promised > 0 ? 0 : Math.max((users.get(line.lane) ?? 0) - most, 0);
    const after = promised > 0 ? promised - MESSAGING_LIMIT.span : 0;
    return { lane: line.lane, after, skipped, wanted: messages.length };
  });
  for (const { ask, reached_at } of await findReachedBefore(tx, asks, MESSAGING_LIMIT.span - PROMISED_AHEAD)) {
    all[ask]?.places.push(freeAt(reached_at));
  }
  return all;
}

/** Writes whom the attempts that began have reached. */
export async function countReached(
  tx: Queryable,
  { counting }: ReachPlan,
  begun: readonly Pick<Claimed, 'message_id' | 'lane_id' | 'address'>[],
): Promise<void> {
  const users = new Map<string, { lane: number; address: string }>();
  for (const { message_id, lane_id: lane, address } of begun) {
    if (counting.has(message_id)) users.set(`${lane} ${address}`, { lane, address });
  }
  if (users.size > 0) await writeReached(tx, [...users.values()]);
}

/** Says for what has no place when to look again: once what was decided is committed. */
export function promisePlaces({ over }: ReachPlan, lines: PlaceLines): (PutOff & { candidate: Claimed })[] {
  return over.flatMap(({ line, messages, places, now }) => {
    const delays = lines.promise(line, places, messages.length, now);
    return messages.map((candidate, i) => ({
      candidate,
      delay: delays[i] as number,
      cause: 'messaging_limit' as const,
    }));
  });
}
