import type {
  ChatMessage,
  ConversationRecord,
  ConversationType,
  Mention,
  ParticipantRecord,
  ParticipantRole,
  UserId,
} from '../domain/chat.ts';
import type { NewChatMessage, WriteBar } from '../domain/chat-rules.ts';
import type { ContactId, ConversationId, MessageId, SenderId, TenantId } from '../domain/ids.ts';
import type { EditRecord } from '../store/chat-messages.read.ts';
import type { Idempotency, IdempotencyConflict } from './accepted.ts';

/**
 * Who asks: a user, who may do what his place in the conversation lets him; null: the tenant's software, which may read and change
 * all conversations, and says nothing there by itself.
 */
export type Asker = UserId | null;

/** Who is to be in a conversation. */
export interface NewParticipant {
  user_id: UserId;
  /** Absent: `member`; of the user who makes the conversation `owner`, but in a direct one. */
  role?: ParticipantRole;
  /** Absent: true. */
  can_send_messages?: boolean;
}

export interface NewConversation {
  type: ConversationType;
  /** Each user once. Of a direct one two, of which the user who asks may be left out. */
  participants: readonly NewParticipant[];
  title?: string | null;
  metadata?: Record<string, unknown> | null;
  external_id?: string | null;
  /** Days that messages are kept. */
  retention_days?: number | null;
  /** With a customer: who writes to whom. Both belong to the tenant; the caller has looked. */
  sides?: { sender_id: SenderId; contact_id: ContactId };
}

/** A conversation with who is in it, the longest first. */
export interface WholeConversation {
  conversation: ConversationRecord;
  participants: ParticipantRecord[];
}

/** What may be changed of a conversation. Absent: stays; null: none. */
export interface ConversationChange {
  title?: string | null;
  metadata?: Record<string, unknown> | null;
  retention_days?: number | null;
  closed?: boolean;
}

export interface ParticipantChange {
  role?: ParticipantRole;
  can_send_messages?: boolean;
}

export type Said = { kind: 'said'; replayed: boolean; message: ChatMessage } | IdempotencyConflict;

/** A user got or read the message of this id, and all before it. */
export interface Mark {
  user: UserId;
  /** Of a message between users, or a note: `messages` has other ways. */
  message: string;
}

/** `already`: his mark was there or beyond. */
export type Marked = 'advanced' | 'already' | 'not_found' | 'not_participant';

/** A page of messages goes before or after one of them; neither: it ends with the newest. */
export interface PageAsked {
  before_id?: string | undefined;
  after_id?: string | undefined;
  /** 1 to 100. */
  limit: number;
}

/** `more`: there are others in the direction of the page. */
export interface MessagePage {
  messages: ChatMessage[];
  more: boolean;
}

/** A conversation in a list, as the one who asks sees it. */
export interface ListedConversation {
  conversation: ConversationRecord;
  /** The last message between users, or note. */
  last_message: ChatMessage | null;
  /** With a customer: the last message of WhatsApp, if there is one; the later of the two by id is the last. */
  last_whatsapp_id: MessageId | null;
  /** When somebody last said something there. */
  last_message_at: string | null;
  /** Of the user; of software: 0, but with a customer what nobody has read of him. */
  unread_count: number;
  participant_count: number;
  /** Of the user himself; null: software asks. */
  role: ParticipantRole | null;
}

export interface ConversationListAsked {
  type?: ConversationType | undefined;
  /** true: open ones only; false: closed ones only. */
  open?: boolean | undefined;
  /** 1 to 100. */
  limit: number;
  /** A `next_cursor` of the same list. */
  cursor?: string | undefined;
}

/** What is read of conversations. A user reads those that he is in: others are `not_participant` to him. */
export interface ChatReading {
  /** @throws {AldisError} `not_found`, `not_participant` */
  conversation(tenant: TenantId, asker: Asker, id: ConversationId): Promise<WholeConversation & ListedConversation>;
  /**
   * Of a user: his, that with the newest message first. Of software: all, the newest made first.
   * @throws {AldisError} `invalid_cursor`
   */
  listConversations(
    tenant: TenantId,
    asker: Asker,
    asked: ConversationListAsked,
  ): Promise<{ conversations: ListedConversation[]; next_cursor: string | null }>;
  /** The longest in it first. @throws {AldisError} `not_found`, `not_participant` */
  participants(tenant: TenantId, asker: Asker, id: ConversationId): Promise<ParticipantRecord[]>;
  /**
   * Messages between users, and notes: with `before_id` or nothing the newest first, with `after_id` the oldest first.
   * @throws {AldisError} `not_found`, `not_participant`, `invalid_cursor` (a message of another conversation)
   */
  history(tenant: TenantId, asker: Asker, id: ConversationId, page: PageAsked): Promise<MessagePage>;
  /** The answers to a message, the oldest first. @throws {AldisError} as `history`; `not_found` also when there is no such message */
  thread(tenant: TenantId, asker: Asker, message: string, page: PageAsked): Promise<MessagePage>;
  /** @throws {AldisError} `not_found`, `not_participant` */
  message(tenant: TenantId, asker: Asker, id: string): Promise<ChatMessage>;
  /** What it said before, the oldest first. @throws {AldisError} `not_found`, `not_participant` */
  listEdits(tenant: TenantId, asker: Asker, message: string): Promise<EditRecord[]>;
  /**
   * Whether a user may write there now: say, type, and (with a customer) send by WhatsApp. Software may write to a customer unless the
   * conversation is closed. `not_found`, `not_participant`, `cannot_send_messages`, `conversation_closed` are codes of the error table.
   */
  mayWrite(tenant: TenantId, id: ConversationId, asker: Asker): Promise<'ok' | WriteBar>;
}

/** Conversations and who is in them. Each change is one transaction with its events. */
export interface ConversationActions {
  /**
   * Makes a conversation; or gives the one that there is between two users, or with the customer (`existing`). One that is there takes
   * what it has not yet: title, metadata, external id, retention, with a customer participants. What it has stays.
   * @throws {AldisError} `invalid_field`; `already_exists`: another one has the external id, or the one that is there has another;
   *   `not_participant` (there is one with the customer), `not_conversation_admin`
   */
  create(tenant: TenantId, asker: Asker, asked: NewConversation): Promise<WholeConversation & { existing: boolean }>;
  /** @throws {AldisError} `not_found`, `not_participant`, `not_conversation_admin` */
  change(tenant: TenantId, asker: Asker, id: ConversationId, change: ConversationChange): Promise<ConversationRecord>;
  /**
   * Adds those who are not in it yet; the others stay as they are.
   * @throws {AldisError} as `change`; `invalid_field` (too many), `fixed_participants` (a direct one)
   */
  addParticipants(
    tenant: TenantId,
    asker: Asker,
    id: ConversationId,
    added: readonly NewParticipant[],
  ): Promise<ParticipantRecord[]>;
  /** @throws {AldisError} as `change`; `not_found` also when he is not in it */
  changeParticipant(
    tenant: TenantId,
    asker: Asker,
    id: ConversationId,
    user: UserId,
    change: ParticipantChange,
  ): Promise<ParticipantRecord>;
  /** Everybody may leave; owners and admins remove others. When the last owner goes, the admin who is longest in it becomes one, else who is longest in it. */
  removeParticipant(tenant: TenantId, asker: Asker, id: ConversationId, user: UserId): Promise<void>;
}

export interface ChatWriting {
  /**
   * Says something between users, or notes something in a conversation with a customer. Durable before it is given; many at once share a
   * commit.
   * @throws {AldisError} `not_found` (no such conversation), `not_participant`, `cannot_send_messages`, `conversation_closed`,
   *   `invalid_field` (`parent_message_id` of another conversation; `note` where it cannot be, or absent with a customer).
   * @throws {BatcherFull} when too many wait.
   */
  say(
    tenant: TenantId,
    conversation: ConversationId,
    author: UserId,
    message: NewChatMessage,
    idempotency: Idempotency | null,
  ): Promise<Said>;
  /**
   * Changes what the user said. What it said before is kept.
   * @throws {AldisError} `not_found`, `not_participant`, `not_yours`, `cannot_send_messages`, `conversation_closed`, `message_deleted`,
   *   `too_many_edits`, `invalid_field`
   */
  edit(
    tenant: TenantId,
    user: UserId,
    message: string,
    change: { content: string; mentions: readonly Mention[] },
  ): Promise<ChatMessage>;
  /** Deletes what the user said: its place stays. Again: gives it as it is. @throws {AldisError} `not_found`, `not_participant`, `not_yours` */
  remove(tenant: TenantId, user: UserId, message: string): Promise<ChatMessage>;
  /**
   * Reacts to a message with one emoji, in place of the user's last one; null takes it back.
   * @throws {AldisError} `not_found`, `not_participant`, `conversation_closed`, `message_deleted`
   */
  react(tenant: TenantId, user: UserId, message: string, emoji: string | null): Promise<ChatMessage>;
}

/**
 * How far users got and read. Marks only grow; many at once share a commit. A mark that cannot be set says so and throws nothing.
 * @throws {BatcherFull} when too many wait.
 */
export interface ChatReceipts {
  markDelivered(tenant: TenantId, marks: readonly Mark[]): Promise<Marked[]>;
  /** Read implies delivered. */
  markRead(tenant: TenantId, marks: readonly Mark[]): Promise<Marked[]>;
}

/** Everything people do in conversations. */
export interface ChatActions extends ConversationActions, ChatWriting, ChatReceipts, ChatReading {}
