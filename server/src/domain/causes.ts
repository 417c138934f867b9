/**
 * Why a message has not left: the word that stands in `due.cause`, in `pauses.cause`, and in what `explain` answers. The
 * sentence of each, and what a person can do, is in domain/explanation.ts.
 */

/** Causes that put off one message until its `due_at`. Written to `due.cause`. */
export const DEFERRAL_CAUSES = [
  /** An attempt ended with an error that may pass: the next waits for its time. */
  'retry_wait',
  /** An earlier message to the same recipient goes first. */
  'order',
  /** The pair of sender and recipient had its share (Meta: 1 in 6 s, 45 at once). */
  'pair_rate',
  /** The portfolio has reached its unique users of 24 hours. */
  'messaging_limit',
  /** The recipient has had his share of marketing (131049): not before its time. */
  'marketing_cap',
  /** It is night where the recipient is. */
  'quiet_hours',
  /** The account may not write to the recipient's country now. */
  'country_paused',
] as const;
export type DeferralCause = (typeof DEFERRAL_CAUSES)[number];

/** Causes that pause a whole queue. Written to `pauses.cause`. */
export const PAUSE_CAUSES = [
  /** The access token is missing, expired or invalid: until another is given. */
  'token_invalid',
  /** The token lacks a permission. */
  'permission_missing',
  /** The number is not registered, deleted, or its name is not approved. */
  'number_not_ready',
  /** The number or account is restricted for spam, a policy, or wrong categories. */
  'restricted',
  /** The account cannot pay. */
  'payment_trouble',
  /** The account is locked. */
  'account_locked',
  /** The account may not write to this country. */
  'country_restricted',
  /** Too many calls of the app or the account. */
  'call_rate',
  /** The number is in maintenance (a throughput upgrade). */
  'maintenance',
  /** The other side fails or does not answer: a circuit breaker. */
  'provider_trouble',
] as const;
export type PauseCause = (typeof PAUSE_CAUSES)[number];
