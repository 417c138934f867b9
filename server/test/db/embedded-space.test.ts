import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureSpace, freeSpace, SPACE_RESERVE } from '../../src/db/embedded/space.ts';
import { StartError } from '../../src/runtime/start-error.ts';
import { scratch } from './embedded-rig.ts';

test('free space is told in bytes, and too little of it is an error that says what to do', async (t) => {
  const folder = scratch(t);
  const free = await freeSpace(folder);
  assert.ok(Number.isInteger(free) && free > 0);
  assert.equal(SPACE_RESERVE, 200 * 1024 * 1024);
  await assert.doesNotReject(ensureSpace(folder, 1));
  await assert.rejects(ensureSpace(folder, Number.MAX_SAFE_INTEGER), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, new RegExp(`^The disk that holds ${folder} has \\d+ MiB free .* ALDIS_DATA_DIR`));
    return true;
  });
});
