import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';
import type { Signals } from '../signals/signals.ts';
import {
  claimDueNumbers,
  doubtNumberFact,
  type NumberFact,
  type NumberToCheck,
  writeNumberFacts,
} from '../store/connections.write.ts';
import { tendSenders } from '../store/tending.write.ts';
import { endTokenPauses } from './pauses.ts';

export type { NumberFact, NumberToCheck };

/** Takes numbers whose connection is to be looked at, so that no other instance looks at them too. */
export function takeDueNumbers(db: Db, every: number, limit: number): Promise<NumberToCheck[]> {
  return retryingOnConflict(() => claimDueNumbers(db, every, limit));
}

/** Records what the provider said of numbers. An answer to a token that was replaced meanwhile is dropped. */
export async function recordNumberFacts(db: Db, signals: Signals, facts: readonly NumberFact[]): Promise<void> {
  if (facts.length === 0) return;
  await retryingOnConflict(() => writeNumberFacts(db, facts));
  // What waited for a number goes on when it is connected again.
  const back = facts.filter(({ was, connected }) => connected === true && was === false);
  for (const { tenant_id, id } of back) await retryingOnConflict(() => tendSenders(db, tenant_id, [id], 0));
  if (back.length > 0) signals.notify('accounts');
  // Its token is good, whatever a send was told before.
  const good = facts.flatMap(({ id, connected }) => (connected === true ? [id] : []));
  if (good.length > 0) await endTokenPauses(db, signals, good, ['token_invalid']);
  if (facts.some(({ was, connected }) => connected !== null && connected !== was)) signals.notify('senders');
}

/** Has a number looked at next: a send says that its token is no good. */
export async function doubtConnection(db: Db, signals: Signals, tenant: TenantId, sender: SenderId): Promise<void> {
  if (await retryingOnConflict(() => doubtNumberFact(db, tenant, sender))) signals.notify('senders');
}
