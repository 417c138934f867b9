import type { Principal } from '../../access/principal.ts';
import type { Idempotency } from '../../actions/accepted.ts';
import type { Mention, UserId } from '../../domain/chat.ts';
import type { ConversationId, TenantId } from '../../domain/ids.ts';
import type { PresenceRow } from '../../store/devices.read.ts';

/** What a client says in a conversation, its types checked. */
export interface SaidByFrame {
  content?: string;
  message_type?: string;
  mentions?: Mention[];
  parent_message_id?: string;
  metadata?: Record<string, unknown>;
  note?: boolean;
}

/**
 * What clients do by frames: the same as by requests, so the same code does it. Handed in, for what a conversation with a customer
 * needs is more than this room knows. All throw AldisError with the codes that the requests are answered with. Conversations and messages
 * are named as clients name them.
 */
export interface SocketActions {
  /** @returns the message as its author sees it. */
  say(principal: Principal, conversation: string, said: SaidByFrame, idempotency: Idempotency): Promise<object>;
  edit(principal: Principal, message: string, change: { content: string; mentions?: Mention[] }): Promise<void>;
  remove(principal: Principal, message: string): Promise<void>;
  react(principal: Principal, message: string, emoji: string | null): Promise<void>;
  /** The user has read it, and all before it. */
  read(principal: Principal, message: string): Promise<void>;
  /** Tells all who are in the conversation. */
  type(principal: Principal, conversation: string, isTyping: boolean): Promise<void>;
  /** Messages came to a device of the user, with all before them. @returns whether that is written. Never rejects. */
  delivered(tenant: TenantId, user: UserId, last: ReadonlyMap<ConversationId, string>): Promise<boolean>;
  /** Of those users that this one may know of; others are absent. */
  presence(principal: Principal, users: readonly UserId[]): Promise<PresenceRow[]>;
}
