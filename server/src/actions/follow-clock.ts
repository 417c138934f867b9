import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { failpoint } from '../runtime/failpoints.ts';
import {
  prolongGrace,
  pullDueBack,
  pullHeldBack,
  pullJobsBack,
  pullPutOffBack,
  shortenEvidence,
  shortenGrace,
} from '../store/clock.write.ts';

/**
 * The database's clock decides when something is due, and clocks get set. An instance that sees a jump moves what waits along:
 * nothing is decided of a doubt before its grace has really passed, and nothing sleeps until the clock has come back to where it
 * was. Whatever a person named a time for (`scheduled_at`, `expires_at`) stays at that time.
 */

/** Messages of one statement. */
const SOME = 5000;

/** What must hold before anything else is decided by the new time: the open attempts of lanes. `step`: ms, negative for back. */
export async function moveGrace(db: Db, lanes: readonly number[], step: number, grace: number): Promise<void> {
  await failpoint('clock.before_commit');
  await retryingOnConflict(() =>
    step > 0
      ? prolongGrace(db, lanes, step)
      : db.transaction(async (tx) => {
          // Of one transaction: an attempt and a receipt that both began "in the future" prove nothing for each other.
          await shortenGrace(tx, lanes, grace);
          await shortenEvidence(tx, lanes);
        }),
  );
  await failpoint('clock.after_commit');
}

/** The clock was set back by `step` ms: queued messages of lanes and recurring work wait no longer than they would have. */
export async function pullBack(db: Db, lanes: readonly number[], step: number): Promise<void> {
  while ((await retryingOnConflict(() => pullDueBack(db, lanes, SOME))) === SOME);
  await retryingOnConflict(() => pullHeldBack(db, lanes));
  await retryingOnConflict(() => pullPutOffBack(db, lanes, step));
  await pullJobsBack(retryingOnConflict, db, step);
}
