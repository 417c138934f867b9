import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createPause } from '../../src/runtime/pause.ts';

const LONG = 60_000;

/** Whether a promise is settled once everything that is ready has run. */
async function isOver(promise: Promise<void>): Promise<boolean> {
  let over = false;
  void promise.then(() => {
    over = true;
  });
  await turn();
  return over;
}

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

test('a wait is over after its time', async () => {
  const since = performance.now();
  await createPause().wait(20);
  assert.ok(performance.now() - since >= 19);
});

test('a wake ends the wait, and leaves no timer behind', async () => {
  const pause = createPause();
  const before = timers();
  const waiting = pause.wait(LONG);
  assert.equal(timers(), before + 1);
  assert.equal(await isOver(waiting), false);
  pause.wake();
  assert.equal(timers(), before);
  await waiting;
});

test('a wake with nobody waiting is kept until the reset', async () => {
  const pause = createPause();
  pause.wake();
  pause.wake();
  assert.equal(await isOver(pause.wait(LONG)), true);
  assert.equal(await isOver(pause.wait(LONG)), true);
  pause.reset();
  const waiting = pause.wait(LONG);
  assert.equal(await isOver(waiting), false);
  pause.wake();
  await waiting;
});

test('a reset does not end a wait, nor keep a later wake from ending it', async () => {
  const pause = createPause();
  const waiting = pause.wait(LONG);
  pause.reset();
  assert.equal(await isOver(waiting), false);
  pause.wake();
  await waiting;
});

test('a wake after a wait that was over by time is kept for the next', async () => {
  const pause = createPause();
  await pause.wait(1);
  pause.wake();
  assert.equal(await isOver(pause.wait(LONG)), true);
});
