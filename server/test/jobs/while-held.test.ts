import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whileHeld } from '../../src/jobs/while-held.ts';

/** Renews within a few milliseconds. */
const SHORT = 10;

test('what is held is renewed again and again while the work goes on, and not behind it', async () => {
  let renewals = 0;
  let reached = () => {};
  const thrice = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const renew = async () => {
    if (++renewals === 3) reached();
  };
  const work = async () => {
    await thrice;
    return 'done';
  };
  assert.equal(await whileHeld(renew, work, SHORT), 'done');
  const before = renewals;
  await new Promise((resolve) => setTimeout(resolve, 3 * SHORT));
  assert.equal(renewals, before);
});

test('a renewal that fails is no harm, and those that are slow do not pile up', async () => {
  let underWay = 0;
  let most = 0;
  let begun = () => {};
  const once = new Promise<void>((resolve) => {
    begun = resolve;
  });
  let fail = () => {};
  const slow = new Promise<void>((_, reject) => {
    fail = () => reject(new Error('the database is away'));
  });
  const renew = async () => {
    most = Math.max(most, ++underWay);
    begun();
    await slow.finally(() => underWay--);
  };
  const work = async () => {
    await once;
    await new Promise((resolve) => setTimeout(resolve, 2 * SHORT));
  };
  const held = whileHeld(renew, work, SHORT);
  await once;
  let over = false;
  const ended = held.then(() => {
    over = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 4 * SHORT));
  assert.equal(over, false, 'a renewal under way could still be written behind the settlement');
  fail();
  await ended;
  assert.deepEqual([most, underWay], [1, 0]);
});

test('what the work throws is thrown', async () => {
  await assert.rejects(
    whileHeld(
      async () => {},
      () => Promise.reject(new Error('no')),
      SHORT,
    ),
    /no/,
  );
});
