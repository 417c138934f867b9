import assert from 'node:assert/strict';
import type { ChatActions, NewParticipant } from '../../src/actions/chat.ts';
import { buildChat } from '../../src/boot/chat.ts';
import type { Db } from '../../src/db/pool.ts';
import type { ChatMessage, UserId } from '../../src/domain/chat.ts';
import { checkChatMessage, type SaidFields } from '../../src/domain/chat-rules.ts';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { AldisError } from '../../src/domain/errors.ts';
import { type ContactId, type ConversationId, newId, type SenderId, type TenantId } from '../../src/domain/ids.ts';
import { memorySignals, type Signals } from '../../src/signals/signals.ts';
import { type ConversationEventRow, LOG_START, listEvents } from '../../src/store/events.read.ts';
import { insertTenant } from '../../src/store/set-up.write.ts';
import { type TestDatabase, testDatabase } from '../database.ts';
import { logReadable } from '../readable-log.ts';

/** A database in which tests make tenants of their own, and the actions on its conversations. */
export interface ChatWorld {
  database: TestDatabase;
  db: Db;
  signals: Signals;
  chat: ChatActions;
  tenant(): Promise<TenantId>;
  close(): Promise<void>;
}

export async function chatWorld(): Promise<ChatWorld> {
  const database = await testDatabase();
  const { db } = database;
  const signals = memorySignals();
  return {
    database,
    db,
    signals,
    chat: buildChat({ db, signals }),
    async tenant() {
      const id = newId<TenantId>();
      await insertTenant(db, id, 'test');
      return id;
    },
    close: () => database.drop(),
  };
}

/** Who is in it, by name. */
export const people = (...users: UserId[]): NewParticipant[] => users.map((user_id) => ({ user_id }));

/** A group that software made, whose first user is its owner. */
export async function groupOf({ chat }: ChatWorld, tenant: TenantId, ...users: UserId[]): Promise<ConversationId> {
  const participants = users.map((user_id, i) => ({
    user_id,
    role: i === 0 ? ('owner' as const) : ('member' as const),
  }));
  return (await chat.create(tenant, null, { type: 'group', participants })).conversation.id;
}

/** A conversation with a customer. */
export async function customerOf({ chat }: ChatWorld, tenant: TenantId, ...users: UserId[]): Promise<ConversationId> {
  const sides = { sender_id: newId<SenderId>(), contact_id: newId<ContactId>() };
  return (await chat.create(tenant, null, { type: 'customer', participants: people(...users), sides })).conversation.id;
}

/** Says something that is accepted. */
export async function say(
  { chat }: ChatWorld,
  tenant: TenantId,
  conversation: ConversationId,
  author: UserId,
  said: SaidFields | string,
): Promise<ChatMessage> {
  const message = checkChatMessage(typeof said === 'string' ? { content: said } : said);
  const answer = await chat.say(tenant, conversation, author, message, null);
  assert.equal(answer.kind, 'said');
  return (answer as { message: ChatMessage }).message;
}

/** Holds that something is refused by a code, and that the error says what matters. */
export async function assertRefused(
  code: ErrorCode,
  asked: Promise<unknown> | (() => unknown),
  says?: RegExp,
): Promise<void> {
  const error: unknown = await (async () => {
    await (typeof asked === 'function' ? asked() : asked);
    return null;
  })().catch((thrown: unknown) => thrown);
  assert.ok(error instanceof AldisError, `${code} was expected, but there was ${String(error)}`);
  assert.equal(error.code, code);
  if (says) assert.match(`${error.field} ${error.message}`, says);
}

/** All events of a tenant's conversations so far, in the log's order. */
export async function readLog(db: Db, tenant: TenantId): Promise<ConversationEventRow[]> {
  await logReadable(db);
  const all: ConversationEventRow[] = [];
  for (let after = LOG_START; ; ) {
    const rows = await listEvents(db, tenant, after, 1000);
    for (const row of rows) if (row.id === null) all.push(row);
    const last = rows.at(-1);
    if (!last) return all;
    after = { xid: last.xid, id: last.event_id };
  }
}
