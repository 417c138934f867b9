import { stopLateMessages } from '../actions/consent.ts';
import type { Db } from '../db/pool.ts';
import { firstIdAt } from '../domain/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createRounds } from '../runtime/rounds.ts';
import type { Signals } from '../signals/signals.ts';

/**
 * Stops messages to people who opted out while they were being accepted: whoever accepts reads consent first and commits a
 * moment later. Each consent is looked at soon, when no statement that was under way then can go on, and when no call can.
 */
export interface LateMessagesOptions {
  db: Db;
  signals: Signals;
  clock: Clock;
  logger: Pick<Logger, 'warn' | 'info'>;
  /** Milliseconds after it was written at which a consent is looked at. */
  ages?: readonly number[];
  /** Milliseconds between rounds. */
  every?: number;
}

/** Statements end after 30 s; a message that waits for its file to be uploaded may be queued once more after five minutes. */
const AGES = [2000, 40_000, 330_000];
const EVERY = 2000;
/** What was written so long before the start is looked at too: by then somebody else may have ended. Milliseconds. */
const BEFORE_START = 60_000;

export function createLateMessages(options: LateMessagesOptions): Part {
  const { db, signals, clock, logger, ages = AGES, every = EVERY } = options;
  const looks = ages.map((age) => ({ age, through: firstIdAt(clock.now() - BEFORE_START - age) }));

  async function round(ending: AbortSignal): Promise<void> {
    for (const look of looks) {
      const before = firstIdAt(clock.now() - look.age);
      while (!ending.aborted && look.through < before) {
        const { through, stopped } = await stopLateMessages({ db, signals }, look.through, before);
        look.through = through;
        if (stopped > 0) logger.info({ stopped }, 'messages were stopped whose recipients had just opted out');
      }
    }
  }

  const rounds = createRounds({
    every,
    round,
    failed: (error) => logger.warn({ error }, 'stopping messages to those who opted out failed'),
  });
  return part('late messages', async () => rounds.start(), rounds.stop);
}
