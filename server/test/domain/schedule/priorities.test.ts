import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ByPriority, createPriorities, WEIGHTS } from '../../../src/domain/schedule/priorities.ts';

const SUM = WEIGHTS.reduce<number>((sum, weight) => sum + weight, 0);

test('while all three have work, every twelve messages are eight high, three normal and one low', () => {
  const priorities = createPriorities();
  priorities.found([1, 1, 1]);
  const turns = Array.from({ length: 20 * SUM }, () => priorities.next([true, true, true]));
  for (let i = 0; i + SUM <= turns.length; i += SUM) {
    const round = turns.slice(i, i + SUM);
    assert.deepEqual(
      WEIGHTS.map((_, priority) => round.filter((one) => one === priority).length),
      [...WEIGHTS],
    );
  }
});

test('nobody who has work waits for more than his bound, whatever the others have', () => {
  const work = fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 30, maxLength: 200 });
  fc.assert(
    fc.property(work, fc.constantFrom<0 | 1 | 2>(0, 1, 2), (others, own) => {
      const priorities = createPriorities();
      let waited = 0;
      for (const [one, other] of others) {
        const has: ByPriority<boolean> = [true, true, true];
        has[((own + 1) % 3) as 0 | 1 | 2] = one;
        has[((own + 2) % 3) as 0 | 1 | 2] = other;
        priorities.found(has.map(Number) as ByPriority);
        const next = priorities.next(has);
        assert.ok(next !== null && has[next]);
        waited = next === own ? 0 : waited + 1;
        assert.ok(waited <= SUM, `${waited} before it`);
      }
    }),
  );
});

test('high is the next to leave when it comes after a pause', () => {
  const priorities = createPriorities();
  for (let i = 0; i < 1000; i++) {
    priorities.found([0, 5, 5]);
    assert.notEqual(priorities.next([false, true, true]), 0);
  }
  priorities.found([1, 5, 5]);
  assert.equal(priorities.next([true, true, true]), 0);
});

test('hardly more is read than may leave: all of the room for one alone, a look at the others', () => {
  const priorities = createPriorities();
  assert.deepEqual(priorities.limits(100), [100, 100, 100]);
  priorities.found([0, 0, 100]);
  assert.deepEqual(priorities.limits(100), [8, 8, 100]);
  priorities.found([100, 0, 100]);
  assert.deepEqual(priorities.limits(99), [89, 8, 12]);
  priorities.found([0, 0, 0]);
  assert.deepEqual(priorities.limits(5), [5, 5, 5]);
  assert.equal(priorities.next([false, false, false]), null);
});
