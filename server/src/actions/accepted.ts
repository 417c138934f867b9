import type { ErrorCode } from '../domain/errors.ts';
import type { BatchId, ContactId, ConversationId, MessageId, SenderId } from '../domain/ids.ts';
import type { LimitReached } from '../domain/limits.ts';
import type { ItemRefusal, NewMessage } from '../domain/message.ts';
import type { Refusal } from '../domain/recipient-rules.ts';

export type { ItemRefusal };

/** A client's own mark on a request: the same key with the same body has the same answer, and is done once. */
export interface Idempotency {
  /** 1 to 255 characters, the client's choice. */
  key: string;
  /** SHA-256 of what was asked. */
  hash: Buffer;
}

/** The key was used for another request, or its request is still being worked on. */
export type IdempotencyConflict = { kind: 'mismatch' } | { kind: 'in_progress' };

export interface AcceptedMessage {
  id: MessageId;
  sender_id: SenderId;
  contact_id: ContactId;
  conversation_id: ConversationId;
  address: string;
  type: string;
  created_at: Date;
  scheduled_at: Date | null;
}

/** A limit has no room for the message; nothing was stored. */
export type Limited = { kind: 'limited' } & LimitReached;

/** The message may not go to its recipient; nothing was stored. */
export type Barred = { kind: 'refused'; code: Refusal };

/** What came of one request to send. It is durable before this is given. */
export type Accepted =
  | { kind: 'accepted'; replayed: boolean; message: AcceptedMessage; warnings?: readonly ErrorCode[] }
  | IdempotencyConflict
  | Limited
  | Barred;

export type BatchItem = { kind: 'message'; message: NewMessage } | { kind: 'refused'; error: ItemRefusal };

/** `warnings` absent: there are none. */
export interface AcceptedItem {
  index: number;
  id: MessageId;
  warnings?: ErrorCode[];
}

export type AcceptedBatch =
  | {
      kind: 'accepted';
      replayed: boolean;
      batch_id: BatchId;
      accepted: number;
      refused: number;
      messages: AcceptedItem[];
      errors: ({ index: number } & ItemRefusal)[];
      warnings?: ErrorCode[];
    }
  | IdempotencyConflict
  | Limited;
