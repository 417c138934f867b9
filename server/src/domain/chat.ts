import type { ChatMessageId, ContactId, ConversationId, MessageId, SenderId } from './ids.ts';

/**
 * Conversations between users of a tenant, and of a tenant with a customer. A user is known by the outer system's id: any string of
 * 1 to 128 characters, which needs no registration.
 */
export type UserId = string;

export const CONVERSATION_TYPES = ['customer', 'direct', 'group'] as const;
export type ConversationType = (typeof CONVERSATION_TYPES)[number];

export const PARTICIPANT_ROLES = ['owner', 'admin', 'member'] as const;
export type ParticipantRole = (typeof PARTICIPANT_ROLES)[number];

/** Most participants of a group. */
export const MOST_PARTICIPANTS = 1024;
/** Characters of a text, as WhatsApp has them. */
export const LONGEST_TEXT = 4096;
export const MOST_MENTIONS = 100;

/** As chat-service documents them. */
export const CHAT_MESSAGE_TYPES = [
  'text',
  'image',
  'video',
  'audio',
  'file',
  'location',
  'sticker',
  'contact',
  'system',
] as const;
export type ChatMessageType = (typeof CHAT_MESSAGE_TYPES)[number];

/** Who writes: a person, an agent of the business, a bot, a language model. */
export const AUTHOR_TYPES = ['user', 'agent', 'bot', 'llm'] as const;
export type AuthorType = (typeof AUTHOR_TYPES)[number];

/** Someone named in a text: where, in UTF-16 code units, as JavaScript counts. */
export interface Mention {
  user_id: UserId;
  offset: number;
  length: number;
}

export interface ChatReaction {
  user_id: UserId;
  emoji: string;
  at: string;
}

/**
 * What somebody said, as everybody sees it: on the REST side, on sockets, in events. In a conversation with a customer it may be the
 * chat's view of a WhatsApp message: then `user_id` is null where the customer, or software without a user, wrote it.
 */
export interface ChatMessage {
  id: ChatMessageId | MessageId;
  conversation_id: ConversationId;
  /** Its place in its conversation, without gaps; null of a WhatsApp message, which is placed by its id. */
  seq: number | null;
  user_id: UserId | null;
  sender_type: AuthorType | 'customer';
  content: string | null;
  message_type: string;
  mentions: Mention[];
  parent_message_id: string | null;
  metadata: Record<string, unknown> | null;
  /** Whether it stays inside the business. */
  note: boolean;
  reactions: ChatReaction[];
  created_at: string;
  edited_at: string | null;
  deleted_at: string | null;
  /** Of a WhatsApp message: its state. */
  state?: string;
}

/** A conversation in events. What depends on who looks (unread counts, the last message) is no part of it. */
export interface ConversationRecord {
  id: ConversationId;
  type: ConversationType;
  title: string | null;
  metadata: Record<string, unknown> | null;
  sender_id: SenderId | null;
  contact_id: ContactId | null;
  external_id: string | null;
  created_by: UserId | null;
  created_at: string;
  closed_at: string | null;
  retention_days: number | null;
}

export interface ParticipantRecord {
  user_id: UserId;
  role: ParticipantRole;
  can_send_messages: boolean;
  joined_at: string;
}
