/**
 * Doubt: an attempt began, and nobody knows whether the provider accepted it. A receipt that names the attempt settles it.
 * Otherwise, when the grace period is over and receipts have been proved to flow since, a policy decides. In silence it
 * stays unconfirmed: no evidence is no proof.
 */
export type DoubtDecision = 'resend' | 'tell' | 'wait';

/** A tenant's choice by category; absent ones follow the defaults. */
export type DoubtPolicy = Partial<Record<string, 'resend' | 'tell'>>;

/** Free text and utility once more; a code or an offer twice would do harm: tell. */
const DEFAULTS: Record<string, 'resend' | 'tell'> = {
  service: 'resend',
  utility: 'resend',
  authentication: 'tell',
  marketing: 'tell',
};

/** What is known of a doubtful attempt whose grace period is over. */
export interface DoubtFacts {
  category: string;
  /** Whether a receipt came for an attempt of the same sender that began later. */
  evident: boolean;
  /** Whether all that was stored by then is applied. */
  heard: boolean;
  /** How often a doubt of this message was already answered by sending once more. */
  resends: number;
}

/** What to do about it. */
export function decideDoubt({ category, evident, heard, resends }: DoubtFacts, policy: DoubtPolicy): DoubtDecision {
  if (!evident || !heard) return 'wait';
  const choice = policy[category] ?? DEFAULTS[category] ?? 'tell';
  // Once more means once: a second doubt says that something else is wrong.
  return choice === 'resend' && resends === 0 ? 'resend' : 'tell';
}

/** Milliseconds: while stored webhooks are applied, in doubts that are young, and in those of a long silence. */
const LOOK_AGAIN = { hearing: 500, least: 2000, most: 30_000 } as const;

/** Milliseconds until a doubt that has lasted for `age` ms is looked at again: ever more rarely, but soon when there is evidence. */
export function lookAgainIn(age: number, evident: boolean): number {
  return evident ? LOOK_AGAIN.hearing : Math.min(LOOK_AGAIN.most, Math.max(LOOK_AGAIN.least, age / 10));
}
