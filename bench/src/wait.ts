import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks again and again until `ask` gives something other than null.
 * @throws {Error} naming `what`, when the deadline passes first
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | null> | T | null,
  { deadlineMs = 60_000, everyMs = 50 } = {},
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`);
    await sleep(everyMs);
  }
}
