import type { UserId } from './chat.ts';
import type { BatchId, ContactId, ConversationId, MessageId, SenderId, TemplateId, TenantId } from './ids.ts';
import type { CustomerReaction } from './inbound-acts.ts';
import type { Caps } from './limits.ts';

/**
 * The states of a message. `queued`, `sending` and `unconfirmed` are open: a row of due work says which. The others stand
 * in the message's own row. docs/states.md draws them, and a test holds that page against this file.
 */
export const STATES = [
  'queued',
  'sending',
  'unconfirmed',
  'sent',
  'delivered',
  'read',
  'played',
  'failed',
  'cancelled',
  'expired',
] as const;
export type State = (typeof STATES)[number];

/** The states a message still has work in. */
export const OPEN_STATES = ['queued', 'sending', 'unconfirmed'] as const satisfies readonly State[];

/** The documented words of bulk-, sender- and queue-service for a state. */
export const STATUSES = ['queued', 'sent', 'delivered', 'read', 'failed'] as const;
export type Status = (typeof STATUSES)[number];

/** The documented word for a state: open ones are queued, those that ended without leaving are failed, played is read. */
export function statusOf(state: State): Status {
  switch (state) {
    case 'queued':
    case 'sending':
    case 'unconfirmed':
      return 'queued';
    case 'cancelled':
    case 'expired':
    case 'failed':
      return 'failed';
    case 'played':
      return 'read';
    default:
      return state;
  }
}

export type Direction = 'outbound' | 'inbound';

/** Types that can be sent. Inbound messages may carry any word that WhatsApp uses. */
export const OUTBOUND_TYPES = [
  'text',
  'template',
  'image',
  'video',
  'audio',
  'document',
  'sticker',
  'location',
  'contacts',
  'reaction',
  'interactive',
] as const;
export type OutboundType = (typeof OUTBOUND_TYPES)[number];

/** Types that are a file. */
export const MEDIA_TYPES = [
  'image',
  'video',
  'audio',
  'document',
  'sticker',
] as const satisfies readonly OutboundType[];
export type MediaType = (typeof MEDIA_TYPES)[number];

/** What kind of conversation a message is. It decides what a doubt does, and later priority and price. */
export const CATEGORIES = ['service', 'utility', 'authentication', 'marketing'] as const;
export type Category = (typeof CATEGORIES)[number];

export const PRIORITIES = { high: 0, normal: 1, low: 2 } as const;
export type PriorityName = keyof typeof PRIORITIES;
export type Priority = (typeof PRIORITIES)[PriorityName];

/** The name of a stored priority. */
export function priorityName(priority: Priority): PriorityName {
  return (['high', 'normal', 'low'] as const)[priority];
}

/** Who wrote an outgoing message, as the conversation service is told. */
export const SENDER_TYPES = ['llm', 'agent', 'bot', 'user'] as const;
export type SenderType = (typeof SENDER_TYPES)[number];

/** What is said. Which of these a type has, domain/content/ says. */
export interface Content {
  /** The body of a text message, the caption of a file. */
  text?: string;
  /** Of a text: whether WhatsApp shows what its first link leads to. */
  preview_url?: boolean;
  /** A file: by its address, */
  media_url?: string;
  /** or by our own id of it. */
  media_id?: string;
  /** Of a document. */
  filename?: string;
  /** Of an audio: shown as a voice message. */
  voice?: boolean;
  location?: Location;
  /** As WhatsApp takes them. */
  contacts?: readonly ContactCard[];
  reaction?: Reaction;
  /** As WhatsApp takes it. */
  interactive?: Interactive;
}

/** A place, in degrees. */
export interface Location {
  latitude: number;
  longitude: number;
  name?: string;
  address?: string;
}

/** An emoji to a message; an empty one takes it back. */
export interface Reaction {
  /** Our id of the message if that is known, else the provider's. */
  message_id: string;
  emoji: string;
  /** The provider's id of the message. Absent in what a request says. */
  whatsapp_message_id?: string;
}

/** A card of a person; its parts are the provider's (Meta, messages/contacts-messages). */
export interface ContactCard {
  name: { formatted_name: string; [part: string]: unknown };
  [part: string]: unknown;
}

/** What can be tapped; its parts are the provider's (Meta, messages/interactive-*). */
export interface Interactive {
  type: string;
  [part: string]: unknown;
}

/** A template as Meta takes it: `components` is passed on as it is. */
export interface Template {
  name: string;
  language: string;
  components?: readonly unknown[];
}

/** A template that goes instead of a message that WhatsApp takes no longer, with what is known of it. */
export interface Fallback extends Template {
  category: Category;
  /** Our id of it; absent: it is not known here. */
  template_id?: TemplateId;
  /** `template`: it was not being sent when the message was accepted. */
  held?: 'template';
}

/** The fallback of a message as it is stored, or when it went instead of the message. */
export type StoredFallback = Fallback | { taken: 'accepting' | 'answer' | 'receipt' };

/**
 * An outgoing message, checked and complete: what `compose` makes of a request and `accept` stores.
 * Nothing in it can be refused any more except by the provider. Times are milliseconds since 1970.
 */
export interface NewMessage {
  sender_id: SenderId;
  /** E.164 with `+`, or a business-scoped user id. */
  address: string;
  address_kind: 'phone' | 'bsuid';
  type: OutboundType;
  category: Category;
  priority: Priority;
  content: Content | null;
  template: Template | null;
  metadata: Record<string, unknown> | null;
  /** The provider's id of the message this one answers. */
  reply_to: string | null;
  scheduled_at: number | null;
  expires_at: number | null;
  /** Who wrote it; null: the request does not say. */
  sender_type: SenderType | null;
  /** The outer user who wrote it in a conversation. Absent or null: nobody, or it was not said. */
  author_id?: UserId | null;
  /** true: it was addressed by its conversation, which is livelier by that than by a campaign. */
  said?: boolean;
  /**
   * What the request calls the conversation: an own or external id. One that nothing is called by becomes the external id of
   * the conversation. null: it does not name one.
   */
  conversation_name: string | null;
  /** The limits it counts against. Absent or null: none. */
  caps?: Caps | null;
  /** What goes instead when the customer's window is closed. Absent or null: nothing does. */
  fallback?: Fallback | null;
  /** true: what is no template is refused when the customer's window is known to be closed. */
  needs_window?: boolean;
  /** Of the template, if it is known here. */
  template_id?: TemplateId | null;
  /** `template`: it waits until its template is sent again. */
  held?: 'template' | null;
}

/** What a message says that was sent elsewhere and is only recorded here. */
export interface RecordedContent {
  /** The provider's id. */
  wamid: string;
  type: OutboundType;
  content: Content;
  metadata: Record<string, unknown> | null;
  sender_type: SenderType | null;
}

/** Why a message failed: the code of the provider's table or 0 with one of our own words in `error`. */
export interface MessageError {
  error: string;
  code: number;
  title: string;
  detail: string | null;
}

/** A message as it is read: the row and what due work says of it. */
export interface Message {
  tenant_id: TenantId;
  id: MessageId;
  direction: Direction;
  state: State;
  type: string;
  category: string;
  priority: Priority;
  sender_id: SenderId;
  sender_phone: string;
  contact_id: ContactId;
  conversation_id: ConversationId;
  batch_id: BatchId | null;
  wamid: string | null;
  /** The customer's phone number or business-scoped user id, whichever way the message goes. */
  address: string;
  content: Content | Record<string, unknown> | null;
  template: Template | null;
  metadata: Record<string, unknown> | null;
  reply_to: string | null;
  /** What customers did to it later. */
  reactions: readonly CustomerReaction[] | null;
  edited_at: Date | null;
  deleted_at: Date | null;
  sender_type: SenderType | null;
  /** The outer user who wrote it in a conversation. */
  author_id: UserId | null;
  error: MessageError | null;
  attempt: number;
  created_at: Date;
  scheduled_at: Date | null;
  expires_at: Date | null;
  /** When the attempt that is open now began, or the last one that was settled. */
  sending_at: Date | null;
  sent_at: Date | null;
  delivered_at: Date | null;
  read_at: Date | null;
  played_at: Date | null;
  failed_at: Date | null;
  ended_at: Date | null;
  /** For open messages: when it may leave, becomes doubtful, or is looked at again. */
  due_at: Date | null;
  /** Why an open message waits beside its time; null: it does not. */
  held: 'template' | null;
}

/** Why one item of a batch was refused, as the client reads it. */
export interface ItemRefusal {
  error: string;
  code: string;
  message: string;
  field: string | null;
}
