import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import { recordSenderEvidence } from '../store/doubt.write.ts';

/**
 * The proof that receipts flow, for each sender: the latest start of an attempt that a receipt has named. Only doubts read
 * it, so it is written at most once a second a sender.
 */
export interface Evidence {
  /** @param attemptStartedAt milliseconds since 1970, by the database's clock. */
  note(tenant: TenantId, sender: SenderId, attemptStartedAt: number): void;
  /** Writes what is due to be written. */
  write(): Promise<void>;
}

const EVERY = 1000;

export function recordEvidence(db: Db, clock: Clock): Evidence {
  const latest = new Map<SenderId, { tenant: TenantId; startedAt: number; writtenAt: number; dirty: boolean }>();
  return {
    note(tenant, sender, attemptStartedAt) {
      const known = latest.get(sender);
      if (!known) latest.set(sender, { tenant, startedAt: attemptStartedAt, writtenAt: 0, dirty: true });
      else if (attemptStartedAt > known.startedAt) {
        known.startedAt = attemptStartedAt;
        known.dirty = true;
      }
    },
    async write() {
      const now = clock.monotonic();
      const rows: { tenant: TenantId; sender: SenderId; attemptStartedAt: number }[] = [];
      for (const [sender, one] of latest) {
        if (!one.dirty || (one.writtenAt > 0 && now - one.writtenAt < EVERY)) continue;
        one.dirty = false;
        one.writtenAt = now;
        rows.push({ tenant: one.tenant, sender, attemptStartedAt: one.startedAt });
      }
      if (rows.length > 0) await retryingOnConflict(() => recordSenderEvidence(db, rows));
    },
  };
}
