import type { WhatsAppSender } from './channel.ts';
import type { Outcome } from './outcome.ts';

/** What came of uploading a file to the provider. Anything but `uploaded` is the outcome of the attempt that needs it. */
export type Uploaded = { kind: 'uploaded'; id: string } | Extract<Outcome, { kind: 'error' | 'not_sent' }>;

/** A file on its way to the provider. */
export interface OutgoingFile {
  bytes: AsyncIterable<Uint8Array>;
  size: number;
  mime_type: string;
  /** Letters, digits and a dot: its content says more than its name. */
  filename: string;
}

/** The contract of a channel whose provider takes files before they are sent. */
export interface MediaUploader {
  /** Uploads a file; never throws. Uploading twice costs time and nothing else. @param ending ends it early. */
  upload(sender: WhatsAppSender, file: OutgoingFile, ending: AbortSignal): Promise<Uploaded>;
}

/** The provider keeps what is uploaded for 30 days (Meta: media, read 2026-09). A margin, for clocks differ and messages wait. */
export const UPLOAD_VALIDITY = 29 * 86_400_000;

/** An id that the provider gave longer ago than this is not used for a retry: it may be why the try before failed. Milliseconds. */
const TRUSTED_IN_RETRY = 600_000;

/** Whether an id that was given at a time is good for an attempt. Milliseconds since 1970. */
export function isGoodUpload(
  { uploadedAt, expiresAt }: { uploadedAt: number; expiresAt: number },
  attempt: number,
  now: number,
): boolean {
  return now < expiresAt && (attempt === 1 || now - uploadedAt < TRUSTED_IN_RETRY);
}

/** Codes that are of files, and those that are of any parameter and speak of one (Meta: support/error-codes). */
const OF_MEDIA: ReadonlySet<number> = new Set([131052, 131053]);
const OF_PARAMETERS: ReadonlySet<number> = new Set([33, 100, 131009]);

/** Whether an answer to a send says that the provider does not know, or cannot use, the file that it names. */
export function isLostUpload(outcome: Outcome): boolean {
  if (outcome.kind !== 'error') return false;
  if (OF_MEDIA.has(outcome.code)) return true;
  return OF_PARAMETERS.has(outcome.code) && /media/i.test(`${outcome.title} ${outcome.detail ?? ''}`);
}
