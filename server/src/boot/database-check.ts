import type { Db } from '../db/pool.ts';
import type { Logger } from '../runtime/logger.ts';

/**
 * Asks the database whether it is there, for `GET /ready`. Whoever asks needs no key, so he is told `ok` or `unavailable` only; why, with
 * its host and role, stands in the log, once for each time it went away.
 */
export function createDatabaseCheck(
  db: Pick<Db, 'query'>,
  logger: Pick<Logger, 'warn'>,
): () => Promise<'ok' | 'unavailable'> {
  let known: 'ok' | 'unavailable' = 'ok';
  return async () => {
    try {
      await db.query({ name: 'ready', text: 'select 1' });
      known = 'ok';
    } catch (error) {
      if (known === 'ok') logger.warn({ error }, 'not ready: the database cannot be asked');
      known = 'unavailable';
    }
    return known;
  };
}
