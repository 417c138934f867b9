import { isConflict, isTransient, isUniqueViolation } from './pool.ts';

const MOST_TRIES = 8;

/**
 * Does a write again when another transaction came between: it changed a row since this one looked (transactions are
 * repeatable read), made the same unique row, or both waited for each other. Nothing of a failed try stands.
 */
export async function retryingOnConflict<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const conflict = isUniqueViolation(error) || isConflict(error);
      if (!conflict || tries === MOST_TRIES) throw error;
    }
  }
}

/** Of those who want one row at the same moment one wins each time: so often the others begin anew. */
const MOST_ROUNDS = 5;

/**
 * The same for rows that many write at once, on several instances: a conversation in which all speak. Between the rounds of tries lie
 * pauses of some milliseconds, so that they do not meet again.
 */
export async function retryingUnderContention<T>(attempt: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round++) {
    try {
      return await retryingOnConflict(attempt);
    } catch (error) {
      if (!isConflict(error) || round === MOST_ROUNDS) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * round));
    }
  }
}

const LONGEST_PAUSE = 2000;

/**
 * Does again what failed for no fault of its own, with growing pauses, for as long as that lasts: what is recorded has to
 * be finished, and the database comes back.
 */
export async function persistently<T>(attempt: () => Promise<T>): Promise<T> {
  for (let pause = 20; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    try {
      return await retryingOnConflict(attempt);
    } catch (error) {
      if (!isTransient(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
