import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSenderRate } from '../../../src/domain/schedule/sender-rate.ts';

test('too fast: half the rate at once, and gently back to all of it', () => {
  const rate = createSenderRate(80, 0, 0);
  rate.slow(1000);
  assert.equal(rate.perSecond, 40);
  assert.equal(rate.available(1000), 0);
  // The other calls that were under way say the same.
  rate.slow(1500);
  assert.equal(rate.perSecond, 40);
  rate.slow(2500);
  assert.equal(rate.perSecond, 20);
  let now = 2500;
  const seen: number[] = [];
  while (rate.perSecond < 80 && now < 200_000) {
    now += 500;
    rate.available(now);
    seen.push(rate.perSecond);
  }
  assert.equal(rate.perSecond, 80);
  assert.ok(now > 60_000 && now < 120_000, `back after ${now} ms`);
  assert.ok(seen.every((one, i) => i === 0 || one >= (seen[i - 1] as number)));
});

test('it never falls below a sixteenth, nor below one a second', () => {
  const rate = createSenderRate(80, 0, 0);
  for (let now = 0; now < 20_000; now += 1000) rate.slow(now);
  assert.equal(rate.perSecond, 5);
  const slow = createSenderRate(2, 0, 0);
  for (let now = 0; now < 20_000; now += 1000) slow.slow(now);
  assert.equal(slow.perSecond, 1);
});

test('what comes in is taken off what may go out', () => {
  const rate = createSenderRate(80, 30, 0);
  assert.equal(rate.perSecond, 50);
  rate.set(1000, 30);
  assert.equal(rate.perSecond, 970);
  rate.set(20, 40);
  assert.equal(rate.perSecond, 1);
});
