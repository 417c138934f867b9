import { type KeyUse, recordKeyUses } from '../actions/api-keys.ts';
import type { Db } from '../db/pool.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';

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
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  /** A use that cannot be written is no loss: the next one is as good. */
  function write(): Promise<void> {
    return recordKeyUses(db, takeUsed()).catch((error: unknown) =>
      logger.warn({ error }, 'the last use of keys could not be written'),
    );
  }

  function schedule(): void {
    if (stopped) return;
    timer = setTimeout(() => {
      running = write().then(schedule);
    }, every);
  }

  return part(
    'key uses',
    async () => schedule(),
    async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
      await write();
    },
  );
}
