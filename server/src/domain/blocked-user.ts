import type { WhatsAppSender } from './channel.ts';
import type { ContactId, SenderId, TenantId } from './ids.ts';
import type { Telling } from './retry.ts';

/** A customer whom a sender is to block, or to let write again, and of which the provider is to be told. */
export interface BlockTask {
  tenant_id: TenantId;
  sender_id: SenderId;
  contact_id: ContactId;
  /** What is wanted. */
  blocked: boolean;
  /** How often it was tried to tell, this time included. */
  tries: number;
  /** null in both: nobody can say whom it is about. */
  phone: string | null;
  user_id: string | null;
  /** null in both: the sender is none of WhatsApp's, or gone. */
  phone_number_id: string | null;
  access_token_sealed: Buffer | null;
}

/** Names one try: whoever asked for something else since is not disturbed. */
export type BlockTaskKey = Pick<BlockTask, 'tenant_id' | 'sender_id' | 'contact_id' | 'blocked' | 'tries'>;

/** What came of telling the provider of one customer. */
export type BlockOutcome = { kind: 'done' } | Telling;

/** Whom a call is about: one of the two is there. */
export type BlockedPerson = { phone: string; user_id: null } | { phone: null; user_id: string };

/** The contract of a channel that can block customers. Doing it twice does no harm. */
export interface Blocker {
  /** Makes one call for all; never throws. The outcomes are in the order of the people, at most `MOST_BLOCKED` of them. */
  tell(sender: WhatsAppSender, blocked: boolean, people: readonly BlockedPerson[]): Promise<BlockOutcome[]>;
  close(): Promise<void>;
}

/** People of one call (Meta: block-users). */
export const MOST_BLOCKED = 1000;
