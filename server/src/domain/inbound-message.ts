import type { ContactId, ConversationId, MessageId, SenderId, TenantId } from './ids.ts';

/** The words for what customers send; `unsupported` is what nothing here reads. `messages.type` of what was received is one of them. */
export const INBOUND_TYPES = [
  'text',
  'image',
  'video',
  'audio',
  'document',
  'sticker',
  'location',
  'contacts',
  'reaction',
  'interactive',
  'button',
  'order',
  'system',
  'edit',
  'revoke',
  'request_welcome',
  'unsupported',
] as const;

/** What says something of another message, or of the person: there is nothing to read, so it does not count as unread. */
export const NOTHING_TO_READ: readonly string[] = ['reaction', 'edit', 'revoke', 'system'];

/**
 * What an item does to a message that came or went before, which `target` names by the provider's id. An edit's `text` null: it
 * says nothing any more; a reaction's `emoji` null: it was taken back.
 */
export type MessageAct =
  | { kind: 'reaction'; target: string; emoji: string | null }
  | { kind: 'edit'; target: string; text: string | null }
  | { kind: 'revoke'; target: string };

/** How a person can be named on WhatsApp. */
export interface PersonNames {
  /** E.164 with `+`. */
  phone: string | null;
  /** Business-scoped user id. */
  userId: string | null;
}

/** A message as a channel reads it: from a customer, or `outbound` for what the business wrote in another app. */
export interface CustomerMessage extends PersonNames {
  /** The provider's id. */
  wamid: string;
  type: string;
  /** When it was said, in milliseconds since 1970. */
  at: number;
  /** What the customer calls himself. */
  name: string | null;
  content: Record<string, unknown> | null;
  /** The provider's id of the message it answers. */
  replyTo: string | null;
  username?: string | null;
  /** The same person's id in linked portfolios. */
  parentUserId?: string | null;
  /** The provider's id of a file that is to be fetched; `content.media` describes it. */
  mediaId?: string | null;
  act?: MessageAct | null;
  /** What the person was named before. From `at` on these are no names of his any more. */
  formerly?: PersonNames | null;
  /** For how many hours from `at` the customer may be answered freely; 0: it does not open the window. Absent: a day. */
  windowHours?: number;
  /** Written by the business in another app: recorded as sent. */
  outbound?: boolean;
}

/** A message with whose it is. */
export interface ReceivedMessage extends CustomerMessage {
  tenant: TenantId;
  sender: SenderId;
}

/** A customer's message that is stored. */
export interface StoredMessage {
  tenant: TenantId;
  message: MessageId;
  sender: SenderId;
  contact: ContactId;
  conversation: ConversationId;
  type: string;
  content: Record<string, unknown> | null;
  /** Milliseconds since 1970. */
  at: number;
  /** It was stored before this: the provider told of it again, or what followed was cut off the last time. */
  repeated: boolean;
}

/**
 * Does what follows from customers' messages, after they are stored. It is called at least once for each: it must be harmless to do
 * it again for the same message, by its id.
 * @throws when the store cannot be reached: it is called again.
 */
export type AfterReceive = (messages: readonly StoredMessage[]) => Promise<void>;
