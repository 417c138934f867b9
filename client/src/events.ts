import type { components } from './api-types.ts';

/* What happens in conversations, as events and frames carry it. The tests hold these types equal to the server's. */

/** Where a text names a user: in UTF-16 code units, as JavaScript counts. */
export interface Mention {
  user_id: string;
  offset: number;
  length: number;
}

/** What somebody said. In a conversation with a customer it may be a WhatsApp message. */
export interface ChatMessage {
  id: string;
  conversation_id: string;
  /** Its place in its conversation, without gaps; null of a WhatsApp message. */
  seq: number | null;
  /** null: the customer, or software that speaks for no user. */
  user_id: string | null;
  sender_type: 'user' | 'agent' | 'bot' | 'llm' | 'customer';
  content: string | null;
  message_type: string;
  mentions: Mention[];
  parent_message_id: string | null;
  metadata: Record<string, unknown> | null;
  /** Whether it stays inside the business. */
  note: boolean;
  reactions: { user_id: string; emoji: string; at: string }[];
  created_at: string;
  edited_at: string | null;
  deleted_at: string | null;
  /** Of a WhatsApp message: its state. */
  state?: string;
}

export interface Conversation {
  id: string;
  type: 'customer' | 'direct' | 'group';
  title: string | null;
  metadata: Record<string, unknown> | null;
  sender_id: string | null;
  contact_id: string | null;
  external_id: string | null;
  created_by: string | null;
  created_at: string;
  closed_at: string | null;
  retention_days: number | null;
}

export interface Participant {
  user_id: string;
  role: 'owner' | 'admin' | 'member';
  can_send_messages: boolean;
  joined_at: string;
}

/** It, and all before it, came to that user or was read by him. */
export interface Receipt {
  conversation_id: string;
  message_id: string;
  seq: number;
  user_id: string;
}

/** The data of events, by type. Those of WhatsApp messages carry the message as it was then. */
export interface EventData {
  'conversation.created': { conversation: Conversation; participants: Participant[] };
  'conversation.updated': { conversation: Conversation };
  'conversation.closed': { conversation: Conversation };
  'conversation.opened': { conversation: Conversation };
  'participant.joined': { conversation_id: string; participant: Participant };
  'participant.changed': { conversation_id: string; participant: Participant };
  'participant.left': { conversation_id: string; user_id: string };
  'chat.created': { message: ChatMessage };
  'chat.edited': { message: ChatMessage };
  'chat.deleted': { message: ChatMessage };
  'chat.reaction': {
    conversation_id: string;
    message_id: string;
    user_id: string;
    /** null: it was taken back. */
    emoji: string | null;
    at: string;
  };
  'chat.delivered': Receipt;
  'chat.read': Receipt;
  'notification.offline': {
    user_id: string;
    conversation_id: string;
    message: ChatMessage;
    mentioned: boolean;
    unread: number;
  };
  'webhook.disabled': { endpoint_id: string; url: string; reason: string; failing_since: string | null };
}

type EventType = components['schemas']['Event']['type'];

interface Place {
  id: string;
  /** When it happened: ISO 8601. */
  time: string;
  /** The place after it. */
  cursor: string;
  /** The cursor of the event before it among those that were asked for. */
  prev: string;
}

/** An event of the log. */
export type AldisEvent = {
  [T in EventType]: Place & {
    type: T;
    data: T extends keyof EventData ? EventData[T] : components['schemas']['Message'];
  };
}[EventType];
