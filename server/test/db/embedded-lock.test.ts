import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type FolderLock, lockFolder } from '../../src/db/embedded/lock.ts';
import { StartError } from '../../src/runtime/start-error.ts';
import { afterwards, scratch, shortFolder } from './embedded-rig.ts';

function contend(folder: string, contenders: number): Promise<PromiseSettledResult<FolderLock>[]> {
  return Promise.allSettled(Array.from({ length: contenders }, () => lockFolder(folder)));
}

test('of many who want a folder at once, exactly one gets it, also over a dead owner', async (t) => {
  const folder = scratch(t);
  for (let round = 0; round < 25; round++) {
    const outcomes = await contend(folder, 12);
    const won = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const lost = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    assert.equal(won.length, 1, `round ${round}`);
    for (const error of lost) {
      assert.ok(error instanceof StartError);
      assert.match(error.message, new RegExp(`^The data folder ${folder} is in use by process ${process.pid}`));
    }
    // Its socket stays behind, dead, for the next round to find.
    await won[0]?.release();
    assert.equal(fs.readdirSync(path.join(folder, 'lock')).length, 1);
  }
});

test('a folder is free again once its owner has let go, and not before', async (t) => {
  const folder = scratch(t);
  const first = await lockFolder(folder);
  await assert.rejects(lockFolder(folder), /is in use by process/);
  await first.release();
  const second = await lockFolder(folder);
  await second.release();
});

test('a folder with a long path is locked all the same', async (t) => {
  const folder = path.join(scratch(t), 'long-'.repeat(20), 'long-'.repeat(20));
  fs.mkdirSync(folder, { recursive: true });
  const lock = await lockFolder(folder);
  const short = shortFolder(path.join(folder, 'lock'));
  afterwards(t, () => fs.rmSync(short, { recursive: true, force: true }));
  assert.deepEqual(fs.readdirSync(short), ['owner.1.sock']);
  await assert.rejects(lockFolder(folder), /is in use by process/);
  await lock.release();
});

test('a short folder that others can open is refused', async (t) => {
  const folder = path.join(scratch(t), 'long-'.repeat(20), 'long-'.repeat(20));
  fs.mkdirSync(path.join(folder, 'lock'), { recursive: true });
  const short = shortFolder(path.join(folder, 'lock'));
  fs.mkdirSync(short);
  fs.chmodSync(short, 0o777);
  afterwards(t, () => fs.rmSync(short, { recursive: true, force: true }));
  await assert.rejects(lockFolder(folder), /stands in for .* remove it/);
});
