import { forgetOldRedrives, REDRIVES, stepRedrives } from '../actions/redrives.ts';
import type { Db } from '../db/pool.ts';
import type { Caps } from '../domain/limits.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createRounds } from '../runtime/rounds.ts';
import type { Signals } from '../signals/signals.ts';
import { findRedriveWait } from '../store/redrives.read.ts';

/**
 * Sends failed messages again, for those who asked for it, at the pace they asked for. Each step is a transaction of its own that
 * nobody holds before or after, so instances take turns at them, and what one leaves behind another goes on with.
 */
export interface RedriveJobOptions {
  db: Db;
  signals: Signals;
  logger: Pick<Logger, 'info' | 'warn'>;
  /** The configuration's limits, for a tenant or sender without own ones. */
  usual: Caps;
  /** Milliseconds in which a message without an end of its own is sent; null: for ever. */
  validity: number | null;
  /** Milliseconds between looks for redrives that no signal tells of. */
  pollInterval: number;
}

/** Milliseconds that a redrive is kept when it has ended, how often the old ones are forgotten, and how many at once. */
const KEPT = 90 * 86_400_000;
const FORGET_EVERY = 3_600_000;
const FORGOTTEN_TOGETHER = 1000;

export function createRedriveJob({ db, signals, logger, usual, validity, pollInterval }: RedriveJobOptions): Part {
  let unlisten = () => {};
  let timer: NodeJS.Timeout | undefined;
  let forgotAt = Number.NEGATIVE_INFINITY;

  const rounds = createRounds({
    every: pollInterval,
    atOnce: true,
    async round(ending) {
      clearTimeout(timer);
      while (!ending.aborted) {
        const step = await stepRedrives({ db, signals }, usual, validity);
        if (step === null) break;
        const { tenant_id, id: redrive_id, queued, skipped } = step;
        if (step.state === 'done') logger.info({ tenant_id, redrive_id, queued, skipped }, 'a redrive is done');
      }
      const wait = await findRedriveWait(db);
      if (wait !== null && wait < pollInterval) timer = setTimeout(rounds.wake, wait);
      if (performance.now() - forgotAt < FORGET_EVERY) return;
      forgotAt = performance.now();
      await forgetOldRedrives(db, KEPT, FORGOTTEN_TOGETHER);
    },
    failed: (error) => logger.warn({ error }, 'a step of a redrive failed'),
  });

  return part(
    'redrives',
    async () => {
      unlisten = signals.listen(REDRIVES, rounds.wake);
      rounds.start();
    },
    async () => {
      unlisten();
      await rounds.stop();
      clearTimeout(timer);
    },
  );
}
