import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until something is so, and fails when it is not within `limit` ms. That is longer than any test may take on a machine with
 * nothing else to do: it only keeps one that hangs from hanging for ever.
 */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, limit = 30_000): Promise<void> {
  const deadline = performance.now() + limit;
  while (!(await isSo())) {
    assert.ok(performance.now() < deadline, `${what}: not within ${limit} ms`);
    await sleep(5);
  }
}
