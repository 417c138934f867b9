import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { type ReadMark, type ReadMarkKey, TYPING_FRESH } from '../domain/read-mark.ts';
import { deleteReadMarks, postponeReadMarks, takeReadMarks } from '../store/read-marks.write.ts';

/** Takes read marks that the provider is to be told of now; see `takeReadMarks`. */
export function takeDueReadMarks(db: Db, limit: number, retryAfter: number): Promise<ReadMark[]> {
  return retryingOnConflict(() => takeReadMarks(db, limit, retryAfter, TYPING_FRESH));
}

/** Writes down what came of telling: null is the end of it, a number the milliseconds until the next try. */
export async function settleReadMarks(
  db: Db,
  marks: readonly (ReadMarkKey & { delay: number | null })[],
): Promise<void> {
  const over = marks.filter(({ delay }) => delay === null);
  const waiting = marks.flatMap(({ delay, ...mark }) => (delay === null ? [] : [{ ...mark, delay }]));
  if (over.length > 0) await retryingOnConflict(() => deleteReadMarks(db, over));
  if (waiting.length > 0) await retryingOnConflict(() => postponeReadMarks(db, waiting));
}
