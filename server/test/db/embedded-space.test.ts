import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { adjustBallast, BALLAST } from '../../src/db/embedded/ballast.ts';
import { ensureSpace, freeSpace, SPACE_RESERVE } from '../../src/db/embedded/space.ts';
import { StartError } from '../../src/runtime/start-error.ts';
import { memoryLog, scratch } from './embedded-rig.ts';

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

test('some room is kept on the disk, given to the database when there is no other, and kept again later', async (t) => {
  const folder = scratch(t);
  const [log, file] = [memoryLog(), join(folder, 'ballast')];
  for (const _ of [1, 2]) {
    assert.ok((await adjustBallast(folder, log)) > 0);
    const { size, blocks, mode } = statSync(file);
    assert.deepEqual([size, blocks * 512 >= BALLAST, mode & 0o777], [BALLAST, true, 0o600]);
    await adjustBallast(folder, log, Number.MAX_SAFE_INTEGER);
    assert.equal(statSync(file, { throwIfNoEntry: false }), undefined);
  }
  await adjustBallast(folder, log, Number.MAX_SAFE_INTEGER);
  assert.equal(log.lines.filter((line) => line.includes('is full')).length, 2);
});
