import type { WhatsAppSender } from './channel.ts';
import type { MessageId, SenderId, TenantId } from './ids.ts';
import type { Telling } from './retry.ts';

/** A customer's message of which the provider is to be told that it was read. */
export interface ReadMark {
  tenant_id: TenantId;
  message_id: MessageId;
  sender_id: SenderId;
  /** The provider's id of the message. */
  wamid: string;
  /** How often it was tried to tell, this time included. */
  tries: number;
  /** Whether the customer is to be shown as well that an answer is being written. */
  typing: boolean;
  /** null in both: the sender is none of WhatsApp's, or gone. */
  phone_number_id: string | null;
  access_token_sealed: Buffer | null;
}

/** Names one try for one mark: whoever took it again since is not disturbed. */
export type ReadMarkKey = Pick<ReadMark, 'tenant_id' | 'message_id' | 'tries'>;

/** What came of telling a provider that a customer's message was read. */
export type ReadMarkOutcome = { kind: 'told' } | Telling;

/** The contract of a channel that can tell its provider what was read. Telling twice does no harm. */
export interface ReadMarker {
  /**
   * Makes the call; never throws.
   * @param id the provider's id of the customer's message.
   * @param typing shows him as well that an answer is being written, for up to 25 s.
   */
  markRead(sender: WhatsAppSender, id: string, typing: boolean): Promise<ReadMarkOutcome>;
  close(): Promise<void>;
}

/** Milliseconds after which it is too late to show that an answer is being written: by then it may be there. */
export const TYPING_FRESH = 10_000;
