import { createBatcher } from '../db/batcher.ts';
import { type Db, isBadValue } from '../db/pool.ts';
import { retryingUnderContention } from '../db/retry.ts';
import { type EventId, isUuid, newId, type TenantId } from '../domain/ids.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import { insertConversationEvents, type NewConversationEvent } from '../store/chat-events.write.ts';
import { type AskedMark, type FoundMark, findMarks } from '../store/chat-receipts.read.ts';
import { type MovedMark, moveMarks } from '../store/chat-receipts.write.ts';
import type { ChatReceipts, Mark, Marked } from './chat.ts';

/**
 * How far users got and read. A mark is the number of a message, and covers all before it; it only grows. Whoever wrote what it passes over
 * is told: one event for each author, of his latest message, and of no more than the latest thousand messages and a hundred authors.
 * How far a user has read is told to himself as well: he has other devices. Marks that arrive together share a commit.
 */
const MOST_TOGETHER = 250;
const MOST_WAITING = 20_000;
/** Milliseconds that a batch gathers for under load. */
const GATHER = 5;

export function createChatReceipts({ db, signals }: { db: Db; signals: Signals }): ChatReceipts {
  const batcher = createBatcher<AskedMark, Marked>({
    max: MOST_TOGETHER,
    parallel: 1,
    limit: MOST_WAITING,
    gather: GATHER,
    blameOne: isBadValue,
    async run(asked) {
      const { results, events } = await retryingUnderContention(() => db.transaction((tx) => mark(tx, asked)));
      await failpoint('mark.after_commit');
      for (const tenant of new Set(events.map((event) => event.tenant))) signals.notify(`events:${tenant}`);
      return results;
    },
  });
  const markAll = (tenant: TenantId, marks: readonly Mark[], read: boolean) =>
    Promise.all(
      marks.map(({ user, message }) =>
        isUuid(message) ? batcher.add({ tenant, user, message, read }) : Promise.resolve('not_found' as const),
      ),
    );
  return {
    markDelivered: (tenant, marks) => markAll(tenant, marks, false),
    markRead: (tenant, marks) => markAll(tenant, marks, true),
  };
}

/** What was asked of one user in one conversation: the furthest of each kind. */
interface Move extends MovedMark {
  /** The marks that reach furthest. */
  delivering: FoundMark | null;
  reading: (FoundMark & { message: string }) | null;
}

async function mark(
  tx: Parameters<typeof findMarks>[0],
  asked: readonly AskedMark[],
): Promise<{ results: Marked[]; events: NewConversationEvent[] }> {
  const found = await findMarks(tx, asked);
  const moves = new Map<string, Move>();
  const results = asked.map((one, i) => markOne(moves, one, found[i] as FoundMark));
  // In one order everywhere, so that nobody waits for each other.
  const moved = [...moves].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, move]) => move);
  const events = moved.flatMap(eventsOf);
  if (moved.length > 0) await moveMarks(tx, moved);
  if (events.length > 0) await insertConversationEvents(tx, events);
  await failpoint('mark.before_commit');
  return { results, events };
}

function markOne(moves: Map<string, Move>, { tenant, user, message, read }: AskedMark, found: FoundMark): Marked {
  const { conversation_id: conversation, seq, delivered_seq: delivered, read_seq, own_ahead: ownAhead } = found;
  if (conversation === null) return 'not_found';
  if (delivered === null) return 'not_participant';
  if (seq <= (read ? read_seq : delivered)) return 'already';
  const key = `${tenant} ${conversation} ${user}`;
  const before = moves.get(key);
  const move = before ?? {
    tenant,
    conversation,
    user,
    delivered,
    read: read_seq,
    ownAhead,
    delivering: null,
    reading: null,
  };
  if (!before) moves.set(key, move);
  if (read && seq > move.read) {
    move.read = seq;
    move.ownAhead = found.own_behind;
    move.reading = { ...found, message };
  }
  if (!read && seq > (move.delivering?.seq ?? 0)) move.delivering = found;
  move.delivered = Math.max(move.delivered, seq);
  return 'advanced';
}

function eventsOf({ tenant, conversation, user, read, delivering, reading }: Move): NewConversationEvent[] {
  const events: NewConversationEvent[] = [];
  const tell = (type: 'chat.delivered' | 'chat.read', to: string, message_id: string, seq: number) =>
    events.push({
      id: newId<EventId>(),
      tenant,
      conversation,
      type,
      user: to,
      data: { conversation_id: conversation, message_id, seq, user_id: user },
    });
  // What was read was delivered, and needs not be told so too.
  for (const { user_id, id, seq } of delivering?.passed ?? []) {
    if (seq > read) tell('chat.delivered', user_id, id, seq);
  }
  for (const { user_id, id, seq } of reading?.passed ?? []) tell('chat.read', user_id, id, seq);
  if (reading) tell('chat.read', user, reading.message, reading.seq);
  return events;
}
