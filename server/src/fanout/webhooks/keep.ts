import { forgetDeliveries } from '../../actions/webhook-deliveries.ts';
import { stepReplays } from '../../actions/webhook-replays.ts';
import type { Db } from '../../db/pool.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type Part, part } from '../../runtime/lifecycle.ts';
import type { Logger } from '../../runtime/logger.ts';
import { createRounds } from '../../runtime/rounds.ts';
import type { Signals } from '../../signals/signals.ts';
import { findReplayWait } from '../../store/webhook-replays.read.ts';

/** Makes the steps of replays that somebody asked for, and forgets deliveries that are old. */
export interface WebhookKeeperOptions {
  db: Db;
  signals: Signals;
  clock: Clock;
  logger: Pick<Logger, 'warn'>;
  /** How long deliveries that have ended are kept. Milliseconds. */
  retention: number;
  /** Milliseconds between two looks for replays. */
  pollInterval: number;
}

const FORGET_EVERY = 60_000;

export function createWebhookKeeper({
  db,
  signals,
  clock,
  logger,
  retention,
  pollInterval,
}: WebhookKeeperOptions): Part {
  let timer: NodeJS.Timeout | undefined;
  let forgotAt = Number.NEGATIVE_INFINITY;

  const rounds = createRounds({
    every: pollInterval,
    atOnce: true,
    async round(ending) {
      clearTimeout(timer);
      const wait = await findReplayWait(db);
      if (wait !== null && wait <= 0) await stepReplays({ db, signals });
      const next = wait === null ? null : await findReplayWait(db);
      if (next !== null && next < pollInterval) timer = setTimeout(rounds.wake, next);
      if (clock.monotonic() - forgotAt < FORGET_EVERY) return;
      forgotAt = clock.monotonic();
      await forgetDeliveries(db, retention, clock.now(), ending);
    },
    failed: (error) => logger.warn({ error }, 'a round of webhook replays failed'),
  });

  return part(
    'webhook replays',
    async () => {
      rounds.start();
    },
    async () => {
      await rounds.stop();
      clearTimeout(timer);
    },
  );
}
