import type { MessageId, SenderId, TenantId } from './ids.ts';
import type { Content, Template } from './message.ts';
import type { Outcome } from './outcome.ts';
import type { ChannelName } from './sender.ts';

/**
 * The contract of a channel. A send has three steps, each with its own type: `prepare` (pure), `call` (network), and
 * settling, which is no business of the channel's.
 */
export interface Channel<Sender extends ChannelSender = ChannelSender> {
  /** Makes the request of one attempt. Pure: the same attempt gives the same request. */
  prepare(attempt: Attempt, sender: Sender): Prepared;
  /**
   * Makes the call and tells what came of it; never throws. A request of unknown outcome is never repeated here.
   * @param stop asked right before the first byte leaves: a reason means that it must not.
   */
  call(prepared: Prepared, stop: () => string | null): Promise<Outcome>;
  close(): Promise<void>;
}

/** Every channel by its name, each with the senders it takes. */
export type Channels = { readonly [Name in ChannelName]: Channel<Extract<ChannelSender, { channel: Name }>> };

/** One attempt to send one message. */
export interface Attempt {
  message_id: MessageId;
  attempt: number;
  /** When it was recorded, by the database's clock. Milliseconds since 1970. */
  started_at: number;
  type: string;
  address: string;
  content: Content | null;
  template: Template | null;
  reply_to: string | null;
  /** Of a file of ours that the provider has already: its id there. Absent or null: there is none. */
  provider_media_id?: string | null;
}

/** Whom it leaves from. */
export type ChannelSender = WhatsAppSender | WebhookSender;

export interface WhatsAppSender {
  channel: 'whatsapp';
  tenant_id: TenantId;
  id: SenderId;
  phone_number_id: string;
  access_token: string;
}

export interface WebhookSender {
  channel: 'webhook';
  tenant_id: TenantId;
  id: SenderId;
  url: string;
  /** The header that the key travels in. */
  header: string;
  /** null: none is sent. */
  key: string | null;
}

/** A request that is ready to be made. */
export interface Prepared {
  /** On the provider's origin, path and query; of a webhook, the whole URL. */
  path: string;
  headers: Record<string, string>;
  body: string;
}
