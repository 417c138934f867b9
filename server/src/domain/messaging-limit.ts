/**
 * How many people a business portfolio may write to first, outside a customer's window, in a moving 24 hours; all its numbers share
 * it (Meta: messaging-limits, read 2026-09-30). Meta has no error of its own for one that is reached, so it is counted here.
 */
export const MESSAGING_LIMIT = {
  /** Milliseconds in which a user counts, from the last such message to him. */
  span: 86_400_000,
  date: '2026-09-30',
} as const;

const MULTIPLES: Readonly<Record<string, number>> = { '': 1, K: 1000, M: 1_000_000 };

/** Users of 24 hours that a word of Meta's stands for: `TIER_250`, `TIER_10K`. null: there is no limit, or none that is known. */
export function usersOf(word: string): number | null {
  const [, digits, unit = ''] = /^TIER_(\d{1,9})([KM]?)$/.exec(word) ?? [];
  const users = Number(digits) * (MULTIPLES[unit] ?? 1);
  return users > 0 ? users : null;
}

/** The least of what the accounts of a portfolio were told: they were not all told at once. null: there is no limit. */
export function leastLimit(words: readonly string[]): number | null {
  const limits = words.map(usersOf).filter((users) => users !== null);
  return limits.length === 0 ? null : Math.min(...limits);
}
