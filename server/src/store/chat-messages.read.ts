import type { Queryable } from '../db/pool.ts';
import type {
  AuthorType,
  ChatMessage,
  ChatReaction,
  ConversationType,
  Mention,
  ParticipantRole,
  UserId,
} from '../domain/chat.ts';
import type { ChatMessageId, ConversationId, TenantId } from '../domain/ids.ts';
import { ofKey } from './one-key.ts';

/** A message between users, or a note, as it is stored. */
interface ChatMessageRow {
  id: ChatMessageId;
  conversation_id: ConversationId;
  seq: number;
  user_id: UserId;
  sender_type: AuthorType;
  content: string | null;
  message_type: string;
  mentions: Mention[];
  parent_message_id: string | null;
  metadata: Record<string, unknown> | null;
  note: boolean;
  reactions: ChatReaction[];
  created_at: Date;
  edited_at: Date | null;
  deleted_at: Date | null;
}

/** Of the table called `c`. */
const COLUMNS = `c.id, c.conversation_id, c.seq, c.user_id, c.sender_type, c.content, c.message_type, c.mentions,
  c.parent_id as parent_message_id, c.metadata, c.note, c.reactions, c.created_at, c.edited_at, c.deleted_at`;

/** A row, or the part of a row that is one, as everybody sees it. */
function shown(row: ChatMessageRow): ChatMessage {
  return {
    id: row.id,
    conversation_id: row.conversation_id,
    seq: row.seq,
    user_id: row.user_id,
    sender_type: row.sender_type,
    content: row.content,
    message_type: row.message_type,
    mentions: row.mentions,
    parent_message_id: row.parent_message_id,
    metadata: row.metadata,
    note: row.note,
    reactions: row.reactions,
    created_at: row.created_at.toISOString(),
    edited_at: row.edited_at?.toISOString() ?? null,
    deleted_at: row.deleted_at?.toISOString() ?? null,
  };
}

const find = {
  name: 'chat_messages_find',
  text: `
select ${COLUMNS}, c.edits, date_trunc('milliseconds', now()) as now, v.type, v.closed_at, p.role, p.can_send_messages
from chat_messages c
join conversations v on v.tenant_id = c.tenant_id and v.id = c.conversation_id
left join participants p
  on p.tenant_id = c.tenant_id and p.conversation_id = c.conversation_id and p.user_id = $3 and p.left_at is null
where c.tenant_id = $1 and c.id = $2`,
};

/** A message, where it stands, and how a user stands there. */
export interface PlacedMessage {
  message: ChatMessage & { id: ChatMessageId };
  edits: number;
  conversation: { type: ConversationType; closed_at: Date | null };
  /** null: the user is not in the conversation, or none was named. */
  standing: { role: ParticipantRole; can_send_messages: boolean } | null;
  /** When the transaction began, in whole milliseconds. */
  now: Date;
}

/** The message of this id, for a user; `user` null: for software. */
export async function findPlacedMessage(
  tx: Queryable,
  tenant: TenantId,
  id: ChatMessageId,
  user: UserId | null,
): Promise<PlacedMessage | null> {
  const [row] = await tx.query<
    ChatMessageRow & {
      edits: number;
      now: Date;
      type: ConversationType;
      closed_at: Date | null;
      role: ParticipantRole | null;
      can_send_messages: boolean;
    }
  >(find, [tenant, id, user]);
  if (!row) return null;
  const { edits, now, type, closed_at, role, can_send_messages } = row;
  return {
    message: { ...shown(row), id: row.id },
    edits,
    conversation: { type, closed_at },
    standing: role && { role, can_send_messages },
    now,
  };
}

const findMany = {
  name: 'chat_messages_find_many',
  text: `select ${COLUMNS} from chat_messages c where c.tenant_id = $1 and c.id = any($2::uuid[])`,
};

/** Those of some messages that there are, in any order. */
export async function findChatMessages(
  tx: Queryable,
  tenant: TenantId,
  ids: readonly ChatMessageId[],
): Promise<ChatMessage[]> {
  return (await tx.query<ChatMessageRow>(findMany, [tenant, ids])).map(shown);
}

const pages = {
  before: {
    name: 'chat_messages_before',
    text: `
select ${COLUMNS} from chat_messages c where c.tenant_id = $1 and c.conversation_id = $2 and c.seq < $3
order by c.seq desc limit $4`,
  },
  after: {
    name: 'chat_messages_after',
    text: `
select ${COLUMNS} from chat_messages c where c.tenant_id = $1 and c.conversation_id = $2 and c.seq > $3
order by c.seq limit $4`,
  },
  threadBefore: {
    name: 'chat_messages_thread_before',
    text: `
select ${COLUMNS} from chat_messages c where c.tenant_id = $1 and c.parent_id = $2 and c.seq < $3
order by c.seq desc limit $4`,
  },
  threadAfter: {
    name: 'chat_messages_thread_after',
    text: `
select ${COLUMNS} from chat_messages c where c.tenant_id = $1 and c.parent_id = $2 and c.seq > $3
order by c.seq limit $4`,
  },
} as const;

/**
 * Messages of a conversation, or the answers to a message, from a number on: before it the newest first, after it the oldest first.
 */
export async function listChatMessages(
  tx: Queryable,
  tenant: TenantId,
  of: { conversation: ConversationId } | { parent: ChatMessageId },
  from: { direction: 'before' | 'after'; seq: number; limit: number },
): Promise<ChatMessage[]> {
  const { direction, seq, limit } = from;
  const [statement, scope] =
    'parent' in of
      ? [direction === 'before' ? pages.threadBefore : pages.threadAfter, of.parent]
      : [pages[direction], of.conversation];
  return (await tx.query<ChatMessageRow>(statement, [tenant, scope, seq, limit])).map(shown);
}

const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

// Few are notes: the id is compared by itself, and not with the key, by which the planner would take another index while nothing is counted.
const inOne = ofKey({ 'c.conversation_id': '$2' }, 'c.id');

const notes = {
  before: {
    name: 'chat_messages_notes_before',
    text: `
select ${COLUMNS} from chat_messages c where c.tenant_id = $1 and ${inOne.all} and c.note
  and c.id < $3::uuid order by ${inOne.newestFirst} limit $4`,
  },
  after: {
    name: 'chat_messages_notes_after',
    text: `
select ${COLUMNS} from chat_messages c where c.tenant_id = $1 and ${inOne.all} and c.note
  and c.id > $3::uuid order by ${inOne.oldestFirst} limit $4`,
  },
} as const;

/**
 * Notes in a conversation with a customer, by id, as the WhatsApp messages beside them are placed: before an id the newest first (null:
 * from the newest), after it the oldest first. The id need not be that of a note.
 */
export async function listNotes(
  tx: Queryable,
  tenant: TenantId,
  conversation: ConversationId,
  from: { before: string | null } | { after: string },
  limit: number,
): Promise<ChatMessage[]> {
  const [statement, id] = 'after' in from ? [notes.after, from.after] : [notes.before, from.before ?? LAST_ID];
  return (await tx.query<ChatMessageRow>(statement, [tenant, conversation, id, limit])).map(shown);
}

const edits = {
  name: 'chat_messages_edits',
  text: 'select edit, content, mentions, at from chat_edits where tenant_id = $1 and message_id = $2 order by edit',
};

/** What a message said before an edit. */
export interface EditRecord {
  /** From 1. */
  edit: number;
  content: string | null;
  mentions: Mention[];
  /** When it was replaced. */
  at: string;
}

/** What a message said before, the oldest first. */
export async function listChatEdits(tx: Queryable, tenant: TenantId, id: ChatMessageId): Promise<EditRecord[]> {
  const rows = await tx.query<Omit<EditRecord, 'at'> & { at: Date }>(edits, [tenant, id]);
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}
