import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeldom, isOutage } from '../../src/runtime/outages.ts';

test('what tells that something is away, and what does not', () => {
  const coded = (code: string) => Object.assign(new Error('x'), { code });
  for (const code of ['ECONNREFUSED', 'ETIMEDOUT', 'ENOTFOUND', '08006', '53300', '57P01', '57P03']) {
    assert.ok(isOutage(coded(code)), code);
  }
  for (const message of ['timeout exceeded when trying to connect', 'Connection terminated unexpectedly']) {
    assert.ok(isOutage(new Error(message)), message);
  }
  for (const other of [
    coded('23505'),
    coded('42P01'),
    coded('ENOENT'),
    new TypeError('x is no function'),
    'gone',
    null,
  ]) {
    assert.ok(!isOutage(other), String(other));
  }
});

test('one text is said once in ten seconds, then with how often it was not', () => {
  let now = 0;
  const seldom = createSeldom(() => now);
  assert.deepEqual(seldom('a'), { say: true, unsaid: 0 });
  now = 9_999;
  assert.deepEqual([seldom('a').say, seldom('a').say, seldom('b').say], [false, false, true]);
  now = 10_000;
  assert.deepEqual(seldom('a'), { say: true, unsaid: 2 });
  now = 20_000;
  assert.deepEqual(seldom('a'), { say: true, unsaid: 0 });
});
