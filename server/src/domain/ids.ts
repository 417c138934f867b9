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
export type RawWebhookId = Id<'raw webhook'>;

const random = Buffer.alloc(8 * 512);
let used = random.length;
let last = 0;
let sequence = 0;

/**
 * A new id, later in order than every id this process made before: 12 bits behind the time count within a millisecond,
 * and run ahead of the clock rather than wrap or go back.
 */
export function newId<T extends Id<string>>(now: number = Date.now()): T {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  if (now > last) {
    last = now;
    sequence = random.readUInt16BE(used) & 0x3ff;
  } else if (++sequence > 0xfff) {
    last++;
    sequence = 0;
  }
  const time = last.toString(16).padStart(12, '0');
  const tail = random.toString('hex', used, used + 8);
  used += 8;
  const variant = '89ab'[Number.parseInt(tail[0] as string, 16) & 3];
  return `${time.slice(0, 8)}-${time.slice(8)}-7${sequence.toString(16).padStart(3, '0')}-${variant}${tail.slice(1, 4)}-${tail.slice(4)}` as T;
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
