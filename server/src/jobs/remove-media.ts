import { endMediaRemoval, takeDueMediaRemovals } from '../actions/media.ts';
import type { Db } from '../db/pool.ts';
import type { MediaFiles } from '../domain/media-files.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createRounds } from '../runtime/rounds.ts';

export interface RemoveMediaOptions {
  db: Db;
  logger: Pick<Logger, 'warn'>;
  files: Pick<MediaFiles, 'remove'>;
  /** Milliseconds between looks. */
  every: number;
}

const TOGETHER = 16;
/** Milliseconds after which bytes whose removal was not told to be done are removed once more. */
const AGAIN = 300_000;

/** Removes the bytes of files that were deleted. What cannot be removed now is tried again. */
export function createRemoveMedia({ db, logger, files, every }: RemoveMediaOptions): Part {
  const rounds = createRounds({
    every,
    atOnce: true,
    async round() {
      const removals = await takeDueMediaRemovals(db, TOGETHER, AGAIN);
      await Promise.all(
        removals.map(async (removal) => {
          try {
            await files.remove(removal.tenant_id, removal.sha256);
            await endMediaRemoval(db, removal);
          } catch (error) {
            logger.warn({ error, tenant_id: removal.tenant_id }, 'the bytes of a deleted file could not be removed');
          }
        }),
      );
      if (removals.length === TOGETHER) rounds.wake();
    },
    failed: (error) => logger.warn({ error }, 'removing deleted files failed'),
  });
  return part(
    'media removal',
    async () => rounds.start(),
    () => rounds.stop(),
  );
}
