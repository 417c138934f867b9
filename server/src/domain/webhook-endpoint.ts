import { typesMatching } from './event-catalogue.ts';
import type { ConversationId, SenderId } from './ids.ts';

/** Where a tenant wants its events posted, and which. */
export interface EventFilter {
  /** Types, or `message.*` and its like; null: all. */
  event_types: readonly string[] | null;
  /** Null: of all senders, and what is of none. */
  sender_ids: readonly SenderId[] | null;
  /** Null: of all conversations, and what is of none. */
  conversation_ids: readonly ConversationId[] | null;
}

/** What of an event a filter looks at. */
export interface EventHead {
  event_type: string;
  sender_id: SenderId | null;
  conversation_id: ConversationId | null;
}

/** Most endpoints of a tenant: each event may become so many deliveries. */
export const MOST_ENDPOINTS = 20;
/** Most items of one kind in a filter. */
export const MOST_FILTERED = 100;
/** Characters. */
export const LONGEST_URL = 2048;
/** How long the secret before the last one signs too. Milliseconds. */
export const ROTATION = 86_400_000;

export const DELIVERY_STATES = ['pending', 'delivered', 'failed'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];
/** Of an event as it happened; of one that is told once more; of a try-out. */
export const DELIVERY_KINDS = ['event', 'replay', 'test'] as const;
export type DeliveryKind = (typeof DELIVERY_KINDS)[number];
/** The type of what a test posts. It is no event of the log. */
export const TEST_EVENT = 'webhook.test';

/** Whether an endpoint wants an event. */
export function wants({ event_types, sender_ids, conversation_ids }: EventFilter, event: EventHead): boolean {
  if (event_types !== null && !event_types.some((pattern) => fits(pattern, event.event_type))) return false;
  if (sender_ids !== null && (event.sender_id === null || !sender_ids.includes(event.sender_id))) return false;
  return (
    conversation_ids === null || (event.conversation_id !== null && conversation_ids.includes(event.conversation_id))
  );
}

/** As `typesMatching` (event-catalogue.ts) reads a pattern, without a list. */
function fits(pattern: string, type: string): boolean {
  if (pattern === '*') return true;
  return pattern.endsWith('.*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
}

/** Whether a filter's item names any event: a type of the catalogue, `message.*` and its like, `*`. */
export function isEventPattern(pattern: string): boolean {
  return typesMatching(pattern).length > 0;
}

/** What is wrong with an address to post to, or null. Where its name leads is checked at each call. */
export function urlFlaw(text: string): string | null {
  // A URL parser drops or escapes these without a word; what is stored and shown is the text as it was given.
  if (/[\s\p{Cc}\p{Cs}]/u.test(text)) return 'must not have spaces or control characters';
  const url = text.length <= LONGEST_URL && URL.canParse(text) ? new URL(text) : null;
  if (url === null) return `must be an absolute URL of at most ${LONGEST_URL} characters`;
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must be an http or https URL';
  if (url.username !== '' || url.password !== '') return 'must not carry a name or a password';
  return url.hash === '' ? null : 'must not have a fragment';
}
