import type { Db } from '../db/pool.ts';
import type { ChatMessage, ConversationType, ParticipantRole } from '../domain/chat.ts';
import { writeBar } from '../domain/chat-rules.ts';
import { AldisError } from '../domain/errors.ts';
import { type ChatMessageId, type ConversationId, isUuid, type TenantId } from '../domain/ids.ts';
import {
  findListedConversation,
  findStanding,
  type ListedRow,
  listTenantsConversations,
  listUsersConversations,
} from '../store/chat-conversations.read.ts';
import {
  findChatMessages,
  findPlacedMessage,
  listChatEdits,
  listChatMessages,
  type PlacedMessage,
} from '../store/chat-messages.read.ts';
import { listParticipants } from '../store/participants.read.ts';
import type { Asker, ChatReading, ListedConversation, MessagePage, PageAsked } from './chat.ts';

/** Reading conversations: what the one who asks may see of them, as it is now. */
export function createChatReading({ db }: { db: Db }): ChatReading {
  async function stand(tenant: TenantId, asker: Asker, id: ConversationId) {
    const found = isUuid(id) ? await findStanding(db, tenant, id, asker) : null;
    if (!found) throw new AldisError('not_found', 'There is no such conversation.');
    if (asker !== null && !found.standing) throw new AldisError('not_participant');
    return found;
  }

  async function placed(tenant: TenantId, asker: Asker, id: string): Promise<PlacedMessage> {
    const found = isUuid(id) ? await findPlacedMessage(db, tenant, id as ChatMessageId, asker) : null;
    if (!found) throw new AldisError('not_found', 'There is no such message.');
    if (asker !== null && !found.standing) throw new AldisError('not_participant');
    return found;
  }

  async function hydrate(tenant: TenantId, rows: readonly ListedRow[]): Promise<ListedConversation[]> {
    const ids = rows.flatMap(({ last_chat_id }) => last_chat_id ?? []);
    const found = ids.length > 0 ? await findChatMessages(db, tenant, ids) : [];
    const messages = new Map(found.map((message) => [message.id as string, message]));
    return rows.map(({ last_chat_id, last_message_at, activity: _, ...row }) => ({
      ...row,
      last_message: (last_chat_id && messages.get(last_chat_id)) ?? null,
      last_message_at: last_message_at?.toISOString() ?? null,
    }));
  }

  /** A page of a conversation's messages, or of the answers to one of them. */
  async function page(
    tenant: TenantId,
    conversation: ConversationId,
    parent: ChatMessageId | null,
    { before_id, after_id, limit }: PageAsked,
    usual: 'before' | 'after',
  ): Promise<MessagePage> {
    const cursor = after_id ?? before_id;
    const direction = after_id !== undefined ? 'after' : before_id !== undefined ? 'before' : usual;
    let seq = direction === 'after' ? 0 : Number.MAX_SAFE_INTEGER;
    if (cursor !== undefined) {
      const at = isUuid(cursor) ? await findPlacedMessage(db, tenant, cursor as ChatMessageId, null) : null;
      if (at?.message.conversation_id !== conversation || at.message.seq === null) {
        throw new AldisError('invalid_cursor', 'The cursor is not a message of this conversation.', {
          field: after_id === undefined ? 'before_id' : 'after_id',
        });
      }
      seq = at.message.seq;
    }
    const of = parent === null ? { conversation } : { parent };
    const messages = await listChatMessages(db, tenant, of, { direction, seq, limit: limit + 1 });
    return { messages: messages.slice(0, limit), more: messages.length > limit };
  }

  return {
    async conversation(tenant, asker, id) {
      await stand(tenant, asker, id);
      const row = await findListedConversation(db, tenant, id, asker);
      // He has left since.
      if (!row) throw new AldisError('not_participant');
      const [listed] = await hydrate(tenant, [row]);
      return { ...(listed as ListedConversation), participants: await listParticipants(db, tenant, id) };
    },

    async listConversations(tenant, asker, { type, open, limit, cursor }) {
      const after = cursor === undefined ? null : readCursor(cursor, asker);
      const filter = { type: type ?? null, open: open ?? null, limit: limit + 1 };
      const rows =
        asker === null
          ? await listTenantsConversations(db, tenant, filter, after?.id ?? null)
          : await listUsersConversations(db, tenant, asker, filter, after);
      const last = rows[limit - 1];
      return {
        conversations: await hydrate(tenant, rows.slice(0, limit)),
        next_cursor: rows.length > limit && last ? writeCursor(last, asker) : null,
      };
    },

    async participants(tenant, asker, id) {
      await stand(tenant, asker, id);
      return listParticipants(db, tenant, id);
    },

    async history(tenant, asker, id, asked) {
      await stand(tenant, asker, id);
      return page(tenant, id, null, asked, 'before');
    },

    async thread(tenant, asker, id, asked) {
      const { message } = await placed(tenant, asker, id);
      return page(tenant, message.conversation_id, message.id, asked, 'after');
    },

    async message(tenant, asker, id): Promise<ChatMessage> {
      return (await placed(tenant, asker, id)).message;
    },

    async listEdits(tenant, asker, id) {
      const { message } = await placed(tenant, asker, id);
      return listChatEdits(db, tenant, message.id);
    },

    async mayWrite(tenant, id, asker) {
      const found = isUuid(id) ? await findStanding(db, tenant, id, asker) : null;
      return writeBar(found, standingOf(asker, found)) ?? 'ok';
    },
  };
}

function standingOf(
  asker: Asker,
  found: { type: ConversationType; standing: { role: ParticipantRole; can_send_messages: boolean } | null } | null,
) {
  return asker === null ? ('software' as const) : (found?.standing ?? null);
}

/** Where a page ended: of a user's list a time and an id, of software's an id. */
function writeCursor({ activity, conversation }: ListedRow, asker: Asker): string {
  const place = asker === null ? [conversation.id] : [conversation.id, activity];
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

function readCursor(cursor: string, asker: Asker): { id: ConversationId; activity: number } {
  let place: unknown;
  try {
    place = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    place = null;
  }
  const [id, activity = 0, ...rest] = Array.isArray(place) ? (place as unknown[]) : [];
  const length = asker === null ? 1 : 2;
  if (
    typeof id !== 'string' ||
    !isUuid(id) ||
    !Number.isSafeInteger(activity) ||
    rest.length > 0 ||
    (place as unknown[]).length !== length
  ) {
    throw new AldisError('invalid_cursor', undefined, { field: 'cursor' });
  }
  return { id: id as ConversationId, activity: activity as number };
}
