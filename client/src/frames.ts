import type { ChatMessage, Conversation, Mention, Participant } from './events.ts';

/* The frames of the WebSocket (docs/websocket.md). The tests hold these types equal to the server's tables. */

interface OfMessage {
  message: ChatMessage;
  timestamp: string;
}

interface ReceiptFrame {
  message_id: string;
  /** null: the customer of a conversation. */
  user_id: string | null;
  timestamp: string;
  conversation_id: string;
  /** null of a WhatsApp message. */
  seq: number | null;
}

/** Payloads of frames that carry an event of the log, by type. */
export interface EventFrames {
  new_message: OfMessage & { type: 'new_message' };
  message_edited: OfMessage;
  message_deleted: OfMessage;
  /** Something else changed about a WhatsApp message: its state, its file. */
  message_updated: OfMessage;
  message_delivered: ReceiptFrame;
  message_read: ReceiptFrame;
  reaction: { conversation_id: string; message_id: string; user_id: string; emoji: string | null; timestamp: string };
  conversation: {
    action: 'created' | 'updated' | 'closed' | 'opened';
    conversation: Conversation;
    /** Of `created`. */
    participants?: Participant[];
    timestamp: string;
  };
  participant: {
    action: 'joined' | 'changed' | 'left';
    conversation_id: string;
    /** Of `joined` and `changed`. */
    participant?: Participant;
    /** Of `left`. */
    user_id?: string;
    timestamp: string;
  };
  /** Any other event, for software that speaks for no user. */
  event: { type: string; data: Record<string, unknown>; timestamp: string };
}

/** Payloads of frames that are no events, by type. */
export interface WordFrames {
  hello: { user_id: string | null; device_id: string; cursor: string };
  typing: { conversation_id: string; user_id: string; timestamp: string; is_typing: boolean };
  presence: { user_id: string; online: boolean; last_seen: string | null };
  pong: undefined;
  sent: { client_id: string; message: ChatMessage };
  done: { client_id: string | null; type: string };
  subscribed: { client_id: string | null };
  resuming: { cursor: string };
  resumed: { cursor: string };
  error: {
    code: string;
    message: string;
    details: Record<string, unknown> | null;
    /** The type of the frame that was refused. */
    type: string | null;
    client_id: string | null;
    /** Seconds; null: not told. */
    retry_after: number | null;
  };
}

/** Payloads of all frames that the server sends. */
export type ServerFrames = EventFrames & WordFrames;
export type ServerFrameType = keyof ServerFrames;

/** A frame as it came. */
export type ServerFrame<T extends ServerFrameType = ServerFrameType> = {
  [N in T]: { type: N; payload: ServerFrames[N] } & (N extends keyof EventFrames
    ? { id: string; cursor: string; prev: string }
    : { id?: never; cursor?: never; prev?: never });
}[T];

/** What is said in a conversation. */
export interface NewChatMessage {
  /** Its id, or its external id. */
  conversation_id: string;
  content?: string | null;
  /** As of `POST /api/v1/messages`; text unless told. */
  message_type?: string;
  mentions?: Mention[];
  parent_message_id?: string | null;
  metadata?: Record<string, unknown> | null;
  /** In a conversation with a customer: stays inside the business. */
  note?: boolean;
}

/** Payloads of the frames that this client sends, by type. */
export interface ClientFrames {
  ping: Record<string, never>;
  read_receipt: { message_id: string; client_id: string };
  typing: { conversation_id: string; is_typing: boolean };
  send: NewChatMessage & { client_id: string };
  edit: { message_id: string; content: string; mentions?: Mention[]; client_id: string };
  delete: { message_id: string; client_id: string };
  react: { message_id: string; emoji: string | null; client_id: string };
  subscribe: { users?: string[]; types?: string[]; conversations?: string[]; client_id: string };
  unsubscribe: { users?: string[]; client_id: string };
}
