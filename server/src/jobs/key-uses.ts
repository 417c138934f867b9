import { type KeyUse, recordKeyUses } from '../actions/api-keys.ts';
import type { Db } from '../db/pool.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createRounds } from '../runtime/rounds.ts';

/** Writes when keys were last used, many at a time and off the path of requests. */
export interface KeyUsesOptions {
  db: Db;
  logger: Pick<Logger, 'warn'>;
  /** Gives what was used since it was last asked. */
  takeUsed: () => KeyUse[];
  /** Milliseconds between two writes. */
  every?: number;
}

const USUALLY_EVERY = 5000;

export function createKeyUses({ db, logger, takeUsed, every = USUALLY_EVERY }: KeyUsesOptions): Part {
  const write = () => recordKeyUses(db, takeUsed());
  /** A use that cannot be written is no loss: the next one is as good. */
  const failed = (error: unknown) => logger.warn({ error }, 'the last use of keys could not be written');
  const rounds = createRounds({ every, round: write, failed });

  return part(
    'key uses',
    async () => rounds.start(),
    async () => {
      await rounds.stop();
      await write().catch(failed);
    },
  );
}
