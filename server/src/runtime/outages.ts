/**
 * What the log says while the database, or another service beside us, is away. Then everything that looks there fails, many times
 * a second: an entry for each would bury the others and fill the disk.
 */

/** How often one and the same thing is said, in milliseconds. */
const SAID_EVERY = 10_000;
/** The texts are the code's own, some dozens. */
const MOST_TEXTS = 500;

const NETWORK = new Set(
  'ECONNREFUSED ECONNRESET EPIPE ETIMEDOUT ENOTFOUND EAI_AGAIN EHOSTUNREACH EHOSTDOWN ENETUNREACH ENETDOWN'.split(' '),
);
/** SQLSTATEs of a connection that failed, was ended or is not to be had, of a statement that was ended with it, of too few resources. */
const DATABASE = /^(08|53|57P)\w+$/;
/** The driver's own errors have no code. */
const DRIVER = /^(timeout exceeded when trying to connect|Connection terminated)/;

/** Whether an error tells that something is away, and not that something here is wrong: then its stack says nothing. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return NETWORK.has(code) || DATABASE.test(code) || DRIVER.test(error.message);
}

/** Whether something is to be said, and how often it was not since it was said last. */
export interface Saying {
  say: boolean;
  unsaid: number;
}

/** Lets each text through once in a while. `now` gives milliseconds of any clock that only goes forward. */
export function createSeldom(now: () => number = () => performance.now()): (text: string) => Saying {
  const said = new Map<string, { at: number; unsaid: number }>();
  return (text) => {
    const at = now();
    const last = said.get(text);
    if (last !== undefined && at - last.at < SAID_EVERY) {
      last.unsaid++;
      return { say: false, unsaid: last.unsaid };
    }
    if (said.size >= MOST_TEXTS) said.clear();
    said.set(text, { at, unsaid: 0 });
    return { say: true, unsaid: last?.unsaid ?? 0 };
  };
}
