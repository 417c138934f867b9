import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ConversationId, newId } from '../../../src/domain/ids.ts';
import { createPairRate, PAIR_LIMIT } from '../../../src/domain/schedule/pair-rate.ts';

const gaps = fc.array(fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.constantFrom(0, 6000, 60_000, 600_000)), {
  minLength: 1,
  maxLength: 300,
});

test('no window lets a pair have more than what it may save up, and one more in each six seconds', () => {
  fc.assert(
    fc.property(gaps, (waits) => {
      const pairs = createPairRate();
      const pair = newId<ConversationId>();
      const left: number[] = [];
      let now = 0;
      for (const wait of waits) {
        now += wait;
        if (pairs.wait(pair, now) > 0) continue;
        pairs.take(pair, now);
        left.push(now);
      }
      for (let i = 0; i < left.length; i++) {
        for (let j = i; j < left.length; j++) {
          const span = (left[j] as number) - (left[i] as number);
          assert.ok(j - i + 1 <= PAIR_LIMIT.burst + Math.floor(span / PAIR_LIMIT.every), `${j - i + 1} in ${span} ms`);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('the wait is exactly as long as it takes, and 45 may go at once', () => {
  const pairs = createPairRate();
  const pair = newId<ConversationId>();
  for (let i = 0; i < PAIR_LIMIT.burst; i++) {
    assert.equal(pairs.wait(pair, 1000), 0);
    pairs.take(pair, 1000);
  }
  assert.equal(pairs.wait(pair, 1000), PAIR_LIMIT.every);
  assert.equal(pairs.wait(pair, 1000 + PAIR_LIMIT.every), 0);
  assert.equal(pairs.wait(newId<ConversationId>(), 1000), 0);
});

test('what is known of before, and what WhatsApp says, holds a pair back', () => {
  const pairs = createPairRate();
  const [restored, shut] = [newId<ConversationId>(), newId<ConversationId>()];
  pairs.restore(restored, 50, 0);
  assert.equal(pairs.wait(restored, 0), PAIR_LIMIT.every);
  pairs.shut(shut, 4000);
  assert.equal(pairs.wait(shut, 0), 4000);
  assert.equal(pairs.wait(shut, 4000), 0);
});

test('pairs that have everything saved up again are forgotten', () => {
  const pairs = createPairRate();
  for (let i = 0; i < 1000; i++) pairs.take(newId<ConversationId>(), i * 100);
  assert.ok(pairs.size <= 62, `${pairs.size} are remembered`);
});
