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

/**
 * What to do about a doubtful attempt whose grace period is over.
 * @param evidence whether a receipt came for an attempt of the same sender that began later.
 * @param resends how often a doubt of this message was already answered by sending once more.
 */
export function decideDoubt(category: string, policy: DoubtPolicy, evidence: boolean, resends: number): DoubtDecision {
  if (!evidence) return 'wait';
  const choice = policy[category] ?? DEFAULTS[category] ?? 'tell';
  // Once more means once: a second doubt says that something else is wrong.
  return choice === 'resend' && resends === 0 ? 'resend' : 'tell';
}
