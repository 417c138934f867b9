import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { Signals } from '../signals/signals.ts';
import { claimDueNumbers, type NumberFact, type NumberToCheck, writeNumberFacts } from '../store/connections.write.ts';

export type { NumberFact, NumberToCheck };

/** Takes numbers whose connection is to be looked at, so that no other instance looks at them too. */
export function takeDueNumbers(db: Db, every: number, limit: number): Promise<NumberToCheck[]> {
  return retryingOnConflict(() => claimDueNumbers(db, every, limit));
}

/** Records what the provider said of numbers. An answer to a token that was replaced meanwhile is dropped. */
export async function recordNumberFacts(db: Db, signals: Signals, facts: readonly NumberFact[]): Promise<void> {
  if (facts.length === 0) return;
  await retryingOnConflict(() => writeNumberFacts(db, facts));
  if (facts.some(({ was, connected }) => connected !== null && connected !== was)) signals.notify('senders');
}
