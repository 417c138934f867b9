import { randomFillSync } from 'node:crypto';

/**
 * Ids made here are UUIDv7 (RFC 9562): their first 48 bits are the Unix time in milliseconds, so that rows made together
 * lie together and an id tells when it was made. Each kind is a type of its own, so that they cannot be mixed up.
 */
declare const kind: unique symbol;
type Id<K extends string> = string & { readonly [kind]: K };

export type TenantId = Id<'tenant'>;
export type SenderId = Id<'sender'>;
export type MessageId = Id<'message'>;
export type ContactId = Id<'contact'>;
export type ConversationId = Id<'conversation'>;
export type BatchId = Id<'batch'>;
export type EventId = Id<'event'>;
export type InstanceId = Id<'instance'>;
export type ApiKeyId = Id<'api key'>;
export type TemplateId = Id<'template'>;
export type MediaId = Id<'media'>;
export type ExportId = Id<'export'>;
export type RedriveId = Id<'redrive'>;
export type ChatMessageId = Id<'chat message'>;
export type EndpointId = Id<'webhook endpoint'>;
export type DeliveryId = Id<'webhook delivery'>;
export type RawWebhookId = Id<'raw webhook'>;

const random = Buffer.alloc(8 * 512);
/** The random bytes in hex, written at once: each id takes 16 digits of them. */
let digits = '';
let used = 0;
let last = 0;
/** The time of `last` as an id begins with it, and the version behind it. */
let beginning = '';
let sequence = 0;
const SEQUENCES = Array.from({ length: 0x1000 }, (_, n) => n.toString(16).padStart(3, '0'));
/** The variant's bits in the place of two random ones, by hex digit. */
const VARIANTS = new Map([...'0123456789abcdef'].map((digit, n) => [digit, '89ab'[n & 3]]));

/**
 * A new id, later in order than every id this process made before: 12 bits behind the time count within a millisecond,
 * and run ahead of the clock rather than wrap or go back.
 */
export function newId<T extends Id<string>>(now: number = Date.now()): T {
  if (used === digits.length) {
    digits = randomFillSync(random).toString('hex');
    used = 0;
  }
  if (now > last) {
    setTime(now);
    sequence = Number.parseInt(digits.slice(used + 13, used + 16), 16) & 0x3ff;
  } else if (++sequence > 0xfff) {
    setTime(last + 1);
    sequence = 0;
  }
  const at = used;
  used += 16;
  const variant = VARIANTS.get(digits[at] as string);
  return `${beginning}${SEQUENCES[sequence]}-${variant}${digits.slice(at + 1, at + 4)}-${digits.slice(at + 4, at + 16)}` as T;
}

function setTime(time: number): void {
  last = time;
  const hex = time.toString(16).padStart(12, '0');
  beginning = `${hex.slice(0, 8)}-${hex.slice(8)}-7`;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a string is a UUID as we write them: lower case, with dashes. */
export function isUuid(value: string): boolean {
  return UUID.test(value);
}

/** Whether a string can be an own or external id at all: what cannot is not looked for, for the store could not hold it. */
export function isReference(value: string): boolean {
  return /^[^\p{Cc}\p{Cs}]{1,128}$/u.test(value);
}

/** The time in a UUIDv7, in milliseconds since 1970. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** The lowest id of a time in milliseconds since 1970: those made before are below it. */
export function firstIdAt(time: number): string {
  const hex = Math.max(0, Math.floor(time)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
