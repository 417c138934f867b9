import { DEFERRAL_CAUSES, type DeferralCause } from './causes.ts';
import type { BatchId, SenderId } from './ids.ts';
import { knownCodes, providerError } from './provider-errors.ts';

/** Which failed messages are meant. Absent: all of them. Times are ISO 8601, of the failure, both included. */
export interface DeadLetterFilter {
  /** The word in the message's `error`: `send_failed`, `outcome_unknown`, … */
  error?: string | undefined;
  /** The provider's code; 0: none of the provider's. */
  error_code?: number | undefined;
  sender_id?: SenderId | undefined;
  batch_id?: BatchId | undefined;
  since?: string | undefined;
  until?: string | undefined;
}

export const REDRIVE_STATES = ['running', 'done', 'cancelled'] as const;
export type RedriveState = (typeof REDRIVE_STATES)[number];

/** Messages a second that a redrive makes due. */
export const REDRIVE_PACE = { usual: 10, most: 1000 } as const;
/** Most redrives of a tenant that run at once. */
export const MOST_REDRIVES = 3;

/** Why a failed message is left as it is. */
export const RETRY_REFUSALS = [
  /** It failed no more when its turn came. */
  'not_failed',
  /** It was sent elsewhere, and is only recorded here. */
  'recorded',
  /** Its time is over, or will be before it may be tried. */
  'expired',
  /** Its recipient has opted out. */
  'recipient_suppressed',
  /** An attempt of it may have arrived. */
  'may_have_arrived',
  /** Its tenant's month, or its sender's day, has no place left. */
  'quota_exceeded',
  'daily_limit_reached',
] as const;
export type RetryRefusal = (typeof RETRY_REFUSALS)[number];

/** A code after which a message is not tried again before a time, in milliseconds from its failure, and what it waits for. */
export interface RetryRest {
  code: number;
  rest: number;
  cause: DeferralCause;
}

/** The codes of the provider's table that have such a time. */
export const RETRY_RESTS: readonly RetryRest[] = knownCodes().flatMap((code) => {
  const { notBefore: rest, cause: word } = providerError(code);
  const cause = DEFERRAL_CAUSES.find((known) => known === word) ?? 'retry_wait';
  return rest > 0 ? [{ code, rest, cause }] : [];
});

/** Steps a second in which a redrive goes on: each makes a part of what a second allows. */
const STEPS = 4;

/** How many messages a redrive makes due at once. */
export function redriveStep(perSecond: number): number {
  return Math.max(1, Math.ceil(perSecond / STEPS));
}
