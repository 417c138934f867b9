import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something is so, and fails when it is not within `limit` ms. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, limit = 10_000): Promise<void> {
  const deadline = performance.now() + limit;
  while (!(await isSo())) {
    assert.ok(performance.now() < deadline, `${what}: not within ${limit} ms`);
    await sleep(5);
  }
}
