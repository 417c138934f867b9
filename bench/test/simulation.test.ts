import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulateDay } from '../simulation/day.ts';
import { plotThroughput, plotWaits } from '../simulation/plots.ts';
import { watchPairs, watchRate } from '../simulation/watchers.ts';

test('a day on the virtual clock: no limit is exceeded, no line out of order, codes leave at once, rates are used', () => {
  const day = simulateDay({ seed: 7, messages: 120_000, tenants: 60, campaigners: 12, log: () => {} });
  assert.ok(day.messages > 100_000);
  const { rateBreaches, pairBreaches, limitBreaches, orderBreaches, waiting } = day;
  assert.deepEqual([rateBreaches, pairBreaches, limitBreaches, orderBreaches, waiting], [0, 0, 0, 0, 0]);
  assert.equal(day.sent >= day.messages - day.heldByLimit, true);
  assert.ok(day.heldByLimit > 0, 'the portfolio that may reach few users was tried');
  assert.ok(day.waits.code.p99 < 2000, `codes waited ${day.waits.code.p99} ms`);
  assert.ok(day.used.least > 0.95, `only ${day.used.least} of a rate was used`);
  for (const svg of [plotThroughput(day), plotWaits(day)]) assert.match(svg, /^<svg[\s\S]*<path[\s\S]*<\/svg>$/);
});

test('the watchers see what they are there for', () => {
  const rate = watchRate();
  for (const at of [0, 100, 999, 1000, 1001]) rate.left(at);
  assert.equal(rate.most, 4);
  const pairs = watchPairs();
  for (let i = 0; i < 45; i++) pairs.left('one', i);
  pairs.left('one', 6000);
  assert.equal(pairs.breaches, 0);
  pairs.left('one', 6001);
  assert.equal(pairs.breaches, 1);
});
