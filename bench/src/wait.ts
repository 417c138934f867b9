import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks again and again until `ask` gives something other than null.
 * @param everyMs the time between two questions, or a function that is asked for it each time.
 * @throws {Error} naming `what`, when the deadline passes first
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | null> | T | null,
  { deadlineMs = 60_000, everyMs = 50 }: { deadlineMs?: number; everyMs?: number | (() => number) } = {},
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`);
    await sleep(typeof everyMs === 'number' ? everyMs : everyMs());
  }
}

/** Asked more rarely than a connection is kept open, the question would meet one that the server is just closing. */
const MOST_REST = 1500;

/**
 * Waits until `done` says that `n` are done. A question costs the product more than the floor, so it is asked the more often the
 * less is left: never later than a side that does 10,000 a second would be ready.
 */
export async function untilDone(
  what: string,
  n: number,
  done: () => Promise<number>,
  { deadlineMs = 60_000 } = {},
): Promise<void> {
  let left = n;
  const ask = async (): Promise<true | null> => {
    left = n - (await done());
    return left <= 0 || null;
  };
  await until(what, ask, { deadlineMs, everyMs: () => Math.min(Math.max(25, left / 10), MOST_REST) });
}
