import { isDeepStrictEqual } from 'node:util';
import { type Batcher, createBatcher } from '../db/batcher.ts';
import { type Db, isBadValue, type Queryable } from '../db/pool.ts';
import { retryingUnderContention } from '../db/retry.ts';
import { createTurns } from '../db/turns.ts';
import type { ChatMessage, UserId } from '../domain/chat.ts';
import { MOST_EDITS, type NewChatMessage, writeBar } from '../domain/chat-rules.ts';
import { invalid } from '../domain/content/fields.ts';
import { AldisError } from '../domain/errors.ts';
import { type ChatMessageId, type ConversationId, type EventId, isUuid, newId, type TenantId } from '../domain/ids.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import { insertConversationEvents, type NewConversationEvent } from '../store/chat-events.write.ts';
import { findPlacedMessage, type PlacedMessage } from '../store/chat-messages.read.ts';
import {
  type ChatRow,
  type ChatWritten,
  editChatMessage,
  emptyChatMessage,
  insertChatMessages,
  writeChatReactions,
} from '../store/chat-messages.write.ts';
import type { Idempotency } from './accepted.ts';
import type { ChatWriting } from './chat.ts';

/**
 * What people say: a message, its number, its conversation's last one, its event and its idempotency key become durable in one
 * statement, and the caller is answered only then. Messages that arrive together share the statement.
 *
 * Messages of one conversation always go by the same batcher, which writes one batch at a time: batches of one process never wait for
 * each other's rows. Those of two processes may; the later one begins anew.
 */
const LINES = 2;
const MOST_TOGETHER = 500;
const MOST_WAITING = 20_000;
/** Changes that wait for others of the same messages: more than a whole group reacts with at once. */
const MOST_CHANGES = 5000;

interface Request {
  tenant: TenantId;
  conversation: ConversationId;
  author: UserId;
  message: NewChatMessage;
  idempotency: Idempotency | null;
}

/** What came of a request: `written` of one that was looked at by the store. */
type Outcome =
  | { kind: 'written'; row: ChatRow; written: ChatWritten }
  | { kind: 'replayed'; message: ChatMessage }
  | { kind: 'mismatch' };

interface ChatWritingDeps {
  db: Db;
  signals: Signals;
  /** Told how many messages a commit had. */
  said?: (messages: number) => void;
}

export function createChatWriting(deps: ChatWritingDeps): ChatWriting {
  const { db, signals } = deps;
  const lines: Batcher<Request, Outcome>[] = Array.from({ length: LINES }, () =>
    createBatcher({
      max: MOST_TOGETHER,
      parallel: 1,
      limit: MOST_WAITING / LINES,
      run: (requests) => sayTogether(deps, requests),
      blameOne: isBadValue,
    }),
  );

  const turns = createTurns(MOST_CHANGES);

  /** Changes one message in a transaction with its event, those of one message one after the other. `event` null: nothing is to be changed. */
  async function changeOne(
    tenant: TenantId,
    user: UserId,
    id: string,
    change: (
      tx: Queryable,
      placed: PlacedMessage,
    ) => Promise<{ message: ChatMessage; event: NewConversationEvent | null }>,
  ): Promise<ChatMessage> {
    if (!isUuid(id)) throw noMessage();
    const inTransaction = () =>
      db.transaction(async (tx) => {
        const placed = await findPlacedMessage(tx, tenant, id as ChatMessageId, user);
        if (!placed) throw noMessage();
        if (!placed.standing) throw new AldisError('not_participant');
        const changed = await change(tx, placed);
        if (changed.event) await insertConversationEvents(tx, [changed.event]);
        await failpoint('chat.before_commit');
        return changed;
      });
    const { message, event } = await turns.take(`${tenant} ${id}`, () => retryingUnderContention(inTransaction));
    await failpoint('chat.after_commit');
    if (event) signals.notify(`events:${tenant}`);
    return message;
  }

  return {
    async say(tenant, conversation, author, message, idempotency) {
      const { parent_message_id: parent } = message;
      if (!isUuid(conversation)) throw new AldisError('not_found', 'There is no such conversation.');
      if (parent !== null && !isUuid(parent)) throw noParent();
      const line = lines[Number.parseInt(conversation.slice(-1), 16) % LINES] as Batcher<Request, Outcome>;
      const outcome = await line.add({ tenant, conversation, author, message, idempotency });
      if (outcome.kind === 'mismatch') return outcome;
      if (outcome.kind === 'replayed') return { kind: 'said', replayed: true, message: outcome.message };
      const { row, written } = outcome;
      if (!written.said) throw refusal(row, written);
      return { kind: 'said', replayed: false, message: messageOf(row, written) };
    },

    edit: (tenant, user, id, { content, mentions }) =>
      changeOne(tenant, user, id, async (tx, { message: before, edits, conversation, standing, now }) => {
        if (before.user_id !== user) throw new AldisError('not_yours');
        const bar = writeBar(conversation, standing);
        if (bar) throw new AldisError(bar);
        if (before.deleted_at !== null) throw new AldisError('message_deleted');
        if (edits >= MOST_EDITS) throw new AldisError('too_many_edits');
        // Not as text: the store gives the keys of mentions in an order of its own.
        if (before.content === content && isDeepStrictEqual(before.mentions, mentions)) {
          return { message: before, event: null };
        }
        await editChatMessage(tx, tenant, before.id, { content, mentions, at: now });
        const message = { ...before, content, mentions: [...mentions], edited_at: now.toISOString() };
        return { message, event: eventOf(tenant, message, 'chat.edited') };
      }),

    remove: (tenant, user, id) =>
      changeOne(tenant, user, id, async (tx, { message: before, now }) => {
        if (before.user_id !== user) throw new AldisError('not_yours');
        if (before.deleted_at !== null) return { message: before, event: null };
        await emptyChatMessage(tx, tenant, before.id, now);
        const deleted_at = now.toISOString();
        const message = { ...before, content: null, mentions: [], metadata: null, reactions: [], deleted_at };
        return { message, event: eventOf(tenant, message, 'chat.deleted') };
      }),

    react: (tenant, user, id, emoji) =>
      changeOne(tenant, user, id, async (tx, { message: before, conversation, now }) => {
        if (conversation.closed_at !== null) throw new AldisError('conversation_closed');
        if (before.deleted_at !== null) throw new AldisError('message_deleted');
        const own = before.reactions.find(({ user_id }) => user_id === user);
        if ((own?.emoji ?? null) === emoji) return { message: before, event: null };
        const at = now.toISOString();
        const others = before.reactions.filter(({ user_id }) => user_id !== user);
        const reactions = emoji === null ? others : [...others, { user_id: user, emoji, at }];
        await writeChatReactions(tx, tenant, before.id, reactions);
        const { conversation_id } = before;
        const event: NewConversationEvent = {
          id: newId<EventId>(),
          tenant,
          conversation: conversation_id,
          type: 'chat.reaction',
          user: null,
          data: { conversation_id, message_id: before.id, user_id: user, emoji, at },
        };
        return { message: { ...before, reactions }, event };
      }),
  };
}

async function sayTogether({ db, signals, said }: ChatWritingDeps, requests: readonly Request[]): Promise<Outcome[]> {
  const outcomes = new Array<Outcome>(requests.length);
  // Of several requests with one key the first is done, and the others are answered from what it left.
  let rest = requests.map((request, place) => ({ request, place }));
  while (rest.length > 0) {
    const keys = new Set<string>();
    const now: typeof rest = [];
    const later: typeof rest = [];
    for (const one of rest) {
      const { tenant, idempotency } = one.request;
      const key = idempotency && `${tenant} ${idempotency.key}`;
      if (key !== null && keys.has(key)) later.push(one);
      else {
        if (key !== null) keys.add(key);
        now.push(one);
      }
    }
    const rows = now.map(({ request }) => rowOf(request));
    await failpoint('say.before_commit');
    const written = await retryingUnderContention(() => insertChatMessages(db, rows));
    await failpoint('say.after_commit');
    const told = new Set<TenantId>();
    for (let i = 0; i < now.length; i++) {
      const { place } = now[i] as (typeof now)[number];
      const [row, result] = [rows[i] as ChatRow, written[i] as ChatWritten];
      if (result.said) told.add(row.tenant);
      outcomes[place] = result.request_hash
        ? await answerAgain(db, row, result)
        : { kind: 'written', row, written: result };
    }
    for (const tenant of told) signals.notify(`events:${tenant}`);
    if (told.size > 0) said?.(written.filter((one) => one.said).length);
    rest = later;
  }
  return outcomes;
}

function rowOf({ tenant, conversation, author, message, idempotency }: Request): ChatRow {
  return {
    tenant,
    conversation,
    author,
    id: newId<ChatMessageId>(),
    event: newId<EventId>(),
    message,
    key: idempotency?.key ?? null,
    hash: idempotency?.hash ?? null,
  };
}

async function answerAgain(db: Db, row: ChatRow, { request_hash, used_for }: ChatWritten): Promise<Outcome> {
  if (used_for === null || !row.hash?.equals(request_hash as Buffer)) return { kind: 'mismatch' };
  const placed = await findPlacedMessage(db, row.tenant, used_for, null);
  // It may have been pruned while its key was kept.
  return placed ? { kind: 'replayed', message: placed.message } : { kind: 'mismatch' };
}

function messageOf({ id, conversation, author, message }: ChatRow, { seq, at }: ChatWritten): ChatMessage {
  return {
    id,
    conversation_id: conversation,
    seq,
    user_id: author,
    sender_type: message.sender_type,
    content: message.content,
    message_type: message.message_type,
    mentions: [...message.mentions],
    parent_message_id: message.parent_message_id,
    metadata: message.metadata,
    note: message.note,
    reactions: [],
    created_at: at.toISOString(),
    edited_at: null,
    deleted_at: null,
  };
}

/** Why nothing was said. */
function refusal({ message }: ChatRow, written: ChatWritten): AldisError {
  const { type, closed_at, can_send_messages, parent_known } = written;
  const standing = can_send_messages === null ? null : { role: 'member' as const, can_send_messages };
  const bar = writeBar(type === null ? null : { type, closed_at }, standing);
  if (bar === 'not_found') return new AldisError(bar, 'There is no such conversation.');
  if (bar) return new AldisError(bar);
  if (!parent_known) return noParent();
  return message.note
    ? invalid('note', 'must not be true: only a conversation with a customer has notes')
    : invalid('note', 'must be true: what goes to the customer is sent by WhatsApp');
}

function noParent(): AldisError {
  return invalid('parent_message_id', 'must be a message between users, or a note, of this conversation');
}

function noMessage(): AldisError {
  return new AldisError('not_found', 'There is no such message.');
}

function eventOf(tenant: TenantId, message: ChatMessage, type: 'chat.edited' | 'chat.deleted'): NewConversationEvent {
  return { id: newId<EventId>(), tenant, conversation: message.conversation_id, type, user: null, data: { message } };
}
