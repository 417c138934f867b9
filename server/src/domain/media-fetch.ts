import type { WhatsAppSender } from './channel.ts';
import type { MessageId, SenderId, TenantId } from './ids.ts';
import { timeOfId } from './ids.ts';
import { backoff } from './retry.ts';

/** A file that a customer sent and that is still to be fetched from the provider. */
export interface MediaFetch {
  tenant_id: TenantId;
  message_id: MessageId;
  sender_id: SenderId;
  /** The provider's id of the file. */
  provider_id: string;
  /** As the webhook gave it: hexadecimal or base64. */
  sha256: string | null;
  filename: string | null;
  /** How often it was tried, this time included. */
  tries: number;
  /** null in both: the sender is none of WhatsApp's, or gone. */
  phone_number_id: string | null;
  access_token_sealed: Buffer | null;
}

/** Names one try for one file: whoever took it again since is not disturbed. */
export type MediaFetchKey = Pick<MediaFetch, 'tenant_id' | 'message_id' | 'tries'>;

/** What came of asking the provider for a file. */
export type FetchedFile =
  | { kind: 'bytes'; bytes: AsyncIterable<Uint8Array> }
  /** It may go well later. `retryAfter`: the provider's wish in milliseconds, if it has one. */
  | { kind: 'later'; detail: string; retryAfter: number | null };

/** The contract of a channel whose provider keeps customers' files. */
export interface MediaSource {
  /**
   * Asks for a file and begins to read it; never throws. Reading `bytes` throws when the connection breaks.
   * @param ending ends it early.
   */
  fetch(sender: WhatsAppSender, providerId: string, ending: AbortSignal): Promise<FetchedFile>;
  close(): Promise<void>;
}

/** The provider keeps customers' files for seven days (Meta: media, read 2026-09). A margin lets the last try be told of. */
const KEPT = 7 * 86_400_000 - 3_600_000;
/** The first retries come quickly: the address of a file lives for five minutes, and most troubles are over in seconds. */
const SPACING = { base: 2000, cap: 3_600_000 };

/** Milliseconds until the next try, or null: it is given up, for the provider will have forgotten it. */
export function nextMediaFetch(
  { message_id, tries }: Pick<MediaFetch, 'message_id' | 'tries'>,
  wish: number | null,
  now: number,
  random: number,
): number | null {
  const delay = Math.max(backoff(tries, SPACING, wish, random), 500);
  return now + delay > timeOfId(message_id) + KEPT ? null : delay;
}

/** Whether a hash that the provider told is that of a file; what cannot be read as a hash says nothing. */
export function isSameHash(told: string | null, sha256: Buffer): boolean {
  if (told === null) return true;
  if (/^[0-9a-f]{64}$/i.test(told)) return told.toLowerCase() === sha256.toString('hex');
  return !/^[A-Za-z0-9+/_-]{43}=?$/.test(told) || Buffer.from(told, 'base64').equals(sha256);
}
